"""What checks say of answers, of streams, their form and their pace, and of errors, from tables of records."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from support.checked import MODEL, content, document, evidence, found, read, refused, request, streamed, target, timed

from gwtui.apis.openai.chat_stream import OpenAIReader
from gwtui.checks.check import CheckAnswer
from gwtui.checks.errors import (
    judge_fast_failures,
    judge_invalid_key,
    judge_timeouts,
    judge_unknown_model,
    judge_whole_streams,
)
from gwtui.checks.evidence import Evidence, Probed
from gwtui.checks.pace import judge_incremental, judge_steady
from gwtui.checks.streaming import (
    judge_answer,
    judge_format,
    judge_headers,
    judge_large_answer,
    judge_long_stream,
    judge_model_served,
    judge_silent_fallback,
    judge_stream,
)
from gwtui.framing.base import FramedEvent
from gwtui.model.check_results import CheckOutcome
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import StreamEvent
from gwtui.model.verdicts import Verdict

PASS, WARN, FAIL, NA = CheckOutcome.PASS, CheckOutcome.WARN, CheckOutcome.FAIL, CheckOutcome.NOT_APPLICABLE
EVENLY = [(100 + 10 * number, 1) for number in range(30)]
TRUNCATED = request(Verdict.TRUNCATED, rule="anthropic.eof", reason="ended after event 4", events=4)
JSON_ANSWER = request(
    Verdict.NOT_A_STREAM, rule="stream.json-answer", reason="one JSON answer", content_type="application/json"
)
PAGE = request(Verdict.NOT_A_STREAM, rule="stream.page", reason="a page came", content_type="text/html")


def check(expected: CheckAnswer, outcome: CheckOutcome, words: str = "") -> None:
    assert (expected.outcome, words in expected.evidence) == (outcome, True), expected
    assert outcome is not FAIL or (expected.cause and expected.remedy), expected


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (request(stream=False, text="hello", input_tokens=3, output_tokens=5), PASS, "5 out"),
        (request(stream=False, text="hello"), FAIL, "no usage"),
        (request(stream=False, text="hello", api="sourcegraph-code"), PASS, "tokens not reported"),
        (request(Verdict.WRONG_BODY, stream=False, reason="not JSON: Expecting"), FAIL, "not JSON"),
        (refused(500), FAIL, "HTTP 500"),
        (request(Verdict.LOCAL, stream=False, reason="this API only streams"), NA, "only streams"),
    ],
)
def test_answer(answer: Any, outcome: CheckOutcome, words: str) -> None:
    check(judge_answer(evidence(answer=answer)), outcome, words)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (request(events=9), PASS),
        (request(Verdict.COMPLETE_UNTERMINATED, events=9), WARN),
        (TRUNCATED, FAIL),
        (JSON_ANSWER, FAIL),
        (request(Verdict.EMPTY, reason="no event"), FAIL),
        (refused(401), FAIL),
    ],
)
def test_stream(result: Any, outcome: CheckOutcome) -> None:
    answer = judge_stream(evidence(stream=result))
    check(answer, outcome, result.reason)
    assert outcome is not FAIL or "trace-1" in answer.evidence


@pytest.mark.parametrize(
    ("result", "outcome", "words"),
    [
        (request(headers={"cache-control": "no-cache", "x-accel-buffering": "no"}), PASS, "x-accel-buffering: no"),
        (request(headers={"cache-control": "private, No-Store"}), PASS, "x-accel-buffering: not sent"),
        (request(headers={"transfer-encoding": "chunked"}), WARN, "cache-control: not sent"),
        (request(headers={"cache-control": "max-age=60"}), WARN, "max-age"),
        (request(content_type="text/event-stream; charset=utf-8"), PASS, "charset"),
        (JSON_ANSWER, FAIL, "application/json"),
        (request(content_type="text/event-streams"), FAIL, "text/event-streams"),
        (refused(500), NA, "HTTP 500"),
    ],
)
def test_stream_headers(result: Any, outcome: CheckOutcome, words: str) -> None:
    check(judge_headers(evidence(stream=result)), outcome, words)


def chunks(*deltas: dict[str, Any]) -> Probed:
    """A stream of OpenAI's, as its reader sees it."""
    reader = OpenAIReader(MODEL)
    datas = [json.dumps({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    readings = [reader.event(FramedEvent("message", data)) for data in datas]
    events = [StreamEvent(name="chunk", kind=reading.kind) for reading in readings]
    return Probed(request(api="openai-chat", events=len(events), findings=reader.findings), (read(10, 1, *events),))


@pytest.mark.parametrize(
    ("probed", "outcome", "words"),
    [
        (streamed(request(events=30), EVENLY), PASS, "content_block_delta"),
        (Probed(request(events=3, findings=found(FindingName.UNNAMED_EVENTS))), FAIL, "unnamed events"),
        (Probed(request(events=3, findings=found(FindingName.IDS_DIFFER))), FAIL, "ids differ"),
        (Probed(request(events=3, findings=found(FindingName.FOREIGN_CHUNK))), FAIL, "foreign chunk: seen"),
        (Probed(request(events=3, findings=found(FindingName.DAMAGED))), FAIL, "damaged"),
        (Probed(request(events=3, findings=found(FindingName.FINISH_REPEATED))), WARN, "finish repeated: seen"),
        (Probed(request(events=3, findings=found(FindingName.UNKNOWN_EVENT))), PASS, ""),
        (Probed(request(Verdict.OUT_OF_ORDER, events=3, reason="index 2")), FAIL, "index 2"),
        (Probed(JSON_ANSWER), NA, "no event came"),
        (Probed(TRUNCATED), NA, "4 well-formed events"),
        (chunks({"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}), PASS, "3 events"),
        (chunks({"role": "assistant"}, {"role": "assistant", "content": "a"}), WARN, "event 2"),
    ],
)
def test_event_format(probed: Probed, outcome: CheckOutcome, words: str) -> None:
    check(judge_format(evidence(stream=probed)), outcome, words)


def raw(api: str, *datas: object) -> Probed:
    """A stream whose events hold these data."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in datas]
    events = [StreamEvent(name="e", kind=EventKind.TEXT, raw=text) for text in texts]
    return Probed(request(api=api, events=len(events)), (read(10, 1, *events[:1]), read(20, 2, *events[1:])))


CHUNK: dict[str, object] = {"choices": []}
DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}}


@pytest.mark.parametrize(
    ("probed", "outcome", "words"),
    [
        (raw("openai-chat", CHUNK, CHUNK | {"usage": {}}, "[DONE]"), PASS, "3 events"),
        (raw("openai-chat", CHUNK, {"status": "working"}), FAIL, 'event 2 has no `choices`: {"status": "working"}'),
        (raw("fireworks", {"id": "a", "model": "m"}), FAIL, "event 1 has no `choices`"),
        (raw("openai-completions", CHUNK, {"text": "a"}), FAIL, "event 2 has no `choices`"),
        (raw("openai-chat", CHUNK, '{"choices": [{"delta": {"con'), PASS, ""),
        (raw("anthropic-messages", DELTA, {"type": "ping"}, {"type": "new_kind"}), PASS, ""),
        (raw("anthropic-messages", DELTA, {"type": "content_block_delta", "index": 0}), FAIL, "event 2 has no `delta`"),
        (raw("anthropic-messages", {"type": "content_block_start"}), FAIL, "no `index` and no `content_block`"),
        (raw("openai-responses", {"type": "response.completed", "sequence_number": 1}), FAIL, "no `response`"),
        (raw("gemini", {"candidates": []}, {"usageMetadata": {}}), PASS, ""),
        (raw("gemini", {"candidates": []}, {"modelVersion": "m"}), FAIL, "event 2 has no `candidates`"),
        (raw("sourcegraph-stream", {"done": True}), PASS, ""),
    ],
)
def test_an_event_without_what_clients_read_is_named(probed: Probed, outcome: CheckOutcome, words: str) -> None:
    check(judge_format(evidence(stream=probed)), outcome, words)


@pytest.mark.parametrize(
    ("probed", "outcome", "words"),
    [
        (streamed(request(), EVENLY), PASS, "30 content events in 30 reads"),
        (streamed(request(findings=found(FindingName.BUFFERED, "one read")), [(400, 60)]), FAIL, "one read"),
        (streamed(request(), [(400, 10)]), FAIL, "all 10 content events came at once"),
        (streamed(request(), [(400, 5), (402, 5)]), FAIL, "at once"),
        (streamed(request(), [(400, 3)]), WARN, "too little to decide"),
        (streamed(request(), [(20, 60)]), WARN, "too little to decide"),
        (streamed(request(), [(400, 1)]), WARN, "one single event"),
        (streamed(request(), [(100, 4), (140, 4), (180, 4)]), PASS, "12 content events in 3 reads"),
        (Probed(JSON_ANSWER), NA, ""),
    ],
)
def test_incremental(probed: Probed, outcome: CheckOutcome, words: str) -> None:
    check(judge_incremental(evidence(stream=probed)), outcome, words)


def test_pace_is_judged_by_the_stream_with_most_content() -> None:
    short, long = streamed(request(), [(400, 10)]), streamed(request(), EVENLY)
    check(judge_incremental(evidence(stream=short, long_stream=long)), PASS, "30 content events")


@pytest.mark.parametrize(
    ("probed", "outcome", "words"),
    [
        (streamed(request(), EVENLY), PASS, "29 gaps of 10.0 ms each would make 290 ms"),
        (streamed(request(findings=found(FindingName.COMBED, "held for 40 ms")), EVENLY), FAIL, "held for 40 ms"),
        (streamed(request(), [*EVENLY, (2400, 1)]), WARN, "longest gap 2.01 s"),
        (streamed(request(), [(100 + 500 * number, 1) for number in range(5)]), PASS, ""),
        (streamed(request(), [(100, 20), (150, 20)]), NA, "three reads"),
    ],
)
def test_steady(probed: Probed, outcome: CheckOutcome, words: str) -> None:
    check(judge_steady(evidence(stream=probed)), outcome, words)


@pytest.mark.parametrize(
    ("results", "outcome", "words"),
    [
        ([request(), request()], PASS, "2 of 2"),
        ([request(), JSON_ANSWER], WARN, "1 of 2"),
        ([PAGE], NA, "a page came"),
        ([refused(500)], NA, ""),
    ],
)
def test_silent_fallback(results: Any, outcome: CheckOutcome, words: str) -> None:
    check(judge_silent_fallback(evidence(stream=results[0], models=results[1:])), outcome, words)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (request(), PASS),
        (request(model_served=""), NA),
        (request(findings=found(FindingName.MODEL_DIFFERS, "a was asked for, b answered")), WARN),
        (refused(500), NA),
    ],
)
def test_model_served(result: Any, outcome: CheckOutcome) -> None:
    check(judge_model_served(evidence(stream=result)), outcome)


def test_who_answered_for_the_failing_model_is_told() -> None:
    fell_back = request(model="bad", model_served="other", findings=found(FindingName.MODEL_DIFFERS))
    answered = judge_model_served(evidence(stream=request(), provoked=fell_back))
    check(answered, PASS, "asked for bad, which fails, served by other")
    recovered = judge_model_served(evidence(stream=request(), provoked=request(model="bad", model_served="bad")))
    assert "which fails" not in recovered.evidence


STOPPED = "message_stop after stop_reason end_turn"
CUT = "[DONE] after finish_reason length"


@pytest.mark.parametrize(
    ("fields", "outcome", "words"),
    [
        ({"events": 304, "bytes": 57_038, "reason": STOPPED}, PASS, "complete: 304 events, 57,038 bytes"),
        ({"events": 100, "reason": STOPPED}, PASS, "complete: 100 events"),
        ({"events": 99, "reason": STOPPED}, NA, "stopped by itself: 99 events"),
        ({"events": 20, "text": "x" * 6_000, "reason": STOPPED}, NA, "too few events: 20 events"),
        ({"events": 20, "output_tokens": 17, "reason": CUT}, FAIL, "a limit below the 1,536 tokens asked for"),
        ({"events": 20, "reason": "response.incomplete: max_output_tokens"}, FAIL, "a limit below"),
        ({"events": 20, "output_tokens": 1_536, "reason": CUT}, NA, "1,536 tokens asked for are used up"),
        ({"verdict": Verdict.TRUNCATED, "events": 80, "reason": "cut"}, FAIL, "truncated: cut"),
    ],
)
def test_long_stream(fields: Any, outcome: CheckOutcome, words: str) -> None:
    check(judge_long_stream(evidence(long_stream=request(**fields))), outcome, words)


@pytest.mark.parametrize(
    ("fields", "outcome", "words"),
    [
        ({"bytes": 4_096, "reason": "stop_reason end_turn"}, PASS, "complete: 4,096 bytes"),
        ({"bytes": 4_095, "text": "x" * 3_900, "reason": "stop_reason end_turn"}, NA, "4,095 bytes, 3,900 characters"),
        ({"bytes": 395, "output_tokens": 16, "reason": "finishReason MAX_TOKENS"}, FAIL, "after 16 output tokens"),
        ({"verdict": Verdict.WRONG_BODY, "reason": "not JSON"}, FAIL, "not JSON"),
    ],
)
def test_large_answer(fields: Any, outcome: CheckOutcome, words: str) -> None:
    check(judge_large_answer(evidence(large_answer=request(**fields))), outcome, words)


ANTHROPIC_ERROR = {"type": "error", "error": {"type": "authentication_error", "message": "no"}}
OPENAI_ERROR = {"error": {"message": "no", "type": "invalid_request_error"}}
NO_DATABASE = {"error": {"message": "No connected db.", "type": "no_db_connection", "param": None, "code": "400"}}
LATE_ANSWER = request(Verdict.NOT_A_STREAM, rule="stream.json-answer", ms=1_400)


@pytest.mark.parametrize(
    ("result", "key", "outcome", "words"),
    [
        (refused(401, ANTHROPIC_ERROR), "env:KEY", PASS, ""),
        (refused(401, OPENAI_ERROR, api="openai-chat"), "env:KEY", PASS, ""),
        (refused(401, OPENAI_ERROR), "env:KEY", WARN, "Anthropic's"),
        (refused(401, [OPENAI_ERROR]), "env:KEY", WARN, "Anthropic's"),
        (refused(401, {"error": "no"}, api="openai-chat"), "env:KEY", WARN, "OpenAI's"),
        (refused(401, {"error": "no"}, api="fireworks"), "env:KEY", PASS, ""),
        (refused(401, "<html>no</html>"), "env:KEY", FAIL, "not JSON"),
        (refused(401, {"detail": 1}), "env:KEY", FAIL, "no error with a message"),
        (refused(401, ""), "env:KEY", FAIL, "not JSON"),
        (refused(403, ANTHROPIC_ERROR), "env:KEY", WARN, "403"),
        (refused(500, ANTHROPIC_ERROR), "env:KEY", FAIL, "HTTP 500 instead of 401"),
        (request(), "env:KEY", FAIL, "HTTP 200 to a made-up key"),
        (request(Verdict.EMPTY, reason="no event"), "env:KEY", FAIL, "HTTP 200"),
        (request(), None, WARN, "without any key"),
        (request(Verdict.NO_FIRST_BYTE, status=None, reason="no byte"), "env:KEY", FAIL, "no byte"),
        (refused(400, NO_DATABASE, reason="HTTP 400: no_db_connection: No connected db."), "env:KEY", FAIL, "HTTP 400"),
    ],
)
def test_invalid_key(result: Any, key: str | None, outcome: CheckOutcome, words: str) -> None:
    check(judge_invalid_key(evidence(target(key=key), invalid_key=result)), outcome, words)


@pytest.mark.parametrize(
    ("status", "reason", "cause"),
    [
        (400, "HTTP 400: no_db_connection: No connected db.", "without a database knows only its master key"),
        (400, "HTTP 400: bad", "form, the body or the model first"),
        (404, "HTTP 404", "looks for the model or the route before"),
        (500, "HTTP 500", "check of the key itself failed"),
    ],
)
def test_the_cause_of_no_401_follows_from_what_came(status: int, reason: str, cause: str) -> None:
    assert cause in judge_invalid_key(evidence(invalid_key=refused(status, reason=reason))).cause


def test_a_made_up_key_proves_nothing_where_the_real_one_is_refused_too() -> None:
    refusal = refused(401, ANTHROPIC_ERROR)
    check(judge_invalid_key(evidence(stream=refusal, answer=refusal, invalid_key=refusal)), NA, "own key is refused")
    check(judge_invalid_key(evidence(stream=request(), answer=refusal, invalid_key=refusal)), PASS)
    check(judge_invalid_key(evidence(stream=refusal, invalid_key=request())), FAIL)


@pytest.mark.parametrize(
    ("result", "outcome", "words"),
    [
        (refused(404, ANTHROPIC_ERROR), PASS, ""),
        (refused(400, ANTHROPIC_ERROR), PASS, ""),
        (refused(404, "nginx"), FAIL, "not JSON"),
        (refused(401, ANTHROPIC_ERROR), NA, "key was refused"),
        (refused(401, ANTHROPIC_ERROR, reason="HTTP 401: key not allowed to access model"), WARN, "401 for a model"),
        (LATE_ANSWER, FAIL, "answered for a model"),
        (refused(503, ANTHROPIC_ERROR), FAIL, "HTTP 503 instead of 404"),
        (request(model="no-such-model", model_served=MODEL), FAIL, f"{MODEL} answered"),
        (request(Verdict.ERROR_IN_STREAM, reason="event 1 is an error"), FAIL, "HTTP 200 instead of 404"),
    ],
)
def test_unknown_model(result: Any, outcome: CheckOutcome, words: str) -> None:
    check(judge_unknown_model(evidence(unknown_model=result)), outcome, words)


FAST, SLOW = refused(401, ms=5), refused(404, ms=1500)
HANGING = request(Verdict.NO_FIRST_BYTE, ms=60_000, status=None, reason="no byte came")


@pytest.mark.parametrize(
    ("of", "outcome", "words"),
    [
        (evidence(invalid_key=FAST, unknown_model=FAST), PASS, "2 failures"),
        (evidence(invalid_key=FAST, unknown_model=SLOW), FAIL, "1.50 s"),
        (evidence(invalid_key=FAST, provoked=[HANGING]), FAIL, "hung"),
        (evidence(invalid_key=FAST, provoked=[LATE_ANSWER]), PASS, "1 failure,"),
        (evidence(invalid_key=FAST, provoked=[request(Verdict.TRUNCATED, ms=3_000, ttft_ns=40)]), PASS, "1 failure,"),
        (evidence(invalid_key=FAST, breaker=[refused(500, ms=3_000)]), FAIL, "3.00 s"),
        (
            evidence(invalid_key=refused(401, findings=found(FindingName.OPEN_AFTER_END))),
            FAIL,
            "left the response open",
        ),
        (evidence(invalid_key=request()), NA, ""),
    ],
)
def test_fast_failures(of: Evidence, outcome: CheckOutcome, words: str) -> None:
    check(judge_fast_failures(of), outcome, words)


@pytest.mark.parametrize(
    ("of", "outcome", "words"),
    [
        (evidence(stream=request(events=5), together=[request(events=5)] * 3), PASS, "4 streams began, and none broke"),
        (evidence(stream=request(events=5), together=[TRUNCATED, request(events=5)]), FAIL, "1 of 3 streams broke"),
        (evidence(stream=request(Verdict.EMPTY, reason="no event came")), FAIL, "1 of 1 streams broke after HTTP 200"),
        (evidence(stream=refused(500), answer=request(stream=False)), NA, ""),
        (
            evidence(stream=request(events=5), provoked=[replace(TRUNCATED, ttft_ns=40)]),
            PASS,
            "1 stream began, and none broke; 1 stream of claude-3-haiku, which fails, broke midway",
        ),
        (evidence(stream=request(events=5), provoked=[refused(500)]), PASS, "1 stream began, and none broke"),
    ],
)
def test_whole_streams(of: Evidence, outcome: CheckOutcome, words: str) -> None:
    check(judge_whole_streams(of), outcome, words)


@pytest.mark.parametrize(
    ("of", "outcome", "words"),
    [
        (evidence(stream=request(), answer=request(ms=900)), PASS, "slowest took 900 ms"),
        (evidence(stream=HANGING, answer=request()), FAIL, "1 of 2 requests"),
        (evidence(stream=request(Verdict.STALLED, reason="no byte for 30 s")), FAIL, "no byte for 30 s"),
        (evidence(health=document({})), NA, ""),
    ],
)
def test_timeouts(of: Evidence, outcome: CheckOutcome, words: str) -> None:
    check(judge_timeouts(of), outcome, words)


def test_content_is_what_flows() -> None:
    ping = StreamEvent(name="ping", kind=EventKind.KEEPALIVE)
    reads = (read(10, 1, ping), read(200, 2, ping, content()), read(900, 4, ping))
    check(judge_incremental(evidence(stream=timed(request(), *reads))), WARN, "one single event")


def test_events_without_names_are_no_matter_of_their_order() -> None:
    unnamed = request(Verdict.OUT_OF_ORDER, events=3, rule="anthropic.unnamed-events")
    assert "drops its `event:` lines" in judge_format(evidence(stream=unnamed)).cause
