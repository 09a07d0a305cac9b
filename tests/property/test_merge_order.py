"""In whatever order one mother's records are given, the record of them all means the same, and loses nothing."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.bootstrap import Adapter
from adapter.fhir.validate import validate
from adapter.merge.content import day_of
from adapter.records import MappedBundle, Resource
from tests.unit.merge.people import EPDS, ITEM_10, LOINC, SCT, concept, local, nhs, observation, one, patient, record

AS_OF = date(2026, 3, 2)
DAYS = st.sampled_from(["2026-02-18", "2026-02-20", "2026-02-20T09:30:00Z", "2026-02-27T23:30:00+00:00"])


@st.composite
def observations(draw: st.DrawFn) -> Resource:
    code, values = draw(
        st.sampled_from(
            [
                (EPDS, st.sampled_from([{"valueInteger": 9}, {"valueQuantity": {"value": 9}}, {"valueInteger": 14}])),
                (ITEM_10, st.sampled_from([{"valueInteger": 0}, {"valueInteger": 1}])),
                (concept(LOINC, "82810-3"), st.just({"valueCodeableConcept": concept(SCT, "77386006")})),
                (concept(LOINC, "11778-8"), st.sampled_from([{"valueDateTime": "2026-05-25"}])),
            ]
        )
    )
    status = draw(st.sampled_from(["final", "amended", "entered-in-error"]))
    return observation(draw(st.sampled_from("abc")), code, draw(DAYS), status=status, **draw(values))


@st.composite
def records(draw: st.DrawFn) -> list[MappedBundle]:
    made = []
    for number in range(draw(st.integers(2, 4))):
        more: dict[str, Any] = draw(
            st.sampled_from([{}, {"birthDate": "1994"}, {"gender": "unknown"}, {"name": [{"family": "X"}]}])
        )
        ids = draw(st.sampled_from([[nhs()], [nhs(), local("L1")], [local("L1"), nhs()]]))
        held = draw(st.lists(observations(), max_size=4))
        made.append(record(f"{number}.json", patient(identifier=ids, **more), *held))
    return made


@cache
def adapter() -> Adapter:
    return Adapter()


@settings(max_examples=60, deadline=None)
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_the_files_changes_nothing(given_records: list[MappedBundle], random: Any) -> None:
    shuffled = list(given_records)
    random.shuffle(shuffled)
    first, second = one(*given_records), one(*shuffled)
    assert orjson.dumps(first.bundle) == orjson.dumps(second.bundle)
    assert (first.lineage, first.issues) == (second.lineage, second.issues)
    reader = adapter().content().reader
    assert reader.read(first.bundle, AS_OF).facts == reader.read(second.bundle, AS_OF).facts


@settings(max_examples=60, deadline=None)
@given(records())
def test_nothing_is_lost_and_what_comes_out_is_fhir(given_records: list[MappedBundle]) -> None:
    found = one(*given_records)
    assert validate(found.bundle) == ()

    def statements(*bundles: Resource) -> set[tuple[Any, ...]]:
        return {
            (coding["code"], day_of(resource["effectiveDateTime"]), resource["status"] == "entered-in-error", value)
            for bundle in bundles
            for resource in (entry["resource"] for entry in bundle["entry"])
            if resource["resourceType"] == "Observation"
            for coding in resource["code"]["coding"]
            for value in [resource.get("valueInteger", resource.get("valueQuantity", {}).get("value"))]
        }

    assert statements(found.bundle) == statements(*(each.bundle for each in given_records))
