"""Facts, and values that they could have, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from adapter.referrals.phrases import Phrases, listed
from rules import LIBRARY, DateSpan, DaySpan, Fact, FactValue, Pack, State, load_pack
from rules.whatif import Setting

AS_OF = date(2026, 3, 2)
RECORDED = date(2026, 2, 27)


@pytest.fixture(scope="module")
def pack() -> Iterator[Pack]:
    pack = load_pack(LIBRARY)
    yield pack
    pack.close()


@pytest.fixture
def phrases(pack: Pack) -> Phrases:
    return Phrases(pack.fact_declarations, pack.services, AS_OF)


def known(name: str, value: FactValue, on: date | None = None) -> Fact:
    return Fact(name, State.KNOWN, value, on)


def days(first: date, last: date | None = None) -> DateSpan:
    return DateSpan(first, last or first)


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (known("epds_item_10", 1, RECORDED), "EPDS item 10 (the self-harm item) of 1 on 27-Feb-2026"),
        (known("phq9_total", 9, RECORDED), "PHQ-9 total of 9 on 27-Feb-2026"),
        (known("fobs_total", 60.5, RECORDED), "Fear of Birth Scale: 60.5 on 27-Feb-2026"),
        (known("whooley_total", 1, RECORDED), "Whooley questions answered yes: 1 on 27-Feb-2026"),
        (known("age_years", 15), "age of 15 years"),
        (known("gestation_days", DaySpan(196, 196)), "gestation of 28+0 weeks"),
        (known("gestation_days", DaySpan(190, 196)), "gestation of between 27+1 and 28+0 weeks"),
        (known("birth_on", days(date(2025, 12, 20))), "date of the most recent birth on 20-Dec-2025"),
        (
            known("birth_on", days(date(2025, 12, 1), date(2025, 12, 31))),
            "date of the most recent birth between 01-Dec-2025 and 31-Dec-2025",
        ),
        (known("lithium", True, RECORDED), "takes lithium on 27-Feb-2026"),
        (known("pregnant", False), "pregnant: no"),
        (known("open_services", frozenset({"gp"})), "services that already have her: the GP practice"),
        (known("open_services", frozenset()), "services that already have her: none"),
        (Fact("phq9_total", State.UNKNOWN, note="conflict"), "PHQ-9 total: not known (conflict)"),
    ],
)
def test_what_the_record_says(phrases: Phrases, fact: Fact, words: str) -> None:
    assert phrases.found(fact) == words


NO_SCORE = Fact("phq9_total", State.ABSENT)
OLD_SCORE = Fact("phq9_total", State.ABSENT, older=17, older_on=date(2026, 1, 5))
OPEN = known("open_services", frozenset({"gp", "perinatal-community-team"}))
REFUSED = known("consent_refused_for", frozenset({"all"}))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (
            Setting("phq9_total", known("phq9_total", 12), known("phq9_total", 15), 15, 27),
            "PHQ-9 total of 15 or more instead of 12",
        ),
        (Setting("phq9_total", known("phq9_total", 12), known("phq9_total", 9), 0, 9), "PHQ-9 total of 9 or less instead of 12"),
        (Setting("phq9_total", NO_SCORE, known("phq9_total", 10), 10, 14), "PHQ-9 total of 10 to 14 (not on record)"),
        (Setting("gad7_total", Fact("gad7_total", State.UNKNOWN), known("gad7_total", 8), 8, 9), "GAD-7 total of 8 or 9 (not known)"),
        (Setting("epds_item_10", known("epds_item_10", 1), known("epds_item_10", 0), 0, 0), "EPDS item 10 (the self-harm item) of 0 instead of 1"),
        (Setting("phq9_total", OLD_SCORE, known("phq9_total", 15), 15, 27), "PHQ-9 total of 15 or more (only 17 is on record, too old to count)"),
        (
            Setting("phq9_total", OLD_SCORE, known("phq9_total", 17, date(2026, 1, 5)), 15, 27),
            "PHQ-9 total of 17 on 05-Jan-2026 if it were not too old to count",
        ),
        (Setting("phq9_total", NO_SCORE, known("phq9_total", 0), 0, 27), "PHQ-9 total: any (not on record)"),
        (Setting("fobs_total", known("fobs_total", 60.0), known("fobs_total", 53.99), 0, 54, high_open=True), "Fear of Birth Scale: below 54 instead of 60.0"),
        (Setting("age_years", known("age_years", 15), known("age_years", 16), 16, 130), "age of 16 years or more instead of 15"),
        (
            Setting("gestation_days", known("gestation_days", DaySpan(196, 196)), known("gestation_days", DaySpan(252, 252)), 252, 320),
            "gestation of 36+0 weeks or more instead of 28+0",
        ),
        (
            Setting("birth_on", known("birth_on", days(date(2024, 2, 1))), known("birth_on", days(date(2024, 3, 2))), date(2024, 3, 2).toordinal(), AS_OF.toordinal()),
            "date of the most recent birth on or after 02-Mar-2024 instead of 01-Feb-2024",
        ),
        (
            Setting("birth_on", known("birth_on", days(date(2026, 2, 1))), known("birth_on", days(date(2024, 3, 1))), None, date(2024, 3, 1).toordinal()),
            "date of the most recent birth on or before 01-Mar-2024 instead of 01-Feb-2026",
        ),
        (
            Setting("birth_on", Fact("birth_on", State.UNKNOWN), known("birth_on", days(AS_OF)), AS_OF.toordinal(), AS_OF.toordinal()),
            "date of the most recent birth on 02-Mar-2026 (not known)",
        ),
        (Setting("birth_on", Fact("birth_on", State.UNKNOWN), Fact("birth_on", State.ABSENT)), "date of the most recent birth: none (not known)"),
        (Setting("pregnant", known("pregnant", True), known("pregnant", False)), "pregnant: no instead of yes"),
        (
            Setting("open_services", OPEN, known("open_services", frozenset({"gp"}))),
            "her not already open to the specialist perinatal mental health community team",
        ),
        (Setting("consent_refused_for", REFUSED, known("consent_refused_for", frozenset())), "her consent"),
        (
            Setting("phq9_total", known("phq9_total", 9, RECORDED), known("phq9_total", 9, date(2026, 2, 16)), 0, 27),
            "PHQ-9 total recorded on 16-Feb-2026 instead of 27-Feb-2026",
        ),
    ],
)  # fmt: skip
def test_another_value(phrases: Phrases, setting: Setting, words: str) -> None:
    assert phrases.instead(setting) == words


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (Setting("phq9_total", known("phq9_total", 12, RECORDED), known("phq9_total", 15), 15, 27), "PHQ-9 total of 12 on 27-Feb-2026 is below 15"),
        (Setting("phq9_total", known("phq9_total", 17), known("phq9_total", 14), 10, 14), "PHQ-9 total of 17 is above 14"),
        (Setting("phq9_total", NO_SCORE, known("phq9_total", 15), 15, 27), "no PHQ-9 total is on record"),
        (Setting("phq9_total", OLD_SCORE, known("phq9_total", 15), 15, 27), "PHQ-9 total of 17 on 05-Jan-2026 is too old to count"),
        (Setting("lithium", Fact("lithium", State.ABSENT), known("lithium", True)), "not on record: takes lithium"),
        (Setting("pregnant", Fact("pregnant", State.UNKNOWN), known("pregnant", True)), "it is not known: pregnant"),
        (Setting("pregnant", known("pregnant", False), known("pregnant", True)), "pregnant: no"),
        (
            Setting("gestation_days", known("gestation_days", DaySpan(196, 196)), known("gestation_days", DaySpan(252, 252)), 252, 320),
            "gestation of 28+0 weeks is below 36+0 weeks",
        ),
        (
            Setting("birth_on", known("birth_on", days(date(2024, 2, 1))), known("birth_on", days(date(2024, 3, 2))), date(2024, 3, 2).toordinal(), AS_OF.toordinal()),
            "date of the most recent birth on 01-Feb-2024 is before 02-Mar-2024",
        ),
    ],
)  # fmt: skip
def test_what_is_in_the_way(phrases: Phrases, setting: Setting, words: str) -> None:
    assert phrases.in_the_way(setting) == words


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("gp", "the GP practice"),
        ("maternal-mental-health-service", "the maternal mental health service"),
        ("talking-therapies", "NHS Talking Therapies"),
        ("community-mental-health-team", "the adult community mental health team"),
    ],
)
def test_a_service_inside_a_sentence(phrases: Phrases, key: str, words: str) -> None:
    assert phrases.to(key) == words


def test_a_list_in_words() -> None:
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
