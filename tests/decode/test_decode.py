"""A capture, however it was saved, means what the live stream would have meant; what is none is refused in one line."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apis import SCRIPTS, script_of
from support.framed import stream_type
from support.script import Script
from support.streams import decode, decode_chunks, names

from gwtui.decode import CaptureError, Exchange
from gwtui.decode.capture import Capture
from gwtui.framing.sse import MAX_LINE
from gwtui.model.enums import End, FindingName, Outcome
from gwtui.model.verdicts import Verdict
from gwtui.report import decode_json, decode_text

SCRIPT = script_of("openai-chat")
BODY = SCRIPT.wire(SCRIPT.good)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Trace: t1\r\n"


def chunked(*pieces: bytes, last: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + last


CAPTURES = [
    ("only the body", BODY),
    ("headers", HEAD + b"\r\n" + BODY),
    ("headers that an editor saved", HEAD.replace(b"\r", b"") + b"\n" + BODY),
    ("HTTP/2", b"HTTP/2 200 \r\ncontent-type: text/event-stream\r\n\r\n" + BODY),
    ("100 Continue first", b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"\r\n" + BODY),
    ("a proxy's CONNECT first", b"HTTP/1.1 200 Connection established\r\n\r\n" + HEAD + b"\r\n" + BODY),
    ("a redirect first", b"HTTP/1.1 307 T\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n" + HEAD + b"\r\n" + BODY),
    ("chunks left in", HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(BODY[:7], BODY[7:])),
    ("chunks with extensions", HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x;a=b\r\n" % len(BODY) + BODY
     + b"\r\n0\r\n\r\n"),
    ("chunks without headers", chunked(BODY[:50], BODY[50:])),
    ("chunks taken out by curl", HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + BODY),
    ("compressed", HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(BODY)),
    ("compressed and chunked", HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
     + chunked(gzip.compress(BODY))),
    ("compressed without headers", gzip.compress(BODY)),
    ("unpacked by curl", HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + BODY),
    ("a BOM", b"\xef\xbb\xbf" + BODY),
    ("CR for line ends", BODY.replace(b"\n", b"\r")),
]  # fmt: skip


@pytest.mark.parametrize("data", [case[1] for case in CAPTURES], ids=[case[0] for case in CAPTURES])
def test_a_capture_means_what_the_stream_meant(data: bytes) -> None:
    decoded = decode(data, SCRIPT.api)
    assert decoded.judgement.verdict is Verdict.COMPLETE
    assert (len(decoded.events), decoded.text) == (len(SCRIPT.good), "ab")


BROKEN = [
    ("the last chunk is missing", chunked(BODY[:200], last=b"")),
    ("inside a chunk", chunked(BODY[:200])[:-60]),
    ("no chunk size", chunked(BODY[:200], last=b"oops")),
]


@pytest.mark.parametrize("body", [case[1] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_capture_that_breaks_off_is_truncated(body: bytes) -> None:
    judgement = decode(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body, SCRIPT.api).judgement
    assert judgement.verdict is Verdict.TRUNCATED
    assert judgement.rule.startswith("transport.")


REFUSED = [
    (b"", "the capture is empty"),
    (b" \r\n", "the capture is empty"),
    (b"\x89PNG\r\n\x1a\n", "the capture is not an event stream: it begins with"),
    (b"[DONE]", "the capture is not an event stream: it begins with"),
    (b"just words\n", "the capture is not an event stream: it begins with 'just words↵'"),
    (b"\x1f\x8boops", "the body begins like gzip but is not gzip"),
]


@pytest.mark.parametrize(("data", "words"), REFUSED)
def test_what_is_no_stream_is_refused_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(CaptureError, match=re.escape(words)) as refused:
        decode(data, SCRIPT.api)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("api", ["openai-chatt", "http", "websocket", "\x1b"])
def test_an_api_that_streams_nothing_is_refused(api: str) -> None:
    with pytest.raises(CaptureError, match=r"is no API that streams: (did you mean|known)"):
        decode(BODY, api)


ANSWERED = [
    (b"HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\n\r\nslow down", Verdict.RATE_LIMITED, "http.429"),
    (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Hi</title>", Verdict.NOT_A_STREAM, "stream.page"),
    (b"HTTP/1.1 200 OK\r\n\r\n" + BODY, Verdict.NOT_A_STREAM, "stream.content-type"),
    (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", Verdict.EMPTY, "openai.no-content"),
    (b"HTTP/1.1 307 X\r\nLocation: https://other/?key=1\r\n\r\n", Verdict.REDIRECT, "http.307"),
]


@pytest.mark.parametrize(("data", "verdict", "rule"), ANSWERED)
def test_headers_are_judged_too(data: bytes, verdict: Verdict, rule: str) -> None:
    judgement = decode(data, SCRIPT.api).judgement
    assert (judgement.verdict, judgement.rule) == (verdict, rule)


def whole_of(script: Script) -> bytes:
    return json.dumps(script.whole).encode()


ANSWERS = [script for script in SCRIPTS if script.whole]
"""Those of APIs that answer whole too."""
HOW = {
    "bare": lambda body: body,
    "bare and indented": lambda body: json.dumps(json.loads(body), indent=2).encode(),
    "bare, after a BOM": lambda body: b"\xef\xbb\xbf" + body + b"\r\n",
    "bare and compressed": gzip.compress,
    "bare chunks": lambda body: chunked(body[:20], body[20:]),
    "headers": lambda body: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body,
    "headers of HTTP/2": lambda body: b"HTTP/2 200 \r\ncontent-type: application/json; charset=utf-8\r\n\r\n" + body,
    "headers without a type": lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body,
}


@pytest.mark.parametrize("saved", HOW.values(), ids=HOW)
@pytest.mark.parametrize("script", ANSWERS, ids=str)
def test_a_whole_answer_is_read_however_it_was_saved(script: Script, saved: Callable[[bytes], bytes]) -> None:
    decoded = decode(saved(whole_of(script)), script.api)
    assert (decoded.judgement.verdict, decoded.is_stream, decoded.events) == (Verdict.COMPLETE, False, ())
    assert (decoded.text, decoded.usage.output_tokens) == ("ab", 2)
    assert "read as one answer" in decode_text(decoded)
    assert json.loads(decode_json(decoded))["stream"] is False


@pytest.mark.parametrize("script", ANSWERS, ids=str)
def test_a_whole_answer_that_is_cut_is_no_good_answer(script: Script) -> None:
    body = whole_of(script)[:-3]
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 3}\r\n\r\n".encode()
    assert decode(head + body, script.api).judgement.verdict is Verdict.TRUNCATED
    assert decode(body, script.api).judgement.verdict.outcome is Outcome.FAILED


def test_one_line_of_an_ndjson_stream_is_no_whole_answer() -> None:
    script = script_of("ollama-chat")
    first = script.wire(script.good[:1])
    decoded = decode(first, script.api)
    assert (decoded.judgement.verdict, decoded.is_stream) == (Verdict.TRUNCATED, True)


@pytest.mark.parametrize(
    ("body", "verdict"), [(b'{"error": {"message": "no"}}', "server_error"), (b"{}", "wrong_body")]
)
def test_a_bare_error_or_another_document_is_judged(body: bytes, verdict: str) -> None:
    assert decode(body, "openai-chat").judgement.verdict == verdict


def test_an_endless_line_is_too_large_and_what_came_before_it_is_reported() -> None:
    decoded = decode(BODY[:200] + b"\n\ndata: " + b"x" * MAX_LINE, SCRIPT.api)
    assert decoded.judgement.verdict is Verdict.TOO_LARGE
    assert decoded.events


def test_renamed_fields_of_a_comparison() -> None:
    body = (
        b'data: {"e":"chunk","model":"a","content":"x"}\n\ndata: {"e":"done","model":"a"}\n\ndata: {"e":"complete"}\n\n'
    )
    assert decode(body, "compare-stream", {"type": "e"}).judgement.verdict is Verdict.COMPLETE
    with pytest.raises(CaptureError, match=r"`fields\.kind`: unknown name"):
        decode(body, "compare-stream", {"kind": "e"})


def test_texts_of_several_models_stand_one_after_another() -> None:
    spoken = (("a", "one "), ("b", "three"), ("a", "two"))
    events = [{"type": "chunk", "model": model, "content": text} for model, text in spoken]
    ends: list[dict[str, str]] = [{"type": "done", "model": "a"}, {"type": "done", "model": "b"}, {"type": "complete"}]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in [*events, *ends]).encode()
    assert decode_text(decode(body, "compare-stream")).endswith("\n  text of a:\n    one two\n  text of b:\n    three")


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_what_is_printed_says_what_was_read(script: Script) -> None:
    events = (*script.opening, *script.content, script.error)
    head = script.response(b"").replace(b"\r\n\r\n", b"\r\nX-Trace: t1\r\n\r\n")
    decoded = decode(head + script.wire(events), script.api)
    document = json.loads(decode_json(decoded))
    assert (document["verdict"], document["event_number"], document["events"]) == (
        "error_in_stream",
        len(events),
        len(events),
    )
    assert document["headers"] == {"content-type": stream_type(script.api), "x-trace": "t1"}
    assert [event["number"] for event in document["events_detail"]] == list(range(1, len(events) + 1))
    text = decode_text(decoded)
    assert text.startswith("✖ error_in_stream  ")
    assert next(line for line in text.splitlines() if "◀" in line).startswith(f"  {len(events):>4}  ")
    assert "x-trace       t1" in text


def test_what_is_printed_of_hostile_text_is_clean() -> None:
    body = b'data: {"choices":[{"delta":{"content":"\\u001b]52;c;x\\u0007\\n[/]"}}]}\n\nevent: \x1b[2J\ndata: oops\n\n'
    decoded = decode(HEAD + b"X-Request-Id: \x1b[2J\r\n\r\n" + body, SCRIPT.api)
    assert all(line.isprintable() for line in decode_text(decoded).splitlines())
    assert FindingName.BAD_JSON in names(decoded.findings)


@given(
    st.binary(max_size=80)
    | st.binary(max_size=60).map(lambda tail: HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + tail)
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(CaptureError):
        decoded = decode(data, SCRIPT.api)
        assert json.loads(decode_json(decoded))["rule"]
        assert all(line.isprintable() for line in decode_text(decoded).splitlines())


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5))
def test_chunks_are_taken_out(pieces: list[bytes]) -> None:
    capture = Capture(Exchange([HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*pieces, b".")]))
    body = b"".join(pieces) + b"."
    if not body.startswith(b"\x1f\x8b"):
        assert (b"".join(capture.body()), capture.end) == (body, End.CLEAN)


@pytest.mark.parametrize("data", [case[1] for case in CAPTURES], ids=[case[0] for case in CAPTURES])
def test_a_capture_means_the_same_however_its_bytes_come(data: bytes) -> None:
    assert decode_chunks((data[at : at + 1] for at in range(len(data))), SCRIPT.api) == decode(data, SCRIPT.api)


def test_of_very_many_events_beginning_and_end_are_kept_with_their_numbers() -> None:
    found = decode_chunks((b"data: %d\n\n" % number for number in range(1, 25_001)), SCRIPT.api)
    numbers = [number for number, _ in found.numbered()]
    assert numbers == [*range(1, 10_001), *range(15_001, 25_001)]
    assert all(event.raw == str(number) for number, event in found.numbered())
    assert (json.loads(decode_json(found))["events"], found.event_count) == (25_000, 25_000)
    assert "5,000 events in between" in decode_text(found)


def test_no_more_of_a_capture_is_held_than_is_looked_at() -> None:
    pulled = 0

    def endless() -> Iterator[bytes]:
        nonlocal pulled
        while True:
            pulled += 1
            yield b"x" * 65_536

    with pytest.raises(CaptureError, match="is not an event stream"):
        decode_chunks(endless(), SCRIPT.api)
    assert pulled < 40
    head = HEAD + b"\r\ndata: "
    assert decode_chunks(chain([head], endless()), SCRIPT.api).judgement.verdict is Verdict.TOO_LARGE
    assert pulled < 40 + MAX_LINE // 65_536 + 10


def test_a_stream_that_packs_well_is_no_bomb() -> None:
    body = BODY[:-2] + b"\n\n" + b": keep-alive\n\n" * 600_000
    found = decode(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(body, 1), SCRIPT.api)
    assert (found.bytes, found.event_count) == (len(body), len(SCRIPT.good))
