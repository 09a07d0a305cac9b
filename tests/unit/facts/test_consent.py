"""Services that have her already, and those to which she does not consent to be referred."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.facts.records import (
    BASE,
    LOCAL,
    SCT,
    coded,
    condition,
    details,
    observation,
    read,
    ref,
)


def episode(status: str, concept: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "EpisodeOfCare", "status": status, "type": [concept], "patient": ref("mother")}


def request(status: str, concept: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "status": status, "performerType": concept, "subject": ref("mother")}


TEAM = coded(f"{BASE}/CodeSystem/referral-service", "crisis-team")


@pytest.mark.parametrize(
    ("resource", "keys"),
    [
        (episode("active", TEAM), {"crisis-team"}),
        (episode("onhold", coded(SCT, "901221000000102")), {"perinatal-community-team"}),
        (episode("finished", TEAM), set()),
        (episode("planned", TEAM), set()),
        (request("active", TEAM), {"crisis-team"}),
        (request("draft", TEAM), set()),
        (request("revoked", TEAM), set()),
    ],
)
def test_open_services(resource: dict[str, Any], keys: set[str]) -> None:
    assert read(resource).facts["open"].value == keys


def test_consent() -> None:
    code = coded(LOCAL, "no-consent-to-referral")
    assert read().facts["refused"].value == frozenset()
    assert read(observation(code, "2025-01-01")).facts["refused"].value == {"all"}
    about = observation(code, "2025-01-01", valueCodeableConcept=TEAM)
    assert read(about).facts["refused"].value == {"crisis-team"}
    assert read(observation(code, "2025-01-01", valueBoolean=False)).facts["refused"].value == frozenset()
    consent = {"resourceType": "Consent", "status": "active", "patient": ref("mother"), "provision": {"type": "deny"}}
    assert read(consent).facts["refused"].value == {"all"}
    assert read({**consent, "status": "inactive"}).facts["refused"].value == frozenset()
    named = {**consent, "provision": {"type": "deny", "code": [TEAM]}}
    assert read(named).facts["refused"].value == {"crisis-team"}


def test_what_is_not_to_be_done_or_has_ended_is_not_open() -> None:
    assert read({**request("active", TEAM), "doNotPerform": True}).facts["open"].value == set()
    ended = read({**episode("active", TEAM), "period": {"end": "2025-06-14"}})
    assert (ended.facts["open"].value, details(ended)) == (set(), ["data-conflict"])
    for end in ("2025-06-15", "2025-06", "2026-01-01"):
        assert read({**episode("active", TEAM), "period": {"end": end}}).facts["open"].value == {"crisis-team"}


SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
GP = coded(f"{BASE}/CodeSystem/referral-service", "gp")


def consent(kind: str, day: str | None, scope: str = "treatment", **provision: Any) -> dict[str, Any]:
    dated = {"dateTime": day} if day else {}
    said = {"resourceType": "Consent", "status": "active", "patient": ref("mother"), "scope": coded(SCOPE, scope)}
    return {**said, **dated, "provision": {"type": kind, **provision}}


NOT_ASKED = coded(LOCAL, "no-consent-to-referral")


@pytest.mark.parametrize(
    ("resources", "refused"),
    [
        ([consent("deny", "2025-01-01")], {"all"}),
        ([consent("deny", None)], {"all"}),
        ([consent("deny", "2025-01-01", "patient-privacy")], {"all"}),
        ([consent("deny", "2025-01-01", "research")], set()),
        ([consent("deny", "2025-06-16")], set()),
        ([consent("deny", "2025-01-01", period={"end": "2025-06-14"})], set()),
        ([consent("deny", "2025-01-01", period={"end": "2025-06-15"})], {"all"}),
        ([consent("deny", "2025-01-01"), consent("permit", "2025-02-01")], set()),
        ([consent("permit", "2025-01-01"), consent("deny", "2025-02-01")], {"all"}),
        ([consent("permit", "2025-01-01"), consent("deny", "2025-01-01")], {"all"}),
        (
            [consent("deny", "2025-01-01"), consent("permit", "2025-02-01", code=[TEAM])],
            {"gp", "perinatal-community-team"},
        ),
        ([consent("deny", "2025-02-01"), consent("permit", "2025-01-01", code=[TEAM])], {"all"}),
        ([consent("deny", "2025-01-01", code=[TEAM]), consent("permit", "2025-02-01", code=[GP])], {"crisis-team"}),
        ([consent("deny", "2025-01-01", code=[TEAM]), consent("permit", "2025-02-01")], {"crisis-team"}),
        ([observation(NOT_ASKED, "2025-01-01"), consent("permit", "2025-02-01")], {"all"}),
        ([observation(NOT_ASKED, "2025-01-01"), observation(NOT_ASKED, "2025-02-01", valueBoolean=False)], set()),
        (
            [
                observation(NOT_ASKED, "2025-01-01", valueCodeableConcept=TEAM),
                observation(NOT_ASKED, "2025-02-01", valueBoolean=False),
            ],
            set(),
        ),
        ([condition(NOT_ASKED, recordedDate="2025-01-01")], {"all"}),
        ([condition(NOT_ASKED, verified="refuted", recordedDate="2025-01-01")], set()),
        ([condition(NOT_ASKED, verified="entered-in-error", recordedDate="2025-01-01")], set()),
    ],
)
def test_the_latest_word_on_consent_counts(resources: list[dict[str, Any]], refused: set[str]) -> None:
    fact = read(*resources).facts["refused"]
    assert fact.value == refused
    assert bool(fact.evidence) == bool(refused)
