"""Each way to break a resource is found, at its place, whether the resource type is compiled yet or not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest

from adapter.fhir import validate as validation
from adapter.fhir.elements import type_info
from adapter.fhir.schemas import NOTHING, acceptor
from adapter.fhir.validate import is_valid, validate
from adapter.records import Resource
from tests.unit.fhir.breakages import ACCEPTED, ANY, BREAKAGES, Path
from tests.unit.fhir.resources import VALID, bundle, condition, observation, patient


@pytest.fixture(params=["walked", "compiled"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run each test with no resource type compiled, and with all of them."""
    monkeypatch.setattr(validation, "_walked", [])
    monkeypatch.setattr(validation, "_fast", NOTHING)
    monkeypatch.setattr(validation, "WALKS_BEFORE_COMPILING", 10**9 if request.param == "walked" else 0)
    return str(request.param)


def broken(resource: Resource, path: Path, value: Any) -> Resource:
    """A copy with the value set there; ``...`` deletes."""
    made = copy.deepcopy(resource)
    parent: Any = reduce(lambda node, key: node[key], path[:-1], made)
    if value is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return made


def places(resource: Any) -> list[str]:
    return [issue.place for issue in validate(resource)]


@pytest.mark.parametrize("resource", VALID, ids=lambda r: r["resourceType"])
def test_valid_resources_are_accepted(resource: Resource) -> None:
    assert validate(resource) == ()
    assert is_valid(resource)


@pytest.mark.parametrize(
    ("_name", "resource", "path", "value", "place", "code"), BREAKAGES, ids=[b[0] for b in BREAKAGES]
)
def test_a_broken_resource_gives_one_issue_at_its_place(
    _name: str, resource: Resource, path: Path, value: Any, place: str, code: str
) -> None:
    [issue] = validate(broken(resource, path, value))
    assert (issue.place, issue.code, issue.severity) == (place, code, "error")


@pytest.mark.parametrize(("_name", "breaking"), ANY, ids=[name for name, _ in ANY])
@pytest.mark.parametrize("resource", VALID, ids=lambda r: r["resourceType"])
def test_every_resource_broken_in_every_way(
    resource: Resource, _name: str, breaking: Callable[[Resource], str]
) -> None:
    made = copy.deepcopy(resource)
    below = breaking(made)
    assert places(made) == [f"{made['resourceType']}.{below}"]
    in_a_bundle = bundle(patient(), made)
    assert places(in_a_bundle) == [f"Bundle.entry[1].resource.{below}"]


def test_required_elements_of_every_resource_are_missed() -> None:
    for resource in VALID:
        kind = resource["resourceType"]
        for name in type_info(kind).required:
            made = broken(resource, (name,), ...)
            made.pop("_status", None)
            assert places(made) == [f"{kind}.{name}"]


@pytest.mark.parametrize(("_name", "resource", "path", "value"), ACCEPTED, ids=[a[0] for a in ACCEPTED])
def test_rare_forms_that_are_valid(_name: str, resource: Resource, path: Path, value: Any) -> None:
    assert validate(broken(resource, path, value)) == ()


def test_a_required_primitive_may_be_said_by_its_sidecar() -> None:
    made = broken(observation(), ("status",), ...)
    made["_status"] = {"extension": [{"url": "https://example.org/why-absent", "valueCode": "unknown"}]}
    assert validate(made) == ()


def test_a_status_without_its_system_is_a_warning() -> None:
    [issue] = validate(broken(condition(), ("clinicalStatus", "coding", 0, "system"), ...))
    assert (issue.severity, issue.place) == ("warning", "Condition.clinicalStatus")
    assert is_valid(broken(condition(), ("clinicalStatus", "coding", 0, "system"), ...))


@pytest.mark.parametrize(
    ("resource", "place", "code", "says"),
    [
        ({"resourceType": "Nothing"}, "Resource.resourceType", "structure", "no resource type"),
        ({"id": "x"}, "Resource.resourceType", "required", "is required"),
        ({"resourceType": ["Patient"]}, "Resource.resourceType", "structure", "name of a resource type"),
        ({"resourceType": "ReferralRequest"}, "ReferralRequest.resourceType", "not-supported", "STU3"),
        ({"resourceType": "Evidence"}, "Evidence.resourceType", "not-supported", "Evidence"),
        ([], "Resource", "structure", "object"),
        (None, "Resource", "structure", "object"),
    ],
)
def test_what_is_no_resource_of_r4(resource: Any, place: str, code: str, says: str) -> None:
    [issue] = validate(resource)
    assert (issue.place, issue.code) == (place, code)
    assert says in issue.text
    [nested] = validate({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]})
    assert nested.place.startswith("Bundle.entry[0].resource")


