"""Ways to break a resource, one a line, and rare forms that are valid."""


# fmt: off

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.records import Resource
from tests.unit.fhir.resources import VALID, condition, observation, patient

Path = tuple[str | int, ...]

# what, the resource, where it is broken, with what (... deletes), the place and the code of the one issue
BREAKAGES: list[tuple[str, Resource, Path, Any, str, str]] = [
    ("unknown field", observation(), ("nonsense",), 1, "Observation.nonsense", "structure"),
    ("unknown field below", observation(), ("code", "codes"), [], "Observation.code.codes", "structure"),
    ("code outside a binding", observation(), ("status",), "nope", "Observation.status", "code-invalid"),
    ("gender", patient(), ("gender",), "F", "Patient.gender", "code-invalid"),
    ("comparator", observation(), ("valueQuantity", "comparator"), "=", "Observation.valueQuantity.comparator", "code-invalid"),
    ("bound concept", condition(), ("clinicalStatus", "coding", 0, "code"), "x", "Condition.clinicalStatus", "code-invalid"),
    ("bound concept as text", condition(), ("clinicalStatus",), {"text": "x"}, "Condition.clinicalStatus", "code-invalid"),
    ("no status", observation(), ("status",), ..., "Observation.status", "required"),
    ("no code", observation(), ("code",), ..., "Observation.code", "required"),
    ("no code below", observation(), ("component", 0, "code"), ..., "Observation.component[0].code", "required"),
    ("two values", observation(), ("valueString",), "x", "Observation.valueString", "structure"),
    ("a value and another's sidecar", observation(), ("_valueString",), {"id": "a"}, "Observation.valueString", "structure"),
    ("two values below", observation(), ("component", 0, "valueInteger"), 1, "Observation.component[0].valueInteger", "structure"),
    ("31 February", patient(), ("birthDate",), "2023-02-31", "Patient.birthDate", "value"),
    ("29 February 2023", patient(), ("birthDate",), "2023-02-29", "Patient.birthDate", "value"),
    ("29 February 1900", patient(), ("birthDate",), "1900-02-29", "Patient.birthDate", "value"),
    ("31 April", patient(), ("birthDate",), "2023-04-31", "Patient.birthDate", "value"),
    ("month 13", patient(), ("birthDate",), "2023-13", "Patient.birthDate", "value"),
    ("year 0", patient(), ("birthDate",), "0000", "Patient.birthDate", "value"),
    ("a line end after", patient(), ("birthDate",), "2023-01-01\n", "Patient.birthDate", "value"),
    ("no zone", observation(), ("effectiveDateTime",), "2024-05-01T10:00:00", "Observation.effectiveDateTime", "value"),
    ("no seconds", observation(), ("effectiveDateTime",), "2024-05-01T10:00Z", "Observation.effectiveDateTime", "value"),
    ("hour 24", observation(), ("effectiveDateTime",), "2024-05-01T24:00:00Z", "Observation.effectiveDateTime", "value"),
    ("impossible day of a time", observation(), ("issued",), "2023-02-30T10:00:00Z", "Observation.issued", "value"),
    ("instant without zone", observation(), ("issued",), "2024-05-01T10:00:00", "Observation.issued", "value"),
    ("instant that is a date", observation(), ("issued",), "2024-05-01", "Observation.issued", "value"),
    ("text for an integer", patient(), ("multipleBirthInteger",), "2", "Patient.multipleBirthInteger", "structure"),
    ("fraction for an integer", patient(), ("multipleBirthInteger",), 2.5, "Patient.multipleBirthInteger", "structure"),
    ("true for an integer", patient(), ("multipleBirthInteger",), True, "Patient.multipleBirthInteger", "structure"),
    ("integer too big", patient(), ("multipleBirthInteger",), 2**31, "Patient.multipleBirthInteger", "value"),
    ("text for a number", observation(), ("valueQuantity", "value"), "14", "Observation.valueQuantity.value", "structure"),
    ("number for text", patient(), ("name", 0, "family"), 7, "Patient.name[0].family", "structure"),
    ("number for text in a list", patient(), ("name", 0, "given", 1), 7, "Patient.name[0].given[1]", "structure"),
    ("text for a boolean", patient(), ("active",), "true", "Patient.active", "structure"),
    ("object for a list", patient(), ("name",), {"family": "x"}, "Patient.name", "structure"),
    ("list for an object", observation(), ("code",), [{"text": "x"}], "Observation.code", "structure"),
    ("list for text", patient(), ("name", 0, "family"), ["x"], "Patient.name[0].family", "structure"),
    ("text for an object", observation(), ("code",), "450320001", "Observation.code", "structure"),
    ("empty text", patient(), ("name", 0, "family"), "", "Patient.name[0].family", "value"),
    ("empty object", observation(), ("subject",), {}, "Observation.subject", "structure"),
    ("empty list", patient(), ("name",), [], "Patient.name", "structure"),
    ("null", patient(), ("active",), None, "Patient.active", "structure"),
    ("null object", observation(), ("code",), None, "Observation.code", "structure"),
    ("null in a list", patient(), ("name", 0, "given", 0), None, "Patient.name[0].given[0]", "structure"),
    ("null in a list of objects", patient(), ("name", 0), None, "Patient.name[0]", "structure"),
    ("sidecar of an object", patient(), ("_name",), {"id": "x"}, "Patient._name", "structure"),
    ("sidecar that is text", patient(), ("_gender",), "x", "Patient._gender", "structure"),
    ("empty sidecar", patient(), ("_gender",), {}, "Patient._gender", "structure"),
    ("sidecar no list", patient(), ("name", 0, "_given"), {"id": "x"}, "Patient.name[0]._given", "structure"),
    ("sidecar of other length", patient(), ("name", 0, "_given"), [{"id": "x"}], "Patient.name[0]._given", "structure"),
    ("sidecar of nothing", patient(), ("_nonsense",), {"id": "x"}, "Patient._nonsense", "structure"),
    ("bad id", patient(), ("id",), "a b", "Patient.id", "value"),
    ("long id", patient(), ("id",), "a" * 65, "Patient.id", "value"),
    ("uri with a space", patient(), ("identifier", 0, "system"), "a b", "Patient.identifier[0].system", "value"),
    ("code with a space before", patient(), ("language",), " en", "Patient.language", "value"),
    ("extension without url", VALID[-1], ("extension", 0, "url"), ..., "Flag.extension[0].url", "required"),
    ("extension without value", VALID[-1], ("extension", 0, "valueCode"), ..., "Flag.extension[0]", "invariant"),
    ("positiveInt 0", VALID[6], ("dosageInstruction", 0, "timing", "repeat", "frequency"), 0,
     "MedicationRequest.dosageInstruction[0].timing.repeat.frequency", "value"),
    ("unit of time", VALID[6], ("dosageInstruction", 0, "timing", "repeat", "periodUnit"), "days",
     "MedicationRequest.dosageInstruction[0].timing.repeat.periodUnit", "code-invalid"),
    ("required choice", VALID[6], ("medicationCodeableConcept",), ..., "MedicationRequest.medication", "required"),
    ("base64", VALID[9], ("content", 0, "attachment", "data"), "aGVsbG8", "DocumentReference.content[0].attachment.data", "value"),
    ("contained", VALID[9], ("contained", 0, "name"), 1, "DocumentReference.contained[0].name", "structure"),
    ("contained type", VALID[9], ("contained", 0, "resourceType"), "Nothing", "DocumentReference.contained[0].resourceType", "structure"),
]


