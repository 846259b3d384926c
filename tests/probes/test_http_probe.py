"""What a probe over HTTP sends, measures and leaves behind."""

from __future__ import annotations

import asyncio
import gzip
import socket
import sys
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from support.certificates import pair
from support.completions import DONE, EVENT_STREAM, HELLO, LAST_CHUNK, ROLE, STOP, USAGE, WHOLE, WORLD
from support.probing import Probing, endpoint, probed, resolve_as, soon
from support.scripted import (
    Close,
    Hold,
    Receive,
    Reset,
    ScriptedServer,
    Send,
    Step,
    Wait,
    chunk,
    free_port,
    full_backlog,
    http,
)
from support.stamping import expected_clock

from gwtui.model.enums import FindingName, Outcome, Trigger
from gwtui.model.profile import TLS, Price
from gwtui.model.records import Record, Request, RequestStarted, StreamAlive, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.transport import dial

CLOCK = expected_clock()


async def test_the_second_address_is_used_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer([Receive(), Send(http("200 OK", body=b"pong"))]) as server:
        resolve_as(
            monkeypatch,
            [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", free_port())),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
            ],
        )
        row = await probed(endpoint("http", f"http://two.example:{server.port}"))
    assert row.verdict is Verdict.COMPLETE
    assert [finding.name for finding in row.findings] == [FindingName.ADDRESS_FALLBACK]
    assert row.phases.address == f"127.0.0.1:{server.port}"
    assert row.phases.dns_ns is not None


@pytest.mark.skipif(sys.platform != "linux", reason="how a full backlog behaves is the system's own way")
async def test_an_address_that_does_not_answer_is_reported_beside_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dial, "ATTEMPT_DELAY_S", 0.01)
    with full_backlog() as silent:
        async with ScriptedServer([Receive(), Send(http("200 OK", body=b"pong"))]) as server:
            silent_port = silent.getsockname()[1]
            addresses = [("127.0.0.1", silent_port), ("127.0.0.1", server.port)]
            resolve_as(monkeypatch, [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses])
            row = await probed(endpoint("http", f"http://two.example:{server.port}"))
    assert row.verdict is Verdict.COMPLETE
    assert [finding.name for finding in row.findings] == [FindingName.ADDRESS_FALLBACK]
    assert f"127.0.0.1:{silent_port}: no answer; then 127.0.0.1:{server.port}" in row.findings[0].evidence


async def test_a_whole_stream() -> None:
    script: list[Step] = [Receive(), Send(EVENT_STREAM), Send(chunk(WHOLE) + LAST_CHUNK)]
    async with ScriptedServer(script) as server:
        row = await probed(endpoint("openai-chat", server.url, model="gpt-4o-mini"), Trigger.TRIAL)
    assert row.verdict is Verdict.COMPLETE
    assert (row.events, row.bytes, row.text) == (6, len(WHOLE), "hello world")
    assert (row.input_tokens, row.output_tokens) == (7, 3)
    assert row.findings == ()
    assert row.ttfb_ns is not None
    assert row.ttft_ns is not None
    assert row.duration_ns is not None
    assert row.ttfb_ns <= row.ttft_ns <= row.duration_ns
    assert row.clock is CLOCK


@pytest.mark.parametrize(
    ("told", "priced", "usd"),
    [((), True, 13e-6), ((), False, None), (("x-litellm-response-cost: 9.5e-06",), True, 9.5e-6)],
    ids=["by the price", "not known", "as told"],
)
async def test_what_a_request_cost(told: tuple[str, ...], priced: bool, usd: float | None) -> None:
    price = Price(input_per_million=1.0, output_per_million=2.0) if priced else None
    answer = http("200 OK", "Content-Type: text/event-stream", *told, body=WHOLE)
    async with ScriptedServer([Receive(), Send(answer)]) as server:
        row = await probed(endpoint("openai-chat", server.url, price=price))
    assert row.cost_usd == (None if usd is None else pytest.approx(usd))


