"""What rules ask for, each distinct thing once: a referral with its priority and timeframe, or a task."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.export.scope import Export, citation
from adapter.fhir.profiles import profile_for
from adapter.records import Resource
from adapter.referrals.services import Destination, destination, referral_code, service_type
from adapter.referrals.terms import concept, display
from rules import PRIORITIES, Ask, FactDeclaration, Outcome, Refer, Rule, TaskSpec, Within

DAYS = {"unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}


@dataclass(frozen=True, slots=True)
class Request:
    """A referral to a service. ``days`` is a number of whole days; UCUM has no unit for working ones."""

    service: str
    priority: str
    days: int
    working: bool
    parameter: str  # that gives the days, or ""

    @property
    def name(self) -> str:
        return f"refer-{self.service}-{self.priority}-{self.days}-{'working-days' if self.working else 'days'}"


@dataclass(frozen=True, slots=True)
class ToDo:
    """A task. ``service`` is the team that it is about, or ""."""

    code: str
    priority: str
    service: str

    @property
    def name(self) -> str:
        return "-".join(filter(None, ("task", self.code, self.priority, self.service)))


Activity = Request | ToDo


def request(export: Export, refer: Refer) -> Request:
    return _request(export, export.resolve(refer.service), refer.priority, refer.within)


def _request(export: Export, service: str, priority: str, within: Within) -> Request:
    return Request(service, priority, export.resolve(within.days), within.working, within.days.parameter)


def outside_request(export: Export, rule: Rule) -> Request | None:
    """The referral of a rule that is met outside its window, at the priority that all its branches together have.

    It is never above urgent, as the engine has it, but for a safety rule.
    """
    if rule.outside is None:
        return None
    refers = [outcome.act for outcome in rule.then if isinstance(outcome.act, Refer)]
    ranks = [PRIORITIES.index(refer.priority) for refer in refers]
    highest = PRIORITIES[max(ranks, default=0) if rule.safety else min(max(ranks, default=0), 1)]
    same = (refer.within for refer in refers if refer.priority == highest)
    given = rule.outside.within or next(same, export.content.timeframes.get(highest)) or refers[0].within
    return _request(export, export.resolve(rule.outside.service), highest, given)


def to_do(task: TaskSpec) -> ToDo:
    return ToDo(task.code, task.priority, task.service)


def asked_for(declaration: FactDeclaration, rule: Rule) -> ToDo:
    """The task that asks for a fact which a rule lacks."""
    return ToDo(declaration.ask or "", "asap" if rule.safety else "routine", "")


def of_outcome(export: Export, outcome: Outcome | Ask) -> Activity | None:
    """What an outcome asks for; None for a flag or an issue, which ask for nothing."""
    act = outcome.task if isinstance(outcome, Ask) else outcome.act
    match act:
        case Refer():
            return request(export, act)
        case TaskSpec():
            return to_do(act)
    return None


def activity_definition(export: Export, activity: Activity) -> Resource:
    if isinstance(activity, Request):
        return _referral(export, activity)
    return _task(export, activity)


def _to(export: Export, service: str) -> Destination:
    return destination(service, export.pack.services.get(service))


def _referral(export: Export, activity: Request) -> Resource:
    to = _to(export, activity.service)
    within = f"{activity.days} {'working ' if activity.working else ''}day{'s' * (activity.days != 1)}"
    when = f"within {within}" if activity.days else "the same day"
    title = f"Refer to {to.label}, {activity.priority}, {when}"
    unit = {"unit": "working days"} if activity.working else DAYS
    sources = export.pack.parameters[activity.parameter].sources if activity.parameter else ()
    resource = {
        **export.head("ActivityDefinition", activity.name, title),
        "description": f"{title}. A draft proposal until a person accepts it.",
        **export.for_provider(),
    }
    if sources:
        resource["relatedArtifact"] = [citation(source, activity.parameter) for source in sources]
    return {
        **resource,
        "kind": "ServiceRequest",
        "profile": profile_for("ServiceRequest"),
        "code": referral_code(to),
        "intent": "proposal",
        "priority": activity.priority,
        "timingRange": {"low": {"value": 0, **unit}, "high": {"value": activity.days, **unit}},
        "participant": [{"type": "practitioner", "role": service_type(export.base, to)}],
    }


def _task(export: Export, activity: ToDo) -> Resource:
    words = display("perinatal-task", activity.code)
    about = f", {_to(export, activity.service).label}" if activity.service else ""
    resource = {
        **export.head("ActivityDefinition", activity.name, f"{words}{about} ({activity.priority})"),
        "description": f"{words}{about}. A task for a person.",
        **export.for_provider(),
        "kind": "Task",
        "profile": profile_for("Task"),
        "code": concept(export.base, "perinatal-task", activity.code),
        "intent": "proposal",
        "priority": activity.priority,
    }
    if activity.service:
        role = service_type(export.base, _to(export, activity.service))
        resource["participant"] = [{"type": "practitioner", "role": role}]
    return resource
