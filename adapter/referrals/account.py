"""What is said of a referral besides the rules: whose policies shaped it, which team takes it, when that is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from adapter.records import Resource
from adapter.referrals.routing import NOT_ROUTED, Coverage, Route, Routing, lacking
from adapter.referrals.services import destination
from rules import PRIORITIES, Decision, Policy, ProposedReferral, Service, Status, in_words

NO_SERVICE = "no-service-covers"
_EMERGENCY = PRIORITIES.index("asap")


class Account(NamedTuple):
    """``performed``: whether a HealthcareService is known; notes for people; entities for the Provenance."""

    performed: bool
    notes: tuple[str, ...]
    entities: tuple[Resource, ...]


NO_ACCOUNT = Account(True, (), ())


def accounted(referral: ProposedReferral, known: Routing, services: Mapping[str, Service]) -> Account:
    """The account of one referral; nothing at all where the default policy and no directory made it."""
    if known is NOT_ROUTED and not referral.policies:
        return NO_ACCOUNT
    route = known.routes.get(referral.service)
    policies = tuple(dict.fromkeys(policy._replace(rule="") for policy in referral.policies))
    notes = [f"Policy of {policy.provider}: {policy_words(policy)}." for policy in policies]
    entities = [_entity(f"{policy.provider}#{policy.name}", policy_words(policy)) for policy in policies]
    if route is not None and route.found:
        team = route.entry.name if route.entry else destination(referral.service, services.get(referral.service)).label
        notes.append(f"For {team}: {route.why}.")
        of = route.entry.provider if route.entry else "the record"
        entities.append(_entity(f"directory/{of}/{referral.service}", f"Directory of {of}: {team}, since {route.why}"))
    elif route is not None:
        said = _unrouted(route)
        notes.append(f"{said[:1].upper()}{said[1:]}: a person must find the team.")
    notes += _opening(referral, known, services)
    return Account(route is None or route.found, tuple(notes), tuple(entities))


def outside_window(referral: ProposedReferral, decision: Decision) -> list[str]:
    """Each rule that refers her here since she is outside its window: the service is not the one it would ask."""
    outcomes = (each for each in decision.outcomes if each.rule in referral.rules)
    return [f"Outside its window of time: {each.title}" for each in outcomes if each.status is not Status.FIRED]


def policy_words(policy: Policy) -> str:
    """``destination-moderate-illness, talking-therapies, in force from 2024-01-01``."""
    since = f", in force from {policy.since.isoformat()}" if policy.since else ""
    return f"{policy.name}, {policy.value}{since}"


def why_there(decision: Decision, rule: str, known: Routing) -> list[str]:
    """Of each referral of a rule: what moved it, the policies that shaped it, and the team, with why that one."""
    said = [issue.text for issue in decision.issues if issue.code == NO_SERVICE and rule in issue.rules]
    for referral in decision.referrals:
        if rule not in referral.rules:
            continue
        for policy in referral.policies:
            if policy.rule == rule:
                said.append(f"{referral.service}: policy of {policy.provider}: {policy_words(policy)}")
        if route := known.routes.get(referral.service):
            said.append(f"{referral.service}: {_team(route)}")
    return said


def _team(route: Route) -> str:
    if route.entry:
        return f"to {route.entry.name}, since {route.why}"
    return f"to her practice, since {route.why}" if route.practice else f"to no team: {_unrouted(route)}"


def _unrouted(route: Route) -> str:
    """Why there is no team."""
    match route.coverage:
        case Coverage.UNKNOWN if route.missing:
            return f"which team it is turns on her {lacking(route)}, which the record does not say"
        case Coverage.UNKNOWN:
            return route.why
        case Coverage.UNLISTED:
            return "the directory has no entry for this service"
    return "no team of the directory covers her"


def _opening(referral: ProposedReferral, known: Routing, services: Mapping[str, Service]) -> Iterator[str]:
    """Of an emergency: when the team is open, and who is asked when it is not."""
    hours = known.told_hours(referral.service)
    if hours is None or PRIORITIES.index(referral.priority) < _EMERGENCY:
        return
    otherwise = destination(hours.closed, services.get(hours.closed)).label if hours.closed else ""
    yield f"Open {in_words(hours.spans)}." + (f" When it is closed: {otherwise}." if otherwise else "")


def _entity(name: str, says: str) -> Resource:
    return {"role": "source", "what": {"identifier": {"value": name}, "display": says}}
