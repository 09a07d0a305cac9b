"""Each rule as a PlanDefinition: when it applies, what it asks for, and what it asks where it cannot tell."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.export.activities import Activity, activity_definition, asked_for, of_outcome, outside_request
from adapter.export.scope import Export, citation, period
from adapter.facts.reading import PREGNANCY
from adapter.records import Resource
from adapter.referrals.terms import concept, display, reason
from adapter.referrals.wanted import CODE_PATHS, carrier
from rules import Ask, FlagSpec, IssueSpec, Outcome, Refer, Rule, TaskSpec
from rules.tools import cql
from rules.tools.behind import conditions_of, facts_behind, parameters_behind

RULE_TYPE = "eca-rule"
ACTION_TYPES = "http://terminology.hl7.org/CodeSystem/action-type"
_SAFETY = " A safety rule: no exclusion, age, window, duplicate or refusal of consent masks it."


def plan_type(code: str) -> Resource:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/plan-definition-type", "code": code}]}


def applicable(export: Export, name: str) -> list[Resource]:
    """The condition that an expression of the library is true."""
    expression = {"language": "text/cql-identifier", "expression": name, "reference": library_canonical(export)}
    return [{"kind": "applicability", "expression": expression}]


def library_canonical(export: Export) -> str:
    return export.canonical("Library", cql.library_name(export.content))


def rule_plan(export: Export, rule: Rule) -> Resource:
    """The PlanDefinition of a rule. It is experimental while a parameter that it rests on is still to be confirmed."""
    parameters = [export.pack.parameters[name] for name in parameters_behind(export.content, rule)]
    return {
        **export.head("PlanDefinition", rule.id, rule.title, any(parameter.confirm for parameter in parameters)),
        "type": plan_type(RULE_TYPE),
        "description": f"{rule.title}.{_SAFETY}" if rule.safety else f"{rule.title}.",
        **export.for_provider(),
        **period(rule.valid_from, rule.valid_to),
        "relatedArtifact": [
            *map(citation, rule.sources),
            *(citation(source, f"{one.name}: {one.label}") for one in parameters for source in one.sources),
        ],
        "library": [library_canonical(export)],
        "action": [_main(export, rule), *_outside(export, rule), *_asks(export, rule), *_missing(export, rule)],
    }


def _main(export: Export, rule: Rule) -> Resource:
    actions = [_action(export, rule, number, outcome) for number, outcome in enumerate(rule.then)]
    resource: Resource = {
        "title": rule.title,
        "condition": applicable(export, rule.id),
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": actions,
    }
    if wanted := _inputs(export, rule):
        resource["input"] = wanted
    return resource


def _action(export: Export, rule: Rule, number: int, outcome: Outcome) -> Resource:
    condition = applicable(export, cql.branch(rule.id, number)) if outcome.when is not None else []
    return _acting(export, outcome, condition)


def _acting(export: Export, outcome: Outcome | Ask, condition: list[Resource]) -> Resource:
    act = outcome.task if isinstance(outcome, Ask) else outcome.act
    activity = of_outcome(export, outcome)
    resource: Resource = {"title": _title(export, act, activity)}
    if text := _text(export, act):
        resource["description"] = text
    if activity is not None:
        resource["priority"] = activity.priority
    if isinstance(act, Refer) and act.reason:
        resource["reason"] = [reason(export.base, act.reason)]
    if isinstance(act, FlagSpec):
        flag = concept(export.base, "perinatal-flag", act.code)
        resource["code"] = [flag]
    if condition:
        resource["condition"] = condition
    if isinstance(act, FlagSpec):
        resource["output"] = [{"type": "Flag", "codeFilter": [{"path": "code", "code": flag["coding"]}]}]
        resource["type"] = {"coding": [{"system": ACTION_TYPES, "code": "create"}]}
    if activity is not None:
        resource["definitionCanonical"] = export.canonical("ActivityDefinition", activity.name)
    return resource


def _title(export: Export, act: Refer | TaskSpec | FlagSpec | IssueSpec, activity: Activity | None) -> str:
    if activity is not None:
        return str(activity_definition(export, activity)["title"])
    code = act.code if isinstance(act, FlagSpec | IssueSpec) else ""
    kind = "perinatal-flag" if isinstance(act, FlagSpec) else "perinatal-issue"
    return f"{'Flag' if isinstance(act, FlagSpec) else 'Say'}: {display(kind, code)}"


def _text(export: Export, act: Refer | TaskSpec | FlagSpec | IssueSpec) -> str:
    if isinstance(act, FlagSpec):
        return ""
    if isinstance(act, Refer) and act.start is not None:
        label, days = export.content.facts[act.start.fact].label, export.resolve(act.start.plus_days)
        return f"{act.text}. Not before {days} days after the {label}.".removeprefix(". ")
    return act.text


def _outside(export: Export, rule: Rule) -> Iterator[Resource]:
    """Met, but outside the window: the lighter service."""
    activity = outside_request(export, rule)
    if activity is None:
        return
    title = f"Outside the window: {activity_definition(export, activity)['title']}"
    action: Resource = {
        "title": title,
        "description": "The priority is the highest of the branches that are met, and at most this one.",
        "priority": activity.priority,
        "condition": applicable(export, cql.outside(rule.id)),
        "definitionCanonical": export.canonical("ActivityDefinition", activity.name),
    }
    if export.content.outside_when is None:
        yield action
    else:
        yield {"title": title, "condition": applicable(export, cql.OUTSIDE_WHEN), "action": [action]}


def _asks(export: Export, rule: Rule) -> Iterator[Resource]:
    for ask in rule.asks:
        yield asking(export, ask)


def asking(export: Export, ask: Ask) -> Resource:
    """A question that stands beside the rules or in one."""
    return _acting(export, ask, applicable(export, cql.ask(ask.id)))


def _missing(export: Export, rule: Rule) -> Iterator[Resource]:
    """Where the rule cannot be decided: a task for each fact that is not known and that somebody can be asked for."""
    facts = export.content.facts
    asked = [name for name in rule_facts(export, rule, branches=False) if facts[name].ask]
    if not asked:
        return
    actions = []
    for name in asked:
        activity = asked_for(facts[name], rule)
        actions.append(
            {
                "title": str(activity_definition(export, activity)["title"]),
                "description": facts[name].ask_text or f"Not known: {facts[name].label}.",
                "priority": activity.priority,
                "condition": applicable(export, cql.unknown_fact(name)),
                "definitionCanonical": export.canonical("ActivityDefinition", activity.name),
            }
        )
    yield {
        "title": "It cannot be decided: ask for what is missing",
        "condition": applicable(export, cql.unknown_rule(rule.id)),
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": actions,
    }


def rule_facts(export: Export, rule: Rule, branches: bool = True) -> tuple[str, ...]:
    """The facts a rule looks at; without ``branches`` those alone that decide whether it fires."""
    whole = conditions_of(rule) if branches else tuple(one for one in (rule.window, rule.when) if one is not None)
    return facts_behind(export.content, whole)


def _inputs(export: Export, rule: Rule) -> list[Resource]:
    """What the rule's facts are read from, as DataRequirements, each once."""
    found: list[Resource] = []
    for name in rule_facts(export, rule):
        declaration = export.content.facts[name]
        if declaration.derive is not None:
            continue
        source = declaration.source or {}
        kind, code_list = carrier(source)
        code_list = PREGNANCY if "pregnancy" in source else code_list
        requirement: Resource = {"type": kind}
        if kind == "Patient":
            requirement["mustSupport"] = ["birthDate"]
        else:
            named = (
                {"valueSet": export.canonical("ValueSet", code_list)}
                if code_list
                else {"code": [{"display": declaration.label}]}
            )
            requirement["codeFilter"] = [{"path": CODE_PATHS.get(kind, "code"), **named}]
        if requirement not in found:
            found.append(requirement)
    return found


def rule_activities(export: Export, rule: Rule) -> Iterator[Activity]:
    """Everything a rule can ask for."""
    outcomes: tuple[Outcome | Ask, ...] = (*rule.then, *rule.asks)
    for outcome in outcomes:
        activity = of_outcome(export, outcome)
        if activity is not None:
            yield activity
    outside = outside_request(export, rule)
    if outside is not None:
        yield outside
    facts = export.content.facts
    yield from (asked_for(facts[name], rule) for name in rule_facts(export, rule, branches=False) if facts[name].ask)
