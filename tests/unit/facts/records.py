"""Small records for the tests of fact extraction, and a pack that declares one fact of each kind."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from adapter.facts import FactReader, FactResult, compile_facts

BASE = "https://perinatal-referrals.example/fhir"
LOCAL = f"{BASE}/CodeSystem/perinatal-concept"
SCT, LOINC, ICD10 = "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/icd-10"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
AS_OF = date(2025, 6, 15)
CODES = Path(__file__).resolve().parents[3] / "rules" / "library" / "perinatal_mental_health"

VALID = {"valid_days": "parameters.screening-valid-days"}
ITEM = {
    "questionnaire": "epds",
    "link_id": "epds-10",
    "total": "epds-total",
    "zero_total_means_zero": True,
    **VALID,
    "older_days": "parameters.self-harm-older-days",
    "closed_by": "self-harm-item-assessed",
}
PREGNANCY = (
    "pregnant:boolean gestation_days:days pregnancy_started_on:date pregnancy_ended_on:date birth_on:date loss_on:date "
    "living_baby:boolean bereaved:boolean undated:boolean due_date_passed:boolean edd:date"
)
SMI = "severe-mental-illness"
MEDICINE = "antipsychotic-or-mood-stabiliser"
SOURCES: dict[str, tuple[str, tuple[int, int] | None, dict[str, Any]]] = {
    **{n: (t, None, {"pregnancy": n}) for n, t in (pair.split(":") for pair in PREGNANCY.split())},
    "epds": (
        "integer",
        (0, 30),
        {"score": "epds-total", "questionnaire": "epds", "items": {"prefix": "epds", "count": 10}, **VALID},
    ),
    "fobs": ("number", (0, 100), {"score": "fobs-total", "questionnaire": "fobs", **VALID}),
    "item": ("integer", (0, 3), {"item": "epds-item-10", **ITEM}),
    "bits": ("boolean", None, {"flag_score": "city-bits-diagnostic", **VALID}),
    **{
        when: ("boolean", None, {"condition": SMI, "when": when})
        for when in ("ever", "current", "suspected", "relapse")
    },
    "onset": ("date", None, {"condition": SMI, "date": "onset", "when": "ever", "pick": "latest"}),
    "first": ("date", None, {"condition": SMI, "date": "onset", "when": "ever", "pick": "earliest"}),
    "trauma": ("boolean", None, {"finding": "birth-trauma"}),
    "thoughts": ("boolean", None, {"finding": "suicidal-thoughts", **VALID, "closed_by": "self-harm-item-assessed"}),
    "taking": ("boolean", None, {"medication": MEDICINE, "state": "current"}),
    "stopped": ("date", None, {"medication": MEDICINE, "state": "stopped", "date": "stopped"}),
    "family": ("boolean", None, {"family_history": "bipolar-or-postpartum-psychosis", "degree": "first"}),
    "age": ("integer", (0, 130), {"person": "age_years"}),
    "open": ("codes", None, {"person": "open_services"}),
    "refused": ("codes", None, {"person": "consent_refused_for"}),
    "mismatch": ("boolean", None, {"observed": "score_mismatch"}),
    "diagnoses": ("boolean", None, {"observed": "condition"}),
}
PARAMETERS = {
    "screening-valid-days": 28,
    "self-harm-older-days": 365,
    "longest-gestation-weeks": 43,
    "maternal-score-youngest-age-years": 10,
}
UNKNOWN = {"age", "pregnant", "gestation_days", "pregnancy_started_on", "pregnancy_ended_on", "birth_on"}
SERVICES = {
    "crisis-team": SimpleNamespace(snomed=SimpleNamespace(code="92151000000102")),
    "perinatal-community-team": SimpleNamespace(snomed="901221000000102"),
    "gp": SimpleNamespace(snomed=""),
}


class FakePack:
    """What ``compile_facts`` needs of a pack, with the shipped code lists."""

    folder = CODES
    services = SERVICES

    def __init__(self, sources: dict[str, Any] | None = None) -> None:
        self.fact_declarations = {
            name: SimpleNamespace(
                source=source, type=kind, range=span, absent="unknown" if name in UNKNOWN else "not-met", line=1
            )
            for name, (kind, span, source) in (SOURCES if sources is None else sources).items()
        }

    def parameter(self, name: str, as_of: date) -> Any:
        assert as_of.year > 1900
        return PARAMETERS[name]


@cache
def reader() -> FactReader:
    return compile_facts(FakePack(), BASE)


def read(
    *resources: dict[str, Any], as_of: date = AS_OF, patient: int | None = None, mother: bool = True
) -> FactResult:
    """The facts of a record: a mother (entry 0) and these resources, each an entry with its id as fullUrl."""
    entries = [person("mother", "1994-03-02")] if mother else []
    return reader().read(bundle(*entries, *resources), as_of, patient)


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"https://records.example/{r['resourceType']}/{r['id']}", "resource": r}
        if "id" in r
        else {"resource": r}
        for r in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def person(name: str, born: str | None = None, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, **({"birthDate": born} if born else {}), **more}


def related(name: str, to: str, role: str, **more: Any) -> dict[str, Any]:
    relationship = [{"coding": [{"system": ROLE, "code": role}]}]
    return {"resourceType": "RelatedPerson", "id": name, "patient": ref(to), "relationship": relationship, **more}


def baby(name: str, born: str | None, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A baby and the RelatedPerson that links it to the mother."""
    link = [{"other": {"reference": f"https://records.example/RelatedPerson/{name}-rp"}, "type": "seealso"}]
    return person(name, born, link=link, **more), related(f"{name}-rp", "mother", "NCHILD")