async def test_events_of_one_read_share_its_stamp_and_gaps_are_between_reads() -> None:
    script: list[Step] = [
        Receive(),
        Send(EVENT_STREAM + chunk(ROLE)),
        Wait("1"),
        Send(chunk(HELLO) + chunk(WORLD)),
        Wait("3"),
        Send(chunk(WORLD + STOP + USAGE) + chunk(DONE) + LAST_CHUNK),
    ]
    async with ScriptedServer(script) as server:

        def listen(record: Record) -> None:
            if isinstance(record, StreamRead):
                server.gate(str(record.first_event + len(record.events) - 1)).set()

        probing = Probing(endpoint("openai-chat", server.url), listen)
        async with probing.prober:
            row = await probing.once()
    started, *reads = probing.emitted
    assert isinstance(started, RequestStarted)
    found = [(read.first_event, len(read.events)) for read in reads if isinstance(read, StreamRead)]
    assert found == [(1, 1), (2, 2), (4, 4)]
    assert (row.events, row.reads) == (7, 3)
    assert sum(count for _, count in row.gaps) == 1
    assert row.mean_icl_ns == row.max_gap_ns
    assert (row.tpot_ns is None) is bool(row.no_rate), "a rate, or why there is none"


async def test_a_stream_of_comments_is_reported_alive_until_its_first_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.probes.http.ALIVE_NS", 1)
    ping = chunk(b": ping\n\n")
    script: list[Step] = [Receive(), Send(EVENT_STREAM)]
    for gate in ("0", "1", "3"):
        script += [Wait(gate), Send(ping if gate == "0" else ping + ping)]
    async with ScriptedServer([*script[:-1], Send(chunk(WHOLE) + ping + LAST_CHUNK)]) as server:
        probing = Probing(
            endpoint("openai-chat", server.url),
            lambda record: server.gate(str(record.comments)).set() if isinstance(record, StreamAlive) else None,
        )
        async with probing.prober:
            row = await probing.once()
    assert row.verdict is Verdict.COMPLETE
    found = [record for record in probing.emitted if isinstance(record, StreamAlive)]
    assert [alive.comments for alive in found] == [0, 1, 3]
    assert all(sooner.since_sent_ns < later.since_sent_ns for sooner, later in pairwise(found))


async def test_a_stream_that_stays_open_after_its_terminator_is_complete() -> None:
    async with ScriptedServer([Receive(), Send(EVENT_STREAM + chunk(WHOLE)), Hold()]) as server:
        row = await probed(endpoint("openai-chat", server.url, deadlines=soon(total_s=1.5)))
    assert row.verdict is Verdict.COMPLETE
    assert FindingName.OPEN_AFTER_END in [finding.name for finding in row.findings]


async def test_a_kept_connection_is_used_again_and_known() -> None:
    exchange: list[Step] = [Receive(), Send(EVENT_STREAM + chunk(WHOLE) + LAST_CHUNK)]
    async with ScriptedServer([*exchange, *exchange]) as server:
        probing = Probing(endpoint("openai-chat", server.url))
        async with probing.prober:
            cold, warm = await probing.once(), await probing.once()
    assert server.connections == 1
    assert (cold.phases.reused, warm.phases.reused) == (False, True)
    assert cold.phases.connect_ns is not None
    assert warm.phases.connect_ns is None
    assert warm.phases.address == cold.phases.address == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified"), ("GET", "204 No")])
async def test_an_answer_without_a_body_leaves_its_connection_for_the_next(method: str, status: str) -> None:
    exchange: list[Step] = [Receive(), Send(http(status, "Content-Length: 5", length=False))]
    async with ScriptedServer([*exchange, *exchange]) as server:
        probing = Probing(endpoint("http", server.url, method=method))
        async with probing.prober:
            rows = [await probing.once() for _ in range(2)]
    assert [(row.status, row.bytes, row.phases.reused) for row in rows] == [
        (int(status[:3]), 0, False),
        (int(status[:3]), 0, True),
    ]


@pytest.mark.parametrize("last", [Close(), Reset()], ids=["closed", "reset"])
async def test_a_kept_connection_that_breaks_under_the_next_request_is_replaced_once(last: Step) -> None:
    good: list[Step] = [Receive(), Send(http("200 OK", body=b"pong"))]
    async with ScriptedServer([*good, Receive(), last], good) as server:
        probing = Probing(endpoint("http", server.url))
        async with probing.prober:
            await probing.once()
            row = await probing.once()
    assert row.verdict is Verdict.COMPLETE
    assert [finding.name for finding in row.findings] == [FindingName.STALE_CONNECTION]
    ids = {header_of(request, "x-request-id") for request in server.requests}
    assert len(ids) == 3, "an id is never sent twice"


