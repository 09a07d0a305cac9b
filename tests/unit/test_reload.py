"""Changed content in a running server: taken up as a whole, or refused while the old goes on."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import rules
from adapter.bootstrap import Adapter, NoSuchProvider
from adapter.errors import CannotStart
from adapter.http.app import create_app
from adapter.reload import Reloader, fingerprint
from adapter.settings import Settings
from tests import samples

AS_OF = date(2026, 3, 2)
R03 = "r03-any-self-harm-answer"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    shutil.copytree(rules.LIBRARY, folder)
    return folder


@pytest.fixture
def adapter(pack: Path) -> Adapter:
    adapter = Adapter(Settings(PERINATAL_RULES_PATH=pack))
    adapter.content()
    return adapter


def edit(path: Path, old: str, new: str) -> None:
    """Changes a file so that it is seen, however coarse the file system's clock is."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    changed = path.stat().st_mtime_ns + 1_000_000
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    os.utime(path, ns=(changed, changed))


def release(pack: Path, version: str) -> None:
    edit(pack / "pack.yaml", "version: ", f"version: {version} # ")


def settle(reloader: Reloader) -> bool:
    return [reloader.check() for _ in range(2)][-1]


def test_a_change_is_taken_up_once_it_has_settled(adapter: Adapter, pack: Path) -> None:
    reloader = Reloader(adapter)
    assert [reloader.check(), reloader.check()] == [False, False]
    release(pack, "9.9.9")
    assert reloader.check() is False, "it may still be being written"
    assert adapter.content().pack.version != "9.9.9"
    assert reloader.check() is True
    assert adapter.content().pack.version == "9.9.9"
    assert reloader.check() is False


def test_a_folder_that_is_still_being_written_is_let_alone(adapter: Adapter, pack: Path) -> None:
    reloader = Reloader(adapter)
    for number in range(3):
        release(pack, f"9.0.{number}")
        assert reloader.check() is False
    assert reloader.check() is True
    assert adapter.content().pack.version == "9.0.2"


def test_a_broken_file_is_refused_with_its_place_and_the_old_pack_serves(adapter: Adapter, pack: Path) -> None:
    old, reloader = adapter.content().pack, Reloader(adapter)
    edit(pack / "criteria" / "safety.yaml", "safety: true", "safety: perhaps")
    assert settle(reloader) is False
    assert adapter.content().pack is old
    assert "safety.yaml:" in adapter.refused
    assert old.evaluate({}, AS_OF).outcomes
    edit(pack / "criteria" / "safety.yaml", "safety: perhaps", "safety: true")
    assert settle(reloader) is True
    assert adapter.refused == ""
    assert adapter.content().pack is not old


