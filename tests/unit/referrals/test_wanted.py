"""What a fact is called and what would supply it."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapter.referrals import terms
from adapter.referrals.terms import concept, display, humanise
from adapter.referrals.wanted import compile_wanted, wanted
from tests.shared import SHARED, needs_shared
from tests.unit.referrals.samples import BASE

TERMS = Path(terms.__file__).with_name("terms.csv")


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    rows = "system,code,display,source,mark\nother,1,x,,\nsct,450320001,EPDS score,,V\nloinc,71354-5,EPDS,,V\n"
    (tmp_path / "epds-total.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "empty.csv").write_text("system,code,display\n", encoding="utf-8")
    many = "".join(f"sct,{n},condition {n}\n" for n in range(13))
    (tmp_path / "long.csv").write_text(f"system,code,display\n{many}", encoding="utf-8")
    return tmp_path


def requirement(codes: Path, source: dict[str, Any] | None) -> Any:
    declarations: Any = {"f": SimpleNamespace(label="The label", source=source)}
    made = compile_wanted(declarations, codes, BASE)["f"]
    assert made.label == "The label"
    return made.requirement


def test_a_short_code_list_is_asked_for_whole_in_the_systems_that_are_known(codes: Path) -> None:
    assert requirement(codes, {"score": "epds-total", "valid_days": 28}) == {
        "type": "Observation",
        "codeFilter": [
            {
                "path": "code",
                "code": [
                    {"system": "http://snomed.info/sct", "code": "450320001", "display": "EPDS score"},
                    {"system": "http://loinc.org", "code": "71354-5", "display": "EPDS"},
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("source", "kind", "path"),
    [
        ({"condition": "long", "when": "ever"}, "Condition", "code"),
        ({"finding": "empty"}, "Observation", "code"),
        ({"medication": "no-such-list"}, "MedicationStatement", "medication"),
        ({"family_history": "long"}, "FamilyMemberHistory", "condition.code"),
        ({"person": "open_services"}, "EpisodeOfCare", "type"),
        ({"person": "consent_refused_for"}, "Consent", "category"),
        ({"pregnancy": "edd"}, "Observation", "code"),
        ({"observed": "Condition"}, "Condition", "code"),
        ({"something": "new"}, "Observation", "code"),
        (None, "Observation", "code"),
    ],
)
def test_without_a_short_list_the_label_asks(codes: Path, source: dict[str, Any] | None, kind: str, path: str) -> None:
    made = requirement(codes, source)
    assert made == {"type": kind, "codeFilter": [{"path": path, "code": [{"display": "The label"}]}]}


def test_the_age_is_asked_for_as_a_date_of_birth(codes: Path) -> None:
    assert requirement(codes, {"person": "age_years"}) == {"type": "Patient", "mustSupport": ["birthDate"]}


def test_a_fact_nobody_described_is_named_in_words() -> None:
    assert wanted("epds_item_10", {}).label == "Epds item 10"


def test_codes_become_words() -> None:
    assert humanise("self-harm-risk") == "Self-harm risk"
    assert display("perinatal-flag", "brand-new") == "Brand new"
    assert concept(BASE, "perinatal-task", "complete-epds")["text"] == "Complete the EPDS"


@needs_shared
def test_every_task_and_flag_of_the_contract_has_words() -> None:
    theirs = codes_in(SHARED / "clinical" / "tasks-flags-issues.csv", "system")
    assert {row for row in theirs if row[0] in ("perinatal-task", "perinatal-flag")} <= codes_in(TERMS, "kind")


def codes_in(path: Path, system: str) -> set[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row[system], row["code"]) for row in csv.DictReader(file)}
