"""The pack as one PlanDefinition that groups its rules, and says what happens to referrals after them."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.export.activities import to_do
from adapter.export.plans import applicable, asking, library_canonical, plan_type
from adapter.export.scope import Export, citation, period
from adapter.records import Resource
from adapter.referrals.terms import display
from rules import Step, TaskSpec
from rules.tools import cql
from rules.tools.steps import ORDER, step_words


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
    words = step_words(content, export.as_of, display)
    after = [*(_step(export, step, words[step.id]) for step in content.steps), *_offers(export)]
    action.append(_group("After the rules", f"{ORDER} What each step does is said in words.", after))
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


def _step(export: Export, step: Step, words: tuple[str, ...]) -> Resource:
    resource: Resource = {"title": step.title, "description": " ".join(words)}
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