def test_a_refused_file_is_not_read_again_before_it_changes(adapter: Adapter, pack: Path, read: list[str]) -> None:
    reloader = Reloader(adapter)
    edit(pack / "pack.yaml", "title:", "titel:")
    settle(reloader)
    before = len(read)
    assert before > 0
    assert settle(reloader) is False
    assert len(read) == before


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packs that are read, from now on."""
    seen: list[str] = []
    load: Callable[..., rules.Pack] = rules.load_pack

    def counted(folder: Path, provider: str | None = None, build: str = "") -> rules.Pack:
        seen.append(provider or "")
        return load(folder, provider, build)

    monkeypatch.setattr(rules, "load_pack", counted)
    return seen


def test_every_provider_in_use_is_read_again(adapter: Adapter, pack: Path, read: list[str]) -> None:
    adapter.content("england-default")
    release(pack, "9.9.9")
    assert settle(Reloader(adapter)) is False, "it watches from when it was made"
    reloader = Reloader(adapter)
    release(pack, "9.9.8")
    read.clear()
    assert settle(reloader) is True
    assert sorted(read) == ["", "england-default"]
    assert {adapter.content(name).pack.version for name in ("", "england-default")} == {"9.9.8"}


def test_a_provider_whose_file_is_gone_no_longer_exists(adapter: Adapter, pack: Path) -> None:
    shutil.copy(pack / "providers" / "england-default.yaml", pack / "providers" / "another.yaml")
    edit(pack / "providers" / "another.yaml", "provider: england-default", "provider: another")
    assert adapter.content("another").pack.provider == "another"
    reloader = Reloader(adapter)
    (pack / "providers" / "another.yaml").unlink()
    assert settle(reloader) is True
    with pytest.raises(NoSuchProvider):
        adapter.content("another")


def test_the_configured_provider_cannot_go(pack: Path) -> None:
    adapter = Adapter(Settings(PERINATAL_RULES_PATH=pack, provider="england-default"))
    old, reloader = adapter.content(), Reloader(adapter)
    (pack / "providers" / "england-default.yaml").unlink()
    assert settle(reloader) is False
    assert adapter.content() is old
    assert "provider" in adapter.refused


def test_a_mapping_in_use_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    shutil.copytree(Settings().mappings_path / "example-csv", folder / "example-csv")
    adapter = Adapter(Settings(PERINATAL_MAPPINGS_PATH=folder))
    old, reloader = adapter.mapping("example-csv"), Reloader(adapter)
    edit(folder / "example-csv" / "mapping.yaml", "version:", 'version: "77" #')
    assert settle(reloader) is True
    assert adapter.mapping("example-csv") is not old
    edit(folder / "example-csv" / "mapping.yaml", "version:", "versoin:")
    kept = adapter.mapping("example-csv")
    assert settle(reloader) is False
    assert adapter.mapping("example-csv") is kept
    assert "mapping.yaml:" in adapter.refused


def test_hidden_files_and_folders_are_not_content(pack: Path) -> None:
    before = fingerprint([pack])
    (pack / ".criteria.yaml.swp").write_text("half", encoding="utf-8")
    (pack / ".git").mkdir()
    (pack / ".git" / "HEAD").write_text("ref", encoding="utf-8")
    assert fingerprint([pack]) == before


def test_codes_and_a_directory_of_the_site_are_watched_too(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    directory = tmp_path / "teams.yaml"
    directory.write_text("provider: x\n", encoding="utf-8")
    settings = Settings(PERINATAL_CODES_PATH=tmp_path / "codes", PERINATAL_DIRECTORY_PATH=directory)
    folders = Adapter(settings).content_folders
    before = fingerprint(folders)
    (tmp_path / "codes" / "lithium.csv").write_text("system,code,display\n", encoding="utf-8")
    after = fingerprint(folders)
    assert {Path(name).name for name, *_ in after - before} == {"lithium.csv"}
    edit(directory, "provider: x", "provider: another")
    assert {Path(name).name for name, *_ in fingerprint(folders) - after} == {"teams.yaml"}


def test_no_request_is_dropped_while_content_changes(adapter: Adapter, pack: Path) -> None:
    """Requests run all the while that the pack is replaced and broken in turns; each is answered by one whole pack."""
    reloader, versions = Reloader(adapter), [f"8.0.{number}" for number in range(4)]
    answered: list[tuple[int, str]] = []
    over = threading.Event()

    def ask(client: TestClient) -> None:
        while not over.is_set():
            answer = client.post(f"/fhir/R4/$evaluate-referrals?asOf={samples.AS_OF}", json=samples.fhir())
            (guidance,) = (
                entry["resource"]
                for entry in answer.json()["entry"]
                if entry["resource"]["resourceType"] == "GuidanceResponse"
            )
            answered.append((answer.status_code, guidance["moduleCanonical"].partition("|")[2]))

    with TestClient(create_app(adapter)) as client, ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask, client) for _ in range(2)]
        taken = []
        try:
            for version in versions:
                release(pack, version)
                taken.append(settle(reloader))
                edit(pack / "criteria" / "safety.yaml", "safety: true", "safety: perhaps")
                taken.append(settle(reloader))
                ready = client.get("/health/ready").json()
                assert (ready["status"], ready["version"]) == ("ready", version)
                assert "safety.yaml" in ready["refused"]
                edit(pack / "criteria" / "safety.yaml", "safety: perhaps", "safety: true")
        finally:
            over.set()
        for each in asking:
            each.result()
    assert taken == [True, False] * len(versions)
    assert {status for status, _ in answered} == {200}
    assert {version for _, version in answered} <= {*versions, rules.load_pack().version}


def test_the_thread_goes_on_after_a_fault_and_stops_when_told(adapter: Adapter) -> None:
    looked = threading.Semaphore(0)
    faults = iter([OSError("the disk is gone")])

    def look(_: object) -> frozenset[tuple[str, int, int]]:
        looked.release()
        if looks.is_set() and (fault := next(faults, None)):
            raise fault
        return frozenset()

    looks = threading.Event()
    reloader = Reloader(adapter, look)
    looks.set()
    stop = reloader.start(0.001)
    for _ in range(4):
        assert looked.acquire(timeout=60)
    stop.set()
    assert not Reloader(adapter, look).start(0).is_set()


def test_the_definitions_are_those_of_the_pack_in_use(adapter: Adapter, pack: Path) -> None:
    reloader = Reloader(adapter)
    with TestClient(create_app(adapter)) as client:
        before = client.get(f"/fhir/R4/PlanDefinition/{R03}").json()["version"]
        release(pack, "9.9.9")
        assert settle(reloader) is True
        after = client.get(f"/fhir/R4/PlanDefinition/{R03}").json()["version"]
    assert (before, after) == (rules.load_pack().version, "9.9.9")


def test_what_is_wrong_is_raised_and_kept(adapter: Adapter, pack: Path) -> None:
    edit(pack / "facts.yaml", "type: ", "tpye: ")
    with pytest.raises(CannotStart, match=r"facts\.yaml:\d+:\d+"):
        adapter.reload()
    assert "facts.yaml" in adapter.refused


def test_a_change_that_could_not_be_looked_at_is_tried_again(
    adapter: Adapter, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reloader = Reloader(adapter)
    release(pack, "9.9.9")
    with monkeypatch.context() as broken:
        broken.setattr(Adapter, "reload", lambda _: (_ for _ in ()).throw(RuntimeError("something unforeseen")))
        assert reloader.check() is False
        with pytest.raises(RuntimeError):
            reloader.check()
    assert reloader.check() is True
    assert adapter.content().pack.version == "9.9.9"
