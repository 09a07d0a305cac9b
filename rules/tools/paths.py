"""Where the referrals of a rule may end up: by the second stage's steps, by fallbacks, outside opening hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from rules.engine.availability import LAST_RESORT
from rules.engine.content import AlsoRefer, Content, MoveTo, Rule
from rules.engine.load_provider import fallback
from rules.engine.parameters import Values
from rules.engine.second_stage import reaches


def may_go(content: Content, rule: Rule, services: Iterable[str], values: Values, as_of: date) -> frozenset[str]:
    """Every service to which a rule's referrals to these may come, whatever the facts and the directory are."""
    found: set[str] = set()
    waiting = list(services)
    while waiting:
        if (service := waiting.pop()) not in found:
            found.add(service)
            waiting += _next(content, rule, service, values, as_of)
    return frozenset(found)


def _next(content: Content, rule: Rule, service: str, values: Values, as_of: date) -> Iterator[str]:
    for step in content.steps:
        if reaches(step, rule, service):
            yield from (values.of(each.service) for each in step.actions if isinstance(each, MoveTo | AlsoRefer))
    provider = content.provider
    yield fallback(provider, content.services, service, as_of)[0] or LAST_RESORT
    hours = provider.in_force(provider.hours.get(service, ()), as_of)
    if hours and hours.value.closed:
        yield hours.value.closed
