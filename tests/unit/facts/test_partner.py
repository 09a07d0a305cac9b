"""The partner of a perinatal woman: what says so, what her record says, and what is never the other's."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from adapter.facts import FactReader, FactResult, compile_facts
from adapter.records import Resource
from rules import LIBRARY, Fact, State, load_pack
from tests.unit.facts.pregnancies import LIVE, PREGNANT, on
from tests.unit.facts.records import (
    AS_OF,
    BASE,
    LOCAL,
    bundle,
    coded,
    condition,
    due,
    epds,
    item10,
    observation,
    outcome,
    person,
    pregnancy_status,
    ref,
    related,
)

MARK = coded(LOCAL, "partner-of-perinatal-woman")


@cache
def shipped() -> FactReader:
    return compile_facts(load_pack(LIBRARY), BASE)


def partner(role: str = "DOMPART", *more: Resource, about: str = "mother") -> Resource:
    """The partner's own record: it has the RelatedPerson, and the woman is elsewhere."""
    himself = person("partner", "1992-03-04", link=[{"other": ref("r", "RelatedPerson"), "type": "seealso"}])
    return bundle(himself, related("r", about, role), *more)


def her(*resources: Resource) -> Resource:
    return bundle(person("mother", "1994-06-17"), *resources)


def read(record: Resource, *kin: Resource) -> FactResult:
    return shipped().read(record, AS_OF, None, kin)


def partner_facts(record: Resource, *kin: Resource) -> dict[str, Any]:
    """The known values of the facts of a partner; else the state."""
    names = ("recorded", "known", "pregnant", "pregnancy_ended_on", "undated")
    found = read(record, *kin).facts
    return {name: _short(found[f"partner_{name}"]) for name in names}


def _short(fact: Fact) -> Any:
    return fact.value if fact.state is State.KNOWN else fact.state


NOT = State.ABSENT
ASK = State.UNKNOWN


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        (observation(MARK, "2025-06-01", subject=ref("p")), True),
        (condition(MARK, recordedDate="2025-06-01", subject=ref("p")), True),
        (observation(MARK, "2025-06-01", subject=ref("p"), valueBoolean=False), False),
        (observation(MARK, "2025-06-01", subject=ref("p"), status="entered-in-error"), NOT),
        (observation(MARK, "2022-08-26", subject=ref("p")), True),  # 1024 days ago
        (observation(MARK, "2022-08-25", subject=ref("p")), NOT),
    ],
)
def test_recorded_as_a_partner(said: Resource, recorded: object) -> None:
    found = partner_facts(bundle(person("p", "1992-03-04"), said))
    assert found["recorded"] == recorded
    assert found["known"] == (True if recorded is True else NOT)
    assert (found["pregnant"], found["pregnancy_ended_on"]) == (NOT, NOT)


def test_nobodys_partner() -> None:
    assert set(partner_facts(her()).values()) == {NOT}


@pytest.mark.parametrize("role", ["DOMPART", "SIGOTHR", "SPS", "HUSB", "WIFE"])
def test_a_partner_of_somebody_who_is_not_here_is_asked_about(role: str) -> None:
    found = partner_facts(partner(role))
    assert found == {"recorded": NOT, "known": True, "pregnant": ASK, "pregnancy_ended_on": ASK, "undated": NOT}
    fact = read(partner(role)).facts["partner_pregnant"]
    assert (fact.ask, fact.evidence[0].entry) == ("confirm-pregnancy-status", 1)


def test_the_father_of_a_fetus_is_the_partner_of_a_pregnant_woman() -> None:
    found = partner_facts(partner("NFTHF"))
    assert (found["known"], found["pregnant"]) == (True, True)


@pytest.mark.parametrize(
    ("hers", "pregnant", "ended", "undated"),
    [
        (her(pregnancy_status(PREGNANT, "2025-06-01"), due("2025-12-01")), True, NOT, NOT),
        (her(outcome(LIVE, "2025-06-01")), False, on("2025-06-01"), NOT),
        (her(observation(coded("http://snomed.info/sct", "118185001"), "2025-06-01")), ASK, ASK, True),
        (her(), ASK, ASK, NOT),
        (her(pregnancy_status("60001007", "2025-06-01")), False, NOT, NOT),
    ],
    ids=["pregnant", "a birth", "no date", "nothing", "not pregnant"],
)
def test_what_her_record_says(hers: Resource, pregnant: object, ended: object, undated: object) -> None:
    found = partner_facts(partner(), hers)
    assert (found["pregnant"], found["pregnancy_ended_on"], found["undated"]) == (pregnant, ended, undated)


def test_nothing_of_her_record_is_quoted() -> None:
    record = partner()
    facts = read(record, her(pregnancy_status(PREGNANT, "2025-06-01"), due("2025-12-01"))).facts
    places = [evidence for fact in facts.values() for evidence in fact.evidence]
    assert places
    assert all(evidence.entry < len(record["entry"]) for evidence in places)
    assert {evidence.path for evidence in facts["partner_pregnant"].evidence} == {"relationship"}


def test_a_father_counts_by_the_birth_of_the_baby_in_his_record() -> None:
    child = person("b", "2025-06-01")
    found = partner_facts(partner("NFTH", child, about="b"))
    assert (found["known"], found["pregnancy_ended_on"]) == (True, on("2025-06-01"))
    assert read(partner("NFTH", child, about="b")).facts["birth_on"].state is not State.KNOWN


def test_two_who_are_each_others_partner() -> None:
    wife = related("s", "partner", "WIFE")
    pregnant = her(pregnancy_status(PREGNANT, "2025-06-01"), due("2025-12-01"))
    assert partner_facts(partner("HUSB", wife), pregnant)["known"] is True
    assert partner_facts(partner("HUSB", wife))["known"] is NOT


def test_a_wife_of_one_whose_record_tells_of_no_pregnancy_is_no_partner_of_a_perinatal_woman() -> None:
    assert partner_facts(partner("WIFE"), her())["known"] is NOT


def test_what_is_about_her_partner_is_said_to_be_somebody_elses() -> None:
    focus = [ref("r", "RelatedPerson")]
    record = her(
        related("r", "mother", "SPS"), epds(20, "2025-06-10", focus=focus), item10(2, "2025-06-10", focus=focus)
    )
    result = read(record)
    assert result.facts["epds_total"].state is State.ABSENT
    assert result.facts["epds_item_10"].state is State.ABSENT
    said = [(issue.detail, issue.place) for issue in result.issues if issue.detail == "wrong-subject"]
    assert said == [("wrong-subject", f"Bundle.entry[{at}].resource") for at in (2, 3)]
    assert not result.refused


def test_an_infant_taken_to_be_hers_is_said_to_be() -> None:
    alone = her(person("b", "2025-06-01"))
    [issue] = [issue for issue in read(alone).issues if "infant" in issue.text]
    assert (issue.severity, issue.place) == ("information", "Bundle.entry[1].resource")
    linked = her(person("b", "2025-06-01", link=[{"other": ref("mother"), "type": "seealso"}]))
    assert not [issue for issue in read(linked).issues if "infant" in issue.text]
