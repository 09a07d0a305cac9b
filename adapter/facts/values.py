"""Values of Observations and answers: whole numbers, yes and no."""

from __future__ import annotations

from typing import NamedTuple

from adapter.records import Resource

YES = frozenset({("http://snomed.info/sct", "373066001"), ("http://terminology.hl7.org/CodeSystem/v2-0136", "Y")})
NO = frozenset({("http://snomed.info/sct", "373067005"), ("http://terminology.hl7.org/CodeSystem/v2-0136", "N")})
SCORE_UNITS = frozenset({"", "1", "{score}", "score", "{points}", "points"})
ORDINAL = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
    }
)


class Number(NamedTuple):
    """A number and the path it was read at; ``problem`` says why it cannot be used ("" when it can)."""

    value: float | None
    path: str
    problem: str = ""


def number(part: Resource) -> Number | None:
    """The score of an Observation or component; None when it has no value at all (a blank)."""
    if "valueInteger" in part:
        value = part["valueInteger"]
        return Number(value, "valueInteger") if _numeric(value) else Number(None, "valueInteger", "is not a number")
    if "valueQuantity" in part:
        return _quantity(part["valueQuantity"])
    if "valueCodeableConcept" in part:
        for coding in part["valueCodeableConcept"].get("coding", ()):
            if (score := ordinal(coding)) is not None:
                return Number(score, "valueCodeableConcept")
        return Number(None, "valueCodeableConcept", "has no score")
    for path in ("valueString", "valueBoolean"):
        if path in part:
            return Number(None, path, "is not a number")
    return None


def _numeric(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _quantity(quantity: Resource) -> Number:
    path = "valueQuantity.value"
    value, unit = quantity.get("value"), quantity.get("code") or quantity.get("unit") or ""
    if not _numeric(value):
        return Number(None, "valueQuantity", "is not a number")
    if quantity.get("comparator"):
        return Number(None, path, "is only a limit")
    if str(unit).casefold() not in SCORE_UNITS:
        return Number(None, path, "has a unit that no score has")
    return Number(value, path)


def ordinal(coding: Resource) -> int | None:
    """The score that an answer's code carries, by the FHIR ordinal value extension."""
    for extension in coding.get("extension", ()):
        value = extension.get("valueDecimal", extension.get("valueInteger"))
        if extension.get("url") in ORDINAL and _numeric(value) and value == int(value):
            return int(value)
    return None


def answer(part: Resource) -> int | None:
    """The score of a QuestionnaireResponse answer; None for one that holds no score."""
    for name in ("valueInteger", "valueDecimal"):
        value = part.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
            return int(value)
    if isinstance(part.get("valueBoolean"), bool):
        return int(part["valueBoolean"])
    coding = part.get("valueCoding")
    if not isinstance(coding, dict):
        return None
    score = ordinal(coding)
    if score is None and (said := _said(coding)) is not None:
        return int(said)
    return score


def _said(coding: Resource) -> bool | None:
    key = (coding.get("system"), coding.get("code"))
    return True if key in YES else False if key in NO else None


def truth(part: Resource, code: tuple[str, str] | None = None) -> bool | None:
    """What an Observation says of the finding it is coded as.

    True with no value, with true, with yes, or with its own code again as the value; False with false or no;
    None for any other value, and where the source says why there is none (dataAbsentReason).
    """
    if "valueBoolean" in part:
        value = part["valueBoolean"]
        return value if isinstance(value, bool) else None
    concept = part.get("valueCodeableConcept")
    if concept is not None:
        for coding in concept.get("coding", ()):
            said = _said(coding)
            if said is not None:
                return said
            if code is not None and (coding.get("system"), coding.get("code")) == code:
                return True
        return None
    if "dataAbsentReason" in part or any(name.startswith("value") for name in part):
        return None
    return True
