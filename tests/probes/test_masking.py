"""Every text of a record that a gateway may have had a hand in is masked, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from gwtui.model.concurrency import Concurrency, ModelTimeline
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding, Phases, Ping, Request, StreamEvent
from gwtui.model.verdicts import Verdict
from gwtui.probes.masking import PING_TEXTS, REQUEST_TEXTS, EventMask, masked_ping, masked_request
from gwtui.secrets.redaction import MASK, Redactor
from gwtui.secrets.streams import FrameRedactor, RunningRedactor

KEY = "sk-q7Zxa2W9vB3kTpL0mYc8HdRf"
OWN = {"endpoint", "api", "model", "rule", "address", "no_rate", "vantage", "prompt_hash"}
"""Texts of the profile, of our own rules, and of the system."""
REDACT = Redactor([KEY])


def texts(record: type[Request | Ping]) -> set[str]:
    return {field.name for field in fields(record) if field.type is str or field.type == "str"}


@pytest.mark.parametrize(("record", "masked"), [(Request, REQUEST_TEXTS), (Ping, PING_TEXTS)])
def test_every_text_is_masked_or_our_own(record: type[Request | Ping], masked: tuple[str, ...]) -> None:
    assert texts(record) - OWN == set(masked)


def all_of(**more: Any) -> dict[str, Any]:
    finding = Finding(name=FindingName.RETRIES, evidence=f"x-{KEY.lower()}-retries: 3", cause=f"it says {KEY}")
    headers = {"via": KEY, "x-request-id": "1", f"x-ratelimit-{KEY.lower()}": "5", f"x-ratelimit-{KEY}": "6"}
    own = {"endpoint": KEY, "number": 1, "started_at": 0.0, "now_ns": 0, "rule": KEY, "verdict": Verdict.AUTH}
    return {**own, "findings": (finding,), "headers": headers, **more}


def assert_masked(record: Request | Ping, names: tuple[str, ...]) -> None:
    assert {name: getattr(record, name) for name in names} == dict.fromkeys(names, f"a {MASK} z")
    assert record.headers == {"via": MASK, "x-request-id": "1", f"x-ratelimit-{MASK}": "5, 6"}
    assert record.findings == (
        Finding(name=FindingName.RETRIES, evidence=f"x-{MASK}-retries: 3", cause=f"it says {MASK}"),
    )
    assert (record.endpoint, record.rule) == (KEY, KEY)


def test_a_request_holds_no_key() -> None:
    phases = Phases(tls=f"TLSv1.3, issuer {KEY}", address="127.0.0.1:80")
    whole = dict.fromkeys(REQUEST_TEXTS, f"a {KEY.upper()} z")
    models = Concurrency(models=(ModelTimeline(model=f"m-{KEY}", error=f"no {KEY}"),))
    request = Request(**all_of(api=KEY, model=KEY, phases=phases, concurrency=models, **whole))
    masked = masked_request(request, REDACT)
    assert_masked(masked, REQUEST_TEXTS)
    assert masked.phases == Phases(tls=f"TLSv1.3, issuer {MASK}", address="127.0.0.1:80")
    assert (masked.api, masked.model) == (KEY, KEY)
    assert masked.concurrency.models == (ModelTimeline(model=f"m-{MASK}", error=f"no {MASK}"),)


def test_a_ping_holds_no_key() -> None:
    assert_masked(masked_ping(Ping(**all_of(**dict.fromkeys(PING_TEXTS, f"a {KEY.swapcase()} z"))), REDACT), PING_TEXTS)


@pytest.mark.parametrize("text", [f"{KEY[3:8]}…", f"so {KEY[9:15]}…"])
def test_what_is_left_of_a_key_that_was_cut_is_masked_in_an_event(text: str) -> None:
    event = StreamEvent(name="e", kind=EventKind.TEXT, text=text, raw=text)
    for each in (event, replace(event, text=""), replace(event, raw="")):
        masked = EventMask(REDACT)(each)
        assert {masked.text, masked.raw} <= {REDACT(text), MASK, ""} - {text}


def test_events_hold_no_key_and_show_no_more_than_seven_characters_of_one_in_pieces() -> None:
    mask = EventMask(REDACT)
    whole = StreamEvent(name=KEY, kind=EventKind.TEXT, text=KEY, raw=f'"{KEY}"', note=KEY, model=KEY)
    assert mask(whole) == StreamEvent(name=MASK, kind=EventKind.TEXT, text=MASK, raw=MASK, note=MASK, model=MASK)
    other = StreamEvent(name="e", kind=EventKind.OTHER, raw=f'{{"id": "{KEY[5:]}"}}')
    assert mask(other) == StreamEvent(name="e", kind=EventKind.OTHER, raw=f'{{"id": "{MASK}"}}')
    mask = EventMask(REDACT)
    shown = [mask(StreamEvent(name="e", kind=EventKind.TEXT, text=char, raw=char)) for char in KEY]
    assert "".join(event.text for event in shown) == KEY[:7] + MASK * (len(KEY) - 7)
    assert "".join(event.raw for event in shown) == KEY[:7] + MASK * (len(KEY) - 7)


SHORT = "pass-word"
TAGS = ("<b>", "<", ">", "<!--", "-->", "\x1b[31m", "[1m", " ", "...", "…")
ESCAPES = (
    "\\",
    "\\u0",
    "0073",
    "&amp",
    "#115;",
    ";",
    "%",
    "25",
    "=",
    '"',
    "\n",
    " ",
    "...",
    "…",
    "é",
    "\u4f60",
    "\\u4f60",
    "\u200b",
)
WORDS = (
    "w",
    "ord",
    SHORT,
    SHORT[:4],
    SHORT[4:],
    *(KEY[at : at + size] for at in range(0, 26, 3) for size in (2, 5, 9)),
)
BITS = st.sampled_from((*TAGS, *ESCAPES, *WORDS))
TEXTS = st.lists(BITS, max_size=6).map("".join)
FRAMES = st.tuples(TEXTS, TEXTS).map(lambda ends: (f'{{"id": "{ends[0]}", "delta": "', f'", "model": "{ends[1]}"}}'))


@settings(deadline=None)
@given(st.lists(FRAMES, min_size=1, max_size=2), st.lists(st.tuples(st.integers(0, 1), TEXTS), max_size=8))
def test_what_events_share_hides_no_key(frames: list[tuple[str, str]], events: list[tuple[int, str]]) -> None:
    redact = Redactor([KEY, SHORT])
    framed = FrameRedactor(redact)
    for which, text in events:
        begin, end = frames[which % len(frames)]
        for whole in (f"{begin}{text}{end}", f"{begin}{json.dumps(text)[1:-1]}{end}"):
            assert framed(whole) == redact(whole)


@settings(deadline=None)
@given(st.sampled_from([[KEY], [KEY, SHORT], [SHORT]]), st.lists(st.tuples(st.sampled_from("ab"), TEXTS), max_size=12))
def test_an_event_is_masked_as_its_texts_are_one_by_one(keys: list[str], events: list[tuple[str, str]]) -> None:
    redact = Redactor(keys)
    mask, running = EventMask(redact), RunningRedactor(redact)
    for model, piece in events:
        raw = json.dumps({"model": model, "text": piece})
        masked = mask(StreamEvent(name="e", kind=EventKind.TEXT, text=piece, raw=raw, model=model))
        text = running(piece, (EventKind.TEXT, model)) if piece else ""
        assert (masked.text, masked.raw) == (text, redact(raw) if text == piece else MASK)
