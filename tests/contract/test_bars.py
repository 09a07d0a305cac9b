"""``evaluate --format bars``: held against the official definitions, the guide's workflow rules, and a receiver."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

import rules
from adapter.bootstrap import Adapter
from adapter.pipeline import evaluate_all, read, read_path
from adapter.records import RawRecord
from adapter.referrals.bars import bars_messages, is_draft
from adapter.referrals.bars_sender import BarsSender, load_sender
from rules import ContentError
from tests.contract.test_result_bundle import walk
from tests.shared import SHARED, needs_shared

ROOT = Path(__file__).resolve().parents[2]
AS_OF = date(2026, 3, 2)
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return Adapter()


def loaded(path: Path) -> BarsSender:
    pack = rules.load_pack()
    return load_sender(path, pack.services, [rule.id for rule in pack.rules])


@pytest.fixture(scope="module")
def sender() -> BarsSender:
    return loaded(ROOT / "docs" / "examples" / "bars.yaml")


def messages(adapter: Adapter, sender: BarsSender, data: bytes, told: dict[str, str] | None = None) -> list[Any]:
    (result,) = evaluate_all(adapter, read(adapter, RawRecord("a record", data)), AS_OF)
    assert result.bundle is not None
    return list(bars_messages(result.bundle, sender, adapter.base, told or {}))


def fixture(name: str) -> bytes:
    (path,) = (ROOT / "fixtures").glob(f"{name}-*/record.json")
    return path.read_bytes()


def of(message: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in message["entry"] if e["resource"]["resourceType"] == kind]


def received(message: dict[str, Any]) -> str:
    """What a receiver does with a new message: the guide's pseudo-code (Core 1.2.2, standard pattern), by another hand."""
    (header,), (request,), (plan,) = (of(message, kind) for kind in ("MessageHeader", "ServiceRequest", "CarePlan"))
    reason = header["reason"]["coding"][0]["code"]
    categories = {coding["code"] for coding in request["category"][0]["coding"]}
    if header["eventCoding"]["code"] != "servicerequest-request" or reason != "new":
        return "another workflow"
    if request["status"] != "active" or "referral" not in categories or plan["status"] != "completed":
        return "400 REC_BAD_REQUEST"
    if any(encounter["status"] not in ("triaged", "finished") for encounter in of(message, "Encounter")):
        return "400 REC_BAD_REQUEST"
    return "200"


def test_what_the_policy_accepts_is_taken_and_what_it_does_not_is_refused(adapter: Adapter, sender: BarsSender) -> None:
    made = messages(adapter, sender, fixture("46"))
    taken = {
        of(m, "ServiceRequest")[0]["performerType"]["coding"][0]["code"]: received(m) for m in made if "entry" in m
    }
    assert taken == {"crisis-team": "200", "perinatal-community-team": "400 REC_BAD_REQUEST"}
    assert [is_draft(m) for m in made if "entry" in m] == [answer != "200" for answer in taken.values()]


def test_a_service_without_an_address_is_said_and_stops_no_other(adapter: Adapter, sender: BarsSender) -> None:
    outcomes = [m for m in messages(adapter, sender, fixture("46")) if m["resourceType"] == "OperationOutcome"]
    said = [issue for outcome in outcomes for issue in outcome["issue"]]
    assert {issue["diagnostics"] for issue in said} == {"talking-therapies", "maternal-mental-health-service"}
    assert len(outcomes) == 2
    assert {issue["details"]["coding"][0]["code"] for issue in said} == {"no-service-covers"}
    assert {issue["severity"] for issue in said} == {"error"}


def test_the_parts_of_a_message(adapter: Adapter, sender: BarsSender) -> None:
    (message,) = messages(adapter, sender, fixture("01"), {"gp": "Because of item 10: 1"})
    assert message["meta"]["versionId"] == "1.0.0"
    assert message["timestamp"] == "2026-03-02T00:00:00+00:00"
    (header,), (request,), (plan,) = (of(message, kind) for kind in ("MessageHeader", "ServiceRequest", "CarePlan"))
    assert header["destination"][0]["endpoint"] == "https://fhir.nhs.uk/Id/dos-service-id|2000000001"
    assert request["intent"] == "plan"
    assert request["priority"] == "asap"
    assert request["occurrencePeriod"] == {"start": "2026-03-02T00:00:00+00:00", "end": "2026-03-02T23:59:59+00:00"}
    assert request["category"][0]["coding"][1]["system"] == f"{adapter.base}/CodeSystem/bars-use-case"
    text = plan["activity"][0]["outcomeCodeableConcept"][0]["text"]
    assert "Because of item 10: 1" in text
    assert "r03-any-self-harm-answer" in text
    assert len(of(message, "Observation")) == len(request["reasonReference"]) > 0


