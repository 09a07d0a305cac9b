from __future__ import annotations

from pathlib import Path

import pytest

from rules import ContentError, load_yaml
from rules.engine.yaml_file import parse_yaml


def test_scalars_are_those_of_yaml_1_2():
    text = "{a: no, b: on, c: 2024-01-01, d: true, e: 12, f: 1.5, g: ~, h: '5', i: -3, j: 1e3, k: Y, l: 12:30:00}"
    assert parse_yaml(text, "f").data == {
        "a": "no", "b": "on", "c": "2024-01-01", "d": True, "e": 12, "f": 1.5, "g": None, "h": "5", "i": -3,
        "j": 1000.0, "k": "Y", "l": "12:30:00",
    }  # fmt: skip


def test_positions_are_of_keys_and_items_and_of_the_nearest_thing_around_what_is_missing():
    document = parse_yaml("a:\n  b:\n    - x\n    - {c: 1}\n", "f")
    assert document.position(("a", "b")) == (2, 3)
    assert document.position(("a", "b", 1, "c")) == (4, 8)
    assert document.position(("a", "b", 7)) == (2, 3)
    assert str(document.error(("a", "b", 0), "wrong")) == "f:3:7: wrong"


def test_a_simple_alias_is_its_value():
    assert parse_yaml("a: &x [1, 2]\nb: *x\n", "f").data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\na: 2\n", "f:2:1", "twice"),
        ("a: !!str 1\n", "f:1:4", "tag"),
        ("a: !x {}\n", "f:1:4", "tag"),
        ("a: &x [1]\nb: &y [*x]\nc: *y\n", "f:3:4", "holds aliases"),
        ("a: &x [*x]\n", "f:1:8", "no anchor"),
        ("a: 1\n---\nb: 2\n", "f:2:1", "second document"),
        ("1: a\n", "f:1:1", "a key must be text"),
        ("true: a\n", "f:1:1", "a key must be text"),
        ("? [a]\n: b\n", "f:1:3", "a key must be plain text"),
        ("a: {<<: {b: 1}}\n", "f:1:5", "merge"),
        ("a: 007\n", "f:1:4", "leading zero"),
        ("a: .nan\n", "f:1:4", "not-a-number"),
        ("a: 1e999\n", "f:1:4", "too large"),
        ("a: [1\n", "f:2:1", "not valid YAML"),
        ("- name: born: yes\n", "f:1:13", "in quotes"),
        ("a: \x07\n", "f:1:1", "not valid YAML"),
    ],
)
def test_what_changes_meaning_elsewhere_is_refused_with_its_place(text: str, place: str, words: str):
    with pytest.raises(ContentError, match=words) as caught:
        parse_yaml(text, "f")
    assert str(caught.value).startswith(f"{place}: ")


def test_files_that_cannot_be_read_are_content_errors(tmp_path: Path):
    with pytest.raises(ContentError, match="cannot be read"):
        load_yaml(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: caf\xe9\n")
    with pytest.raises(ContentError, match="UTF-8"):
        load_yaml(tmp_path / "latin.yaml")
