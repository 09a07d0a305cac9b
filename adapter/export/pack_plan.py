"""The pack as one PlanDefinition that groups its rules, and says what happens to referrals after them."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.export.activities import to_do
from adapter.export.plans import applicable, asking, library_canonical, plan_type
from adapter.export.scope import Export, citation, period
from adapter.records import Resource
from adapter.referrals.terms import display
from rules import (
    AddNote,
    AlsoRefer,
    CapPriority,
    FlagSpec,
    Hold,
    IssueSpec,
    MoveTo,
    StartFrom,
    StartNow,
    Step,
    StepAction,
    TaskSpec,
)
from rules.tools import cql


def pack_plan(export: Export) -> Resource:
    content, policy = export.content, export.pack.policy
    actions = [
        {
            "title": rule.title,
            "condition": applicable(export, rule.id),
            "definitionCanonical": export.canonical("PlanDefinition", rule.id),
        }
        for rule in content.rules
    ]
    action: list[Resource] = [
        _group("The rules", "Each rule for itself. The order says nothing; one that cannot be decided asks.", actions)
    ]
    if content.asks:
        asks = []
        for ask in content.asks:
            asked = asking(export, ask)
            if ask.sources:
                asked["documentation"] = [citation(source) for source in ask.sources]
            asks.append(asked)
        action.append(_group("Questions beside the rules", "Asked whatever the rules say.", asks))
    after = [*(_step(export, step) for step in content.steps), *_offers(export)]
    if after:
        text = "In this order, on the referrals that the rules made. What each step does is said in words."
        action.append(_group("After the rules", text, after))
    resource = {
        **export.head("PlanDefinition", content.name, content.title, any_to_confirm(export)),
        "type": plan_type("clinical-protocol"),
        "description": f"{content.title}. One referral for each service, at the highest priority, every rule named.",
        **export.for_provider(),
        **period(policy.valid_from, policy.valid_to),
    }
    if policy.sources:
        resource["relatedArtifact"] = [citation(source, policy.title) for source in policy.sources]
    return {**resource, "library": [library_canonical(export)], "action": action}


def any_to_confirm(export: Export) -> bool:
    """Whether any parameter of the pack is still for a clinical safety officer to confirm."""
    return any(parameter.confirm for parameter in export.pack.parameters.values())


def _group(title: str, text: str, actions: list[Resource]) -> Resource:
    return {
        "title": title,
        "description": text,
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": actions,
    }


def _step(export: Export, step: Step) -> Resource:
    resource: Resource = {"title": step.title, "description": " ".join(_words(export, step))}
    if step.sources:
        resource["documentation"] = [citation(source) for source in step.sources]
    if step.when is not None:
        resource["condition"] = applicable(export, cql.step(step.id))
    tasks = [to_do(action) for action in step.actions if isinstance(action, TaskSpec)]
    if tasks:
        resource["code"] = [
            {"coding": [{"system": f"{export.base}/CodeSystem/perinatal-task", "code": task.code}]} for task in tasks
        ]
    return resource


def _words(export: Export, step: Step) -> Iterator[str]:
    """Which referrals a step is about, and what it does to each."""
    about = []
    if step.services is not None:
        about.append(f"to {_listed(step.services)}")
    if step.rules is not None:
        about.append(f"of {_listed(step.rules)}")
    if step.not_rules:
        about.append(f"not of {_listed(step.not_rules)}")
    if not step.safety:
        about.append("of rules that are no safety rules")
    if step.beside:
        about.append(f"beside another of at least the priority {step.beside}")
    if step.highest:
        about.append(f"where none to the same service is above the priority {step.highest}")
    if step.open:
        about.append("to a service that has her already")
    if step.refused:
        about.append("to a service to which she does not consent to be referred")
    yield f"Referrals {', '.join(about)}:" if about else "Every referral:"
    yield "; ".join(_does(export, action) for action in step.actions) + "."


def _listed(names: frozenset[str]) -> str:
    return " or ".join(sorted(names))


def _does(export: Export, action: StepAction) -> str:
    match action:
        case MoveTo(service=service):
            return f"go to {export.resolve(service)} instead"
        case AlsoRefer(service=service):
            return f"go to {export.resolve(service)} as well"
        case Hold():
            return "are held"
        case CapPriority(priority=priority, within=within):
            kind = "working days" if within.working else "days"
            return f"have at most the priority {priority}, within {export.resolve(within.days)} {kind}"
        case StartNow():
            return "start at once"
        case StartFrom(fact=fact, weeks=weeks):
            return f"start when {fact} reaches {export.resolve(weeks)} weeks (0: at once)"
        case AddNote(text=text):
            return f"have the note '{text.rstrip('.')}'"
        case TaskSpec(code=code, priority=priority, service=service):
            words = f"the task '{display('perinatal-task', code)}' is made, priority {priority}"
            return f"{words}, about {'the same service' if service == 'this' else service}" if service else words
        case FlagSpec(code=code):
            return f"the flag '{display('perinatal-flag', code)}' is made"
        case IssueSpec(text=text):
            return f"'{text.rstrip('.')}' is said"


def _offers(export: Export) -> Iterator[Resource]:
    """Where the provider offers less than every service: who takes over."""
    policy, day = export.pack.policy, export.as_of
    offers = policy.in_force(policy.offers, day)
    if offers is None:
        return
    lacking = [service for key, service in export.pack.services.items() if key not in offers.value]
    own = {key: policy.in_force(values, day) for key, values in policy.fallbacks.items()}
    over = {each.key: (found.value if (found := own.get(each.key)) else each.fallback) or "gp" for each in lacking}
    words = "; ".join(f"{key}: {service}" for key, service in over.items())
    yield {
        "title": "Services that this provider does not offer",
        "description": f"The referral goes to the next service that is offered, at last to the GP practice. {words}.",
    }