def ref(name: str, kind: str = "Patient") -> dict[str, str]:
    return {"reference": f"https://records.example/{kind}/{name}"}


def coded(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def observation(concept: dict[str, Any], on: str | None = None, **more: Any) -> dict[str, Any]:
    dated = {"effectiveDateTime": on} if on else {}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept,
        "subject": ref("mother"),
        **dated,
        **more,
    }


def condition(
    concept: dict[str, Any], clinical: str = "active", verified: str = "confirmed", **more: Any
) -> dict[str, Any]:
    statuses = {}
    if clinical:
        statuses["clinicalStatus"] = coded("http://terminology.hl7.org/CodeSystem/condition-clinical", clinical)
    if verified:
        statuses["verificationStatus"] = coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", verified)
    return {"resourceType": "Condition", "code": concept, "subject": ref("mother"), **statuses, **more}


def epds(value: Any, on: str | None, **more: Any) -> dict[str, Any]:
    return observation(coded(SCT, "450320001"), on, valueInteger=value, **more)


def item10(value: int | None, on: str | None, **more: Any) -> dict[str, Any]:
    given = {} if value is None else {"valueInteger": value}
    return observation(coded(LOCAL, "epds-item-10"), on, **given, **more)


def response(scores: list[int | None], on: str | None, status: str = "completed", **more: Any) -> dict[str, Any]:
    """An EPDS questionnaire with these answers; None is a blank."""
    items = [
        {"linkId": f"epds-{n}", **({} if score is None else {"answer": [{"valueInteger": score}]})}
        for n, score in enumerate(scores, start=1)
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{BASE}/Questionnaire/epds|1.0",
        "status": status,
        "subject": ref("mother"),
        "item": items,
        **({"authored": on} if on else {}),
        **more,
    }


def pregnancy_status(code: str, on: str | None, display: str = "") -> dict[str, Any]:
    return observation(coded(LOINC, "82810-3"), on, valueCodeableConcept=coded(SCT, code, display))


def due(day: str, on: str | None = "2025-01-10", code: str = "11778-8", system: str = LOINC) -> dict[str, Any]:
    return observation(coded(system, code), on, valueDateTime=day)


def outcome(code: str, on: str | None, **more: Any) -> dict[str, Any]:
    return observation(coded(SCT, "267013003"), on, valueCodeableConcept=coded(SCT, code), **more)


def details(result: FactResult) -> list[str]:
    """The perinatal-issue codes of a result, without data-not-supplied."""
    return [issue.detail for issue in result.issues if issue.detail != "data-not-supplied"]
