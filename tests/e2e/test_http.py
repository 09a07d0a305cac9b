"""The operations over HTTP: what goes in, what comes out, and what bad input gets."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import html5lib
import httpx2 as httpx
import orjson
import pytest
from fastapi.testclient import TestClient

from adapter.bootstrap import Adapter
from adapter.facts import FactResult, ReadsFacts, compile_facts
from adapter.http.app import INLINE_BYTES, create_app
from adapter.settings import Settings
from tests import samples

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
EVALUATE = "/fhir/R4/$evaluate-referrals"
CONVERT = "/fhir/R4/$convert"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    adapter = Adapter(Settings(max_body_bytes=200_000))
    with TestClient(create_app(adapter)) as client:
        yield client


def post(client: TestClient, url: str, body: Any, content_type: str = "application/fhir+json") -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.post(url, content=content, headers={"content-type": content_type})


def kinds(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["resourceType"] for entry in bundle["entry"]]


def the_outcome(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/fhir+json")
    outcome: dict[str, Any] = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome


def test_a_fhir_record_is_evaluated(client: TestClient) -> None:
    response = post(client, f"{EVALUATE}?asOf={samples.AS_OF}", samples.fhir())
    assert response.status_code == 200
    assert kinds(response.json()).count("ServiceRequest") == 1


@pytest.mark.parametrize("media", ["application/hl7-v2", "x-application/hl7-v2+er7"])
def test_an_hl7_message_is_evaluated(client: TestClient, media: str) -> None:
    response = post(client, f"{EVALUATE}?asOf={samples.AS_OF}", samples.ORU, media)
    assert response.status_code == 200
    assert kinds(response.json()).count("ServiceRequest") == 1


@pytest.mark.parametrize(
    ("as_of", "besides"),
    [
        ("2026-03-02", set()),
        ("2026-03-02T16:59:00Z", set()),
        ("2026-03-02T17:00:00%2B00:00", {"liaison-psychiatry"}),
        ("2026-03-02T18:59:00%2B02:00", set()),
    ],
)
def test_with_a_time_of_day_opening_hours_count(client: TestClient, as_of: str, besides: set[str]) -> None:
    (path,) = FIXTURES.glob("21-*/record.json")
    query = f"asOf={as_of}&provider=lancashire-example"
    response = post(client, f"{EVALUATE}?{query}", path.read_bytes())
    assert response.status_code == 200, response.text
    resources = [entry["resource"] for entry in response.json()["entry"]]
    asked = {r["performerType"]["coding"][0]["code"] for r in resources if r["resourceType"] == "ServiceRequest"}
    assert asked - {"liaison-psychiatry"} >= {"perinatal-community-team"}
    assert asked & {"liaison-psychiatry"} == besides


@pytest.mark.parametrize("as_of", ["2026-03-02T25:00:00Z", "2026-02-31T10:00:00Z", "T10:00", "2026-03-02T", ""])
def test_a_time_that_is_none_is_refused(client: TestClient, as_of: str) -> None:
    the_outcome(post(client, f"{EVALUATE}?asOf={as_of}", samples.fhir()), 400)


@pytest.mark.parametrize(
    "record",
    [
        {"resource": samples.fhir()},
        {"valueString": samples.ORU.decode()},
        {"valueBase64Binary": base64.b64encode(samples.ORU).decode()},
    ],
)
def test_parameters_carry_record_day_and_provider(client: TestClient, record: dict[str, Any]) -> None:
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "record", **record},
            {"name": "asOf", "valueDate": samples.AS_OF},
            {"name": "provider", "valueString": "england-default"},
        ],
    }
    response = post(client, EVALUATE, parameters)
    assert response.status_code == 200, response.text
    (request,) = (e["resource"] for e in response.json()["entry"] if e["resource"]["resourceType"] == "ServiceRequest")
    assert request["authoredOn"] == samples.AS_OF


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ([{"name": "asOf", "valueDate": samples.AS_OF}], "Parameters.parameter"),
        ([{"name": "record", "resource": samples.fhir()}, {"name": "asOf", "valueString": "soon"}], "parameter[1]"),
        ([{"name": "record", "resource": samples.fhir()}, {"name": "surprise", "valueString": "x"}], "parameter[1]"),
        ([{"name": "record", "valueInteger": 1}], "parameter[0]"),
    ],
)
def test_wrong_parameters_are_named(client: TestClient, parameters: list[dict[str, Any]], place: str) -> None:
    body = {"resourceType": "Parameters", "parameter": parameters}
    assert place in str(the_outcome(post(client, EVALUATE, body), 400))


@pytest.mark.parametrize(
    "query",
    ["asof=2026-03-02", "asOf=2026-03-02&asOf=2026-03-03", "provider=england-default&provider=", "x=9990000018"],
)
def test_a_query_that_would_be_taken_for_another_is_refused(client: TestClient, query: str) -> None:
    outcome = the_outcome(post(client, f"{EVALUATE}?{query}", samples.fhir()), 400)
    assert "9990000018" not in str(outcome)


def test_the_day_is_said_once(client: TestClient) -> None:
    day = {"name": "asOf", "valueDate": samples.AS_OF}
    body = {"resourceType": "Parameters", "parameter": [{"name": "record", "resource": samples.fhir()}, day]}
    assert post(client, f"{EVALUATE}?_format=json", body).status_code == 200
    refused = the_outcome(post(client, f"{EVALUATE}?asOf=2026-03-03", body), 400)
    assert refused["issue"][0]["expression"] == ["Parameters.parameter[1]"]
    body["parameter"].append(day)
    assert "parameter[2]" in str(the_outcome(post(client, EVALUATE, body), 400))


def test_a_record_is_converted(client: TestClient) -> None:
    response = post(client, CONVERT, samples.ORU, "application/hl7-v2")
    assert response.status_code == 200
    found = kinds(response.json())
    assert found.count("Patient") == 1
    assert found.count("Observation") == 4


def test_two_patients_give_a_result_each(client: TestClient) -> None:
    bundle = samples.fhir()
    other = samples.patient(
        id="bea", identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}]
    )
    bundle["entry"].append({"resource": other})
    response = post(client, f"{EVALUATE}?asOf={samples.AS_OF}", bundle)
    assert response.status_code == 200
    assert kinds(response.json()) == ["Bundle", "Bundle"]


def test_what_is_not_json_is_malformed(client: TestClient) -> None:
    the_outcome(post(client, EVALUATE, b'{"resourceType": "Bundle",'), 400)


@pytest.mark.parametrize("url", [EVALUATE, CONVERT])
def test_a_message_that_is_well_formed_and_not_read_cannot_be_processed(client: TestClient, url: str) -> None:
    unread = samples.ORU.replace(b"ORU^R01", b"SIU^S12")
    assert "SIU^S12" in the_outcome(post(client, url, unread, "application/hl7-v2"), 422)["issue"][0]["details"]["text"]
    the_outcome(post(client, url, samples.ORU[:420], "application/hl7-v2"), 400)


def test_an_empty_body_is_malformed(client: TestClient) -> None:
    the_outcome(post(client, EVALUATE, b""), 400)


def test_a_bundle_without_a_patient_cannot_be_processed(client: TestClient) -> None:
    the_outcome(
        post(client, EVALUATE, samples.fhir(samples.observation("x", samples.concept(samples.SCT, "450320001")))), 422
    )


def test_too_large_a_body_is_refused(client: TestClient) -> None:
    the_outcome(post(client, EVALUATE, b" " * 200_001), 413)


def test_too_large_a_body_without_a_length_is_refused(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 20_000

    response = client.post(EVALUATE, content=chunks(), headers={"content-type": "application/fhir+json"})
    the_outcome(response, 413)


def test_an_unknown_content_type_is_refused(client: TestClient) -> None:
    the_outcome(post(client, EVALUATE, b"a,b", "text/csv"), 415)


def test_an_unknown_provider_is_said(client: TestClient) -> None:
    the_outcome(post(client, f"{EVALUATE}?provider=nowhere", samples.fhir()), 422)


@pytest.mark.parametrize("path", ["../../etc/passwd", "a/b", "..%2f"])
def test_a_provider_is_a_name_and_no_path(client: TestClient, path: str) -> None:
    response = client.post(
        EVALUATE,
        params={"provider": path},
        content=orjson.dumps(samples.fhir()),
        headers={"content-type": "application/fhir+json"},
    )
    the_outcome(response, 422)


def test_unknown_paths_and_methods_are_outcomes(client: TestClient) -> None:
    the_outcome(client.get("/fhir/R4/$nothing"), 404)
    the_outcome(client.get(EVALUATE), 405)


def test_the_capability_statement_is_r4(client: TestClient) -> None:
    statement = client.get("/fhir/R4/metadata").json()
    assert statement["fhirVersion"] == "4.0.1"
    assert [operation["name"] for operation in statement["rest"][0]["operation"]] == ["evaluate-referrals", "convert"]


def test_the_calls_are_a_page_that_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    html5lib.HTMLParser(strict=True).parse(page.text)
    described = client.get("/openapi.json").json()["paths"]
    assert all(f">{method.upper()} {path}<" in page.text for path, calls in described.items() for method in calls)
    assert "OBX|1|NM|450320001^" in page.text
    assert set(re.findall(r'(?:href|src)="([^#"]+)"', page.text)) == {"openapi.json", "fhir/R4/metadata"}


@pytest.mark.parametrize("media", ["application/fhir+json", "application/fhir+ndjson", "application/hl7-v2"])
def test_the_examples_of_the_page_are_answered(client: TestClient, media: str) -> None:
    body = client.get("/openapi.json").json()["paths"][EVALUATE]["post"]["requestBody"]["content"][media]
    for example in body["examples"].values():
        given = example["value"]
        text = given.encode() if isinstance(given, str) else orjson.dumps(given)
        assert post(client, EVALUATE, text, media).status_code == 200


def test_a_method_that_is_not_there_says_which_are(client: TestClient) -> None:
    refused = client.put("/fhir/R4/metadata")
    the_outcome(refused, 405)
    assert refused.headers["allow"] == "GET"


class _Waiting:
    """A reader of facts that does not begin before it is told to."""

    def __init__(self, reader: ReadsFacts, begun: Event, go_on: Event) -> None:
        self._reader, self._begun, self._go_on = reader, begun, go_on

    def read(self, *given: Any) -> FactResult:
        self._begun.set()
        assert self._go_on.wait(60), "nobody else was answered meanwhile"
        return self._reader.read(*given)


def test_others_are_answered_while_a_large_body_is_evaluated() -> None:
    begun, go_on = Event(), Event()
    app = create_app(Adapter(readers=lambda *given: _Waiting(compile_facts(*given), begun, go_on)))
    record = samples.fhir()
    code = samples.concept(samples.LOINC, "8867-4")
    rates = [{"resource": samples.observation(f"rate-{each}", code)} for each in range(800)]
    body = orjson.dumps({**record, "entry": record["entry"] + rates})
    assert len(body) > INLINE_BYTES

    async def both() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            answer = asyncio.create_task(client.post(f"{EVALUATE}?asOf={samples.AS_OF}", content=body))
            await asyncio.to_thread(begun.wait, 60)
            alive = await client.get("/health/live")
            go_on.set()
            return alive, await answer

    alive, answer = asyncio.run(both())
    assert (alive.status_code, answer.status_code) == (200, 200)
    assert "ServiceRequest" in kinds(answer.json())


def test_health(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json()["status"] == "ready"
