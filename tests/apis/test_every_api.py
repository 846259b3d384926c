"""What holds for every LLM API: gateways that lie, streams cut anywhere, bytes split anywhere, and any nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apis import SCRIPTS
from support.framed import WIRES, wire_of
from support.script import Events, Script, response
from support.streams import decode, json_values, names, unnamed

from gwtui.apis import SAVED_APIS, SOCKET_APIS, api_names, kind_of, url_for
from gwtui.apis.base import StreamReader
from gwtui.decode import CaptureError, Decoded
from gwtui.framing import FRAMINGS
from gwtui.framing.base import FramedEvent, Framing
from gwtui.framing.ndjson import NDJSON
from gwtui.model.enums import End, FindingName, Kind, Outcome
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict
from gwtui.verdict.classify import Judged, Transport, judge

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=str)
COMPLETIONS = [name for name, api in SAVED_APIS.items() if api.kind is Kind.COMPLETION]


def decoded_from(script: Script, events: Events) -> Decoded:
    return decode(script.response(script.wire(events)), script.api)


def test_every_api_has_a_script() -> None:
    assert {script.api for script in SCRIPTS} == set(COMPLETIONS)
    assert set(api_names()) == {*COMPLETIONS, "gateway-metrics", "http", "websocket"}
    assert {name for script in SCRIPTS for name in script.lies} <= {name for name, _, _ in LIES}


@pytest.mark.parametrize("name", api_names())
def test_every_api_is_named_and_asked_at_a_url(name: str) -> None:
    endpoint = Endpoint(name="e", api=name, url="https://h/")
    over_socket = kind_of(name) is Kind.WEBSOCKET or name in SOCKET_APIS
    assert url_for(endpoint).startswith("wss://h" if over_socket else "https://h/")
    assert "{" not in url_for(endpoint)


@every_script
def test_a_good_stream_is_complete(script: Script) -> None:
    decoded = decoded_from(script, script.good)
    assert decoded.judgement.verdict is Verdict.COMPLETE, decoded.judgement
    assert decoded.findings == ()
    assert decoded.text in ("ab", "aa")
    assert all(event.note == "" for event in decoded.events[:-1])


Lie = Callable[[Script], Events]
LIES: list[tuple[str, Lie, Verdict]] = [
    ("a clean end without the end of the answer", lambda s: (*s.opening, *s.content), Verdict.TRUNCATED),
    ("cut right before its end is proved", lambda s: s.good[: s.proof - 1],
     Verdict.COMPLETE_UNTERMINATED),
    ("never a terminator", lambda s: (*s.opening, *s.content, *s.closing, *s.finish), Verdict.COMPLETE_UNTERMINATED),
    ("the terminator over a cut", lambda s: (*s.opening, *s.content, *s.terminator), Verdict.TRUNCATED),
    ("an error, then nothing", lambda s: (*s.opening, *s.content, s.error), Verdict.ERROR_IN_STREAM),
    ("an error, then the terminator", lambda s: (*s.opening, *s.content, s.error, *s.terminator),
     Verdict.ERROR_IN_STREAM),
    ("an error, then a fine end", lambda s: (*s.opening, *s.content, s.error, *s.closing, *s.finish, *s.terminator),
     Verdict.ERROR_IN_STREAM),
    ("a fine end, then an error", lambda s: (*s.good, s.error), Verdict.COMPLETE),
    ("200 and then an error", lambda s: (s.error,), Verdict.ERROR_IN_STREAM),
    ("200 and then nothing", lambda s: (), Verdict.EMPTY),
    ("garbage made into an empty stream", lambda s: s.empty, Verdict.EMPTY),
    ("only the terminator", lambda s: s.terminator, Verdict.EMPTY),
    ("an error page in an event", lambda s: (*s.opening, unnamed("<html>502</html>"), *s.content, *s.closing,
     *s.finish, *s.terminator), Verdict.OUT_OF_ORDER),
    ("an event cut in two", lambda s: (*s.opening, FramedEvent(s.content[-1].event, s.content[-1].data[:-9]),
     *s.content, *s.closing, *s.finish, *s.terminator), Verdict.OUT_OF_ORDER),
]  # fmt: skip


@every_script
@pytest.mark.parametrize(("name", "lie", "verdict"), LIES, ids=[lie[0] for lie in LIES])
def test_no_single_sign_decides(script: Script, name: str, lie: Lie, verdict: Verdict) -> None:
    judgement = decoded_from(script, lie(script)).judgement
    assert judgement.verdict is script.lies.get(name, verdict), judgement
    assert all(judgement.rule.partition("."))
    assert judgement.reason


@every_script
def test_what_comes_after_the_end_is_only_noted(script: Script) -> None:
    decoded = decoded_from(script, script.good + script.good)
    assert decoded.judgement.verdict is Verdict.COMPLETE
    assert names(decoded.findings)[0] in (FindingName.EVENTS_AFTER_END, FindingName.FINISH_REPEATED)


@every_script
def test_an_error_after_the_end_is_only_noted(script: Script) -> None:
    decoded = decoded_from(script, (*script.good, script.error))
    (found,) = decoded.findings
    assert found.name is FindingName.EVENTS_AFTER_END
    assert "an error after" in found.evidence


@every_script
def test_cut_after_any_event_it_is_never_complete_before_its_proof(script: Script) -> None:
    verdicts = [decoded_from(script, script.good[:kept]).judgement for kept in range(len(script.good) + 1)]
    assert verdicts[0].verdict is Verdict.EMPTY
    for kept, judgement in enumerate(verdicts[1 : script.proof], 1):
        assert judgement.verdict in (Verdict.TRUNCATED, Verdict.COMPLETE_UNTERMINATED), (kept, judgement)
        assert judgement.event_number == (kept if judgement.verdict is Verdict.TRUNCATED else None)
    assert {judgement.verdict for judgement in verdicts[script.proof :]} == {Verdict.COMPLETE}


@every_script
def test_a_body_that_breaks_off_is_truncated_before_the_proof_and_complete_after_it(script: Script) -> None:
    body = script.wire(script.good)
    head = script.response(b"").replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % (len(body) + 9))
    whole = decode(head + body, script.api)
    assert whole.judgement.verdict is Verdict.COMPLETE
    assert FindingName.BROKEN_AFTER_END in names(whole.findings)
    cut = decode(head + script.wire(script.good[: script.proof - 1]), script.api).judgement
    assert (cut.verdict, cut.rule) == (Verdict.TRUNCATED, "transport.incomplete")


@every_script
def test_keepalives_alone_are_no_answer(script: Script) -> None:
    decoded = decode(script.response(wire_of(script.api).keep_alive * 3), script.api)
    assert decoded.judgement.verdict is Verdict.EMPTY
    assert names(decoded.findings) == [FindingName.KEEPALIVES_ONLY]


@every_script
def test_an_error_outside_of_any_event_is_an_error_in_the_stream(script: Script) -> None:
    bare = json.dumps({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}, indent=2).encode()
    judgement = decode(script.response(script.wire(script.opening + script.content) + bare), script.api).judgement
    assert (judgement.verdict, judgement.rule) == (Verdict.ERROR_IN_STREAM, "stream.bare-error")
    assert "busy" in judgement.reason


def live(script: Script, body: bytes, content_type: str) -> Judged:
    """What a probe that asked for a stream says of such an answer; a capture does not show what was asked for."""
    transport = Transport(end=End.CLEAN, status=200, headers=(("content-type", content_type),), body=body)
    return judge(Endpoint(name="e", api=script.api, url="http://h"), SAVED_APIS[script.api], transport)


@every_script
def test_one_json_answer_is_no_stream_and_its_usage_is_read(script: Script) -> None:
    judged = live(script, json.dumps(script.whole).encode(), "application/json")
    assert judged.judgement.verdict is Verdict.NOT_A_STREAM
    if script.whole:
        assert judged.judgement.rule == "stream.json-answer"
        assert judged.answer is not None
        assert (judged.answer.text, judged.answer.usage.output_tokens) == ("ab", 2)


@every_script
@pytest.mark.parametrize(
    ("body", "content_type", "rule"),
    [
        (b"<html><title>502 Bad Gateway</title>", "text/html", "stream.page"),
        (b"{}", "application/json", "stream.content-type"),
        (b'{"error":{"message":"busy"}}', "application/json", "stream.content-type"),
    ],
)
def test_what_is_not_called_a_stream_is_none(script: Script, body: bytes, content_type: str, rule: str) -> None:
    judgement = live(script, body, content_type).judgement
    assert (judgement.verdict, judgement.rule) == (Verdict.NOT_A_STREAM, rule)


@every_script
def test_every_line_end_is_read(script: Script) -> None:
    for line_end in wire_of(script.api).line_ends:
        decoded = decode(script.response(script.wire(script.good, line_end)), script.api)
        assert decoded.judgement.verdict is Verdict.COMPLETE


@every_script
def test_a_stream_that_is_called_something_else_is_none(script: Script) -> None:
    body = script.wire(script.good)
    judgement = decode(response(body, "text/plain"), script.api).judgement
    assert (judgement.verdict, judgement.rule) == (Verdict.NOT_A_STREAM, "stream.content-type")
    assert f"{SAVED_APIS[script.api].framing.title} came as text/plain" in judgement.reason


FOREIGN = [(script, other) for script in SCRIPTS for other in FRAMINGS if other is not SAVED_APIS[script.api].framing]


@pytest.mark.parametrize(("script", "other"), FOREIGN, ids=[f"{script}-{other.name}" for script, other in FOREIGN])
def test_a_stream_in_another_framing_is_named_and_quoted(script: Script, other: Framing) -> None:
    framing = SAVED_APIS[script.api].framing
    payload = FramedEvent("message", '{"a":1}')
    body = WIRES[other.name].encode([payload] * 3, "\n")
    for content_type in (framing.media_type, other.media_type, "application/json"):
        judgement = decode(response(body, content_type), script.api).judgement
        assert (judgement.verdict, judgement.rule) == (Verdict.NOT_A_STREAM, "stream.framing")
        assert f"{other.title} came as {content_type} where {framing.title} is due; it begins: " in judgement.reason
        is_quoted = '{"a":1}' in judgement.reason
        assert is_quoted or (other.is_binary and ":event-type" in judgement.reason)  # broken by a parser of lines
    if other is NDJSON:  # JSON without headers may also be an answer without a stream
        assert decode(body, script.api).judgement.rule == "stream.framing"
        return
    with pytest.raises(CaptureError, match=f"the capture is not {framing.title}: it begins with .* like {other.title}"):
        decode(body, script.api)


def follow(script: Script, chunks: list[bytes]) -> tuple[list[object], object]:
    """All that a reader makes of a stream that comes in these pieces."""
    parser, reader = SAVED_APIS[script.api].framing.parser(), reader_of(script.api)
    readings: list[object] = [reader.event(event) for chunk in chunks for event in parser.feed(chunk)]
    return readings, (reader.end(), reader.usage, reader.findings, reader.model_served)


def reader_of(api: str) -> StreamReader:
    return SAVED_APIS[api].reader(Endpoint(name="e", api=api, url="http://h", body={"model": "m"}))


@every_script
def test_a_stream_means_the_same_however_its_bytes_are_split(script: Script) -> None:
    body = script.wire((*script.opening, *script.content, script.error, *script.closing, *script.finish), "\r\n")
    whole = follow(script, [body])
    assert follow(script, [body[at : at + 1] for at in range(len(body))]) == whole
    for at in range(len(body)):
        assert follow(script, [body[:at], body[at:]]) == whole


def keys_of(value: object) -> Iterator[str]:
    """All keys of objects in a decoded JSON value."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_of(inner)