def test_all_problems_are_found_in_the_order_of_the_document() -> None:
    made = bundle(observation(status="x", valueString="y"), patient(gender="F"))
    made["entry"][0]["resource"]["component"][0]["valueQuantity"]["value"] = "9"
    assert places(made) == [
        "Bundle.entry[0].resource.status",
        "Bundle.entry[0].resource.component[0].valueQuantity.value",
        "Bundle.entry[0].resource.valueString",
        "Bundle.entry[1].resource.gender",
    ]


def test_parameters_hold_resources_that_are_checked() -> None:
    inner = {"name": "record", "resource": bundle(patient(gender="F"))}
    made = {"resourceType": "Parameters", "parameter": [{"name": "outer", "part": [inner]}]}
    assert places(made) == ["Parameters.parameter[0].part[0].resource.entry[0].resource.gender"]


def test_texts_never_hold_what_the_record_holds() -> None:
    private = "SECRET 9990000018"
    for _, resource, path, value, _, _ in BREAKAGES:
        made = broken(resource, path, value)
        for issue in validate({**made, private: private, "implicitRules": private, "language": {"x": private}}):
            assert "SECRET" not in f"{issue.text}{issue.place}"
            assert not isinstance(value, str) or len(value) < 5 or value not in issue.text


def test_a_message_lists_at_most_ten_codes() -> None:
    [issue] = validate(broken(VALID[7], ("status",), "nope"))
    assert issue.text.startswith("must be one of draft, requested, ")
    assert issue.text.endswith(", on-hold, failed …")


def test_a_record_nested_without_end_is_refused_and_not_followed() -> None:
    extension: Resource = {"url": "u", "valueCode": "x"}
    for _ in range(400):
        extension = {"url": "u", "extension": [extension]}
    extension["nonsense"] = 1
    assert any("nested too deeply" in issue.text for issue in validate(patient(extension=[extension])))


def test_whatever_is_accepted_fast_is_valid() -> None:
    """The compiled check never accepts what the walk refuses (it may refuse what the walk accepts)."""
    fast = acceptor({resource["resourceType"] for _, resource, *_ in BREAKAGES})
    for _, resource, path, value, _, _ in BREAKAGES:
        if path[0] != "contained":
            kind = resource["resourceType"]
            assert fast.accepts({kind: [resource]})
            assert not fast.accepts({kind: [resource, broken(resource, path, value)]})


def test_two_of_one_choice_are_never_accepted_fast_however_little_else_is_there() -> None:
    fast = acceptor(["Observation", "Patient"])
    component = {"code": {"text": "a"}, "valueString": "b"}
    one = observation(component=[component], note=[{"text": "a", "authorString": "b"}])
    assert fast.accepts({"Observation": [one], "Patient": [{"deceasedBoolean": True}]})
    assert not fast.accepts({"Observation": [one | {"component": [component | {"valueBoolean": True}]}]})
    assert not fast.accepts({"Observation": [one | {"note": [one["note"][0] | {"authorReference": {"display": "c"}}]}]})
    assert not fast.accepts({"Patient": [{"deceasedBoolean": True, "deceasedDateTime": "2026"}]})


def test_resources_of_a_type_that_is_not_compiled_are_never_accepted_fast() -> None:
    assert not acceptor(["Patient"]).accepts({"Patient": [patient()], "Condition": [condition()]})
    assert not NOTHING.accepts({})


def test_one_broken_resource_among_many_of_its_type_is_the_one_that_is_named() -> None:
    entries = [patient(), *(observation() for _ in range(30)), condition(), patient()]
    made = bundle(*entries)
    assert validate(made) == validate(made) == ()
    made["entry"][17]["resource"]["status"] = "done"
    made["entry"][31]["resource"]["contained"] = [{"resourceType": "Practitioner", "active": "yes"}]
    made["entry"][32]["resource"] = {"resourceType": ["Patient"]}
    assert places(made) == [
        "Bundle.entry[17].resource.status",
        "Bundle.entry[31].resource.contained[0].active",
        "Bundle.entry[32].resource.resourceType",
    ]


def test_an_outcome_of_an_entry_is_checked_beside_its_resource() -> None:
    made = bundle(patient(), patient()) | {"type": "batch-response"}
    made["entry"][1]["response"] = {"status": "200", "outcome": {"resourceType": "OperationOutcome"}}
    for _ in range(3):
        assert places(made) == ["Bundle.entry[1].response.outcome.issue"]
    made["entry"][1]["resource"]["gender"] = 1
    assert places(made) == ["Bundle.entry[1].resource.gender", "Bundle.entry[1].response.outcome.issue"]
