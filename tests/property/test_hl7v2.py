"""Any HL7 v2 message: the splitter agrees with the ``hl7`` library, and no bytes make it crash."""

from __future__ import annotations

import contextlib

import hl7
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import Malformed
from adapter.records import RawRecord
from adapter.sources.hl7v2 import read
from adapter.sources.hl7v2_rows import parse_path

ESCAPED = {"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\"}
TEXT = st.text(st.sampled_from("aZ9 é|^&~\\-"), min_size=1, max_size=6).map(
    lambda text: "".join(ESCAPED.get(character, character) for character in text.strip() or "x")
)


def joined(part: st.SearchStrategy[str], separator: str, most: int) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(st.just(""), part), min_size=1, max_size=most).map(separator.join)


FIELD = joined(joined(joined(TEXT, "&", 3), "^", 4), "~", 2)
FIELDS = st.lists(FIELD, min_size=1, max_size=12).map("|".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["NK1", "PV1", "DG1", "ZZ1"]), FIELDS), max_size=4))
def test_every_leaf_is_what_the_library_reads(segments: list[tuple[str, str]]) -> None:
    lines = ["MSH|^~\\&|MAT|RX1|||20240301||ADT^A01|1|P|2.4", "PID|1||9990000018^^^NHS"]
    lines += [f"{name}|{fields}" for name, fields in segments]
    text = "\r".join(lines) + "\r"
    (record,) = read(RawRecord("x", text.encode()))
    judge = hl7.parse(text)
    ours = sum(1 for row in record.order for name in row.populated())
    theirs = 0
    for row, segment in zip(record.order, judge, strict=True):
        for name in row.populated():
            path = parse_path(name)
            field = segment(path.field)
            if row.name == "MSH" and path.field < 3:
                continue
            raw = field if isinstance(field, str) else field(path.repetition or 1)
            raw = raw if isinstance(raw, str) else raw(path.component or 1)
            raw = raw if isinstance(raw, str) else raw(path.subcomponent or 1)
            assert row.get(name) == judge.unescape(str(raw)).strip()
        for field in list(segment)[1:]:
            for repetition in field:
                for component in [repetition] if isinstance(repetition, str) else repetition:
                    theirs += sum(
                        1 for leaf in ([component] if isinstance(component, str) else component) if leaf.strip()
                    )
    assert ours == theirs


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b"MSH|^~\\&|||||||ADT^A01|1|P|2.4", b"MSH", b"PID|1||1^^^A", b"OBX|", b"FHS|^", b"BTS|2", b"BHS", b"\x0b",
             b"\x1c\r", b"\r", b"\n", b"\xff", b"|", b"^~\\&", b"\\X4", b'""', b"BTS", b"NTE|1", b"OBR|1", b"ORC|1"]
        )
    ).map(b"".join)
)  # fmt: skip
def test_no_bytes_crash_it(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        for record in read(RawRecord("x", data)):
            for row in record.order:
                for name in row.populated():
                    row.get(name)
                    assert row.place(name)