def test_summer_time_has_its_offset(adapter: Adapter, sender: BarsSender) -> None:
    records = read(adapter, RawRecord("a record", fixture("01").replace(b"2026-02-27", b"2026-03-27")))
    (result,) = evaluate_all(adapter, records, date(2026, 3, 29))
    assert result.bundle is not None
    (message,) = bars_messages(result.bundle, sender, adapter.base, {})
    period = of(message, "ServiceRequest")[0]["occurrencePeriod"]
    assert period == {"start": "2026-03-29T00:00:00+00:00", "end": "2026-03-29T23:59:59+01:00"}


def test_every_message_of_the_fixtures_holds_together(adapter: Adapter, sender: BarsSender) -> None:
    seen = 0
    for message in all_messages(adapter, sender):
        seen += 1
        urls = [entry["fullUrl"] for entry in message["entry"]]
        assert len(urls) == len(set(urls))
        assert message["entry"][0]["resource"]["resourceType"] == "MessageHeader"
        for entry in message["entry"]:
            assert "id" not in entry["resource"]
            assert entry["resource"]["meta"]["lastUpdated"] == message["timestamp"]
        literal = {node["reference"] for node in walk(message) if "reference" in node}
        assert {url for url in literal if url.startswith("urn:uuid:")} <= set(urls)
        used = literal | {of(message, "MessageHeader")[0]["focus"][0]["reference"]}
        alone = {"MessageHeader", "PractitionerRole", "Consent"}
        left = [e["resource"]["resourceType"] for e in message["entry"] if e["fullUrl"] not in used]
        assert set(left) <= alone
    assert seen > 60


def all_messages(adapter: Adapter, sender: BarsSender) -> Iterator[dict[str, Any]]:
    """Of all fixtures, to an address that every service has."""
    receiver = sender.receivers["crisis-team"]
    everybody = sender.model_copy(update={"receivers": dict.fromkeys(adapter.content().pack.services, receiver)})
    for folder in sorted((ROOT / "fixtures").iterdir()):
        if folder.is_dir():
            for result in evaluate_all(adapter, read_path(adapter, folder), AS_OF):
                if result.bundle is not None:
                    yield from bars_messages(result.bundle, everybody, adapter.base, {})


@needs_shared
def test_the_fixtures_messages_conform(adapter: Adapter, sender: BarsSender, tmp_path: Path) -> None:
    with tarfile.open(SHARED / "conformance" / "bars.tar.xz") as archive:
        member = archive.extractfile("bars/BARS-MessageDefinition-ServiceRequest-Request-Referral.json")
        assert member is not None
        focus = json.load(member)["focus"]
    allowed = {each["code"] for each in focus}
    minima, maxima = Counter[str](), Counter[str]()
    for each in focus:
        minima[each["code"]] += each["min"]
        maxima[each["code"]] += 10_000 if each["max"] == "*" else int(each["max"])
    for number, message in enumerate(all_messages(adapter, sender)):
        found = Counter(entry["resource"]["resourceType"] for entry in message["entry"])
        assert set(found) <= allowed
        for code in allowed - {"Bundle"}:
            assert minima[code] <= found[code] <= maxima[code], code
        (tmp_path / f"{number}.json").write_bytes(orjson.dumps(message))
    command = [sys.executable, str(SHARED / "conformance" / "check"), "--require-profile", str(tmp_path)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-3000:] + judged.stderr[-1000:]
    assert f"checked {number + 1} files, 0 with errors" in judged.stdout


