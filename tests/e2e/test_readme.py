"""Every command that the README and the documents show runs, and prints what they show.

Outputs are written by ``python -m tests.e2e.console README.md docs/…`` and read by a person before they are committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.console import ROOT, Step, enter, follow, run, steps

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = [step for step in steps(README) if not step.name]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.text for example in EXAMPLES])
def test_the_readme_shows_what_happens(example: Step, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    assert run(example.text.replace("coverage.txt", str(tmp_path / "coverage.txt"))) == example.output


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_can_be_followed_step_by_step(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document = path.read_text(encoding="utf-8")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.chdir(tmp_path)
    enter(tmp_path)
    for step, output in follow(document):
        if output is not None:
            assert output == step.output, step.text
