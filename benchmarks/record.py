"""A synthetic FHIR R4 record of 40 resources and about 40 KB: a pregnant woman as a maternity EPR would export her."""

from __future__ import annotations

from typing import Any

import orjson

SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"
PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
NOTE = "Synthetic text in place of what a midwife writes beside a result: how it went, and what was planned then."


def record_bytes() -> bytes:
    """The Bundle as JSON bytes: 1 Patient, 1 Practitioner, 1 Organization, 1 Encounter, 1 EpisodeOfCare, 5 Conditions,
    1 FamilyMemberHistory, 1 MedicationStatement and 28 Observations, among them an EPDS of 14 with item 10 of 1."""
    entries: list[dict[str, Any]] = []

    def add(kind: str, identity: str, **elements: Any) -> None:
        resource = {"resourceType": kind, "id": identity, "meta": {"profile": [PROFILE + kind]}, **elements}
        entries.append({"fullUrl": f"https://ehr.example/fhir/{kind}/{identity}", "resource": resource})

    subject = {"reference": "Patient/mother", "display": "Synthetic, Bench"}
    performer = [{"reference": "Practitioner/midwife", "display": "A midwife"}]
    encounter = {"reference": "Encounter/booking"}
    add(
        "Patient",
        "mother",
        identifier=[{"use": "official", "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}],
        name=[{"use": "official", "family": "SYNTHETIC", "given": ["Bench"]}],
        telecom=[{"system": "phone", "value": "01632960000", "use": "home"}],
        gender="female",
        birthDate="1994-05-17",
        address=[{"use": "home", "line": ["1 Example Street"], "city": "Exampleton", "postalCode": "ZZ99 3VZ"}],
        generalPractitioner=[{"reference": "Organization/practice"}],
    )
    add("Practitioner", "midwife", active=True, name=[{"family": "Example", "given": ["Mid"], "prefix": ["Ms"]}])
    add("Organization", "practice", active=True, name="Example practice")
    add(
        "Encounter",
        "booking",
        status="finished",
        **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
        subject=subject,
        period={"start": "2026-02-20T09:00:00+00:00", "end": "2026-02-20T10:00:00+00:00"},
    )
    add("EpisodeOfCare", "maternity", status="active", patient=subject, period={"start": "2025-11-03"})
    for number, (code, display) in enumerate(
        [
            ("13746004", "Bipolar disorder"),
            ("195967001", "Asthma"),
            ("40055000", "Chronic sinusitis"),
            ("38341003", "Hypertensive disorder"),
            ("37796009", "Migraine"),
        ]
    ):
        add(
            "Condition",
            f"condition-{number}",
            clinicalStatus=_concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "remission"),
            verificationStatus=_concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"),
            code=_concept(SCT, code, display),
            subject=subject,
            onsetDateTime=f"20{10 + number}-03-01",
            recordedDate="2025-11-03",
            note=[{"text": NOTE}],
        )
    add(
        "FamilyMemberHistory",
        "mother-of-mother",
        status="completed",
        patient=subject,
        relationship=_concept("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "MTH"),
        condition=[{"code": _concept(SCT, "73211009", "Diabetes mellitus")}],
    )
    add(
        "MedicationStatement",
        "medicine",
        status="active",
        medicationCodeableConcept=_concept(SCT, "108386000", "Risperidone product"),
        subject=subject,
        effectivePeriod={"start": "2019-01-01"},
    )

    def observe(identity: str, code: dict[str, Any], **value: Any) -> None:
        add(
            "Observation",
            identity,
            status="final",
            category=[_concept("http://terminology.hl7.org/CodeSystem/observation-category", "survey")],
            code=code,
            subject=subject,
            encounter=encounter,
            effectiveDateTime="2026-02-20T09:30:00+00:00",
            issued="2026-02-20T10:00:00.000+00:00",
            performer=performer,
            note=[{"text": NOTE}],
            **value,
        )

    observe("pregnant", _concept(LOINC, "82810-3"), valueCodeableConcept=_concept(SCT, "77386006", "Pregnant"))
    observe("edd", _concept(LOINC, "11778-8"), valueDateTime="2026-05-25")
    local = "https://perinatal-referrals.example/fhir/CodeSystem/perinatal-concept"
    observe("epds", _concept(SCT, "450320001"), valueInteger=14)
    observe("epds-10", _concept(local, "epds-item-10"), valueInteger=1)
    observe("phq9", _concept(SCT, "720433000"), valueInteger=16)
    observe("gad7", _concept(SCT, "445455005"), valueInteger=8)
    for number in range(22):
        pair = [
            {"code": _concept(LOINC, code, display), "valueQuantity": _mmhg(value + number)}
            for code, display, value in (("8480-6", "Systolic", 105), ("8462-4", "Diastolic", 62))
        ]
        observe(f"vital-{number}", _concept(LOINC, "85354-9", "Blood pressure panel"), component=pair)
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _mmhg(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [coding]}
