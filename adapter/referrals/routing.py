"""Which team takes a referral to a service: a pure function of the directory and of where she lives and is registered.

What is not known is not guessed: a referral for which the directory needs her practice or postcode, and the record has
none, is made without a performer and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

from adapter.records import Issue, MappedBundle
from adapter.referrals.whereabouts import Whereabouts, whereabouts
from rules import EVERYWHERE, Availability, Decision, Directory, DirectoryEntry, Hours, Pack, Provider, Service, is_open

GP = "gp"
GP_REGISTRATION, RESIDENCE, EITHER = "gp-registration", "residence", "either"
_LABELS = {"practice": "GP practice", "postcode": "postcode", "icb": "integrated care board"}


class Coverage(StrEnum):
    """What the directory says of a service for one person."""

    ROUTED = "routed"
    OUT_OF_CATCHMENT = "out-of-catchment"  # routed to another provider, which covers her GP practice
    NOT_COVERED = "not-covered"
    UNKNOWN = "unknown"
    UNLISTED = "unlisted"  # the provider's directory has no entry for the service


@dataclass(frozen=True, slots=True)
class Route:
    """The team (``entry``) where there is one, and why; ``missing`` is what the record would have to say."""

    coverage: Coverage
    entry: DirectoryEntry | None = None
    why: str = ""
    missing: tuple[str, ...] = ()
    practice: str = ""  # of a referral to her GP: the ODS code of her practice

    @property
    def found(self) -> bool:
        """Whether it is known who takes the referral."""
        return self.entry is not None or bool(self.practice)


Routes = Mapping[str, Route]
"""By service key. Empty where the provider has no directory."""


def routes(
    directory: Directory, provider: Provider, services: Iterable[str], of: Whereabouts, as_of: date
) -> dict[str, Route]:
    """The route of each service; none at all where the directory lists nothing for the provider."""
    if not directory.lists(provider.name):
        return {}
    catchment = catchment_of(provider, as_of)
    return {service: route(directory, provider.name, service, of, as_of, catchment) for service in services}


def catchment_of(provider: Provider, as_of: date) -> str:
    """What of her decides which team covers her: ``gp-registration``, ``residence`` or ``either``."""
    policy = provider.in_force(provider.catchment, as_of)
    return str(policy.value) if policy else EITHER


def route(
    directory: Directory, provider: str, service: str, of: Whereabouts, as_of: date, catchment: str = EITHER
) -> Route:
    """The team that takes a referral to ``service`` for somebody registered and living as ``of`` says.

    The entry that names her most narrowly takes it: her practice, then postcode, sector, district and area, then the
    board, then one for everybody. Where an unknown could make another entry narrower, it is not known. Outside the
    provider's own catchment, the provider that covers her GP practice takes it.
    """
    if not any(entry.service == service and entry.provider == provider for entry in directory.entries):
        return _own_gp(of) if service == GP else Route(Coverage.UNLISTED)
    listed = [entry for entry in directory.entries if entry.service == service and entry.counts(as_of)]
    found = _narrowest([entry for entry in listed if entry.provider == provider], of, _TESTS[catchment])
    if found.coverage is not Coverage.NOT_COVERED:
        return found
    elsewhere = _narrowest([entry for entry in listed if entry.provider != provider], of, (_by_practice,))
    if elsewhere.entry is None:
        return elsewhere
    return Route(
        Coverage.OUT_OF_CATCHMENT, elsewhere.entry, f"outside the catchment of {provider}, and {elsewhere.why}"
    )


def _own_gp(of: Whereabouts) -> Route:
    """A referral to her GP goes to her own practice."""
    if of.practice is None:
        return Route(Coverage.UNKNOWN, missing=("practice",))
    return Route(Coverage.ROUTED, None, "it is the practice she is registered with", practice=of.practice)


_Test = Callable[[DirectoryEntry, Whereabouts], tuple[int, str] | None]
"""How narrowly an entry names her, and by what (0: not at all); None where that is not known."""


def _by_practice(entry: DirectoryEntry, of: Whereabouts) -> tuple[int, str] | None:
    if not entry.area.practices:
        return 0, ""
    return None if of.practice is None else (7 if of.practice in entry.area.practices else 0, "practice")


def _by_postcode(entry: DirectoryEntry, of: Whereabouts) -> tuple[int, str] | None:
    if not entry.area.postcodes:
        return 0, ""
    if of.postcode is None:
        return None
    rank = next((6 - at for at, part in enumerate(of.postcode) if part in entry.area.postcodes), 0)
    return rank, "postcode"


def _by_board(entry: DirectoryEntry, of: Whereabouts) -> tuple[int, str] | None:
    if not entry.area.icbs:
        return 0, ""
    return None if of.icb is None else (2 if of.icb in entry.area.icbs else 0, "icb")


def _by_nothing(entry: DirectoryEntry, of: Whereabouts) -> tuple[int, str] | None:  # noqa: ARG001
    return int(entry.area.everywhere), ""


_MOST: Mapping[_Test, int] = {_by_practice: 7, _by_postcode: 6, _by_board: 2, _by_nothing: 1}
_MISSING: Mapping[_Test, str] = {_by_practice: "practice", _by_postcode: "postcode", _by_board: "icb"}
_TESTS: Mapping[str, tuple[_Test, ...]] = {
    GP_REGISTRATION: (_by_practice, _by_board, _by_nothing),
    RESIDENCE: (_by_postcode, _by_nothing),
    EITHER: (_by_practice, _by_postcode, _by_board, _by_nothing),
}


def _narrowest(entries: list[DirectoryEntry], of: Whereabouts, tests: tuple[_Test, ...]) -> Route:
    """The entry that names her most narrowly; unknown where another one might name her more narrowly still."""
    undecided = [(entry, test) for entry in entries for test in tests if test(entry, of) is None]
    found = [(*said, entry) for entry in entries for test in tests if (said := test(entry, of)) and said[0]]
    rank = max((rank for rank, _, _ in found), default=0)
    best = [(by, entry) for each, by, entry in found if each == rank]
    missing = {
        _MISSING[test]: None for entry, test in undecided if _MOST[test] > rank and all(entry is not e for _, e in best)
    }
    if missing:
        return Route(Coverage.UNKNOWN, missing=tuple(missing))
    if not best:
        return Route(Coverage.NOT_COVERED)
    (by, entry), *others = best
    if others:
        return Route(Coverage.UNKNOWN, why="several teams of the directory name her equally")
    return Route(Coverage.ROUTED, entry, f"her {_LABELS[by]} is in its area" if by else "it covers everybody")


# --- what the rules are told, and what is said aloud ---------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Routing:
    """The routes and the opening hours of services for one person, as far as directory and policy tell; by key."""

    routes: Routes
    hours: Mapping[str, Hours]

    def told_hours(self, service: str) -> Hours | None:
        """The hours that may be told of a service. The provider's policy says nothing of another provider's team.

        It still counts for whether somebody else is asked as well: nothing better is known, and that is the safer way.
        """
        found = self.routes.get(service)
        if found and found.entry and found.entry.hours is None and found.coverage is Coverage.OUT_OF_CATCHMENT:
            return None
        return self.hours.get(service)


NOT_ROUTED = Routing({}, {})


def routing(directory: Directory, provider: Provider, services: Iterable[str], of: Whereabouts, as_of: date) -> Routing:
    """Everything that directory and policy say of these services for somebody who is as ``of`` says."""
    keys = tuple(services)
    found = routes(directory, provider, keys, of, as_of)
    hours = ((key, _hours(provider, key, found.get(key), as_of)) for key in keys)
    return Routing(found, {key: each for key, each in hours if each is not None})


def routing_for(
    directory: Directory,
    provider: Provider,
    services: Iterable[str],
    record: MappedBundle,
    patient: int,
    as_of: date,
) -> Routing:
    """The same for the Patient in this entry of the record's Bundle; nothing where there is nothing to look up."""
    if not provider.hours and not directory.lists(provider.name):
        return NOT_ROUTED
    of = whereabouts(record, patient, as_of, directory.icb_of)
    return routing(directory, provider, services, of, as_of)


