"""Every rule as FHIR over HTTP: read by id, searched by url, name and id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

import rules
from adapter.http.app import create_app
from tests.contract.test_export_conforms import findings
from tests.shared import needs_shared

BASE = "/fhir/R4"
CANONICAL = "https://perinatal-referrals.example/fhir"
RULE = "r03-any-self-harm-answer"


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app())


def found(client: TestClient, query: str) -> list[dict[str, Any]]:
    bundle = client.get(f"{BASE}/{query}").json()
    assert bundle["type"] == "searchset"
    assert bundle["total"] == len(bundle.get("entry", []))
    return [entry["resource"] for entry in bundle.get("entry", [])]


def test_a_rule_is_read_by_its_id(client: TestClient) -> None:
    answer = client.get(f"{BASE}/PlanDefinition/{RULE}")
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json()["url"] == f"{CANONICAL}/PlanDefinition/{RULE}"


def test_search(client: TestClient) -> None:
    whole = found(client, "PlanDefinition")
    assert len(whole) == len(rules.load_pack().rules) + 1
    (rule,) = found(client, f"PlanDefinition?url={CANONICAL}/PlanDefinition/{RULE}")
    assert found(client, f"PlanDefinition?url={rule['url']}%7C{rule['version']}") == [rule]
    assert found(client, f"PlanDefinition?_id={RULE}") == [rule]
    assert found(client, "PlanDefinition?name=r03any") == [rule]
    assert found(client, f"PlanDefinition?_id={RULE}&name=r04") == []
    assert found(client, f"ActivityDefinition?_id={RULE}") == []


def test_what_is_not_there_and_what_cannot_be_searched(client: TestClient) -> None:
    missing = client.get(f"{BASE}/PlanDefinition/r99-nothing")
    assert (missing.status_code, missing.json()["issue"][0]["code"]) == (404, "not-found")
    refused = client.get(f"{BASE}/ValueSet?context=x")
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (400, "not-supported")


def test_the_capability_statement_names_what_there_is(client: TestClient) -> None:
    (rest,) = client.get(f"{BASE}/metadata").json()["rest"]
    for resource in rest["resource"]:
        assert found(client, resource["type"])
        for parameter in resource["searchParam"]:
            assert client.get(f"{BASE}/{resource['type']}?{parameter['name']}=x").status_code == 200
    for operation in rest["operation"]:
        assert found(client, f"OperationDefinition?url={operation['definition']}")


@needs_shared
def test_operations_and_answers_conform(client: TestClient, tmp_path: Path) -> None:
    for name in ("metadata", "OperationDefinition", "ActivityDefinition", "CodeSystem"):
        (tmp_path / f"{name}.json").write_bytes(orjson.dumps(client.get(f"{BASE}/{name}").json()))
    _, others = findings(tmp_path)
    assert others == []
