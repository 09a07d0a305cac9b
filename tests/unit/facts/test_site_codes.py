"""A site's own codes: added to the pack's lists, checked to the line, and visible in what they lead to."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.errors import CannotStart
from adapter.facts import load_site_codes
from adapter.pipeline import Result, evaluate, read
from adapter.records import MappedBundle, RawRecord
from adapter.referrals.explain import explain_json
from adapter.settings import Settings
from rules import LIBRARY
from tests.unit.facts.pregnancies import PREGNANT
from tests.unit.facts.records import bundle, coded, person, pregnancy_status, ref

PRIADEL, CARBONATE = (
    "766311000001100",
    "387095003",
)  # Priadel 400mg modified-release tablets; lithium carbonate (gm-sde lists)
HEADER = "system,code,display,source\n"
ROW = f"dmd,{PRIADEL},Priadel 400mg modified-release tablets,dm+d\n"
R19 = "r19-lithium-or-antipsychotic-in-pregnancy"
PACK = LIBRARY / "codes"


def folder(tmp_path: Path, text: str, name: str = "lithium.csv") -> Path:
    (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def evaluated(codes: Path | None, *codings: dict[str, Any]) -> tuple[Result, MappedBundle]:
    takes = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "subject": ref("mother"),
        "medicationCodeableConcept": {"coding": list(codings)},
    }
    record = bundle(person("mother", "1994-03-02"), pregnancy_status(PREGNANT, "2025-06-01"), takes)
    adapter = Adapter(Settings(CODES_PATH=codes) if codes else Settings())
    [made] = read(adapter, RawRecord("record.json", orjson.dumps(record)))
    assert isinstance(made, MappedBundle)
    return evaluate(adapter, made, date(2025, 6, 15)), made


def brand(code: str = PRIADEL) -> dict[str, Any]:
    coding: dict[str, Any] = coded("https://dmd.nhs.uk", code)["coding"][0]
    return coding


def said(result: Result) -> list[str]:
    outcomes = [
        e["resource"] for e in (result.bundle or {})["entry"] if e["resource"]["resourceType"] == "OperationOutcome"
    ]
    return [
        issue["details"]["coding"][0]["code"]
        for one in outcomes
        for issue in one["issue"]
        if "coding" in issue["details"]
    ]


def test_without_the_sites_list_the_brand_counts_for_nothing_and_is_said_to_be_in_no_list() -> None:
    result, _ = evaluated(None, brand())
    assert result.decision is not None
    assert result.decision.outcome(R19).status == "not-fired"
    assert "unmapped-code" in said(result)
    assert result.decision.version == Adapter().content().pack.version


def test_with_it_the_brand_counts_and_the_explanation_names_the_list(tmp_path: Path) -> None:
    result, record = evaluated(folder(tmp_path, HEADER + ROW), brand())
    assert result.decision is not None
    assert result.decision.outcome(R19).status == "fired"
    assert "unmapped-code" not in said(result)
    [answer] = explain_json(result.decision, record, 0, R19)
    assert any(text.endswith("(by the site's code list lithium.csv, line 2: dm+d)") for text in answer["because"])


def test_a_code_of_the_packs_own_list_is_explained_as_before(tmp_path: Path) -> None:
    result, record = evaluated(folder(tmp_path, HEADER + ROW), coded("http://snomed.info/sct", CARBONATE)["coding"][0])
    assert result.decision is not None
    [answer] = explain_json(result.decision, record, 0, R19)
    assert answer["status"] == "fired"
    assert not any("site's" in text for text in answer["because"])


def test_the_lists_are_part_of_the_packs_version(tmp_path: Path) -> None:
    plain = Adapter().content().pack.version
    one, again, other, none = (tmp_path / name for name in ("one", "again", "other", "none"))
    for each, text in ((one, ROW), (again, ROW), (other, ROW.replace("dm+d", "another week")), (none, "")):
        each.mkdir()
        folder(each, HEADER + text)
    versions = [Adapter(Settings(CODES_PATH=each)).content().pack.version for each in (one, again, other, none)]
    assert versions[0] == versions[1] != versions[2]
    assert all(version.startswith(f"{plain}+codes.") for version in versions[:3])
    assert versions[3] == plain
    result, _ = evaluated(one, brand())
    requests = [
        e["resource"] for e in (result.bundle or {})["entry"] if e["resource"]["resourceType"] == "ServiceRequest"
    ]
    assert requests[0]["instantiatesCanonical"][0].endswith(f"{R19}|{versions[0]}")


def test_a_note_beside_the_lists_is_no_list(tmp_path: Path) -> None:
    folder(tmp_path, "who did this, and when", "README.md")
    folder(tmp_path, "", ".keep")
    assert load_site_codes(folder(tmp_path, "\ufeff" + HEADER + ROW), PACK).lists.keys() == {"lithium"}


def test_a_role_and_a_family_as_in_the_packs_own_list(tmp_path: Path) -> None:
    folder(
        tmp_path,
        "system,code,display,source,role\nlocal,not-pregnant-here,Not pregnant,our system,not-pregnant\n",
        "pregnancy.csv",
    )
    folder(tmp_path, "system,code,display,source,match\nicd10,F53.8,Other,our review,prefix\n", "ptsd.csv")
    found = load_site_codes(tmp_path, PACK).lists
    assert found["pregnancy"][0].roles == ("not-pregnant",)
    assert (found["ptsd"][0].code, found["ptsd"][0].prefix) == ("F538", True)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (HEADER + ROW + ROW, ":3:1", "on line 2 already"),
        (HEADER + ROW + ROW.replace("dmd", "sct"), ":3:1", "on line 2 already"),
        (HEADER + f"sct,{CARBONATE},Lithium carbonate,dm+d\n", ":2:1", "in the rule pack's list already"),
        (HEADER + ROW.replace(PRIADEL, "766311000001101"), ":2:1", "check digit"),
        (HEADER + ROW.replace(PRIADEL, "76631100000110O"), ":2:1", "check digit"),
        (HEADER + ROW.replace(PRIADEL, "\u0667" * 9), ":2:1", "check digit"),
        (HEADER + ROW.replace(PRIADEL, ""), ":2:1", "code is empty"),
        (HEADER + ROW.replace(",dm+d", ","), ":2:1", "source is empty"),
        (HEADER + ROW.replace("dmd,", "read2,"), ":2:1", "system is one of"),
        (HEADER + "icd10,XYZ,x,y\n", ":2:1", "no ICD-10 code"),
        (HEADER + ROW.replace("\n", ",more\n"), ":2:1", "fields"),
        (HEADER + f"dmd,{PRIADEL}\n", ":2:1", "fields"),
        ("code,system,display\n" + ROW, ":1:1", "the header has"),
        (HEADER.replace("source", "source,colour") + ROW, ":1:1", "the header has"),
        (HEADER.replace("source", "source,source") + ROW, ":1:1", "the header has"),
        ("", ":1:1", "the header has"),
        (HEADER.strip() + ",role\n" + ROW.strip() + ",mother\n", ":2:1", "role is none"),
        (HEADER.strip() + ",match\n" + ROW.strip() + ",prefix\n", ":2:1", "match is"),
        (HEADER.strip() + ",match\n" + ROW.strip() + ",like\n", ":2:1", "match is"),
        (HEADER + 'dmd,"766', ":1:1", "not CSV"),
        (HEADER + 'dmd,766311000001100,"two\nlines",dm+d\nsct,1,x,y\n', ":4:1", "check digit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(CannotStart) as caught:
        load_site_codes(folder(tmp_path, text), PACK)
    assert f"{tmp_path / 'lithium.csv'}{place}: " in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["lithium-brands.csv", "Lithium.csv", "lithium.CSV", "lithium.xlsx", "codes/"])
def test_a_file_that_is_no_list_of_the_pack_is_not_passed_over(tmp_path: Path, name: str) -> None:
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    else:
        folder(tmp_path, HEADER + ROW, name)
    with pytest.raises(CannotStart):
        load_site_codes(tmp_path, PACK)


def test_bytes_that_are_no_utf8_and_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "lithium.csv").write_bytes(HEADER.encode() + b"\xff")
    with pytest.raises(CannotStart, match="not UTF-8"):
        load_site_codes(tmp_path, PACK)
    with pytest.raises(CannotStart, match="names no folder"):
        load_site_codes(tmp_path / "nothing", PACK)
    with pytest.raises(CannotStart, match="names no folder"):
        Adapter(Settings(CODES_PATH=tmp_path / "nothing")).content()
