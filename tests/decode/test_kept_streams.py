"""A kept stream is what came: its times, its events and its verdict are those of the live one, whatever the API."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from pathlib import Path
from typing import Literal

import pytest
from msgspec import structs
from msgspec.structs import replace
from support.apis import script_of
from support.probing import PATIENT
from support.scripted import Accept, Echo, Leave, Receive, ScriptedServer, Send, TakeFrame, chunk, http

from gwtui.apis import SAVED_APIS
from gwtui.codec.stream_file import STREAMS, KeptRead, stream_file
from gwtui.decode.kept_streams import KeptStream, kept_stream
from gwtui.decode.session_streams import find_stream, streams_in
from gwtui.framing.sse import SSE
from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Record, Request, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.probes.prober import prober_for
from gwtui.probes.stream_capture import StreamKeeper
from gwtui.recorder.ownership import OwnedDirectory
from gwtui.recorder.stream_files import StreamFiles
from gwtui.text.units import timestamp

ALL = Profile(name="p", record_streams="all", deadlines=PATIENT)
CHAT = script_of("openai-chat")
KEY = "made-up-0001112223334445"


class Session:
    """A directory with the streams of what was probed, and what was live."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owned = OwnedDirectory(path)
        self.owned.take()
        self.files = StreamFiles(self.owned, deque())
        self.reads: list[StreamRead] = []

    async def probed(self, endpoint: Endpoint, number: int = 1) -> Request | Ping:
        def emit(record: Record) -> None:
            if isinstance(record, StreamRead):
                self.reads.append(record)

        async with prober_for(endpoint, ALL, emit, keeper=StreamKeeper(self.files.hold)) as prober:
            result = await prober.probe(number, time.perf_counter_ns(), Trigger.SCHEDULE)
        self.files.take(result, ALL)
        self.files.write(ALL, lambda: True)
        return result

    def kept(self) -> KeptStream:
        (found,) = (kept for _, kept in streams_in(self.path))
        assert isinstance(found, KeptStream)
        return found


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "s")


def chat(url: str, **more: object) -> Endpoint:
    return replace(Endpoint(name="target", api="openai-chat", url=url, model="m"), **more)


def stream(content_type: str, *pieces: bytes) -> list[Send | Receive | Leave]:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\nX-Trace: abc\r\n\r\n"
    return [Receive(), Send(head.encode()), *(Send(chunk(piece)) for piece in pieces if piece)]


SCRIPTED = ["openai-chat", "anthropic-messages", "gemini", "cohere-chat", "ollama-chat", "bedrock-converse", "tgi"]
FIGURES = (
    "verdict",
    "rule",
    "reason",
    "event_number",
    "status",
    "events",
    "reads",
    "bytes",
    "output_tokens",
    "trace_id",
)
TIMES = ("ttfb_ns", "ttft_ns", "ttfo_ns", "duration_ns", "mean_icl_ns", "max_gap_ns", "tpot_ns", "gaps", "error_ns")


@pytest.mark.parametrize("api", SCRIPTED)
@pytest.mark.parametrize("cut", [False, True])
async def test_it_is_judged_as_it_was_live_with_its_own_times(session: Session, api: str, cut: bool) -> None:
    script = script_of(api)
    body = script.wire(script.good[: -len(script.terminator or script.good[-1:])] if cut else script.good)
    third = len(body) // 3
    media = SAVED_APIS[api].framing.media_type
    pieces = stream(media, body[:third], body[third : 2 * third], body[2 * third :])
    end = [Leave()] if cut else [Send(b"0\r\n\r\n")]
    async with ScriptedServer([*pieces, *end]) as server:
        endpoint = Endpoint(name="target", api=api, url=server.url, model="m")
        live = await session.probed(endpoint)
    assert isinstance(live, Request)
    kept = session.kept()
    assert kept.differences == ()
    assert isinstance(kept.result, Request)
    for name in (*FIGURES, *TIMES, "findings"):
        assert getattr(kept.result, name) == getattr(live, name), name
    assert [(each.since_sent_ns, each.first_event, each.events) for each in kept.reads] == [
        (each.since_sent_ns, each.first_event, each.events) for each in session.reads
    ]


