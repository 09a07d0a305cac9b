"""The page: well-formed, self-contained, escaped, readable without colours, and with safety rules first."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import jsonschema_rs
import orjson
import pytest

from adapter.simulate import Simulation, page
from adapter.simulate.page import COLOURS, Bar, chart
from rules import PRIORITIES
from tests.e2e.console import ROOT
from tests.unit.simulate.builders import cohort, edit, mother, pack, simulated

VOID = {"meta", "input", "col", "rect", "br", "link", "img"}
HOSTILE = '<script>alert("x")</script>'


class Read(HTMLParser):
    """Checks that elements are closed in turn; keeps the elements with their attributes, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def said(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    folder = tmp_path_factory.mktemp("page")
    records = cohort(folder / "cohort", **{"a": mother(10), "b": mother(9, 1), "c&<i>": mother(13), "broken": "{"})
    b = pack(folder / "b", epds_possible="11", self_harm_item_gp="2")
    edit(b, "services.yaml", "label: NHS Talking Therapies", f"label: '{HOSTILE}'")
    edit(
        b,
        "criteria/depression_and_anxiety.yaml",
        "title: Mild to moderate depression or anxiety",
        f"title: '{HOSTILE}'",
    )
    return simulated(records, str(b))


def test_the_page_is_well_formed_and_has_one_language_title_and_main_heading(found: Simulation) -> None:
    read = Read(page(found))
    assert read.all("html") == [{"lang": "en"}]
    assert read.said("h1") == read.said("title")[:1] == ["What a change of the rules would change: cohort"]
    assert read.said("h2") == [
        "Safety rules: lost, later or not decided in B",
        "Referrals by service and priority",
        "What changes, and for whom",
        "What differs in the rules",
    ]


def test_nothing_comes_from_elsewhere_and_nothing_hostile_is_left(found: Simulation) -> None:
    text = page(found)
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in text
    assert "<i>" not in text
    read = Read(text)
    assert len(read.all("script")) == 1
    assert not any({"src", "href", "onclick"} & attributes.keys() for _, attributes in read.elements)
    assert not re.search(r"https?:|url\(|@import", text)
    (policy,) = [each["content"] for each in read.all("meta") if "http-equiv" in each]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def test_tables_have_captions_and_headings_have_scopes(found: Simulation) -> None:
    read = Read(page(found))
    assert len(read.all("caption")) == len(read.all("table")) == 2
    assert all(each.get("scope") in ("col", "row", "rowgroup") for each in read.all("th"))
    labels = {each["for"] for each in read.all("label")}
    assert labels == {each["id"] for each in (*read.all("select"), *read.all("input"))}


def test_the_safety_rule_stands_first_and_is_marked_in_words(found: Simulation) -> None:
    read = Read(page(found))
    assert [each["data-safety"] for each in read.all("tbody")[1:]] == ["yes", "", ""]
    assert read.said("li")[0] == ": No longer referred: GP practice"
    assert read.said("strong")[0] == "b.json"
    assert "SAFETY RULE" in read.said("span")


def test_a_record_that_cannot_be_decided_is_on_the_page(found: Simulation) -> None:
    last = Read(page(found)).all("tbody")[-1]
    assert last["data-kinds"] == "Not decided"
    assert "broken.json" in page(found)


def test_the_filters_offer_what_there_is(found: Simulation) -> None:
    read = Read(page(found))
    assert read.said("option") == [
        "everything",
        "No longer referred",
        "Not decided",
        "every service",
        HOSTILE,
        "GP practice",
    ]
    assert {each["data-services"] for each in read.all("tbody")[1:]} == {"gp", "talking-therapies", ""}
    assert read.all("form") == [{"id": "filter", "hidden": None}]


def test_the_chart_draws_the_counts_and_says_them(found: Simulation) -> None:
    drawn = chart(found)
    assert [(row.label, row.side, row.total) for row in drawn.rows] == [
        (HOSTILE, "A", 2),
        ("", "B", 1),
        ("GP practice", "A", 1),
        ("", "B", 0),
    ]
    widths = [sum(bar.width for bar in row.bars) for row in drawn.rows]
    assert widths == [widths[0], widths[0] / 2, widths[0] / 2, 0]
    assert all(row.end <= drawn.width for row in drawn.rows)
    assert drawn.words == f"{HOSTILE}: 2 under A, 1 under B. GP practice: 1 under A, 0 under B."
    (svg,) = Read(page(found)).all("svg")
    assert (svg["role"], svg["aria-labelledby"]) == ("img", "chart-title chart-words")


def test_a_cohort_that_refers_nobody_has_no_chart(tmp_path: Path) -> None:
    assert chart(simulated(cohort(tmp_path / "c", a=mother(5)), "")).rows == ()
    assert "No side refers anybody." in page(simulated(tmp_path / "c", ""))
    assert "Nothing differs for anybody." in page(simulated(tmp_path / "c", ""))


def test_a_bar_that_is_too_narrow_for_its_number_does_without() -> None:
    assert [Bar(0, width, 1, "#000000").fits for width in (13.9, 14)] == [False, True]


@pytest.mark.parametrize("colour", [*COLOURS.values(), "#8a1c14", "#4c6272", "#212b32"])
def test_colours_are_told_from_white(colour: str) -> None:
    """WCAG 2.2, relative luminance; 4.5 is asked of text, and the bars carry white numbers."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


def test_every_priority_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == set(PRIORITIES)
    assert len(set(COLOURS.values())) == len(PRIORITIES)


def test_the_data_has_the_documented_form_and_names_nobody(found: Simulation) -> None:
    schema = orjson.loads((ROOT / "docs" / "schemas" / "rules-simulate.json").read_bytes())
    data = found.json()
    jsonschema_rs.validator_for(schema).validate(data)
    text = orjson.dumps(data).decode() + page(found)
    assert "SYNTHETIC" not in text
    assert "9990000018" not in text
    assert [each["record"] for each in data["changes"]] == ["b.json", "a.json"]
    assert [each["record"] for each in data["failed"]] == ["broken.json"]
