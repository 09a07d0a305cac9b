"""MLLP frames in pieces of any size, and what is no frame."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.mllp.framing import STRAY_LIMIT, Frames, Unframed, framed


def feed(*pieces: bytes, limit: int = 100) -> list[bytes]:
    frames = Frames(limit)
    return [message for piece in pieces for message in frames.feed(piece)]


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"", []),
        (b"\x0ba\x1c\r", [b"a"]),
        (b"\x0b\x1c\r", [b""]),
        (b"\x0ba\x1c\r\x0bb\x1c\r", [b"a", b"b"]),
        (b"\r\n \x0ba\x1c\r\r\nxyz\x0bb\x1c\r", [b"a", b"b"]),
        (b"\x0ba", []),
        (b"\x0ba\x1c", []),
        (b"\x0ba\x1cb\x1c\r", [b"a\x1cb"]),
        (b"\x0ba\x1c\x1c\r", [b"a\x1c"]),
        (b"\x0bhalf\x0bwhole\x1c\r", [b"whole"]),
        (b"\x0bone\x1c\x0btwo\x1c\x0bhalf\x0bthree\x1c\r", [b"one", b"two", b"three"]),
        (b"\x0b1\x0b2\x0b3\x1c\r\x0b4", [b"3"]),
        (b"a\x1c\r\x0bb\x1c\r", [b"b"]),
    ],
)
def test_frames_whole_and_byte_by_byte(data: bytes, messages: list[bytes]) -> None:
    assert feed(data) == messages
    assert feed(*(data[i : i + 1] for i in range(len(data)))) == messages


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=30).filter(lambda b: b"\x0b" not in b and b"\x1c\r" not in b), max_size=5),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_the_cuts_between_pieces_make_no_difference(messages: list[bytes], cuts: list[int]) -> None:
    data = b"".join(framed(message) for message in messages)
    ends = [0, *sorted(cuts), len(data)]
    assert feed(*(data[a:b] for a, b in pairwise(ends))) == messages


def test_what_was_broken_off_is_counted() -> None:
    frames = Frames(100)
    assert list(frames.feed(b"\x0b1\x0b2\x0b3\x1c\r\x0b4\x1c\x0b5\x1c\r")) == [b"3", b"4", b"5"]
    assert frames.broken_off == 2


def test_what_is_known_of_an_unfinished_frame() -> None:
    frames = Frames(100)
    assert not list(frames.feed(b"ab\x0bMSH"))
    assert (frames.began, bytes(frames.stray)) == (True, b"ab")
    assert list(frames.feed(b"\x1c\r\n")) == [b"MSH"]
    assert (frames.began, bytes(frames.stray)) == (False, b"\n")


@pytest.mark.parametrize(
    "pieces",
    [
        [b"\x0b" + b"x" * 101],
        [b"\x0b" + b"x" * 60, b"x" * 60],
        [framed(b"x" * 101)],
        [b"\x0b" + b"x" * 101 + b"\x1c\x0b"],
    ],
)
def test_a_message_over_the_limit(pieces: list[bytes]) -> None:
    with pytest.raises(Unframed, match="limit of 100 bytes") as caught:
        feed(*pieces)
    assert caught.value.held.startswith(b"xxx")
    assert feed(framed(b"x" * 100)) == [b"x" * 100]


def test_much_that_is_in_no_frame() -> None:
    assert feed(b"x" * STRAY_LIMIT + framed(b"a") + b"x" * STRAY_LIMIT + framed(b"b")) == [b"a", b"b"]
    with pytest.raises(Unframed):
        feed(*[b"GET / HTTP/1.1\r\n"] * 300)
