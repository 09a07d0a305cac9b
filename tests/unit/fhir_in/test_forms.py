"""The forms in which FHIR systems in the NHS and elsewhere say the same facts, each read from bytes to facts."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.facts.reader import FactResult
from adapter.records import RawRecord, Resource
from adapter.sources.fhir import read_fhir
from rules import State
from tests.samples import LOINC, SCT, concept, fhir, observation, patient

AS_OF = date(2026, 3, 2)
HER = {"subject": {"reference": "Patient/ada"}}


@cache
def adapter() -> Adapter:
    return Adapter()


def facts(*resources: Resource, **bundle: Any) -> FactResult:
    (record,) = read_fhir(RawRecord("in.json", orjson.dumps(fhir(*resources) | bundle)))
    return adapter().content().reader.read(record.bundle, AS_OF)


def details(found: FactResult) -> set[str]:
    return {issue.detail for issue in found.issues}


# --- International Patient Summary --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "state", "value"),
    [
        ("77386006", State.KNOWN, True),
        ("60001007", State.KNOWN, False),
        ("146799005", State.UNKNOWN, None),
        ("152231000119106", State.UNKNOWN, None),
    ],
)
def test_ips_pregnancy_status(code: str, state: State, value: bool | None) -> None:
    status = observation("p", concept(LOINC, "82810-3"), valueCodeableConcept=concept(SCT, code))
    found = facts(patient(), status).facts["pregnant"]
    assert (found.state, found.value) == (state, value)


@pytest.mark.parametrize("code", ["11778-8", "11779-6", "11780-4"])
def test_ips_expected_date_of_delivery(code: str) -> None:
    due = observation("e", concept(LOINC, code), valueDateTime="2026-05-25")
    assert facts(patient(), due).facts["pregnant"].value is True


# --- GP Connect ---------------------------------------------------------------------------------------------------------
def test_gp_connects_pregnant_with_the_display_not_pregnant_is_unknown_and_said() -> None:
    state = observation("p", concept(SCT, "77386006", "Not pregnant"))
    found = facts(patient(), state)
    assert found.facts["pregnant"].state is State.UNKNOWN
    assert "code-display-conflict" in details(found)


# --- medicines ----------------------------------------------------------------------------------------------------------
LITHIUM = concept(SCT, "387095003", "Lithium carbonate (substance)")


def stopped(**medicine: Any) -> Resource:
    form = {"resourceType": "MedicationStatement", "id": "s", "status": "stopped"}
    return {**form, **HER, "effectivePeriod": {"end": "2026-02-01"}, **medicine}


@pytest.mark.parametrize("form", ["coded", "contained", "entry", "entry by url", "versioned"])
def test_a_medicine_however_it_is_referred_to(form: str) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": LITHIUM}
    url = "urn:uuid:6f2f6d3c-6f1e-4f6e-9d0f-0d6c2f7c0a11"
    taken = {
        "coded": stopped(medicationCodeableConcept=LITHIUM),
        "contained": stopped(medicationReference={"reference": "#m"}, contained=[medication]),
        "entry": stopped(medicationReference={"reference": "Medication/m"}),
        "entry by url": stopped(medicationReference={"reference": url}),
        "versioned": stopped(medicationReference={"reference": "Medication/m/_history/2"}),
    }[form]
    bundle = fhir(patient(), taken, *([medication] if form not in ("coded", "contained") else []))
    if form == "entry by url":
        bundle["entry"][2]["fullUrl"] = url
    (record,) = read_fhir(RawRecord("in.json", orjson.dumps(bundle)))
    found = adapter().content().reader.read(record.bundle, AS_OF)
    assert found.facts["smi_medicine_stopped_on"].state is State.KNOWN


def test_a_medicine_outside_of_the_record_is_said_and_not_guessed() -> None:
    elsewhere = stopped(medicationReference={"reference": "https://elsewhere.example/Medication/7"})
    found = facts(patient(), elsewhere)
    assert "uncoded-text" in details(found)
    assert found.facts["smi_medicine_stopped_on"].state is not State.KNOWN


# --- questionnaires -----------------------------------------------------------------------------------------------------
def response(*items: Resource, **more: Any) -> Resource:
    canonical = "https://perinatal-referrals.example/fhir/Questionnaire/epds|1.0"
    form = {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "questionnaire": canonical}
    return {**form, **HER, "authored": "2026-02-20T09:30:00Z", "item": list(items), **more}


ORDINAL = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 1}
ITEM_10_FORMS = {
    "integer": {"linkId": "epds-10", "answer": [{"valueInteger": 1}]},
    "ordinal": {"linkId": "epds-10", "answer": [{"valueCoding": {"code": "x", "extension": [ORDINAL]}}]},
    "in a group": {"linkId": "g", "item": [{"linkId": "epds-10", "answer": [{"valueInteger": 1}]}]},
}


@pytest.mark.parametrize("form", ITEM_10_FORMS)
def test_an_item_of_a_questionnaire_response(form: str) -> None:
    found = facts(patient(), response(ITEM_10_FORMS[form])).facts["epds_item_10"]
    assert (found.state, found.value) == (State.KNOWN, 1)


def test_a_form_that_is_not_complete_is_not_used_and_said() -> None:
    found = facts(patient(), response(ITEM_10_FORMS["integer"], status="in-progress"))
    assert found.facts["epds_item_10"].value is None
    assert any(issue.code == "incomplete" for issue in found.issues)


# --- whose record -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/ada"},
        {"reference": "https://fhir.example/r4/Patient/ada"},
        {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}},
        {"reference": "#her"},
    ],
    ids=["relative", "absolute", "logical", "contained"],
)
def test_a_subject_however_she_is_referred_to(subject: Resource) -> None:
    inside = {"contained": [patient() | {"id": "her"}]} if subject.get("reference") == "#her" else {}
    total = observation("o", concept(SCT, "450320001"), valueInteger=14) | {"subject": subject, **inside}
    bundle = fhir(patient(), total)
    bundle["entry"][0]["fullUrl"] = "https://fhir.example/r4/Patient/ada"
    (record,) = read_fhir(RawRecord("in.json", orjson.dumps(bundle)))
    assert adapter().content().reader.read(record.bundle, AS_OF).facts["epds_total"].value == 14


def test_a_message_of_booking_and_referral_is_read_as_any_other_bundle() -> None:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "servicerequest-request",
        },
        "source": {"endpoint": "https://sender.example"},
    }
    total = observation("o", concept(SCT, "450320001"), valueInteger=14)
    assert facts(header, patient(), total, type="message").facts["epds_total"].value == 14
