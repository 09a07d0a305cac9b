"""Routing: the narrowest entry takes a referral, what is not known is not guessed, and nothing is lost."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from adapter.records import MappedBundle
from adapter.referrals.routing import Coverage, Routing, availability, route, routes, routing, routing_issues
from adapter.referrals.whereabouts import Whereabouts, postcode, whereabouts
from rules import (
    EVERYWHERE,
    LIBRARY,
    Directory,
    DirectoryEntry,
    Hours,
    OpeningSpan,
    ProposedReferral,
    Provider,
    load_pack,
)
from rules.engine.conditions import Place
from rules.engine.content import Dated
from rules.engine.directory import Area
from tests.unit.referrals.samples import decision

AS_OF = date(2026, 3, 2)
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


def entry(name: str, provider: str = "here", service: str = "team", **more: Any) -> DirectoryEntry:
    kinds = ("practices", "postcodes", "icbs")
    area = Area(
        **{key: frozenset(more.pop(key)) for key in kinds if key in more}, everywhere=more.pop("everywhere", False)
    )
    return DirectoryEntry(provider, service, name, area, Place("d.yaml", 1, 1), **more)


def at(practice: str | None = None, code: str = "", icb: str | None = None) -> Whereabouts:
    return Whereabouts(practice, postcode(code), icb)


def to(entries: list[DirectoryEntry], of: Whereabouts, catchment: str = "either", day: date = AS_OF) -> tuple[str, str]:
    found = route(Directory(tuple(entries)), "here", "team", of, day, catchment)
    return found.coverage.value, found.entry.name if found.entry else "/".join(found.missing)


LADDER = [
    entry("all", everywhere=True),
    entry("board", icbs=["ZZ9"]),
    entry("area", postcodes=["ZZ"]),
    entry("district", postcodes=["ZZ98"]),
    entry("sector", postcodes=["ZZ98 3"]),
    entry("whole", postcodes=["ZZ98 3VZ"]),
    entry("practice", practices=["ZZ9001"]),
]


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (at("ZZ9001", "ZZ98 3VZ", "ZZ9"), "practice"),
        (at("ZZ9002", "zz983vz", "ZZ9"), "whole"),
        (at("ZZ9002", "ZZ98 3VX", "ZZ9"), "sector"),
        (at("ZZ9002", "ZZ98 4VZ", "ZZ9"), "district"),
        (at("ZZ9002", "ZZ9 8VZ", "ZZ9"), "area"),  # a district is no prefix: ZZ9 is not ZZ98
        (at("ZZ9002", "Z1 1AA", "ZZ9"), "board"),
        (at("ZZ9002", "Z1 1AA", "ZZ8"), "all"),
    ],
)
def test_the_narrowest_entry_takes_it(of: Whereabouts, name: str) -> None:
    assert to(LADDER, of) == ("routed", name)
    assert to(LADDER[::-1], of) == ("routed", name)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (at(None, "ZZ98 3VZ", "ZZ9"), ("unknown", "practice")),
        (at("ZZ9002", "", "ZZ9"), ("unknown", "postcode")),
        (at("ZZ9001"), ("routed", "practice")),  # what is not known could not be narrower
        (at(), ("unknown", "icb/postcode/practice")),
    ],
)
def test_what_is_not_known_is_asked_for_where_another_team_could_be_hers(
    of: Whereabouts, expected: tuple[str, str]
) -> None:
    assert to(LADDER, of) == expected


def test_what_an_entry_itself_also_names_need_not_be_known() -> None:
    one = [entry("one", practices=["ZZ9001"], postcodes=["ZZ98"])]
    assert to(one, at(None, "ZZ98 1AA")) == ("routed", "one")
    assert to(one, at(None, "ZZ97 1AA")) == ("unknown", "practice")


@pytest.mark.parametrize(
    ("catchment", "expected"),
    [
        ("gp-registration", ("not-covered", "")),
        ("residence", ("routed", "east")),
        ("either", ("routed", "east")),
    ],
)
def test_catchment_says_what_of_her_counts(catchment: str, expected: tuple[str, str]) -> None:
    entries = [entry("east", postcodes=["ZZ98"]), entry("west", practices=["ZZ9002"])]
    assert to(entries, at("ZZ9001", "ZZ98 1AA"), catchment) == expected


def test_an_entry_counts_on_its_first_and_its_last_day() -> None:
    one = [entry("one", everywhere=True, valid_from=date(2026, 3, 2), valid_to=date(2026, 3, 3))]
    found = [to(one, at(), day=date(2026, 3, day))[0] for day in (1, 2, 3, 4)]
    assert found == ["not-covered", "routed", "routed", "not-covered"]


def test_out_of_catchment_the_provider_of_her_gp_registration_takes_it() -> None:
    entries = [entry("ours", postcodes=["ZZ98"]), entry("theirs", "there", practices=["ZZ9101"])]
    assert to(entries, at("ZZ9101", "ZZ97 1AA")) == ("out-of-catchment", "theirs")
    assert to(entries, at("ZZ9101", "ZZ98 1AA")) == ("routed", "ours")
    assert to(entries, at("ZZ9999", "ZZ97 1AA")) == ("not-covered", "")
    assert to(entries, at(None, "ZZ97 1AA")) == ("unknown", "practice")


def test_a_neighbour_is_not_chosen_by_where_she_lives() -> None:
    entries = [entry("ours", practices=["ZZ9001"]), entry("theirs", "there", postcodes=["ZZ98"])]
    assert to(entries, at("ZZ9002", "ZZ98 1AA")) == ("not-covered", "")


def test_two_neighbours_that_both_cover_her_practice_are_not_chosen_between() -> None:
    entries = [entry("ours", practices=["ZZ9001"])]
    entries += [entry(name, name, practices=["ZZ9101"]) for name in ("there", "yonder")]
    found = route(Directory(tuple(entries)), "here", "team", at("ZZ9101"), AS_OF)
    assert (found.coverage, found.entry) == (Coverage.UNKNOWN, None)
    assert "several teams" in found.why


def test_a_service_without_an_entry_is_unlisted_and_the_gp_is_her_own() -> None:
    directory = Directory((entry("one", everywhere=True),))
    provider = Provider("here", "Here")
    found = routes(directory, provider, ["team", "other", "gp"], at("ZZ9001"), AS_OF)
    assert {key: each.coverage.value for key, each in found.items()} == {
        "team": "routed",
        "other": "unlisted",
        "gp": "routed",
    }
    assert found["gp"].practice == "ZZ9001"
    assert routes(directory, provider, ["gp"], at(), AS_OF)["gp"].missing == ("practice",)


def test_a_provider_that_lists_nothing_is_not_routed() -> None:
    assert (
        routes(Directory((entry("one", "there", everywhere=True),)), Provider("here", "H"), ["team"], at(), AS_OF) == {}
    )


# --- hours ---------------------------------------------------------------------------------------------------------
DAY = (OpeningSpan(("mon", "tue", "wed", "thu", "fri"), time(9), time(17)),)
NIGHT = (OpeningSpan(("mon",), time(20), time(23)),)


def with_hours(*entries: DirectoryEntry) -> Routing:
    provider = Provider("here", "H", hours={"team": (Dated(date.min, Hours(DAY, "crisis"), "here"),)})
    return routing(Directory(entries), provider, ["team", "other"], at("ZZ9001"), AS_OF)


def test_hours_of_a_policy_are_not_told_of_another_providers_team() -> None:
    """Somebody else is asked as well at night, for all that is known of that team; but nobody is told its hours."""
    ours = entry("ours", practices=["ZZ9002"])
    for theirs, told in ((None, None), (NIGHT, Hours(NIGHT, "crisis"))):
        found = with_hours(ours, entry("theirs", "there", practices=["ZZ9001"], hours=theirs))
        assert found.routes["team"].coverage is Coverage.OUT_OF_CATCHMENT
        assert found.told_hours("team") == told
        assert found.hours["team"].closed == "crisis"
    assert with_hours(entry("ours", practices=["ZZ9001"])).told_hours("team") == Hours(DAY, "crisis")


@pytest.mark.parametrize(
    ("entries", "when", "closed"),
    [
        ([], None, {}),  # no time of day: nothing is taken to be closed
        ([], time(12), {}),
        ([], time(22), {"team": "crisis"}),
        ([entry("own", everywhere=True, hours=NIGHT)], time(22), {}),  # the team's own hours stand above
        ([entry("own", everywhere=True, hours=NIGHT)], time(12), {"team": "crisis"}),
        ([entry("own", everywhere=True)], time(22), {"team": "crisis"}),
    ],
)
def test_a_service_is_closed_only_where_a_time_of_day_says_so(
    entries: list[DirectoryEntry], when: time | None, closed: dict[str, str]
) -> None:
    pack = load_pack(LIBRARY)
    found = availability(with_hours(*entries), pack, AS_OF, when)
    pack.close()
    assert dict(found.closed) == closed
    if not closed:
        assert found == EVERYWHERE


# --- whereabouts ---------------------------------------------------------------------------------------------------
def record(patient: dict[str, Any], *others: dict[str, Any]) -> MappedBundle:
    entries = [{"resource": {"resourceType": "Patient", **patient}}]
    entries += [{"fullUrl": f"urn:uuid:{number}", "resource": other} for number, other in enumerate(others)]
    return MappedBundle("t", {"resourceType": "Bundle", "type": "collection", "entry": entries})


def practice(code: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Organization", "identifier": [{"system": ODS, "value": code}], **more}


GP = {"generalPractitioner": [{"reference": "urn:uuid:0"}]}
BOARD = {"partOf": {"identifier": {"system": ODS, "value": "ZZ8"}}}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (record(GP, practice("zz9001")), ("ZZ9001", "ZZ9")),
        (
            record(GP, practice("ZZ9001", **BOARD)),
            ("ZZ9001", None),
        ),  # another board than in the list, or no board at all
        (record(GP, practice("ZZ9003", **BOARD)), ("ZZ9003", "ZZ8")),
        (record(GP, practice("V81999")), (None, None)),
        (record(GP), (None, None)),
        (record(GP, {"resourceType": "Practitioner"}), (None, None)),
        (record({"generalPractitioner": [{"identifier": {"system": ODS, "value": "ZZ9001"}}]}), ("ZZ9001", "ZZ9")),
        (
            record({"generalPractitioner": [{"reference": "#p"}], "contained": [{"id": "p", **practice("ZZ9001")}]}),
            ("ZZ9001", "ZZ9"),
        ),
        (
            record(
                {"generalPractitioner": [{"reference": "urn:uuid:0"}, {"reference": "urn:uuid:1"}]},
                practice("ZZ9001"),
                practice("ZZ9002"),
            ),
            (None, "ZZ9"),  # two practices, and both of one board
        ),
    ],
)
def test_her_practice_and_its_board(made: MappedBundle, expected: tuple[str | None, str | None]) -> None:
    found = whereabouts(made, 0, AS_OF, {"ZZ9001": "ZZ9", "ZZ9002": "ZZ9"})
    assert (found.practice, found.icb) == expected


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([{"postalCode": "zz98 1aa"}], "ZZ98 1AA"),
        ([{"postalCode": "ZZ98 1AA", "use": "old"}], None),
        ([{"postalCode": "ZZ98 1AA", "period": {"end": "2026-03-01"}}], None),
        ([{"postalCode": "ZZ98 1AA", "period": {"end": "2026-03-02"}}], "ZZ98 1AA"),
        ([{"postalCode": "ZZ98 1AA", "period": {"end": "2026"}}], "ZZ98 1AA"),
        ([{"postalCode": "ZZ98 1AA"}, {"postalCode": "ZZ97 1AA"}], None),
        ([{"postalCode": "ZZ98 1AA"}, {"postalCode": "ZZ981AA", "use": "home"}], "ZZ98 1AA"),
        ([{"postalCode": "ZZ99 3VZ"}], None),  # no fixed abode
        ([{"postalCode": "ZZ98"}], None),
        ([{"city": "Exampleton"}], None),
    ],
)
def test_where_she_lives_now(addresses: list[dict[str, Any]], expected: str | None) -> None:
    found = whereabouts(record({"address": addresses}), 0, AS_OF, {}).postcode
    assert (found.whole if found else None) == expected


# --- what is said --------------------------------------------------------------------------------------------------
def test_what_is_said_holds_nothing_of_the_patient() -> None:
    known = Routing(
        {
            "crisis-team": route(Directory((entry("one", service="x"),)), "here", "crisis-team", at(), AS_OF),
            "team": route(Directory((entry("one", practices=["ZZ9001"]),)), "here", "team", at(), AS_OF),
        },
        {},
    )
    referrals = tuple(ProposedReferral(key, "asap", AS_OF, AS_OF, ("r",), (), ()) for key in ("crisis-team", "team"))
    pack = load_pack(LIBRARY)
    services = {**pack.services, "team": pack.services["perinatal-community-team"]}
    pack.close()
    unlisted, unknown = routing_issues(decision(referrals=referrals), known, services)
    assert (unlisted.detail, unlisted.severity) == ("no-service-covers", "warning")
    assert (unknown.detail, unknown.severity) == ("data-not-supplied", "warning")
    assert "GP practice" in unknown.text
