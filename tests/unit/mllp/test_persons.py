"""Messages of one person that come one by one: read together, each as far as was known when it came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.mllp.acknowledgement import Answer
from adapter.mllp.process import EvaluateToFolder
from adapter.mllp.receive import Receiver
from adapter.store.journal import Journal, State
from tests.unit.mllp.messages import FAMILY, NHS, NOW, OBR, OBX, PID, message

ADAPTER = Adapter()
TODAY = date(2026, 3, 2)
LOCAL = f"PID|1||L7^^^RX1^PI||{FAMILY}^ADA||19940517|2"
BOTH = f"PID|1||{NHS}^^^NHS~L7^^^RX1^PI||{FAMILY}^ADA||19940517|2"
PREGNANT = "OBX|1|CWE|82810-3^Pregnancy status^LN||77386006^Pregnant^SCT||||||F|||20260210"
SCORE = message(PID, "OBR|1|P1|F1||||20260301", OBX, control_id="SCORE")
PREGNANCY = message(PID, "OBR|1|P2|F2||||20260210", PREGNANT, control_id="PREGNANCY")


class Feed:
    """A listener without a socket: messages in, the results of each out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "outbox"
        self.journal = Journal(folder / "journal.sqlite3", lambda: NOW)
        self.process = EvaluateToFolder(ADAPTER, self.journal, self.folder, lambda: TODAY)
        self.receiver = Receiver(self.journal, self.process, lambda: NOW, lambda: "ID")

    def __call__(self, data: bytes) -> list[dict[str, Any]]:
        answer = self.receiver.receive(data, "test")
        assert answer is not None
        self.answer = answer.decode()
        (file,) = self.folder.glob(f"*-{sha256(data).hexdigest()[:12]}.ndjson")
        return [orjson.loads(line) for line in file.read_bytes().splitlines()]


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    made = Feed(tmp_path)
    yield made
    made.journal.close()


def fired(result: dict[str, Any]) -> set[str]:
    requests = [e["resource"] for e in result["entry"] if e["resource"]["resourceType"] == "ServiceRequest"]
    return {
        canonical.rpartition("/")[2].partition("|")[0][:3]
        for request in requests
        for canonical in request.get("instantiatesCanonical", ())
        if request["intent"] == "proposal"
    }


@pytest.mark.parametrize("order", [(SCORE, PREGNANCY), (PREGNANCY, SCORE)])
def test_a_score_and_a_pregnancy_meet_in_whichever_order_they_come(feed: Feed, order: tuple[bytes, bytes]) -> None:
    (alone,) = feed(order[0])
    assert "r09" not in fired(alone)
    (both,) = feed(order[1])
    assert "r09" in fired(both), "an EPDS of 14 in a pregnancy"
    assert "MSA|AA" in feed.answer


def test_the_provenance_names_every_message(feed: Feed) -> None:
    feed(PREGNANCY)
    (both,) = feed(SCORE)
    text = str([e for e in both["entry"] if e["resource"]["resourceType"] == "Provenance"])
    for data in (PREGNANCY, SCORE):
        assert f"sha256:{sha256(data).hexdigest()}" in text


def test_nobody_elses_message_is_read(feed: Feed) -> None:
    feed(PREGNANCY.replace(NHS.encode(), b"9990000026"))
    (alone,) = feed(SCORE)
    assert "r09" not in fired(alone)


def test_a_local_identifier_leads_on_to_what_is_under_the_nhs_number(feed: Feed) -> None:
    feed(PREGNANCY)
    feed(message(BOTH, kind="ADT^A28", control_id="LINK"))
    results = feed(message(LOCAL, "OBR|1|P1|F1||||20260301", OBX))
    assert [fired(each) >= {"r09"} for each in results] == [True]


def test_the_same_local_identifier_of_another_trust_is_somebody_else(feed: Feed) -> None:
    feed(message(LOCAL.replace("RX1", "RX9"), "OBR|1|P2|F2||||20260210", PREGNANT))
    (alone,) = feed(message(LOCAL, "OBR|1|P1|F1||||20260301", OBX))
    assert "r09" not in fired(alone)


def test_a_correction_replaces_what_was_sent_before(feed: Feed) -> None:
    feed(PREGNANCY)
    assert "r09" in fired(feed(SCORE)[0])
    (corrected,) = feed(message(PID, OBR, OBX.replace("||14|", "||4|").replace("|F", "|C"), control_id="CORRECTION"))
    assert fired(corrected) == set()
    assert "r09" in fired(feed(SCORE)[0]), "what was decided when the score came stays as it was"


def test_an_a40_joins_the_earlier_record(feed: Feed) -> None:
    feed(message(LOCAL, "OBR|1|P1|F1||||20260301", OBX))
    feed(PREGNANCY)
    results = feed(message(PID, "MRG|L7^^^RX1^PI", kind="ADT^A40^ADT_A39", version="2.5"))
    assert [fired(each) >= {"r09"} for each in results] == [True]
    (after,) = feed(message(LOCAL, kind="ADT^A31", control_id="AFTER"))
    assert "r09" in fired(after)


def test_what_was_refused_counts_for_nothing_later(feed: Feed) -> None:
    feed(PREGNANCY)
    cut = message(PID, OBR, OBX[:36], control_id="CUT")
    assert [line["resourceType"] for line in feed(cut)] == ["OperationOutcome"]
    assert "MSA|AE" in feed.answer
    (after,) = feed(message(PID, kind="ADT^A31", control_id="AFTER"))
    assert fired(after) == set()


def test_processing_again_after_a_kill_gives_the_same_file_and_later_messages_do_not_change_it(feed: Feed) -> None:
    (first,) = feed(SCORE)
    feed(PREGNANCY)
    entry = feed.journal.append("test", SCORE)
    assert entry.state is State.DONE
    assert feed.process(entry) == Answer("AA")
    assert feed(SCORE) == [first]


def test_the_answer_is_about_the_message_and_not_about_those_before(feed: Feed) -> None:
    feed(message("PID|1||9990000019^^^NHS~L7^^^RX1", OBR, OBX, control_id="WARNED", version="2.5"))
    assert "ERR|" in feed.answer
    feed(message(LOCAL, kind="ADT^A31", version="2.5"))
    assert "ERR|" not in feed.answer


def test_a_record_that_is_refused_as_a_whole_is_said(feed: Feed) -> None:
    feed(message(PID.replace("19940517", "20260220"), kind="ADT^A28", control_id="BORN"))
    results = feed(message(f"PID|1||{NHS}^^^NHS||{FAMILY}", OBR, OBX, control_id="OLDER"))
    assert [line["resourceType"] for line in results] == ["OperationOutcome"]
    assert "MSA|AE" in feed.answer
    assert "what came before it" in feed.answer