async def test_a_fresh_connection_that_breaks_is_not_tried_again() -> None:
    async with ScriptedServer([Receive(), Close()]) as server:
        row = await probed(endpoint("http", server.url))
    assert row.verdict is Verdict.RESET
    assert len(server.requests) == 1


async def test_an_answer_that_was_there_before_its_request_is_nobodys() -> None:
    answer = http("200 OK", body=b"pong")
    async with ScriptedServer([Receive(), Send(answer + answer), Hold()], [Receive(), Send(answer)]) as server:
        probing = Probing(endpoint("http", server.url))
        async with probing.prober:
            rows = [await probing.once() for _ in range(3)]
    assert [row.verdict for row in rows] == [Verdict.COMPLETE, Verdict.NOT_HTTP, Verdict.COMPLETE]
    assert [finding.name for finding in rows[0].findings] == [FindingName.BYTES_AFTER_ANSWER]
    assert "HTTP/1.1 200 OK" in rows[0].findings[0].evidence
    assert "before the request was sent" in rows[1].reason
    assert rows[1].status is None


@pytest.mark.parametrize("behind", [b"\r\n", b"more of it"])
async def test_what_is_no_answer_behind_an_answer_does_not_spoil_the_next_request(behind: bytes) -> None:
    answer = http("200 OK", body=b"pong")
    async with ScriptedServer([Receive(), Send(answer + behind), Hold()]) as server:
        probing = Probing(endpoint("http", server.url))
        async with probing.prober:
            rows = [await probing.once() for _ in range(2)]
    assert [row.verdict for row in rows] == [Verdict.COMPLETE, Verdict.COMPLETE]
    assert rows[0].findings[0].evidence.endswith(("begins: b'\\r\\n'", "begins: more of it"))
    assert server.connections == 2


def header_of(request: bytes, name: str) -> str:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}.get(name, "")


async def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_KEY", "sk-canary-1234567890")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    answer = http("200 OK", "Set-Cookie: a=b", body=b"ok")
    target = {"key": "env:PROBE_KEY", "headers": {"X-Custom": "v", "User-Agent": "mine"}, "body": "ping"}
    async with ScriptedServer([Receive(), Send(answer), Receive(), Send(answer)]) as server:
        probing = Probing(endpoint("http", server.url, **target))
        async with probing.prober:
            row = await probing.once()
            await probing.once()
    first, second = server.requests
    assert header_of(first, "authorization") == "Bearer sk-canary-1234567890"
    assert header_of(first, "accept-encoding") == "identity"
    assert header_of(first, "user-agent") == "mine"
    assert header_of(first, "x-custom") == "v"
    assert header_of(first, "x-request-id") == row.sent_request_id != header_of(second, "x-request-id")
    assert header_of(first, "traceparent").split("-")[1] == row.trace_id
    assert header_of(second, "cookie") == "", "one probe leaves no trace in the next"