# Each works on any resource that has what it breaks, and names the place that must be found below the root.
ANY: list[tuple[str, Callable[[Resource], str]]] = [
    ("unknown field", lambda r: r.update(nonsense=1) or "nonsense"),
    ("bad id", lambda r: r.update(id="no spaces") or "id"),
    ("id a number", lambda r: r.update(id=1) or "id"),
    ("empty list", lambda r: r.update(extension=[]) or "extension"),
    ("object for a list", lambda r: r.update(extension={"url": "a", "valueCode": "b"}) or "extension"),
    ("list for an object", lambda r: r.update(meta=[]) or "meta"),
    ("empty object", lambda r: r.update(meta={}) or "meta"),
    ("null", lambda r: r.update(language=None) or "language"),
    ("two values", lambda r: r.update(extension=[{"url": "a", "valueCode": "b", "valueId": "c"}]) or "extension[0].valueId"),
    ("instant without zone", lambda r: r.update(meta={"lastUpdated": "2024-05-01T10:00:00"}) or "meta.lastUpdated"),
    ("impossible date", lambda r: r.update(extension=[{"url": "a", "valueDate": "2024-02-31"}]) or "extension[0].valueDate"),
    ("text for an integer", lambda r: r.update(extension=[{"url": "a", "valueInteger": "1"}]) or "extension[0].valueInteger"),
    ("bad code", lambda r: r.update(text={"status": "nope", "div": "<div/>"}) or "text.status"),
    ("empty text", lambda r: r.update(implicitRules="") or "implicitRules"),
]


# what, the resource, where, with what
ACCEPTED: list[tuple[str, Resource, Path, Any]] = [
    ("year", patient(), ("birthDate",), "1992"),
    ("month", patient(), ("birthDate",), "1992-02"),
    ("29 February 2000", patient(), ("birthDate",), "2000-02-29"),
    ("leap second", observation(), ("issued",), "2016-12-31T23:59:60Z"),
    ("zone of fourteen hours", observation(), ("issued",), "2016-12-31T23:59:59+14:00"),
    ("a whole number written with a point", patient(), ("multipleBirthInteger",), 2.0),
    ("a list with a null and its sidecar", patient(), ("name", 0), {"given": [None, "x"], "_given": [{"id": "a"}, None]}),
    ("sidecar alone", patient(), ("name", 0), {"_family": {"id": "a"}}),
    ("an extension with an id", patient(), ("extension",), [{"id": "a b", "url": "u", "valueCode": "x"}]),
    ("an extension with a sidecar value", patient(), ("extension",), [{"url": "u", "_valueCode": {"id": "x"}}]),
    ("no coding, and why", condition(), ("clinicalStatus",), {"extension": [{"url": "u", "valueCode": "unknown"}]}),
    ("base64 with line ends", VALID[9], ("content", 0, "attachment", "data"), "aGVs\r\nbG8h"),
]
