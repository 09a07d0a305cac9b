"""A result that is not valid FHIR is not sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.fhir.validate import validate
from adapter.pipeline import evaluate, read
from adapter.records import MappedBundle, RawRecord
from adapter.referrals import result as results
from adapter.referrals.result import build_result, flaws
from rules import ProposedReferral
from tests.unit.referrals.samples import BASE, ISSUES, PATIENT, decision, record

DAY = date(2026, 3, 10)


def built(**more: Any) -> dict[str, Any]:
    return build_result(record(), PATIENT, decision(**more), ISSUES, {}, BASE, digest="ab")


def test_what_is_built_has_no_flaw_whether_walked_or_compiled() -> None:
    assert [flaws(built()) for _ in range(60)] == [()] * 60


def test_all_that_is_built_is_valid_fhir_not_only_the_proposals() -> None:
    assert validate(built()) == ()


def test_a_flaw_is_named_with_its_place() -> None:
    (found,) = flaws(built(referrals=(_with_an_empty_note(),)))
    assert found.place == "Bundle.entry[1].resource.note[0].text"


def test_no_result_with_a_flaw_leaves_the_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "build_result", lambda *_, **__: built(referrals=(_with_an_empty_note(),)))
    her = {"resourceType": "Patient", "id": "p", "birthDate": "1994-05-17"}
    (read_record,) = read(Adapter(), RawRecord("x", orjson.dumps(her)))
    assert isinstance(read_record, MappedBundle)
    refused = evaluate(Adapter(), read_record, DAY)
    assert (refused.status, refused.bundle) == (500, None)
    assert refused.outcome is not None
    assert refused.outcome["issue"][0]["severity"] == "fatal"
    assert refused.outcome["issue"][1]["expression"] == ["Bundle.entry[1].resource.note[0].text"]


def _with_an_empty_note() -> ProposedReferral:
    return replace(decision().referrals[0], notes=("",))
