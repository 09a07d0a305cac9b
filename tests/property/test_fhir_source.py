"""However a batch is broken, reading it gives records and refusals or one AdapterError: never anything else."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import AdapterError
from adapter.records import RawRecord, Resource
from adapter.sources.fhir import read_fhir
from tests.property.test_fhir_acceptors import VALUES, paths
from tests.unit.fhir.resources import bundle, observation, patient, related

LINK = [{"other": {"reference": "RelatedPerson/r"}, "type": "seealso"}]
BATCH = bundle(
    patient("a"),
    patient("baby", birthDate="2024-01-01", identifier=[{"value": "b"}], link=LINK),
    related("r", "Patient/a", "CHILD"),
    related("m", "Patient/baby", "MTH", identifier=patient("a")["identifier"]),
    patient("c", identifier=[{"system": "s", "value": "c"}], link=LINK),
    observation("o", "Patient/a"),
    observation("q", "Patient/c"),
    observation("i") | {"subject": {"identifier": {"system": "s", "value": "c"}}},
    {"resourceType": "QuestionnaireResponse", "id": "x", "status": "completed", "questionnaire": "u|1"},
)


@st.composite
def broken(draw: st.DrawFn) -> Resource:
    made = copy.deepcopy(BATCH)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths(made))))
        parent: Any = made
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.booleans()):
            parent[path[-1]] = copy.deepcopy(draw(VALUES))
        else:
            del parent[path[-1]]
    return made


@settings(max_examples=300, deadline=None)
@given(broken(), st.booleans())
def test_reading_what_is_broken(document: Resource, on_lines: bool) -> None:
    entries = document.get("entry")
    data = orjson.dumps(document)
    if on_lines and isinstance(entries, list):
        data = b"\n".join(orjson.dumps(e.get("resource") if isinstance(e, dict) else e) for e in entries)
    with suppress(AdapterError):
        records = list(read_fhir(RawRecord("in.json", data)))
        assert all(record.refused or record.bundle["entry"] for record in records)
        assert all(record.issues for record in records if record.refused)
