"""What holds of every page: it can be read by people with any browser, on paper and with a screen reader, from a folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import html5lib
import pytest

from rules import LIBRARY
from rules.tools.docs import site
from tests.unit.rules.tiny import write
from tests.unit.rules_docs.pages import elements, of

AS_OF = date(2026, 3, 2)
_LOADING = ("script", "img", "iframe", "object", "embed", "video", "audio", "source", "form", "base")


@pytest.fixture(scope="module")
def shipped() -> Mapping[str, str]:
    return site(LIBRARY, AS_OF)


@pytest.fixture(scope="module", params=["shipped", "tiny"])
def files(request: pytest.FixtureRequest, shipped: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory):
    """Also of a pack that has no steps, asks, code lists and tests."""
    return shipped if request.param == "shipped" else site(write(tmp_path_factory.mktemp("tiny")), AS_OF)


def html(files: Mapping[str, str]) -> dict[str, str]:
    return {name: page for name, page in files.items() if name.endswith(".html")}


def test_every_page_is_html_without_an_error(files: Mapping[str, str]):
    for name, page in html(files).items():
        parser = html5lib.HTMLParser(strict=False)
        parser.parse(page)
        assert parser.errors == [], name
        elements(page)


def test_every_link_leads_somewhere(files: Mapping[str, str]):
    ids = {
        name: {e.attributes["id"] for e in elements(page) if "id" in e.attributes} for name, page in html(files).items()
    }
    followed = 0
    for name, page in html(files).items():
        for link in of(page, "a", "link"):
            target, _, fragment = link.attributes["href"].partition("#")
            if target.startswith(("https://", "http://")):
                assert link.tag == "a", "nothing is loaded from elsewhere"
                continue
            assert (target or name) in files, f"{name} links to {target}"
            assert not fragment or fragment in ids[target or name], f"{name} links to {target}#{fragment}"
            followed += 1
    assert followed > len(files)


def test_every_id_is_there_once_and_every_label_has_its_element(files: Mapping[str, str]):
    for name, page in html(files).items():
        counted = Counter(e.attributes["id"] for e in elements(page) if "id" in e.attributes)
        assert [each for each, times in counted.items() if times > 1] == [], name
        labels = [e.attributes["aria-labelledby"] for e in elements(page) if "aria-labelledby" in e.attributes]
        assert set(labels) <= set(counted), name


def test_every_table_says_what_it_is_and_what_its_headers_head(files: Mapping[str, str]):
    tables = 0
    for name, page in html(files).items():
        after = ""
        for element in elements(page):
            if after == "table":
                assert element.tag == "caption", f"a table without a caption in {name}"
                assert element.text
            if element.tag == "th":
                assert element.attributes.get("scope") in ("col", "row"), name
            after = element.tag
            tables += element.tag == "table"
    assert tables > 5


def test_headings_go_down_one_step_at_a_time_from_one_h1(files: Mapping[str, str]):
    for name, page in html(files).items():
        levels = [int(e.tag[1]) for e in of(page, "h1", "h2", "h3", "h4", "h5", "h6")]
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), name
        assert all(e.text for e in of(page, "h1", "h2", "h3")), name


def test_a_page_has_its_language_title_landmarks_and_a_way_past_the_navigation(files: Mapping[str, str]):
    titles = []
    for name, page in html(files).items():
        found = elements(page)
        assert page.startswith("<!DOCTYPE html>\n")
        assert found[0].attributes["lang"] == "en-GB"
        titles += [e.text for e in found if e.tag == "title"]
        first_link = next(e for e in found if e.tag == "a")
        assert first_link.attributes == {"class": "skip", "href": "#main"}
        assert [e.tag for e in found if e.tag in ("header", "nav", "main", "footer")] == [
            "header",
            "nav",
            "main",
            "footer",
        ]
        here = [e.attributes["href"] for e in found if "aria-current" in e.attributes]
        assert here == ([] if name.startswith("rule-") else [name])
    assert len(set(titles)) == len(titles), "two pages have one title"


def test_nothing_is_loaded_but_the_style_sheet_beside_the_page(files: Mapping[str, str]):
    for name, page in html(files).items():
        assert not list(of(page, *_LOADING)), name
        assert [e.attributes["href"] for e in of(page, "link")] == ["style.css"]
        assert not re.search(r"\b(on\w+|src|style)=", page), name
    assert not re.search(r"@import|url\(|@font-face|https?:", files["style.css"])


def test_the_same_pack_gives_the_same_pages_wherever_it_lies(tmp_path: Path):
    first, second = (site(write(tmp_path / name), AS_OF) for name in ("here", "there"))
    assert first == second
    assert str(tmp_path) not in "".join(first.values())


def test_words_of_a_pack_are_never_taken_for_markup(tmp_path: Path):
    text = "- {id: r1, title: '<script>alert(1)</script> & co', sources: [{document: '<b>', url: 'https://a.example/\"x'}], when: {ill: present}, then: [{flag: {code: f}}]}"
    files = site(write(tmp_path, criteria=text), AS_OF)
    page = files["rule-r1.html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in page
    assert not list(of(page, "script", "b"))
    assert [e.attributes["href"] for e in of(page, "a") if "a.example" in e.attributes["href"]] == [
        'https://a.example/"x'
    ]


def test_a_link_is_made_of_a_source_only_where_it_is_one(tmp_path: Path):
    text = "- {id: r1, title: x, sources: [{document: d, url: 'javascript:alert(1)'}], when: {ill: present}, then: [{flag: {code: f}}]}"
    page = site(write(tmp_path, criteria=text), AS_OF)["rule-r1.html"]
    assert "javascript:alert(1)" in page
    assert not [e for e in of(page, "a") if e.attributes["href"].startswith("javascript")]


def _luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_text_has_the_contrast_of_wcag_aa_on_every_ground_it_stands_on(shipped: Mapping[str, str]):
    style = shipped["style.css"]
    named = dict(re.findall(r"--(\w+): #([0-9a-f]+)", style))
    rules = dict(re.findall(r"^([^@{}\n]+) \{ ([^}]*) \}$", style, re.MULTILINE))
    light = [named["ground"], named["band"], re.search(r"background: #([0-9a-f]+)", rules[":target"])[1]]
    marks = [re.search(r"color: #([0-9a-f]+)", rules[f".mark.{kind}"])[1] for kind in ("read", "confirm")]
    header = re.search(r"background: #([0-9a-f]+)", rules["header.site"])[1]
    dark_on_light = [
        (colour, ground) for colour in (named["ink"], named["soft"], named["link"], *marks) for ground in light
    ]
    for colour, ground in [*dark_on_light, ("fff", header), ("fff", named["safety"])]:
        lighter, darker = sorted((_luminance(colour), _luminance(ground)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"#{colour} on #{ground}"