def _hours(provider: Provider, service: str, found: Route | None, as_of: date) -> Hours | None:
    """The team's own hours, else those of the provider's policy; None: not known."""
    policy = provider.in_force(provider.hours.get(service, ()), as_of)
    if found is not None and found.entry is not None and found.entry.hours is not None:
        return Hours(found.entry.hours, policy.value.closed if policy else "")
    hours: Hours | None = policy.value if policy else None
    return hours


def availability(known: Routing, pack: Pack, as_of: date, at: time | None) -> Availability:
    """Which services do not cover her, and which are closed. Nothing is closed where no time of day is given."""
    uncovered = frozenset(key for key, each in known.routes.items() if each.coverage is Coverage.NOT_COVERED)
    closed = {}
    if at is not None and known.hours:
        holidays = pack.parameter("bank-holidays", as_of) if "bank-holidays" in pack.parameters else ()
        closed = {
            key: hours.closed for key, hours in known.hours.items() if not is_open(hours.spans, as_of, at, holidays)
        }
    return Availability(uncovered, closed) if uncovered or closed else EVERYWHERE


def routing_issues(decision: Decision, known: Routing, services: Mapping[str, Service]) -> tuple[Issue, ...]:
    """What is to be said of the routes of the referrals that were made. No issue holds a value of the patient."""
    issues = []
    for referral in decision.referrals if known.routes else ():
        each, label = known.routes[referral.service], services[referral.service].label
        match each.coverage:
            case Coverage.UNLISTED:
                text = f"the directory has no entry for {label}: the referral is made, and a person must find the team"
                issues.append(Issue("warning", "not-found", text, "no-service-covers"))
            case Coverage.NOT_COVERED:
                text = f"no {label} of the directory covers her: the referral is made, and a person must find the team"
                issues.append(Issue("warning", "not-found", text, "no-service-covers"))
            case Coverage.UNKNOWN if each.missing:
                text = f"which {label} covers her turns on her {lacking(each)}, which the record does not say: ask"
                issues.append(Issue("warning", "required", text, "data-not-supplied"))
            case Coverage.UNKNOWN:
                issues.append(Issue("warning", "business-rule", f"{label}: {each.why}", "data-conflict"))
            case Coverage.OUT_OF_CATCHMENT:
                issues.append(Issue("information", "informational", f"{label}: {each.why}", "no-service-covers"))
    return tuple(issues)


def lacking(found: Route) -> str:
    """What the record would have to say: ``GP practice or postcode``."""
    return " or ".join(_LABELS[name] for name in found.missing)
