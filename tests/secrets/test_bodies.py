"""Keys in the bytes of a whole answer: masked where they stand, and nothing else moves."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.secrets.bodies import masked_body
from gwtui.secrets.redaction import Redactor

KEY = "made-up-0001112223334445"
REDACT = Redactor([KEY])
SHORT = "hunter2pass"


def chat(*pieces: str, indices: tuple[int, ...] = (0,)) -> bytes:
    events = (
        {"id": "c", "choices": [{"index": indices[at % len(indices)], "delta": {"content": piece}}]}
        for at, piece in enumerate(pieces)
    )
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


def contents(body: bytes) -> list[str]:
    lines = body.decode().split("\n\n")[:-1]
    return [json.loads(line.removeprefix("data: "))["choices"][0]["delta"]["content"] for line in lines]


@pytest.mark.parametrize(
    "text",
    [KEY, KEY.upper(), "".join(f"\\u{ord(char):04x}" for char in KEY), base64.b64encode(KEY.encode()).decode()],
)
def test_a_key_becomes_letters_that_fill_its_place(text: str) -> None:
    body = f'{{"héllo": "the key {text} is wrong"}}'.encode()
    masked, places = masked_body(body, REDACT)
    assert places
    assert len(masked) == len(body)
    assert masked.startswith('{"héllo": "the key x'.encode())
    assert b' is wrong"}' in masked
    assert not REDACT.spans(masked.decode())


@given(st.lists(st.integers(1, len(KEY) - 1), unique=True, max_size=6))
def test_a_key_is_masked_wherever_the_events_of_a_stream_cut_it(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(KEY)]
    pieces = [KEY[start:end] for start, end in pairwise(places)]
    body = chat("the key is ", *pieces, " and no more")
    masked, _ = masked_body(body, REDACT)
    assert contents(masked) == ["the key is ", *("x" * len(piece) for piece in pieces), " and no more"]


def test_a_key_is_masked_in_one_of_several_texts_that_come_in_turns() -> None:
    pieces = ["made-up", "one ", "-00011", "two ", "122233", "three ", "34445", "four"]
    masked, _ = masked_body(chat(*pieces, indices=(0, 1)), REDACT)
    assert contents(masked) == ["x" * 7, "one ", "x" * 6, "two ", "x" * 6, "three ", "x" * 5, "four"]


def test_a_key_is_masked_in_events_that_are_no_json_and_in_packed_ones() -> None:
    plain, _ = masked_body(b"data: made-up-000\n\ndata: 1112223334445 ok\n\n", REDACT)
    assert plain == b"data: xxxxxxxxxxx\n\ndata: xxxxxxxxxxxxx ok\n\n"
    packed = [
        base64.b64encode(json.dumps({"outputText": each}).encode()).decode() for each in ("made-up-00", "0111222")
    ]
    body = "".join(f'{{"bytes":"{each}"}}\n' for each in packed).encode()
    masked, _ = masked_body(body, REDACT)
    assert len(masked) == len(body)
    assert not any(each.encode() in masked for each in packed)


@given(st.binary(max_size=300))
def test_bytes_without_a_key_stay_as_they_are_whatever_they_are(data: bytes) -> None:
    assert masked_body(data, REDACT) == (data, 0)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_a_key_among_any_bytes_is_masked_in_place(before: bytes, behind: bytes) -> None:
    masked, places = masked_body(before + KEY.encode() + behind, REDACT)
    assert places
    assert len(masked) == len(before) + len(KEY) + len(behind)
    assert KEY.encode() not in masked


def test_a_short_key_is_masked_as_a_whole() -> None:
    assert masked_body(f"login {SHORT} ok".encode(), Redactor([SHORT])) == (b"login xxxxxxxxxxx ok", 1)