def with_verification(code: str) -> bytes:
    record = json.loads(fixture("01"))
    (patient,) = (e["resource"] for e in record["entry"] if e["resource"]["resourceType"] == "Patient")
    (number,) = (i for i in patient["identifier"] if i["system"] == NHS_NUMBER)
    system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
    number["extension"] = [{"url": url, "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}]
    patient["telecom"] = [{"system": "phone", "value": "01632 960001"}, {"system": "email", "value": "a@example.org"}]
    return json.dumps(record).encode()


@pytest.mark.parametrize(("code", "sent"), [("01", True), ("02", False), (None, False)])
def test_only_a_verified_nhs_number_is_sent(adapter: Adapter, sender: BarsSender, code: str | None, sent: bool) -> None:
    (message,) = messages(adapter, sender, fixture("01") if code is None else with_verification(code))
    systems = [each["system"] for each in of(message, "Patient")[0]["identifier"]]
    assert (NHS_NUMBER in systems) is sent
    assert "https://fhir.nhs.uk/Id/local-patient-identifier" in systems


def test_she_is_her_own_first_contact(adapter: Adapter, sender: BarsSender) -> None:
    (message,) = messages(adapter, sender, with_verification("01"))
    (contact,) = of(message, "Patient")[0]["contact"]
    assert contact["relationship"][0]["coding"][0]["code"] == "ONESELF"
    assert [each["value"] for each in contact["telecom"]] == ["01632 960001"]


def test_same_in_same_out(adapter: Adapter, sender: BarsSender) -> None:
    first, second = (messages(adapter, sender, fixture("46")) for _ in range(2))
    assert orjson.dumps(first) == orjson.dumps(second)


def routed(name: str, sender: BarsSender) -> list[Any]:
    adapter = Adapter()
    (path,) = (ROOT / "fixtures").glob(f"{name}-*/record.json")
    records = read(adapter, RawRecord("a record", path.read_bytes()))
    (result,) = evaluate_all(adapter, records, AS_OF, "gp-area-example")
    assert result.bundle is not None
    return list(bars_messages(result.bundle, sender, adapter.base, {}))


def test_the_team_that_the_directory_routed_to_is_the_receiver(sender: BarsSender) -> None:
    (message,) = routed("94", sender)
    (service,) = of(message, "HealthcareService")
    assert service["identifier"][0]["value"] == "0000000002"
    assert service["name"] == "Example perinatal team, west"
    assert of(message, "MessageHeader")[0]["destination"][0]["endpoint"].endswith("dos-service-id|0000000002")
    assert "ZZ9E" in [each["identifier"][0]["value"] for each in of(message, "Organization")]


def test_without_a_route_the_file_says_who_receives(sender: BarsSender) -> None:
    (message,) = routed("95", sender)
    (service,) = of(message, "HealthcareService")
    assert service["identifier"][0]["value"] == "2000000002"
    assert service["name"] == "Specialist perinatal mental health community team"
    nobody = sender.model_copy(update={"receivers": {}})
    assert [each["resourceType"] for each in routed("95", nobody)] == ["OperationOutcome"]


def test_family_history_is_told_where_it_cannot_go_along(adapter: Adapter, sender: BarsSender) -> None:
    (path,) = (ROOT / "fixtures").glob("62-*/example-json/export.json")
    read_in = read(adapter, RawRecord("export.json", path.read_bytes()), "example-json")
    (result,) = evaluate_all(adapter, read_in, AS_OF)
    assert result.bundle is not None
    told = {"perinatal-community-team": "Because of a sister's bipolar disorder"}
    (message,) = bars_messages(result.bundle, sender, adapter.base, told)
    assert not of(message, "FamilyMemberHistory")
    request = of(message, "ServiceRequest")[0]
    carried = [each["reference"] for each in request.get("supportingInfo", [])]
    assert set(carried) <= {entry["fullUrl"] for entry in message["entry"]}
    text = of(message, "CarePlan")[0]["activity"][0]["outcomeCodeableConcept"][0]["text"]
    assert "Because of a sister's bipolar disorder" in text


GOOD = (ROOT / "docs" / "examples" / "bars.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "place", "word"),
    [
        ("telephone:", "telefone:", 9, "telefone"),
        ('dos: "2000000001"                   #', 'dos: "DoS 1" #', 3, "dos"),
        ("  ods: RZZ99\n  name: Example Surgery\n", "  name: Example Surgery\n", 4, "ods"),
        ("  type: {code", "  # {code", 4, "type"),
        ('{sds_role_profile: "000000000000", family', '{sds_role_profile: "", family', 8, "sds_role_profile"),
        ("  crisis-team:\n    dos", "  crisis-taem:\n    dos", 14, "crisis-taem"),
        ("  crisis-team: [r02", "  crisis-taem: [r02", 23, "crisis-taem"),
        ("r03-any-self-harm-answer]", "r03-any-self-harm]", 23, "r03-any-self-harm"),
        ('application_version: "1.0.0" ', "application_version: 1.0 ", 2, "application_version"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, old: str, new: str, place: int, word: str) -> None:
    assert old in GOOD
    path = tmp_path / "bars.yaml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError, match=word) as wrong:
        loaded(path)
    assert (wrong.value.file, wrong.value.line) == (str(path), place)
