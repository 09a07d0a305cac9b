"""Whatever a record holds, facts are made, and each piece of evidence is an element of the record."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules import DateSpan, DaySpan, State, load_pack
from tests.unit.facts.records import (
    AS_OF,
    LOCAL,
    LOINC,
    SCT,
    baby,
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
    read,
    reader,
    ref,
    response,
)

STEP = re.compile(r"(\w+)(?:\[(\d+)\])?\Z")
days = st.integers(-900, 20).map(lambda n: (AS_OF + timedelta(n)).isoformat())
dates = st.none() | days | days.map(lambda d: d[:7]) | days.map(lambda d: d[:4]) | days.map(lambda d: f"{d}T10:00:00Z")
ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
OUTCOMES = ["281050002", "237364002", "17369002", "57797005", "391181005", "169829002", "999"]
STATUSES = ["77386006", "60001007", "146799005"]
FLAGS = ["birth-trauma", "self-harm-item-assessed-no-current-risk", "infant-death", "no-consent-to-referral"]
RELATIVES = ["MTH", "GRMTH", "EXT"]


def family(role: str, on: str | None) -> dict[str, Any]:
    history = {"resourceType": "FamilyMemberHistory", "status": "completed", "patient": ref("mother")}
    history |= {"relationship": coded(ROLES, role), "condition": [{"code": coded(SCT, "13746004")}]}
    return history | ({"date": on} if on else {})


def medicine(status: str, on: str | None) -> dict[str, Any]:
    taken = {"resourceType": "MedicationStatement", "status": status, "subject": ref("mother")}
    taken |= {"medicationCodeableConcept": coded(SCT, "108441004")}
    return taken | ({"effectivePeriod": {"end": on}} if on else {})


def gestation(weeks: int, on: str | None) -> dict[str, Any]:
    return observation(coded(SCT, "57036006"), on, valueQuantity={"value": weeks, "code": "wk"})


def diagnosis(code: str, clinical: str, verified: str, on: str | None) -> dict[str, Any]:
    return condition(coded(SCT, code), clinical, verified, **({"onsetDateTime": on} if on else {}))


resources = st.one_of(
    st.builds(epds, st.integers(-2, 33), dates),
    st.builds(item10, st.none() | st.integers(0, 4), dates),
    st.builds(response, st.lists(st.none() | st.integers(0, 3), min_size=8, max_size=10), dates),
    st.builds(lambda c, d: outcome(c, d), st.sampled_from(OUTCOMES), dates),
    st.builds(lambda c, d: observation(coded(SCT, c), d), st.sampled_from(OUTCOMES + STATUSES), dates),
    st.builds(pregnancy_status, st.sampled_from(STATUSES), dates, st.sampled_from(["", "Pregnant", "Not pregnant"])),
    st.builds(due, days | st.just("2025-08"), dates),
    st.builds(lambda c, d: observation(coded(LOCAL, c), d), st.sampled_from(FLAGS), dates),
    st.builds(gestation, st.integers(4, 41), dates),
    st.builds(
        diagnosis,
        st.sampled_from(["13746004", "85248005", "69322001", "6471006"]),
        st.sampled_from(["", "active", "resolved"]),
        st.sampled_from(["", "confirmed", "provisional", "refuted"]),
        dates,
    ),
    st.builds(family, st.sampled_from(RELATIVES), dates),
    st.builds(medicine, st.sampled_from(["active", "stopped", "on-hold"]), dates),
    st.builds(lambda v, d: observation(coded(LOINC, "44261-6"), d, valueInteger=v), st.integers(0, 27), dates),
)
babies = st.lists(st.tuples(dates, st.booleans()), max_size=2)


def record(hers: list[dict[str, Any]], born: list[tuple[str | None, bool]]) -> list[dict[str, Any]]:
    children = [baby(f"b{n}", day, deceasedBoolean=dead) for n, (day, dead) in enumerate(born)]
    return [*hers, *(entry for pair in children for entry in pair)]


def resolves(resource: Any, path: str) -> bool:
    for step in path.split("."):
        match = STEP.match(step)
        if match is None or match[1] not in resource:
            return False
        resource = resource[match[1]]
        if match[2] is not None:
            if int(match[2]) >= len(resource):
                return False
            resource = resource[int(match[2])]
    return True


@settings(max_examples=150, deadline=None)
@given(st.lists(resources, max_size=8), babies)
def test_evidence_is_in_the_record_and_values_make_sense(
    hers: list[dict[str, Any]], born: list[tuple[str | None, bool]]
) -> None:
    entries = [person("mother", "1994-03-02"), *record(hers, born)]
    result = read(*entries[1:])
    for fact in result.facts.values():
        for evidence in fact.evidence:
            assert resolves(entries[evidence.entry], evidence.path), (fact.name, evidence.path)
        assert (fact.value is not None) == (fact.state is State.KNOWN)
        if isinstance(fact.value, DateSpan | DaySpan):
            assert fact.value.low <= fact.value.high
        if fact.state is State.UNKNOWN:
            assert fact.note
    ended, pregnant = result.facts["pregnancy_ended_on"].value, result.facts["pregnant"]
    assert not isinstance(ended, DateSpan) or ended.low <= AS_OF
    if result.facts["gestation_days"].state is State.KNOWN:
        assert pregnant.value is True


@settings(max_examples=60, deadline=None)
@given(st.lists(resources, max_size=8), babies, st.randoms())
def test_order_does_not_matter(hers: list[dict[str, Any]], born: list[tuple[str | None, bool]], random: Any) -> None:
    entries = record(hers, born)
    shuffled = list(entries)
    random.shuffle(shuffled)
    one, other = read(*entries).facts, read(*shuffled).facts
    assert {n: (f.state, f.value) for n, f in one.items()} == {n: (f.state, f.value) for n, f in other.items()}


@settings(max_examples=60, deadline=None)
@given(st.lists(resources, max_size=8), babies)
def test_reading_changes_nothing_and_gives_the_same_again(
    hers: list[dict[str, Any]], born: list[tuple[str | None, bool]]
) -> None:
    entries = bundle(person("mother", "1994-03-02"), *record(hers, born))
    before = repr(entries)
    assert reader().read(entries, AS_OF) == reader().read(entries, AS_OF)
    assert repr(entries) == before


@settings(max_examples=40, deadline=None)
@given(st.lists(resources, max_size=8), babies, st.dates(date(2024, 6, 1), date(2026, 6, 1)))
@example(hers=[gestation(4, "2025")], born=[], as_of=date(2026, 1, 1))  # 28 to 392 days: no pregnancy is as long
def test_the_shipped_pack_accepts_every_fact(
    hers: list[dict[str, Any]], born: list[tuple[str | None, bool]], as_of: date
) -> None:
    from adapter.facts import compile_facts

    pack = load_pack()
    try:
        result = compile_facts(pack, "https://perinatal-referrals.example/fhir").read(
            bundle(person("mother", "1994-03-02"), *record(hers, born)), as_of
        )
        assert pack.evaluate(result.facts, as_of).outcomes
    finally:
        pack.close()
