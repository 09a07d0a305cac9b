"""A pack as FHIR definitions: what they say, and that nothing in them points outside the export."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter.export import export_resources, usual_day
from adapter.records import Resource
from rules import ContentError, load_pack
from tests.unit.rules import tiny

BASE = "https://example.org/fhir"
CANONICALS = ("definitionCanonical", "library", "reference", "valueSet")


@cache
def shipped() -> tuple[Resource, ...]:
    return tuple(export_resources(load_pack(), BASE))


def walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(value)


def of_kind(kind: str, resources: Any = None) -> list[Resource]:
    return [each for each in resources or shipped() if each["resourceType"] == kind]


def one(kind: str, name: str, resources: Any = None) -> Resource:
    (found,) = (each for each in of_kind(kind, resources) if each["url"] == f"{BASE}/{kind}/{name}")
    return found


def content(library: Resource, kind: str) -> str:
    (data,) = (each["data"] for each in library["content"] if each["contentType"] == kind)
    return b64decode(data).decode()


def expressions(resource: Resource) -> list[str]:
    return [node["expression"]["expression"] for node in walk(resource) if "kind" in node and "expression" in node]


def test_every_rule_is_the_plan_definition_of_the_contract() -> None:
    pack = load_pack()
    urls = {f"{each['url']}|{each['version']}" for each in of_kind("PlanDefinition")}
    wanted = [pack.name, *(rule.id for rule in pack.rules)]
    assert urls == {f"{BASE}/PlanDefinition/{name}|{pack.version}" for name in wanted}


def test_every_condition_names_an_expression_of_the_library() -> None:
    (library,) = of_kind("Library")
    in_text = set(re.findall(r'^define "([^"]+)":', content(library, "text/cql"), re.MULTILINE))
    elm = json.loads(content(library, "application/elm+json"))["library"]
    in_elm = {each["name"] for each in elm["statements"]["def"] if each.get("type") != "FunctionDef"}
    assert in_text == in_elm
    named = [name for plan in of_kind("PlanDefinition") for name in expressions(plan)]
    assert len(named) > 150
    assert set(named) <= in_text


def test_every_rule_and_branch_stands_in_a_plan() -> None:
    """Nothing of the rules is left out: each condition that the engine knows by name is some action's."""
    from rules.engine.names import named_conditions

    used = {name for plan in of_kind("PlanDefinition") for name in expressions(plan)}
    assert set(named_conditions(load_pack().content)) <= used


def test_every_canonical_resolves_within_the_export() -> None:
    known = {each["url"] for each in shipped()} | {f"{each['url']}|{each['version']}" for each in shipped()}
    pointed = []
    for resource in shipped():
        for node in walk(resource):
            for key in CANONICALS:
                value = node.get(key, [])
                pointed += [value] if isinstance(value, str) else value
    assert len(pointed) > 300
    assert set(pointed) <= known


def test_every_local_code_is_in_its_code_system() -> None:
    codes = {each["url"]: {concept["code"] for concept in each["concept"]} for each in of_kind("CodeSystem")}
    assert len(codes) == 5
    used = [node for each in shipped() for node in walk(each) if str(node.get("system", "")).startswith(BASE)]
    assert len(used) > 50
    for node in used:
        for coding in node.get("concept", [node] if "code" in node else []):
            assert coding["code"] in codes[node["system"]], coding


def test_every_display_in_a_value_set_of_local_codes_is_that_of_the_code_system_or_of_the_list() -> None:
    system = one("CodeSystem", "perinatal-concept")
    shown = {concept["code"]: concept["display"] for concept in system["concept"]}
    assert shown["epds-item-3"] == "EPDS item 3"
    assert all(shown.values())


