"""A record pulled from a FHIR server: paging, retries, refusals; and the NHS number in no URL, error or log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import parse_qs

import orjson
import pytest
import requests
import responses
from responses import matchers
from responses.registries import OrderedRegistry
from urllib3 import HTTPResponse

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError, CannotStart, Malformed, TooLarge, Unprocessable
from adapter.records import Issue, MappedBundle, Resource
from adapter.settings import Settings
from adapter.sources.fhir_client import CappedRetry, Limits, ServerFailed
from adapter.sources.fhir_server import SEARCHED, pull_record
from adapter.together import read_server
from tests.samples import NHS_NUMBER, SCT, concept, observation, patient

BASE = "https://fhir.example/r4"
EVERYTHING = f"{BASE}/Patient/ada/$everything?_count=200"
FAST = Limits(retries=0)


def page(*held: Resource, following: str = "") -> Resource:
    entries = [{"fullUrl": f"{BASE}/{r['resourceType']}/{r.get('id')}", "resource": r} for r in held]
    link = [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries}


def epds(name: str) -> Resource:
    return observation(name, concept(SCT, "450320001"), valueInteger=9)


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def found(server: responses.RequestsMock, *patients: Resource) -> None:
    server.post(f"{BASE}/Patient/_search", json=page(*(patients or (patient(),))))


def pulled(limits: Limits = FAST, number: str = NHS_NUMBER) -> tuple[list[str], tuple[Issue, ...]]:
    raw, issues = pull_record(BASE, number, "token", limits)
    return [entry["resource"]["id"] for entry in orjson.loads(raw.data)["entry"]], issues


def test_a_record_is_found_by_number_and_read_with_everything(server: responses.RequestsMock) -> None:
    found(server)
    server.get(EVERYTHING, json=page(patient(), epds("a"), following=f"{BASE}?page=2"))
    server.get(f"{BASE}?page=2", json=page(epds("b"), epds("a")))
    assert pulled() == (["ada", "a", "b"], ())
    assert [call.request.headers["Authorization"] for call in server.calls] == ["Bearer token"] * 3
    assert parse_qs(str(server.calls[0].request.body))["identifier"] == [
        f"https://fhir.nhs.uk/Id/nhs-number|{NHS_NUMBER}"
    ]
    assert not any(NHS_NUMBER in str(call.request.url) for call in server.calls)


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_without_the_operation_all_is_searched_for(server: responses.RequestsMock, status: int) -> None:
    found(server)
    server.get(EVERYTHING, status=status)
    for kind in SEARCHED:
        form = matchers.urlencoded_params_matcher({"patient": "Patient/ada", "_count": "200", **SEARCHED[kind]})
        server.post(f"{BASE}/{kind}/_search", json=page(epds("a")) if kind == "Observation" else page(), match=[form])
    assert pulled() == (["ada", "a"], ())


def test_a_type_that_cannot_be_searched_is_said(server: responses.RequestsMock) -> None:
    found(server)
    server.get(EVERYTHING, status=501)
    for kind in SEARCHED:
        server.post(f"{BASE}/{kind}/_search", json=page(), status=403 if kind == "Consent" else 200)
    _, issues = pulled()
    assert [(issue.code, issue.detail) for issue in issues] == [("incomplete", "data-not-supplied")]
    assert "Consent (HTTP 403)" in issues[0].text


def test_where_the_servers_id_is_her_number_no_url_holds_it(server: responses.RequestsMock) -> None:
    found(server, patient(id=NHS_NUMBER))
    for kind in SEARCHED:
        server.post(f"{BASE}/{kind}/_search", json=page())
    assert pulled()[0] == [NHS_NUMBER]
    assert not any(NHS_NUMBER in str(call.request.url) for call in server.calls)


# --- who it is ---------------------------------------------------------------------------------------------------------
def test_nobody_with_the_number(server: responses.RequestsMock) -> None:
    server.post(f"{BASE}/Patient/_search", json=page())
    with pytest.raises(Unprocessable, match="no Patient"):
        pulled()


def test_two_with_the_number_are_refused(server: responses.RequestsMock) -> None:
    found(server, patient(), patient(id="bea"))
    with pytest.raises(Unprocessable, match="confirm identity") as refused:
        pulled()
    assert refused.value.issues[0].code == "multiple-matches"


def test_a_server_that_answers_with_somebody_else_has_not_found_her(server: responses.RequestsMock) -> None:
    other = patient(identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}])
    found(server, other)
    with pytest.raises(Unprocessable, match="no Patient"):
        pulled()


@pytest.mark.parametrize("number", ["9990000019", "999000001", "Ada", "", "٩٩٩٠٠٠٠٠١٨"])
def test_what_is_no_nhs_number_is_never_asked_for(server: responses.RequestsMock, number: str) -> None:
    with pytest.raises(Unprocessable, match="not a valid NHS number"):
        pulled(number=number)
    assert len(server.calls) == 0


def test_an_id_that_would_be_another_path_is_refused(server: responses.RequestsMock) -> None:
    found(server, patient(id="../../admin"))
    with pytest.raises(Malformed):
        pulled()


# --- pages -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("following", "why"),
    [
        (EVERYTHING, "circle"),
        ("https://elsewhere.example/next", "another server"),
        ("http://fhir.example/next", "another server"),
        ("https://fhir.example:8443/next", "another server"),
        (f"{BASE}/next?nhs={NHS_NUMBER}", "holds the NHS number"),
    ],
)
def test_a_next_page_that_may_not_be_read_is_said(server: responses.RequestsMock, following: str, why: str) -> None:
    found(server)
    server.get(EVERYTHING, json=page(epds("a"), following=following))
    ids, issues = pulled()
    assert ids == ["ada", "a"]
    assert [issue.code for issue in issues] == ["incomplete"]
    assert why in issues[0].text


def test_pages_that_go_on_for_ever_are_stopped(server: responses.RequestsMock) -> None:
    found(server)
    for number in range(1, 6):
        url = EVERYTHING if number == 1 else f"{BASE}?page={number}"
        server.get(url, json=page(epds(f"o{number}"), following=f"{BASE}?page={number + 1}"))
    with pytest.raises(TooLarge, match="PERINATAL_SERVER_MAX_PAGES"):
        pulled(Limits(retries=0, max_pages=4))


def test_too_many_bytes_are_refused(server: responses.RequestsMock) -> None:
    found(server)
    server.get(EVERYTHING, json=page(*(epds(f"o{n}") for n in range(50))))
    with pytest.raises(TooLarge):
        pulled(Limits(retries=0, max_bytes=5000))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"resourceType":"Patient"}',
        b'{"resourceType":"Bundle","entry":[{"resource":7}]}',
        b"\xff",
        b"",
    ],
)
def test_a_page_that_is_no_bundle_is_malformed(server: responses.RequestsMock, body: bytes) -> None:
    found(server)
    server.get(EVERYTHING, body=body)
    with pytest.raises(Malformed) as refused:
        pulled()
    assert refused.value.issues[0].place == "page 2"


def test_what_the_server_says_is_not_repeated(server: responses.RequestsMock) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "SYNTHETIC ADA has no notes"}]}
    found(server)
    server.get(EVERYTHING, json=page(outcome))
    _, issues = pulled()
    assert [issue.code for issue in issues] == ["incomplete"]
    assert "ADA" not in issues[0].text


# --- failures ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "login"),
        (403, "forbidden"),
        (429, "throttled"),
        (500, "transient"),
        (302, "processing"),
        (418, "processing"),
    ],
)
def test_a_refusal_carries_the_status_and_nothing_of_the_patient(
    server: responses.RequestsMock, status: int, code: str
) -> None:
    found(server)
    server.get(EVERYTHING, status=status, body="SYNTHETIC ADA", headers={"Location": "https://elsewhere.example"})
    with pytest.raises(ServerFailed) as refused:
        pulled()
    assert refused.value.issues[0].code == code
    assert f"HTTP {status}" in str(refused.value)
    assert not any(word in str(refused.value) for word in (NHS_NUMBER, "ADA", "ada", BASE))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (requests.ReadTimeout(f"GET {NHS_NUMBER}"), "did not answer within 30 seconds"),
        (requests.ConnectTimeout(NHS_NUMBER), "did not answer within 30 seconds"),
        (requests.exceptions.SSLError(NHS_NUMBER), "certificate"),
        (requests.ConnectionError(NHS_NUMBER), "could not be reached"),
        (requests.exceptions.ChunkedEncodingError(NHS_NUMBER), "could not be reached"),
    ],
)
def test_an_error_on_the_way_says_nothing_of_what_was_asked(
    server: responses.RequestsMock, error: Exception, text: str
) -> None:
    server.post(f"{BASE}/Patient/_search", body=error)
    with pytest.raises(ServerFailed, match=text) as refused:
        pulled()
    assert NHS_NUMBER not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_get_is_repeated_and_a_search_is_not() -> None:
    with responses.RequestsMock(registry=OrderedRegistry) as server:
        server.post(f"{BASE}/Patient/_search", json=page(patient()))
        server.get(EVERYTHING, status=503, headers={"Retry-After": "0"})
        server.get(EVERYTHING, status=429, headers={"Retry-After": "0"})
        server.get(EVERYTHING, json=page(epds("a")))
        assert pulled(Limits(retries=2))[0] == ["ada", "a"]
    with responses.RequestsMock() as server:
        server.post(f"{BASE}/Patient/_search", status=503, headers={"Retry-After": "0"})
        with pytest.raises(ServerFailed, match="HTTP 503"):
            pulled(Limits(retries=2))
        assert len(server.calls) == 1


@pytest.mark.parametrize(("asked", "waited"), [("5", 5), ("86400", 30), (None, None)])
def test_a_server_may_not_make_it_wait_for_ever(asked: str | None, waited: int | None) -> None:
    answer = HTTPResponse(status=503, headers={"Retry-After": asked} if asked else {})
    assert CappedRetry(3).get_retry_after(answer) == waited


def test_nothing_is_logged(server: responses.RequestsMock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    found(server)
    server.get(EVERYTHING, json=page(epds("a")))
    pulled()
    logging.getLogger("urllib3.connectionpool").warning("Retrying %s", EVERYTHING)
    assert "ada" not in caplog.text
    assert NHS_NUMBER not in caplog.text


# --- settings ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "base",
    ["http://fhir.example", "ftp://fhir.example", "fhir.example/r4", "https://a:b@fhir.example", "https://fhir.example?x=1", ""],
)  # fmt: skip
def test_a_base_that_records_may_not_be_read_from(base: str) -> None:
    with pytest.raises(CannotStart):
        pull_record(base, NHS_NUMBER)


def adapter() -> Adapter:
    return Adapter(Settings(server_token="secret", server_page_size=50))  # type: ignore[arg-type]  # noqa: S106


def test_it_is_read_as_any_other_record_and_says_what_is_missing(server: responses.RequestsMock) -> None:
    found(server)
    server.get(EVERYTHING.replace("200", "50"), json=page(epds("a"), following="https://elsewhere.example"))
    ((name, record),) = read_server(adapter(), BASE, NHS_NUMBER)
    assert isinstance(record, MappedBundle)
    assert name == "server"
    assert [issue.code for issue in record.issues] == ["incomplete"]
    assert "secret" not in repr(adapter().settings)


def test_a_refusal_takes_the_place_of_the_record(server: responses.RequestsMock) -> None:
    server.post(f"{BASE}/Patient/_search", status=401)
    ((_, refused),) = read_server(adapter(), BASE, NHS_NUMBER)
    assert isinstance(refused, AdapterError)
