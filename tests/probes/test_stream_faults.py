"""What a user relies on when a stream goes wrong, for every LLM API over a real socket: the row, and what was seen."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from dataclasses import dataclass

import pytest
from support.apis import SCRIPTS
from support.completions import (
    DONE,
    EVENT_STREAM,
    HELLO,
    LAST_CHUNK,
    ROLE,
    STOP,
    WHOLE,
    WORLD,
    answered,
    openai,
    streamed,
)
from support.framed import stream_type, wire_of
from support.probing import Probing, endpoint, soon
from support.script import Script
from support.scripted import Close, Flood, Hold, Receive, Reset, ScriptedServer, Send, Step, chunk, http

from gwtui.apis import APIS
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Record, Request, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.probes.capture import HALF_EVENTS
from gwtui.probes.prober import probe_once
from gwtui.probes.response_reader import PART_EVENTS

OVER_HTTP = [script for script in SCRIPTS if script.api in APIS]
every_script = pytest.mark.parametrize("script", OVER_HTTP, ids=str)
SSE = "Content-Type: text/event-stream"


@dataclass(frozen=True)
class Seen:
    """A row, and the events that were sent to a screen."""

    row: Request
    events: list[StreamEvent]

    @property
    def findings(self) -> list[FindingName]:
        return [finding.name for finding in self.row.findings]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events)


async def seen(script: list[Step], api: str = "openai-chat", **fields: object) -> Seen:
    async with ScriptedServer(script) as server:
        probing = Probing(endpoint(api, server.url, **fields))
        async with probing.prober:
            row = await probing.once()
    return Seen(row, [event for read in probing.emitted if isinstance(read, StreamRead) for event in read.events])


def content_before(script: Script, kept: int) -> bool:
    """Whether any content is among so many first events."""
    return kept > len(script.opening) + script.silent


def chunked_head(script: Script) -> bytes:
    return http("200 OK", f"Content-Type: {stream_type(script.api)}", "Transfer-Encoding: chunked", length=False)


def close_delimited_head(script: Script) -> bytes:
    return http("200 OK", f"Content-Type: {stream_type(script.api)}", length=False)


@every_script
@pytest.mark.parametrize("end", ["closed", "reset", "chunked", "no last chunk"])
async def test_a_cut_after_any_event_is_reported_with_its_number_and_keeps_what_came(script: Script, end: str) -> None:
    for kept in range(1, script.proof):
        body = script.wire(script.good[:kept])
        parts: dict[str, list[Step]] = {
            "closed": [Send(close_delimited_head(script) + body), Close()],
            "reset": [Send(close_delimited_head(script) + body), Reset()],
            "chunked": [Send(chunked_head(script) + chunk(body) + LAST_CHUNK)],
            "no last chunk": [Send(chunked_head(script) + chunk(body)), Close()],
        }
        found = await seen([Receive(), *parts[end]], script.api)
        row = found.row
        assert (row.events, len(found.events)) == (kept, kept)
        assert (row.ttft_ns is not None) is content_before(script, kept)
        if row.verdict is Verdict.COMPLETE_UNTERMINATED:
            assert kept >= len(script.good) - len(script.terminator) - len(script.finish)
            assert end in ("closed", "chunked")
        else:
            assert (row.verdict, row.event_number) == (Verdict.TRUNCATED, kept)


@every_script
async def test_a_reset_inside_an_event_keeps_those_before_it(script: Script) -> None:
    whole, half = script.wire(script.good[:2]), script.wire(script.good[2:3])[:-9]
    found = await seen([Receive(), Send(close_delimited_head(script) + whole + half), Reset()], script.api)
    assert (found.row.verdict, found.row.event_number, len(found.events)) == (Verdict.TRUNCATED, 2, 2)
    assert "reset" in found.row.reason


@every_script
async def test_a_terminator_without_the_mark_of_its_end(script: Script) -> None:
    body = script.wire(script.good)[:-1]
    found = await seen([Receive(), Send(chunked_head(script) + chunk(body) + LAST_CHUNK)], script.api)
    loses_finish = script.api == "bedrock-invoke" and not script.terminator  # half of a binary frame holds nothing
    assert found.row.verdict is (Verdict.TRUNCATED if loses_finish else Verdict.COMPLETE_UNTERMINATED)
    assert found.row.events == len(script.good) - 1


async def test_an_answer_whose_last_text_lacks_its_blank_line_is_cut() -> None:
    last = b'data: {"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP","index":0}]}\n'
    first = last.replace(b',"finishReason":"STOP"', b"") + b"\n"
    found = await seen([Receive(), Send(EVENT_STREAM + chunk(first + last) + LAST_CHUNK)], "gemini")
    assert (found.row.verdict, found.row.event_number) == (Verdict.TRUNCATED, 1)


ERRORS = [(script, error) for script in OVER_HTTP for error in wire_of(script.api).errors]


@pytest.mark.parametrize(("script", "error"), ERRORS, ids=[f"{script}-{error}" for script, error in ERRORS])
async def test_an_error_of_any_shape_after_content_is_reported_and_keeps_the_times(script: Script, error: str) -> None:
    body = script.wire((*script.opening, *script.content)) + wire_of(script.api).errors[error]
    found = await seen([Receive(), Send(chunked_head(script) + chunk(body) + LAST_CHUNK)], script.api)
    assert found.row.verdict is Verdict.ERROR_IN_STREAM
    assert ("boom" in found.row.reason) is (error != "without a word")
    assert found.row.ttft_ns is not None


async def test_an_error_outside_of_any_event_after_a_good_end_is_a_finding() -> None:
    found = await seen([*streamed(WHOLE, b'{"error":{"message":"boom"}}\n'), Send(LAST_CHUNK)])
    assert (found.row.verdict, FindingName.ERROR_AFTER_END in found.findings) == (Verdict.COMPLETE, True)


async def test_a_chunk_that_does_not_end_as_it_has_to_keeps_what_is_in_it() -> None:
    found = await seen([Receive(), Send(EVENT_STREAM + chunk(ROLE + HELLO)[:-2] + b"XX"), Hold()])
    assert (found.row.verdict, found.row.event_number, found.text) == (Verdict.TRUNCATED, 2, "hello")
    assert "followed by b'X' instead" in found.row.reason


async def test_a_choice_that_nobody_asked_for() -> None:
    other = HELLO.replace(b'"index":0', b'"index":3')
    script: list[Step] = [*streamed(ROLE, HELLO, other, STOP, DONE), Send(LAST_CHUNK)]
    found = await seen(script)
    assert (found.row.verdict, found.row.rule, found.row.event_number) == (
        Verdict.OUT_OF_ORDER,
        "openai.choice-index",
        3,
    )
    assert found.events[2].note == "choice 3 was not asked for"
    asked = await seen(script, body={"n": 4})
    assert (asked.row.verdict, asked.findings) == (Verdict.TRUNCATED, [])


async def test_a_length_beside_chunks_is_reported_whatever_comes_of_it() -> None:
    head = http("200 OK", SSE, "Content-Length: 5", "Transfer-Encoding: chunked", length=False)
    found = await seen([Receive(), Send(head + chunk(WHOLE) + LAST_CHUNK)])
    assert (found.row.verdict, FindingName.TWO_LENGTHS in found.findings) == (Verdict.COMPLETE, True)


LAWFUL = [(script, line_end) for script in OVER_HTTP for line_end in wire_of(script.api).line_ends]


@pytest.mark.parametrize(("script", "line_end"), LAWFUL, ids=[f"{script}-{end!r}" for script, end in LAWFUL])
async def test_a_stream_in_any_lawful_bytes_is_whole(script: Script, line_end: str) -> None:
    body = wire_of(script.api).opening + script.wire(script.good, line_end)
    singly = b"".join(chunk(body[at : at + 1]) for at in range(len(body)))
    found = await seen([Receive(), Send(chunked_head(script) + singly + LAST_CHUNK)], script.api, body={"model": "m"})
    assert (found.row.verdict, found.row.events) == (Verdict.COMPLETE, len(script.good))
    assert found.findings in ([], [FindingName.MODEL_MISSING])


async def test_the_encodings_of_several_header_lines_count_together() -> None:
    head = ("200 OK", SSE, "Content-Encoding: gzip", "Content-Encoding: br")
    found = await seen(answered(*head, body=gzip.compress(WHOLE)))
    assert found.row.verdict is Verdict.DECODE_ERROR
    assert "gzip, br" in found.row.reason


async def test_a_gzip_body_of_many_members_is_whole() -> None:
    body = b"".join(gzip.compress(part) for part in (ROLE, HELLO, WORLD, STOP, DONE))
    found = await seen(answered("200 OK", SSE, "Content-Encoding: gzip", body=body))
    assert (found.row.verdict, found.text) == (Verdict.COMPLETE, "hello world")


async def test_empty_members_without_end_meet_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.probes.response_reader.BODY_BYTES", 100_000)
    head = http("200 OK", SSE, "Content-Encoding: gzip", length=False)
    found = await seen([Receive(), Send(head), Flood(gzip.compress(b"") * 100)])
    assert (found.row.verdict, found.row.bytes) == (Verdict.TOO_LARGE, 0)


@pytest.mark.parametrize("noise", [b": ping\n\n", b"data:\n\n", b"x", b"event: ping\ndata: {}\n\n"])
async def test_silence_between_events_is_a_stall_whatever_else_comes(noise: bytes) -> None:
    deadlines = soon(event_gap_s=0.1)
    found = await seen([*streamed(ROLE, HELLO, noise * 50), Hold()], deadlines=deadlines)
    assert (found.row.verdict, found.row.rule) == (Verdict.STALLED, "transport.event-gap")
    assert "nothing further of the answer came for 0.1 s" in found.row.reason
    assert found.row.ttft_ns is not None


async def test_what_a_model_thinks_is_no_part_of_its_answer() -> None:
    script: list[Step] = [*streamed(ROLE, openai('{"reasoning":"hm"}'), HELLO, STOP, DONE), Send(LAST_CHUNK)]
    async with ScriptedServer(script) as server:
        result, reads = await probe_once(Endpoint(name="e", api="openai-chat", url=server.url), Profile())
    assert isinstance(result, Request)
    assert result.text == "hello"
    assert [event.text for read in reads for event in read.events if event.text] == ["hm", "hello"]


async def test_many_events_of_one_read_leave_others_their_turns() -> None:
    tiny, turns = openai('{"content":"x"}'), 0
    worked_off: Counter[int] = Counter()

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def listen(record: Record) -> None:
        if isinstance(record, StreamRead):
            worked_off[turns] += len(record.events)

    body = gzip.compress(ROLE + tiny * 20_000 + STOP + DONE)
    async with ScriptedServer(answered("200 OK", SSE, "Content-Encoding: gzip", body=body)) as server:
        probing = Probing(endpoint("openai-chat", server.url), listen)
        async with probing.prober:
            other = asyncio.create_task(take_turns())
            row = await probing.once()
            other.cancel()
    assert (row.verdict, sum(worked_off.values())) == (Verdict.COMPLETE, 20_003)
    assert max(worked_off.values()) <= PART_EVENTS


async def test_of_a_flood_the_beginning_and_the_end_are_kept() -> None:
    tiny, many = openai('{"content":"x"}'), 3 * HALF_EVENTS
    body = gzip.compress(ROLE + tiny * many + STOP + DONE)
    async with ScriptedServer(answered("200 OK", SSE, "Content-Encoding: gzip", body=body)) as server:
        result, reads = await probe_once(Endpoint(name="e", api="openai-chat", url=server.url), Profile())
    assert isinstance(result, Request)
    assert (result.verdict, result.events) == (Verdict.COMPLETE, many + 3)
    numbers = [number for read in reads for number, _ in enumerate(read.events, read.first_event)]
    assert numbers[:HALF_EVENTS] == list(range(1, HALF_EVENTS + 1))
    assert numbers[-HALF_EVENTS:] == list(range(many + 4 - HALF_EVENTS, many + 4))
    assert len(numbers) < many


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("api", ["openai-chat", "anthropic-messages", "gemini", "http"])
async def test_a_redirect_takes_nothing_to_where_it_points(
    status: str, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "sk-canary-1234567890")
    keys = {"key": "env:CANARY", "headers": {"X-Custom": "${env:CANARY}"}}
    async with ScriptedServer([Receive()]) as other:
        for host in ("127.0.0.1", "localhost"):
            target = f"http://{host}:{other.port}/v1?key=sk-canary-1234567890"
            async with ScriptedServer([Receive(), Send(http(status, f"Location: {target}"))]) as server:
                probing = Probing(endpoint(api, server.url, **keys))
                async with probing.prober:
                    row = await probing.once()
            assert len(server.requests) == 1
            assert (row.verdict, row.status) == (Verdict.REDIRECT, int(status[:3]))
            assert f"redirects to {host}" in row.reason
            assert "canary" not in repr(probing.emitted) + repr(row)
        assert other.connections == 0