def payloads() -> Iterator[dict[str, Any]]:
    """The objects that scripts are made of."""
    for script in SCRIPTS:
        yield script.whole
        for event in (*script.good, script.error, *script.rare):
            if event.data.startswith("{"):
                yield json.loads(event.data)


JSON = json_values("code", *(key for payload in payloads() for key in keys_of(payload)))
TYPES = sorted({payload.get("type", "message") for payload in payloads()})
TYPED = st.builds(
    lambda kind, fields: FramedEvent(kind, json.dumps({**fields, "type": kind})),
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(["delta", "index", "response", "model", "output_index", "error", "text"]), JSON),
)
EVENTS = st.builds(
    FramedEvent,
    st.sampled_from(["message", "error", "ping", "completion", "done", "\x1b"]),
    st.text(max_size=20) | JSON.map(json.dumps),
)


@given(st.sampled_from(SCRIPTS), st.data())
def test_a_reader_takes_anything_and_always_judges(script: Script, data: st.DataObject) -> None:
    reader = reader_of(script.api)
    for event in data.draw(st.lists(EVENTS | TYPED | st.sampled_from((*script.good, script.error)), max_size=12)):
        reading = reader.event(event)
        assert (reading.name + reading.note + reading.model).isprintable()
        assert reader.end().reason.isprintable()
        assert reader.end().rule
    assert all((finding.evidence + finding.cause).isprintable() for finding in reader.findings)
    assert reader.model_served.isprintable()
    if reader.end().verdict is Verdict.COMPLETE:
        assert reader.ended()


@every_script
def test_half_a_character_is_read_wherever_it_stands(script: Script) -> None:
    half = {"\ud800": "\ud800", "type": "\ud800", "model": "\ud800"}
    payload = json.dumps({**half, "choices": [half], "delta": half, "error": half, "candidates": [half]})
    reader = reader_of(script.api)
    assert reader.event(FramedEvent("message", payload)).name.isprintable()
    assert reader.end().reason.isprintable()


@given(st.sampled_from(COMPLETIONS), st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_whole_body_is_answered_and_judged(api: str, body: bytes) -> None:
    answer = SAVED_APIS[api].answer(Endpoint(name="e", api=api, url="http://h"), 200, body)
    assert answer.judgement.reason.isprintable()
    assert all(finding.evidence.isprintable() for finding in answer.findings)
    assert SAVED_APIS[api].error_reason(body).isprintable()


@pytest.mark.parametrize("api", COMPLETIONS)
def test_a_refusal_is_reported_in_its_own_words(api: str) -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'
    judgement = decode(response(body, "application/json", 529), api).judgement
    assert (judgement.verdict, judgement.verdict.outcome) == (Verdict.OVERLOADED, Outcome.FAILED)
    assert "busy" in judgement.reason
