"""What ``rules export`` writes passes the official definitions of FHIR R4 and UK Core.

One finding of the judge is set aside, and shown to be false: where a repeating element stands inside another, it counts
what is inside them all against what one may hold, and so it refuses the ValueSets that FHIR itself publishes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson

from adapter.export import export_resources
from adapter.export.files import write_export
from rules import load_pack
from tests.shared import SHARED, needs_shared

COUNTED = ": profile.element.cardinality.max: "
NESTED = ("ValueSet.compose.include.", "CapabilityStatement.rest.resource.")
# http://hl7.org/fhir/ValueSet/name-v3-representation of FHIR 4.0.1, without its narrative and its displays
OFFICIAL = {
    "resourceType": "ValueSet",
    "id": "name-v3-representation",
    "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/ValueSet"]},
    "url": "http://hl7.org/fhir/ValueSet/name-v3-representation",
    "status": "draft",
    "compose": {
        "include": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/v3-EntityNameUse",
                "concept": [{"code": "ABC"}, {"code": "SYL"}, {"code": "IDE"}],
            }
        ]
    },
}


def findings(folder: Path) -> tuple[list[str], list[str]]:
    """What the judge finds: the false alarm, and everything else."""
    command = [sys.executable, str(SHARED / "conformance" / "check"), "--require-profile", str(folder)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    *lines, summary = judged.stdout.splitlines()
    assert summary.startswith("checked "), judged.stderr[-1000:]
    false = [line for line in lines if COUNTED in line and any(f": {path}" in line for path in NESTED)]
    return false, [line for line in lines if line not in false]


@needs_shared
def test_the_export_conforms(tmp_path: Path) -> None:
    write_export(export_resources(load_pack(), "https://perinatal-referrals.example/fhir"), tmp_path)
    _, others = findings(tmp_path)
    assert others == []


@needs_shared
def test_a_providers_export_with_a_sites_codes_conforms(tmp_path: Path) -> None:
    codes = tmp_path / "codes"
    codes.mkdir()
    row = "dmd,766311000001100,Priadel 400mg modified-release tablets,dm+d"
    (codes / "lithium.csv").write_text(f"system,code,display,source\n{row}\n", encoding="utf-8")
    pack = load_pack(provider="gp-area-example", build="codes.0123456789ab")
    base = "https://perinatal-referrals.example/fhir"
    write_export(export_resources(pack, base, site=codes, apart=True), tmp_path / "out")
    _, others = findings(tmp_path / "out")
    assert others == []


@needs_shared
def test_the_finding_that_is_set_aside_is_false(tmp_path: Path) -> None:
    (tmp_path / "official.json").write_bytes(orjson.dumps(OFFICIAL))
    false, others = findings(tmp_path)
    assert (len(false), others) == (1, [])


@needs_shared
def test_the_judge_sees_what_is_wrong(tmp_path: Path) -> None:
    (plan, *_) = export_resources(load_pack(), "https://perinatal-referrals.example/fhir")
    broken = {**plan, "status": "nope", "action": [{**plan["action"][0], "groupingBehavior": "nope"}]}
    (tmp_path / "broken.json").write_bytes(orjson.dumps(broken))
    _, others = findings(tmp_path)
    assert any("PlanDefinition.status" in line for line in others)