def test_ids_and_urls_are_each_of_one_resource() -> None:
    ids = [(each["resourceType"], each["id"]) for each in shipped()]
    assert len(set(ids)) == len({each["url"] for each in shipped()}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", ident) for _, ident in ids)
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", each["name"]) for each in shipped())


def test_the_same_content_gives_the_same_bytes() -> None:
    assert json.dumps(export_resources(load_pack(), f"{BASE}/")) == json.dumps(list(shipped()))


def test_no_resource_tells_when_it_was_made() -> None:
    assert not any("date" in each or "lastUpdated" in each["meta"] for each in shipped())


def test_a_source_keeps_its_mark() -> None:
    plan = one("PlanDefinition", "r05-severe-mental-illness-now")
    citations = [artifact["citation"] for artifact in plan["relatedArtifact"]]
    assert citations[0].startswith("NICE CG192, 1.5.9, 2014-2020: Present or suspected severe mental illness")
    assert citations[0].endswith("[content V; number K-high]")
    assert any(artifact.get("display", "").startswith("recent-onset-days: ") for artifact in plan["relatedArtifact"])


def test_what_a_rule_asks_for_and_when() -> None:
    plan = one("PlanDefinition", "r05-severe-mental-illness-now")
    fires, outside, missing = plan["action"]
    assert expressions({"action": fires["condition"]}) == ["r05-severe-mental-illness-now"]
    urgent, asap = fires["action"][:2]
    assert "condition" not in urgent
    assert urgent["priority"] == "urgent"
    assert expressions(asap) == ["r05-severe-mental-illness-now/then/1"]
    assert expressions(outside) == ["pack/outside-when", "r05-severe-mental-illness-now/outside"]
    assert expressions(missing)[0] == "r05-severe-mental-illness-now/unknown"
    assert "pregnant is unknown" in expressions(missing)
    activity = one("ActivityDefinition", "refer-perinatal-community-team-urgent-2-working-days")
    assert urgent["definitionCanonical"] == f"{activity['url']}|{activity['version']}"
    assert (activity["kind"], activity["intent"], activity["priority"]) == ("ServiceRequest", "proposal", "urgent")
    assert activity["timingRange"]["high"] == {"value": 2, "unit": "working days"}
    assert activity["participant"][0]["role"]["coding"][0]["code"] == "perinatal-community-team"


def test_a_flag_is_an_action_without_a_definition() -> None:
    actions = one("PlanDefinition", "r17-valproate-in-pregnancy")["action"][0]["action"]
    flag = actions[-1]
    assert flag["code"][0]["coding"][0]["code"] == "valproate-in-pregnancy"
    assert flag["output"][0]["type"] == "Flag"
    assert "definitionCanonical" not in flag


def test_a_family_of_icd_10_codes_is_a_filter() -> None:
    includes = one("ValueSet", "severe-mental-illness")["compose"]["include"]
    families = [include["filter"][0]["value"] for include in includes if "filter" in include]
    assert {"F20", "F53.1"} <= set(families)
    assert all("concept" not in include for include in includes if "filter" in include)


def test_a_role_inside_a_list_is_a_value_set_of_its_own() -> None:
    whole, part = one("ValueSet", "pregnancy"), one("ValueSet", "pregnancy.stillbirth")
    codes = [{row["code"] for node in walk(each) for row in node.get("concept", ())} for each in (whole, part)]
    assert codes[1] < codes[0]
    assert not [each["url"] for each in of_kind("ValueSet") if "gestation-coded:" in each["url"]]


MORE = """
- id: r1
  title: A high score
  sources: [{document: A document, confidence: K-low, url: "https://example.org/a"}]
  valid: {from: 2025-01-01, to: 2027-12-31}
  when: {score: {gte: parameters.cut-off}}
  then:
    - refer: {service: parameters.destination-moderate, priority: asap, reason: high-score}
    - issue: {code: unsupported, severity: warning, text: Look again}
  outside: {service: gp}
  window: in_window
"""
PARAMETERS = """
cut-off: {label: Cut-off, values: [{from: 2020-01-01, value: 10}, {from: 2026-01-01, value: 13}]}
window-months: {label: Window, unit: months, values: [{from: 2020-01-01, value: 12}]}
routine-days: {label: Routine, unit: days, values: [{from: 2020-01-01, value: 14}]}
destination-moderate: {label: To, values: [{from: 2020-01-01, value: therapies}, {from: 2026-04-01, value: team}]}
"""


def small(folder: Path, as_of: date | None = None, **files: str) -> list[Resource]:
    return export_resources(tiny.tiny(folder, criteria=MORE, parameters=PARAMETERS, **files), BASE, as_of)


def test_destinations_are_those_of_the_day(tmp_path: Path) -> None:
    before, after = small(tmp_path / "a", date(2026, 3, 31)), small(tmp_path / "b", date(2026, 4, 1))
    assert one("ActivityDefinition", "refer-therapies-asap-1-days", before)
    assert one("ActivityDefinition", "refer-team-asap-1-days", after)
    assert [each["url"] for each in small(tmp_path / "c")] == [each["url"] for each in after]  # the last change


def test_the_thresholds_of_the_logic_are_those_of_every_day(tmp_path: Path) -> None:
    texts = {content(of_kind("Library", small(tmp_path / str(y), date(y, 6, 1)))[0], "text/cql") for y in (2021, 2026)}
    assert len(texts) == 1
    assert 'when "AsOf" >= @2026-01-01 then 13\n    when "AsOf" >= @2020-01-01 then 10\n' in texts.pop()


def test_dates_and_marks_of_a_rule(tmp_path: Path) -> None:
    plan = one("PlanDefinition", "r1", small(tmp_path))
    assert plan["effectivePeriod"] == {"start": "2025-01-01", "end": "2027-12-31"}
    assert plan["relatedArtifact"][0] == {
        "type": "citation",
        "citation": "A document [K-low]",
        "url": "https://example.org/a",
    }
    assert plan["experimental"] is False  # no parameter of it is still to be confirmed
    assert plan["status"] == "draft"


def test_a_rule_is_experimental_while_a_parameter_of_it_is_to_be_confirmed(tmp_path: Path) -> None:
    marked = PARAMETERS.replace("unit: months,", "unit: months, confirm: true,")
    pack = tiny.tiny(tmp_path, criteria=MORE, parameters=marked)  # the window stands in a derived fact
    assert one("PlanDefinition", "r1", export_resources(pack, BASE))["experimental"] is True


def test_outside_its_window_a_rule_is_at_most_urgent(tmp_path: Path) -> None:
    outside = one("PlanDefinition", "r1", small(tmp_path))["action"][1]
    assert outside["action"][0]["priority"] == "urgent"
    assert outside["action"][0]["definitionCanonical"].startswith(
        f"{BASE}/ActivityDefinition/refer-gp-urgent-2-working"
    )


def test_a_day_before_a_parameter_has_a_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no value on 2019-12-31"):
        small(tmp_path, date(2019, 12, 31))


def test_what_a_provider_does_not_offer_is_said(tmp_path: Path) -> None:
    home = "provider: home\ntitle: Home\noffers: [team, gp, therapies]\n"
    plan = one("PlanDefinition", "tiny", small(tmp_path, home=home))
    *_, last = plan["action"][-1]["action"]
    assert "adult-team: gp; crisis: team; camhs: gp" in last["description"]


def test_a_service_with_a_very_long_name_has_an_id_that_fits(tmp_path: Path) -> None:
    name = "a-very-long-name-" * 5 + "service"
    services = f"{name}: {{label: Long}}\n{tiny.PACK['services.yaml']}".replace("\n        ", "\n")
    criteria = tiny.rule("{score: {gte: 3}}", then=f"[{{refer: {{service: {name}, priority: routine}}}}]")
    made = export_resources(tiny.tiny(tmp_path, services=services, criteria=criteria), BASE)
    (activity,) = (each for each in of_kind("ActivityDefinition", made) if name in each["url"])
    assert len(activity["id"]) == 64


def test_the_usual_day_is_the_last_change(tmp_path: Path) -> None:
    assert usual_day(tiny.tiny(tmp_path, criteria=MORE, parameters=PARAMETERS)) == date(2026, 4, 1)
