"""``what_if.yaml``: what is wrong in it is said with its place; the shipped one is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules import LIBRARY, ContentError, load_pack
from rules.whatif import WhatIf
from rules.whatif.links import load_links
from tests.unit.rules.tiny import tiny


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("lasting: [nothing]", "1:11", "no fact is called 'nothing'"),
        ("lasting: [in_window]", "1:11", "in_window is derived"),
        ("always: []", "1:1", "unknown key 'always'"),
        ("never: [{score: {gte: high}}]", "1:18", "integer is needed"),
        ("follows: [{fact: score, is: false, then: {item: absent}}]", "1:12", "a boolean is needed"),
        ("follows: [{fact: ill, then: {in_window: absent}}]", "1:30", "it follows by itself"),
        ("follows: [{fact: ill, then: {item: gone}}]", "1:30", "must be one of absent, same"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, place: str, words: str):
    pack = tiny(tmp_path)
    (tmp_path / "what_if.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as raised:
        WhatIf(pack)
    assert f"what_if.yaml:{place}" in str(raised.value)
    assert words in str(raised.value)


def test_a_pack_needs_no_such_file(tmp_path: Path):
    links = load_links(tiny(tmp_path).content)
    assert (links.lasting, links.follows, links.never) == (frozenset(), (), ())


def test_the_shipped_file_knows_age_and_history_as_lasting():
    pack = load_pack(LIBRARY)
    try:
        links = load_links(pack.content)
    finally:
        pack.close()
    assert {"age_years", "severe_mental_illness", "family_history_bipolar_or_psychosis"} <= links.lasting
    assert {"epds_total", "epds_item_10"}.isdisjoint(links.lasting)
    assert links.moves["birth_on"] == ("pregnancy_ended_on",)
