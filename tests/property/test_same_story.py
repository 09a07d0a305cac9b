"""The same story told in another way leads to the same decision: every fixture's record, told in a dozen ways."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.fhir.profiles import bundle_with_profiles
from adapter.pipeline import Result, evaluate, read, read_path
from adapter.records import MappedBundle, RawRecord
from adapter.replay import Expected, find_fixtures, read_expected
from rules import PRIORITIES

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
LOCAL = "https://perinatal-referrals.example/fhir/CodeSystem/perinatal-concept"
WITH_A_PARTNER_BESIDE = {"80-mother-and-partner-in-one-bundle", "82-the-fathers-score-in-her-record"}
"""Where the record of one of two is read alone, what the other's record said is gone."""
SAYS_THE_OPPOSITE = "16-display-says-the-opposite"

Bundle = dict[str, Any]
Story = tuple[str, Bundle, Expected]


@cache
def adapter() -> Adapter:
    return Adapter()


@cache
def stories() -> tuple[Story, ...]:
    """Each record of each fixture as FHIR, whatever it came as."""
    return tuple(_stories())


def _stories() -> Iterator[Story]:
    for folder in find_fixtures(FIXTURES):
        expected = read_expected(folder)
        for inputs in expected.inputs:
            for record in read_path(adapter(), folder / inputs[0]) if len(inputs) == 1 else ():
                if isinstance(record, MappedBundle) and not record.refused and record.bundle.get("entry"):
                    yield f"{folder.name}/{inputs[0]}", bundle_with_profiles(record.bundle), expected


def decided(bundle: Bundle, expected: Expected) -> list[Any]:
    """What was decided on each person of a Bundle: all but the words."""
    records = read(adapter(), RawRecord("story", orjson.dumps(bundle)))
    return [
        _summary(evaluate(adapter(), each, expected.as_of, expected.provider))
        if isinstance(each, MappedBundle)
        else each.issues
        for each in records
    ]


def _summary(result: Result) -> Any:
    decision = result.decision
    if decision is None:
        return result.status
    return (
        [(outcome.rule, outcome.status) for outcome in decision.outcomes],
        {(each.service, each.priority, each.rules, each.start, each.end) for each in decision.referrals},
        {(each.code, each.priority, each.service, frozenset(each.facts)) for each in decision.tasks},
        {each.code for each in decision.flags},
    )


# --- ways of telling it ----------------------------------------------------------------------------------------------
def shuffled(bundle: Bundle) -> None:
    bundle["entry"] = bundle["entry"][1::2][::-1] + bundle["entry"][::2]


def twice(bundle: Bundle) -> None:
    bundle["entry"] += copy.deepcopy(bundle["entry"])


def as_a_transaction(bundle: Bundle) -> None:
    bundle["type"] = "transaction"
    for entry in bundle["entry"]:
        entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}


def as_a_searchset(bundle: Bundle) -> None:
    bundle["type"] = "searchset"
    for entry in bundle["entry"]:
        entry["search"] = {"mode": "match"}


def under_other_urls(bundle: Bundle) -> None:
    text = orjson.dumps(bundle).decode()
    for number, entry in enumerate(bundle["entry"]):
        text = text.replace(f'"{entry["fullUrl"]}"', f'"urn:uuid:aaaaaaaa-0000-4000-8000-{number:012d}"')
    bundle.update(orjson.loads(text))


def with_a_local_code_besides(bundle: Bundle) -> None:
    for codings in _codings(bundle):
        codings.append({"system": "https://local.example/codes", "code": "X1", "display": "local"})


def with_a_local_code_first(bundle: Bundle) -> None:
    for codings in _codings(bundle):
        codings.insert(0, {"system": "https://local.example/codes", "code": "X1", "display": "local"})


def _codings(bundle: Bundle) -> Iterator[list[dict[str, Any]]]:
    for entry in bundle["entry"]:
        code = entry["resource"].get("code")
        if isinstance(code, dict) and "coding" in code:
            yield code["coding"]


def without_displays(bundle: Bundle) -> None:
    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: strip(value) for key, value in node.items() if key != "display" or "code" not in node}
        return [strip(each) for each in node] if isinstance(node, list) else node

    bundle.update(strip(bundle))


def with_times_of_day(bundle: Bundle) -> None:
    for entry in bundle["entry"]:
        day = entry["resource"].get("effectiveDateTime", "")
        if len(day) == len("2026-03-02"):
            entry["resource"]["effectiveDateTime"] = f"{day}T10:00:00+00:00"


def with_a_vendors_extension(bundle: Bundle) -> None:
    for entry in bundle["entry"]:
        extension = {"url": "https://vendor.example/extension", "valueString": "x"}
        entry["resource"]["extension"] = [*entry["resource"].get("extension", ()), extension]


