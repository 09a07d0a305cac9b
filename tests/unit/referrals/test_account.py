"""A provider's policy and its directory, from a record to what the result and the explanation say of them."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError, CannotStart
from adapter.pipeline import Result, evaluate, read_path
from adapter.records import MappedBundle
from adapter.referrals.explain import explain_json, explain_text
from adapter.referrals.explained import work_out
from adapter.referrals.letter import letter
from adapter.referrals.table import Decided, lines
from adapter.settings import Settings
from rules.whatif import WhatIf

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
AS_OF = date(2026, 3, 2)  # a Monday
ADAPTER = Adapter(Settings())


def read(number: str, adapter: Adapter = ADAPTER) -> MappedBundle:
    (folder,) = FIXTURES.glob(f"{number}-*")
    (record,) = read_path(adapter, folder / "record.json")
    assert not isinstance(record, AdapterError)
    return record


def result(number: str, provider: str, at: time | None = None, adapter: Adapter = ADAPTER) -> Result:
    return evaluate(adapter, read(number, adapter), AS_OF, provider, at)


def resources(found: Result, kind: str) -> list[dict[str, Any]]:
    assert found.bundle is not None
    return [e["resource"] for e in found.bundle["entry"] if e["resource"]["resourceType"] == kind]


def requests(found: Result) -> dict[str, dict[str, Any]]:
    return {each["performerType"]["coding"][0]["code"]: each for each in resources(found, "ServiceRequest")}


def texts(request: dict[str, Any]) -> str:
    return " ".join(note["text"] for note in request["note"])


def test_the_team_of_her_practice_performs_it() -> None:
    found = result("94", "gp-area-example")
    (request,) = resources(found, "ServiceRequest")
    (team,) = resources(found, "HealthcareService")
    assert request["performer"] == [{"reference": f"urn:uuid:{team['id']}", "display": "Example perinatal team, west"}]
    assert team["identifier"] == [{"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "0000000002"}]
    assert team["providedBy"]["identifier"]["value"] == "ZZ9E"
    assert team["type"][0]["coding"][0]["code"] == "perinatal-community-team"
    assert team["availableTime"] == [
        {
            "daysOfWeek": ["mon", "tue", "wed", "thu", "fri"],
            "availableStartTime": "09:00:00",
            "availableEndTime": "17:00:00",
        }
    ]
    assert "For Example perinatal team, west: her GP practice is in its area." in texts(request)
    (accounts,) = [
        each["entity"]
        for each in resources(found, "Provenance")
        if each["target"][0]["reference"].endswith(request["id"])
    ]
    assert any("Directory of gp-area-example" in entity["what"].get("display", "") for entity in accounts)


def test_without_her_practice_it_is_made_without_a_performer_and_asked() -> None:
    found = result("95", "gp-area-example")
    (request,) = resources(found, "ServiceRequest")
    assert "performer" not in request
    assert request["performerType"]["coding"][0]["code"] == "perinatal-community-team"
    assert "turns on her GP practice, which the record does not say" in texts(request)
    assert resources(found, "HealthcareService") == []
    (outcome,) = resources(found, "OperationOutcome")
    said = [issue["details"]["text"] for issue in outcome["issue"]]
    assert any("turns on her GP practice" in text for text in said)


def test_out_of_catchment_the_neighbours_team_performs_it() -> None:
    (request,) = resources(result("97", "gp-area-example"), "ServiceRequest")
    assert request["performer"][0]["display"] == "Example perinatal team of the neighbour"
    assert "outside the catchment of gp-area-example" in texts(request)


def test_an_emergency_is_not_lost_for_want_of_a_route() -> None:
    made = requests(result("98", "gp-area-example"))
    assert {key: each["priority"] for key, each in made.items()} == {
        "crisis-team": "stat",
        "community-mental-health-team": "stat",
    }
    assert made["crisis-team"]["performer"][0]["display"] == "Example crisis team"
    assert "performer" not in made["community-mental-health-team"]
    assert "does not cover her by the directory" in texts(made["community-mental-health-team"])


def test_the_default_provider_is_not_routed() -> None:
    found = result("94", "")
    (request,) = resources(found, "ServiceRequest")
    (service,) = resources(found, "HealthcareService")
    assert request["performer"][0]["reference"] == f"urn:uuid:{service['id']}"
    assert set(service) == {"resourceType", "id", "meta", "active", "type", "name"}
    assert request["note"] == [{"text": "A history of severe mental illness"}]


def test_the_policies_that_shaped_it_are_named_in_the_request_and_its_provenance() -> None:
    found = result("91", "nottinghamshire-example")
    (request,) = resources(found, "ServiceRequest")
    words = "perinatal-team-lowest-gestation-weeks, 13, in force from 2024-01-01"
    assert f"Policy of nottinghamshire-example: {words}." in texts(request)
    accounts = resources(found, "Provenance")[0]["entity"]
    assert {
        "role": "source",
        "what": {
            "identifier": {"value": "nottinghamshire-example#perinatal-team-lowest-gestation-weeks"},
            "display": words,
        },
    } in accounts


def test_an_explanation_names_the_policy_of_a_threshold_and_of_a_destination() -> None:
    found = result("34", "nottinghamshire-example")
    assert found.decision is not None
    assert found.record is not None
    rule = "r05-severe-mental-illness-now"
    text = explain_text(found.decision, found.record, rule, found.routing)
    threshold = "(threshold perinatal-team-window-months, nottinghamshire-example, in force from 2024-01-01)"
    assert threshold in text
    assert "Referral: community-mental-health-team: policy of nottinghamshire-example" in text
    (explained,) = explain_json(found.decision, found.record, found.position, rule, found.routing)
    assert any(threshold in sentence for sentence in explained["because"])
    assert explained["because"][-1].startswith("community-mental-health-team: policy of nottinghamshire-example")


def test_an_explanation_of_a_referral_outside_the_window_says_both_that_and_why_it_is_made() -> None:
    found = result("34", "")
    assert found.decision is not None
    assert found.record is not None
    rule = "r05-severe-mental-illness-now"
    (explained,) = explain_json(found.decision, found.record, found.position, rule, found.routing)
    first, *others = explained["because"]
    assert first == f"Outside the window of {rule} of perinatal-mental-health {found.decision.version}"
    assert any(
        text.startswith("end of the most recent pregnancy is within the last 24 months: not met") for text in others
    )
    assert any(text.startswith("severe mental illness, ever or suspected is present: met") for text in others)
    text = explain_text(found.decision, found.record, rule, found.routing)
    assert "Met, but outside its window" in text
    assert "Held back" not in text


def test_an_explanation_says_why_this_team() -> None:
    rule = "r06-history-of-severe-mental-illness"
    for number, words in (
        ("94", "to Example perinatal team, west, since her GP practice is in its area"),
        ("95", "to no team: which team it is turns on her GP practice, which the record does not say"),
        ("97", "to Example perinatal team of the neighbour, since outside the catchment"),
    ):
        found = result(number, "gp-area-example")
        assert found.decision is not None
        assert found.record is not None
        assert words in explain_text(found.decision, found.record, rule, found.routing)


def test_an_explanation_says_what_moved_a_referral() -> None:
    found = result("96", "gp-area-example")
    assert found.decision is not None
    assert found.record is not None
    text = explain_text(found.decision, found.record, "r13-tokophobia", found.routing)
    assert (
        "Maternal mental health service does not cover her by the directory: NHS Talking Therapies takes its place"
        in text
    )


# --- a referral that is held ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("number", "task"), [("87", "update-open-team"), ("88", "seek-consent")])
def test_a_task_in_place_of_a_referral_says_that_the_wanted_service_does_not_cover_her(number: str, task: str) -> None:
    found = result(number, "gp-area-example")
    words = "Maternal mental health service does not cover her by the directory: NHS Talking Therapies takes its place."
    (made,) = [each for each in resources(found, "Task") if each["code"]["coding"][0]["code"] == task]
    assert words in [note["text"] for note in made["note"]]
    assert found.record is not None
    assert found.decision is not None
    pack = ADAPTER.content("gp-area-example").pack
    shown = lines(Decided(found.record, found.position, found.decision, pack.services, {}, found.routing))
    assert any(line.what.startswith("To do") and words in line.why for line in shown)
    told = work_out(found.decision, found.record, found.position, pack, WhatIf(pack))
    (paragraph,) = [text for text in letter(told, [], found.decision.tasks) if text.startswith("To do")]
    assert words in paragraph


# --- the time of day -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("at", "services"),
    [
        (None, {"perinatal-community-team", "crisis-team"}),
        (time(16, 59), {"perinatal-community-team", "crisis-team"}),
        (time(17), {"perinatal-community-team", "crisis-team", "liaison-psychiatry"}),
    ],
)
def test_out_of_hours_emergencies_are_made_elsewhere_as_well(at: time | None, services: set[str]) -> None:
    made = requests(result("98", "lancashire-example", at))
    assert set(made) == services
    assert made["perinatal-community-team"]["priority"] == "stat"
    assert "When it is closed: Liaison psychiatry." in texts(made["perinatal-community-team"])


def test_out_of_hours_a_routine_referral_stays_where_it_is() -> None:
    assert set(requests(result("90", "lancashire-example", time(22, 30)))) == {"perinatal-community-team"}


# --- a site's own directory ----------------------------------------------------------------------------------------
SITE = """
provider: england-default
sources: [{document: A site}]
services:
  - {service: crisis-team, name: The site's crisis team, area: {everywhere: true}}
  - {service: perinatal-community-team, name: The site's perinatal team, area: {everywhere: true}}
"""


def test_a_site_has_a_directory_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "directory.yaml"
    path.write_text(SITE, encoding="utf-8")
    adapter = Adapter(Settings(DIRECTORY_PATH=path))  # type: ignore[call-arg]
    made = requests(result("98", "", adapter=adapter))
    assert made["crisis-team"]["performer"][0]["display"] == "The site's crisis team"
    assert result("98", "", adapter=adapter).bundle == result("98", "", adapter=adapter).bundle


def test_a_directory_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    adapter = Adapter(Settings(DIRECTORY_PATH=tmp_path / "no.yaml"))  # type: ignore[call-arg]
    with pytest.raises(CannotStart, match=r"no.yaml:1:1"):
        adapter.content()
