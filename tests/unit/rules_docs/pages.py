"""Pages as their elements, for tests that look at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import NamedTuple

_APART = frozenset({"br", "li", "p", "div", "ul", "dt", "dd", "td", "th", "h2", "h3"})
_EMPTY = frozenset({"meta", "link", "br", "img", "hr", "input"})


class Element(NamedTuple):
    """One element: its tag, attributes, the tags around it, and its text with that of everything inside."""

    tag: str
    attributes: Mapping[str, str]
    around: tuple[str, ...]
    words: list[str]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        around = tuple(element.tag for element in self.open)
        element = Element(tag, {name: value or "" for name, value in attrs}, around, [])
        if tag in _APART:
            self.handle_data(" ")
        self.found.append(element)
        if tag not in _EMPTY:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"</{tag}> closes <{closed.tag}>"

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.words.append(data)


def elements(page: str) -> list[Element]:
    """Every element, in the page's order. Fails where one is not closed where it should be."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open, "elements are left open"
    return reader.found


def of(page: str, *tags: str) -> Iterator[Element]:
    return (element for element in elements(page) if element.tag in tags)


def text(page: str) -> str:
    """The words of the main part."""
    (main,) = of(page, "main")
    return main.text


def table(page: str, caption: str) -> list[list[str]]:
    """The cells of the table whose caption begins so, without its head."""
    rows: list[list[str]] = []
    inside = False
    for element in elements(page):
        if element.tag == "table":
            inside = False
        elif element.tag == "caption":
            inside = element.text.startswith(caption)
        elif inside and element.tag == "tr" and "tbody" in element.around:
            rows.append([])
        elif inside and element.tag in ("td", "th") and "tbody" in element.around:
            rows[-1].append(element.text)
    return rows