ANSWERS = {
    "401": http("401 Unauthorized", "Content-Type: application/json", body=b'{"error":{"message":"no"}}'),
    "502": http("502 Bad Gateway", "Content-Type: text/html", body=b"<html>nginx</html>"),
    "empty": http("200 OK", "Content-Type: text/event-stream"),
    "whole": http("200 OK", "Content-Type: application/json", body=b'{"choices":[]}'),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answers_that_are_no_streams_are_kept_too(session: Session, name: str) -> None:
    async with ScriptedServer([Receive(), Send(ANSWERS[name])]) as server:
        live = await session.probed(chat(server.url, stream=name != "whole"))
    kept = session.kept()
    assert kept.differences == ()
    assert (kept.result.verdict, kept.result.reason) == (live.verdict, live.reason)


@pytest.mark.parametrize("ping", ["text", "frame"])
async def test_the_answers_to_pings_are_kept(session: Session, ping: Literal["text", "frame"]) -> None:
    async with ScriptedServer([Accept(), TakeFrame(), Echo(0x1 if ping == "text" else 0xA)]) as server:
        url = server.url.replace("http", "ws")
        endpoint = Endpoint(name="ws", api="websocket", url=url, ping=ping, expect="ping" if ping == "text" else None)
        live = await session.probed(endpoint)
    assert isinstance(live, Ping)
    kept = session.kept()
    assert kept.differences == ()
    assert (kept.result.verdict, kept.result.measured) == (Verdict.PONG, live.measured)
    assert isinstance(kept.result, Ping)
    assert kept.result.rtt_ns == live.rtt_ns


async def test_a_wrong_answer_to_a_ping_is_judged_anew(session: Session) -> None:
    async with ScriptedServer([Accept(), TakeFrame(), Echo(0x1)]) as server:
        endpoint = Endpoint(name="ws", api="websocket", url=server.url.replace("http", "ws"), expect="other")
        live = await session.probed(endpoint)
    assert live.verdict is Verdict.WRONG_PONG
    kept = session.kept()
    assert (kept.result.verdict, kept.differences) == (Verdict.WRONG_PONG, ())


async def test_what_a_later_version_would_say_is_said_beside_what_was(session: Session) -> None:
    async with ScriptedServer([*stream("text/event-stream", CHAT.wire(CHAT.good[:-1])), Send(b"0\r\n\r\n")]) as server:
        await session.probed(chat(server.url))
    (path,) = (session.path / STREAMS).iterdir()
    text = path.read_text()
    verdict = f'"verdict":"{session.kept().header.verdict}"'
    assert verdict in text
    path.write_text(text.replace(verdict, '"verdict":"stalled"').replace('"rule":"', '"rule":"old.'))
    (difference,) = session.kept().differences
    assert difference.startswith("stalled (old.")


async def test_a_damaged_file_shows_what_is_whole_with_the_recorded_verdict(session: Session) -> None:
    body = CHAT.wire(CHAT.good)
    async with ScriptedServer([*stream("text/event-stream", body), Send(b"0\r\n\r\n")]) as server:
        live = await session.probed(chat(server.url))
    (path,) = (session.path / STREAMS).iterdir()
    path.write_bytes(path.read_bytes()[:-90])
    kept = session.kept()
    assert kept.not_judged.startswith("the file is cut")
    assert kept.result.verdict is live.verdict


@pytest.mark.parametrize("size", [7, 40, 333])
async def test_a_hole_is_passed_over_between_whole_events(session: Session, size: int) -> None:
    body = CHAT.wire((*CHAT.good[:1], *(CHAT.good[1:2] * 50), *CHAT.good[2:]))
    async with ScriptedServer([*stream("text/event-stream", body), Send(b"0\r\n\r\n")]) as server:
        live = await session.probed(chat(server.url))
    reads = [KeptRead(1_000 * at, body[at : at + size]) for at in range(0, len(body), size)]
    place, behind = len(reads) // 4, 3 * len(reads) // 4
    header = structs.replace(session.kept().header, dropped_after=place, dropped_bytes=(behind - place) * size)
    kept = kept_stream([stream_file(header, reads[:place] + reads[behind:])])
    assert kept.not_judged == f"{(behind - place) * size:,} bytes of it are not kept"
    assert kept.result.verdict is live.verdict
    events = [event for read in kept.reads for event in read.events]
    assert 5 < len(events) < 40
    assert not any(event.note for event in events), "no half of an event was taken for one"
    assert events[-1].raw == "[DONE]"


async def test_a_key_that_came_back_leaves_the_recorded_verdict(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVIDENCE_KEY", KEY)
    body = CHAT.wire(CHAT.good).replace(b"data: [DONE]", b'data: {"error":{"message":"bad key %b"}}' % KEY.encode())
    async with ScriptedServer([*stream("text/event-stream", body), Send(b"0\r\n\r\n")]) as server:
        live = await session.probed(chat(server.url, key="env:EVIDENCE_KEY"))
    (path,) = (session.path / STREAMS).iterdir()
    assert KEY[:8] not in path.read_text()
    kept = session.kept()
    assert kept.result.verdict is live.verdict
    assert kept.header.masked


async def test_a_request_is_found_by_its_number_and_the_time_of_its_row(session: Session) -> None:
    async with ScriptedServer([Receive(), Send(ANSWERS["401"])]) as server:
        first = await session.probed(chat(server.url))
        await asyncio.sleep(0)
        second = await session.probed(chat(server.url))
    assert (first.number, second.number) == (1, 1)
    for each in (first, second):
        kept = find_stream(session.path, "target", 1, timestamp(each.started_at))
        assert kept is not None
        assert kept.header.started_at == timestamp(each.started_at)
    assert find_stream(session.path, "target", 2, "") is None
    assert find_stream(session.path, "other", 1, "") is None


async def test_what_is_not_ours_is_passed_over_or_named(session: Session, tmp_path: Path) -> None:
    async with ScriptedServer([Receive(), Send(ANSWERS["401"])]) as server:
        await session.probed(chat(server.url))
    (path,) = (session.path / STREAMS).iterdir()
    (session.path / STREAMS / "notes.txt").write_text("mine")
    (tmp_path / "secret").write_text("x")
    path.with_name(path.name.replace("_1_", "_2_")).symlink_to(tmp_path / "secret")
    path.with_name(path.name.replace("_1_", "_3_")).write_text('{"gwtui_stream":99}\n')
    found = {name.number: kept for name, kept in streams_in(session.path)}
    assert isinstance(found.pop(1), KeptStream)
    assert "link" in str(found[2])
    assert "newer gwtui" in str(found[3])
    assert len(found) == 2


@pytest.mark.parametrize("damage", ["settings", "verdict", "end", "api"])
def test_odd_first_lines_are_refused_in_words(damage: str) -> None:
    fields = {"settings": '{"name":"a","api":"openai-chat","url":"http://h"}', "verdict": '"x"', "end": '"clean"'}
    fields |= {"api": '"openai-chat"', damage: {"settings": '{"name":3}', "end": '"odd"'}.get(damage, '"odd"')}
    told = "".join(f',"{name}":{value}' for name, value in fields.items())
    line = f'{{"gwtui_stream":1,"endpoint":"a","number":1,"started_at":""{told}}}\n'
    with pytest.raises(ValueError, match=r"this version|newer gwtui|damaged"):
        kept_stream([line.encode()])


def test_framings_with_a_blank_line_are_those_of_sse() -> None:
    assert SSE.event_end == "blank line"