def with_versions(bundle: Bundle) -> None:
    for entry in bundle["entry"]:
        meta = entry["resource"].get("meta", {})
        entry["resource"]["meta"] = {**meta, "versionId": "3", "lastUpdated": "2026-02-28T10:00:00Z"}


def with_a_heart_rate(bundle: Bundle) -> None:
    rate = {"value": 80, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
    _observe(bundle, {"system": "http://loinc.org", "code": "8867-4"}, date(2026, 2, 1), valueQuantity=rate)


def _observe(bundle: Bundle, coding: dict[str, str], day: date, **value: Any) -> None:
    """One more finding of hers: the first Patient's."""
    her = next(entry["fullUrl"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    found = {
        "resourceType": "Observation",
        "id": "one-more",
        "status": "final",
        "code": {"coding": [coding]},
        "subject": {"reference": her},
        "effectiveDateTime": day.isoformat(),
    }
    bundle["entry"].append({"fullUrl": "urn:uuid:bbbbbbbb-0000-4000-8000-000000000001", "resource": found | value})


WAYS: tuple[Callable[[Bundle], None], ...] = (
    shuffled,
    twice,
    as_a_transaction,
    as_a_searchset,
    under_other_urls,
    with_a_local_code_besides,
    with_a_local_code_first,
    without_displays,
    with_times_of_day,
    with_a_vendors_extension,
    with_versions,
    with_a_heart_rate,
)


# --- and what it leads to --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("tell", WAYS, ids=lambda tell: tell.__name__)
def test_the_same_story_leads_to_the_same_decision(tell: Callable[[Bundle], None]) -> None:
    seen = 0
    for name, bundle, expected in stories():
        if tell is without_displays and name.startswith(SAYS_THE_OPPOSITE):
            continue
        told = copy.deepcopy(bundle)
        tell(told)
        assert told != bundle or tell is with_times_of_day or tell is with_a_local_code_first, name
        assert decided(told, expected) == decided(bundle, expected), name
        seen += 1
    assert seen > 100


def test_a_converted_record_leads_to_the_decision_of_its_source() -> None:
    for folder in find_fixtures(FIXTURES):
        expected = read_expected(folder)
        for inputs in expected.inputs if folder.name not in WITH_A_PARTNER_BESIDE else ():
            for record in read_path(adapter(), folder / inputs[0]):
                if isinstance(record, MappedBundle) and not record.refused and record.bundle.get("entry"):
                    straight = _summary(evaluate(adapter(), record, expected.as_of, expected.provider))
                    assert decided(bundle_with_profiles(record.bundle), expected) == [straight], folder.name


def test_what_was_entered_in_error_counts_as_if_it_were_not_there() -> None:
    seen = 0
    for name, bundle, expected in stories():
        for at, entry in enumerate(bundle["entry"]):
            withdrawn = _withdrawn(entry["resource"])
            if withdrawn is None:
                continue
            entries = bundle["entry"]
            without = {**bundle, "entry": entries[:at] + entries[at + 1 :]}
            told = {**bundle, "entry": [*entries[:at], {**entry, "resource": withdrawn}, *entries[at + 1 :]]}
            assert decided(told, expected) == decided(without, expected), (name, withdrawn["resourceType"])
            seen += 1
    assert seen > 400


def _withdrawn(resource: dict[str, Any]) -> dict[str, Any] | None:
    """The resource as entered in error; None for one that facts do not come from."""
    kind = resource["resourceType"]
    if kind == "Condition":
        system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
        status = {"coding": [{"system": system, "code": "entered-in-error"}]}
        kept = {key: value for key, value in resource.items() if key != "clinicalStatus"}
        return {**kept, "verificationStatus": status}
    if kind in {
        "Observation",
        "Procedure",
        "MedicationStatement",
        "FamilyMemberHistory",
        "EpisodeOfCare",
        "ServiceRequest",
    }:
        return {**resource, "status": "entered-in-error"}
    return None


def test_one_more_self_harm_answer_never_makes_anything_less_urgent() -> None:
    """Whoever she is, an answer of 3 today leads to a referral or to a task at once, and takes no service away."""
    for name, bundle, expected in stories():
        before = decided(bundle, expected)
        told = copy.deepcopy(bundle)
        _observe(told, {"system": LOCAL, "code": "epds-item-10"}, expected.as_of, valueInteger=3)
        (after,) = decided(told, expected)
        if isinstance(after, int):
            assert before == [after], name  # refused before as well
            continue
        _, referrals, tasks, _ = after
        at_once = [priority for _, priority, *_ in (*referrals, *tasks) if PRIORITIES.index(priority) >= _ASAP]
        assert at_once, name
        if before and not isinstance(before[0], int):
            lost = {service for service, *_ in before[0][1]} - {service for service, *_ in referrals}
            assert lost <= {"gp"}, name  # who was to see the GP the same day is now seen by the crisis team


_ASAP = PRIORITIES.index("asap")
