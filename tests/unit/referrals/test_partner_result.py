"""A mother and her partner in one Bundle: two results, and nobody's data in the other's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.pipeline import Result, evaluate_all, read_path

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"


def results(folder: str) -> dict[str, Result]:
    adapter = Adapter()
    records = read_path(adapter, FIXTURES / folder / "record.json")
    return {result.patient: result for result in evaluate_all(adapter, records, date(2026, 3, 2))}


@pytest.mark.parametrize(
    ("folder", "hers", "theirs", "given"),
    [
        ("80-mother-and-partner-in-one-bundle", "9990080801", "9990080828", ("JUNIPER", "ROWAN")),
        ("82-the-fathers-score-in-her-record", "9990080836", "9990080844", ("LAUREL", "HAWTHORN")),
    ],
)
def test_neither_result_holds_the_other(folder: str, hers: str, theirs: str, given: tuple[str, str]) -> None:
    found = results(folder)
    assert found.keys() == {hers, theirs}
    for own, other, name in ((hers, theirs, given[1]), (theirs, hers, given[0])):
        bundle = found[own].bundle
        assert bundle is not None
        text = orjson.dumps(bundle).decode()
        assert own in text
        assert other not in text
        assert name not in text
        patients = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"]
        assert len(patients) == 1


def test_the_evidence_of_the_partners_referral_is_the_relationship_and_the_score() -> None:
    bundle = results("82-the-fathers-score-in-her-record")["9990080844"].bundle
    assert bundle is not None
    kinds = {e["fullUrl"]: e["resource"]["resourceType"] for e in bundle["entry"]}
    [request] = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "ServiceRequest"]
    pointed = [one["reference"] for key in ("reasonReference", "supportingInfo") for one in request.get(key, ())]
    assert {kinds[url] for url in pointed} >= {"Observation", "RelatedPerson"}
    assert request["performerType"]["coding"][0]["code"] == "partner-assessment"