async def test_a_request_says_what_its_references_say_now(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = http("200 OK", body=b"ok")
    target = {"key": "env:PROBE_KEY", "path": "/p?v=${env:PROBE_QUERY}", "headers": {"X-Own": "${env:PROBE_HEADER}"}}
    sent = {"PROBE_KEY": "authorization", "PROBE_QUERY": "", "PROBE_HEADER": "x-own"}
    async with ScriptedServer([Receive(), Send(answer)] * (1 + len(sent))) as server:
        for name in sent:
            monkeypatch.setenv(name, "before-1234567890")
        probing = Probing(endpoint("http", server.url, **target))
        async with probing.prober:
            await probing.once()
            for name in sent:
                monkeypatch.setenv(name, f"now-{name}-1234567890")
                await probing.once()
    assert server.connections == 1
    for request, (name, header) in zip(server.requests[1:], sent.items(), strict=True):
        where = header_of(request, header) if header else request.decode().partition("\r\n")[0]
        assert f"now-{name}-1234567890" in where


async def test_a_key_that_the_gateway_repeats_is_in_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-canary-1234567890"
    monkeypatch.setenv("PROBE_KEY", key)
    echo = b'{"error":{"message":"no such key: sk-canary-1234567890"}}'
    scripts: list[list[Step]] = [
        [Receive(), Send(http("401 Unauthorized", f"X-Request-Id: {key}", body=echo))],
        [Receive(), Send(EVENT_STREAM + chunk(ROLE + b"data: " + echo + b"\n\n") + LAST_CHUNK)],
        [Receive(), Send(http("307 Temporary Redirect", f"Location: http://elsewhere.example/{key}"))],
    ]
    for script in scripts:
        async with ScriptedServer(script) as server:
            probing = Probing(endpoint("openai-chat", server.url, key="env:PROBE_KEY"))
            async with probing.prober:
                row = await probing.once(Trigger.TRIAL)
        assert key in server.requests[0].decode()
        assert key not in repr([row, *probing.emitted])


async def test_the_query_may_refer_to_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_KEY", "canary/0123456789&x=1")
    echo = http("403 No", body=b"no canary/0123456789&x=1")
    async with ScriptedServer([Receive(), Send(echo)]) as server:
        row = await probed(endpoint("http", server.url, path="/p?v=1&key=${env:PROBE_KEY}"))
    assert server.requests[0].startswith(b"POST /p?v=1&key=canary%2F0123456789%26x%3D1 HTTP/1.1")
    assert row.verdict is Verdict.AUTH
    assert "0123456789" not in repr(row)


async def test_untrusted_text_comes_out_clean() -> None:
    evil = b"\x1b]52;c;aGk=\x1b\\ \xc2\x9b31m"
    response = http("500 Oops", b"X-Request-Id: ".decode() + "\x1b]0;owned\x07", body=evil)
    async with ScriptedServer([Receive(), Send(response)]) as server:
        row = await probed(endpoint("http", server.url))
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in repr(row).replace("\n", ""))


async def test_a_compressed_stream_is_read_and_remarked_on() -> None:
    for encoding, body in (("gzip", gzip.compress(WHOLE)), ("deflate", zlib.compress(WHOLE))):
        head = ("200 OK", "Content-Type: text/event-stream", f"Content-Encoding: {encoding}")
        async with ScriptedServer([Receive(), Send(http(*head, body=body))]) as server:
            row = await probed(endpoint("openai-chat", server.url, model="gpt-4o-mini"))
        assert row.verdict is Verdict.COMPLETE
        assert [finding.name for finding in row.findings] == [FindingName.COMPRESSED]
        assert row.bytes == len(WHOLE)


async def test_a_cancelled_probe_leaves_its_row() -> None:
    async with ScriptedServer([Receive(), Send(EVENT_STREAM + chunk(ROLE + HELLO)), Hold()]) as server:
        reading = asyncio.Event()
        probing = Probing(
            endpoint("openai-chat", server.url),
            lambda record: reading.set() if isinstance(record, StreamRead) else None,
        )
        async with probing.prober:
            task = asyncio.create_task(probing.once())
            await reading.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    row = probing.emitted[-1]
    assert isinstance(row, Request)
    assert (row.verdict, row.outcome, row.events) == (Verdict.CANCELLED, Outcome.CANCELLED, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    tls = {"tls": TLS(ca_file=certificates.ca_file)}
    scripts: list[list[Step]] = [
        [Receive(), Send(http("200 OK", body=b"pong"))],
        [Receive(), Send(EVENT_STREAM + chunk(HELLO)), Reset()],
        [Receive(), Close()],
        [Send(b"SSH-2.0-x\r\n"), Hold()],
    ]

    async def all_kinds() -> None:
        for script in scripts:
            for secure in (False, True):
                async with ScriptedServer(script, tls=certificates.server if secure else None) as server:
                    await probed(endpoint("openai-chat", server.url, **(tls if secure else {})))
        await probed(endpoint("http", f"http://127.0.0.1:{free_port()}"))

    asyncio.run(all_kinds())
    before = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(all_kinds())
    assert len(list(Path("/proc/self/fd").iterdir())) == before
