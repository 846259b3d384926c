"""Which connection a probe goes over: kept, renewed or fresh, to which address, and when a kept one was dead."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.certificates import pair
from support.pinging import TEXT, frame
from support.probing import Probing, endpoint, probed, resolve_as, soon
from support.scripted import Accept, Hold, Receive, ScriptedServer, Send, Step, TakeFrame, Vanish, free_port, http

from gwtui.checks.collector import Collected
from gwtui.checks.request_sets import CheckTarget, RequestSet
from gwtui.model.enums import Clock, FindingName
from gwtui.model.profile import TLS, Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.transport import acknowledged, names
from gwtui.transport.connection_policy import Address, Made, Policy, Renewal, host_and_port, in_turn, renewal

PONG: list[Step] = [Receive(), Send(http("200 OK", body=b"pong"))]
ANSWERED: list[Step] = [TakeFrame(), Send(frame(TEXT, b"pong"))]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports what was acknowledged")
unix_only = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no Unix sockets")


def address(port: int, host: str = "127.0.0.1") -> Address:
    return int(socket.AF_INET), (host, port)


def answers(*ports: int) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]


def looked_up(host: str, port: int, *ports: int) -> None:
    """Have the name's look-up in the background find 127.0.0.1 at these ports."""
    names.follow(host, port, ()).addresses = tuple(address(each) for each in ports)


def found(row: Request | Ping) -> list[FindingName]:
    return [finding.name for finding in row.findings]


@given(st.integers(1, 10**6), st.permutations([address(port) for port in range(1, 6)]))
def test_turns_go_through_all_addresses_whatever_the_resolvers_order(first: int, addresses: list[Address]) -> None:
    turns = [in_turn(addresses, number) for number in range(first, first + 5)]
    assert sorted(turns) == sorted(addresses)
    assert turns == [in_turn(sorted(addresses), number) for number in range(first, first + 5)]


@pytest.mark.parametrize(
    ("policy", "made", "addresses", "why"),
    [
        (Policy(), Made(0, address(1)), [address(1), address(2)], None),
        (Policy(), Made(0, address(1)), [address(2)], Renewal.ADDRESS),
        (Policy(), Made(0, address(1)), [], None),
        (Policy(), Made(0), [address(2)], None),
        (Policy(max_age_ns=100), Made(0, address(1)), [address(1)], Renewal.AGE),
        (Policy(max_age_ns=101), Made(0, address(1)), [address(1)], None),
        (Policy(keep=False), Made(100, address(1)), [address(1)], Renewal.FRESH),
    ],
)
def test_a_connection_is_kept_while_it_is_young_and_its_address_is_the_names(
    policy: Policy, made: Made, addresses: Sequence[Address], why: Renewal | None
) -> None:
    assert renewal(policy, made, addresses, now_ns=100) is why


@pytest.mark.parametrize(
    ("text", "parts"),
    [("gateway:443", ("gateway", 443)), ("[::1]:8443", ("::1", 8443)), ("10.0.0.7:80", ("10.0.0.7", 80))],
)
def test_a_host_and_port_are_told_apart(text: str, parts: tuple[str, int]) -> None:
    assert host_and_port(text) == parts


@pytest.mark.parametrize(("deadline_s", "wait_s"), [(60.0, 2.0), (3.0, 1.5), (0.2, 0.5)])
def test_an_acknowledgement_is_waited_for_as_long_as_one_may_take(deadline_s: float, wait_s: float) -> None:
    assert acknowledged.patience_s(deadline_s) == wait_s


@pytest.mark.parametrize(
    "text",
    ["gateway", ":443", "gateway:", "gateway:0", "gateway:65536", "::1:443", "[::1]", "http://gateway:80", "a b:80"],
)
def test_what_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        host_and_port(text)


async def test_a_fresh_connection_for_each_probe_is_announced_and_closed() -> None:
    async with ScriptedServer(PONG) as server:
        probing = Probing(endpoint("http", server.url, connection="fresh"))
        async with probing.prober:
            rows = [await probing.once() for _ in range(3)]
    assert server.connections == 3
    assert [row.phases.reused for row in rows] == [False] * 3
    assert all(row.verdict is Verdict.COMPLETE and found(row) == [] for row in rows)
    assert all(b"Connection: close\r\n" in request for request in server.requests)


async def test_a_connection_that_is_too_old_is_replaced() -> None:
    async with ScriptedServer(PONG) as server:
        probing = Probing(endpoint("http", server.url, max_connection_s=1e-9))
        async with probing.prober:
            rows = [await probing.once() for _ in range(2)]
    assert server.connections == 2
    assert [found(row) for row in rows] == [[], []]


async def test_a_connection_is_drained_when_its_address_is_no_longer_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer(PONG * 3) as old, ScriptedServer(PONG) as new:
        resolve_as(monkeypatch, answers(old.port))
        probing = Probing(endpoint("http", f"http://moving.example:{old.port}"))
        async with probing.prober:
            rows = [await probing.once()]
            resolve_as(monkeypatch, answers(new.port))
            looked_up("moving.example", old.port, new.port, old.port)
            rows.append(await probing.once())
            looked_up("moving.example", old.port, new.port)
            rows.append(await probing.once())
    assert [row.phases.address.rpartition(":")[2] for row in rows] == [str(p) for p in (old.port, old.port, new.port)]
    assert [found(row) for row in rows] == [[], [], [FindingName.ADDRESS_CHANGED]]
    assert "moving.example is now 127.0.0.1" in rows[2].findings[0].evidence
    assert all(row.verdict is Verdict.COMPLETE for row in rows)


async def test_a_name_is_looked_up_again_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    outcomes: list[Any] = [socket.gaierror(socket.EAI_AGAIN, "later"), answers(7), []]

    def getaddrinfo(host: str, port: int, **_: object) -> Any:
        assert (host, port) == ("moving.example", 443)
        outcome = outcomes.pop(0)
        if not outcomes:
            loop.call_soon_threadsafe(asked.set)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(names, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    name = names.follow("moving.example", 443, [address(1)])
    assert names.follow("moving.example", 443, [address(2)]) is name
    assert list(name.addresses) == [address(2), address(1)], "what one worker found closes no connection of another"
    await asyncio.wait_for(asked.wait(), 20)
    monkeypatch.undo()
    assert list(name.addresses) == [address(7)], "a resolver that fails or finds nothing changes nothing"


async def test_each_address_is_probed_in_turn_over_its_own_kept_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(ScriptedServer(PONG * 2)) for _ in range(2)]
        dead = free_port()
        resolve_as(monkeypatch, answers(*(server.port for server in servers), dead))
        probing = Probing(endpoint("http", "http://three.example:80", addresses="each"))
        async with probing.prober:
            rows = [await probing.once() for _ in range(6)]
    assert [server.connections for server in servers] == [1, 1]
    assert Counter(row.phases.address for row in rows) == {
        f"127.0.0.1:{port}": 2 for port in (*(server.port for server in servers), dead)
    }
    refused = [row for row in rows if row.verdict is not Verdict.COMPLETE]
    assert [row.verdict for row in refused] == [Verdict.REFUSED] * 2
    assert all(row.phases.address == f"127.0.0.1:{dead}" and row.phases.address in row.reason for row in refused)
    assert [row.phases.reused for row in rows].count(True) == 2
    assert [row.phases.dns_ns is not None for row in rows] == [True] + [False] * 5
    assert all(found(row) == [] for row in rows)


async def test_the_requests_of_checks_go_to_each_address_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(ScriptedServer(PONG)) for _ in range(2)]
        resolve_as(monkeypatch, answers(*(server.port for server in servers)))
        target = endpoint("openai-chat", "http://two.example:80", addresses="each")
        wakeup_batch = Collected(CheckTarget(endpoint=target, profile=Profile()))
        await wakeup_batch.gather(RequestSet.STREAM)
        await wakeup_batch.gather(RequestSet.ANSWER)
    assert [server.connections for server in servers] == [1, 1]


async def test_the_connection_goes_elsewhere_and_the_request_stays_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = pair("good", tmp_path)
    async with ScriptedServer(PONG, tls=certificates.server) as server:
        resolve_as(monkeypatch, answers(server.port))
        target = endpoint(
            "http", "https://127.0.0.1:1", connect_to="there.example:443", tls=TLS(ca_file=certificates.ca_file)
        )
        row = await probed(target)
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert b"Host: 127.0.0.1:1\r\n" in server.requests[0]
    assert row.phases.address == f"127.0.0.1:{server.port}"


@unix_only
async def test_a_unix_socket_is_probed_and_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "gateway.sock")
    async with ScriptedServer(PONG * 2, unix=path) as server:
        probing = Probing(endpoint("http", "http://gateway.example", unix=path))
        async with probing.prober:
            rows = [await probing.once() for _ in range(2)]
    assert [row.verdict for row in rows] == [Verdict.COMPLETE] * 2, rows[0].reason
    assert [row.phases.reused for row in rows] == [False, True]
    assert all(row.phases.address == f"unix:{path}" and row.clock is Clock.USER for row in rows)
    assert all(b"Host: gateway.example\r\n" in request for request in server.requests)


@unix_only
async def test_a_unix_socket_that_is_not_there_is_refused(tmp_path: Path) -> None:
    row = await probed(endpoint("http", "http://gateway.example", unix=str(tmp_path / "none.sock")))
    assert row.verdict is Verdict.REFUSED
    assert f"unix:{tmp_path / 'none.sock'}: No such file" in row.reason


@pytest.mark.skipif(sys.platform != "linux", reason="how a full backlog behaves is the system's own way")
async def test_a_unix_socket_whose_backlog_is_full_runs_into_the_deadline(tmp_path: Path) -> None:
    path = str(tmp_path / "full.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as filler:
        listener.bind(path)
        listener.listen(0)
        filler.connect(path)
        row = await probed(endpoint("http", "http://gateway.example", unix=path, deadlines=soon(connect_s=0.1)))
    assert row.verdict is Verdict.CONNECT_TIMEOUT
    assert f"unix:{path}" in row.reason


@linux_only
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_a_request_that_nobody_acknowledges_is_sent_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, secure: bool
) -> None:
    monkeypatch.setattr(acknowledged, "ACKNOWLEDGED_S", 0.05)
    certificates = pair("good", tmp_path) if secure else None
    async with ScriptedServer(
        [*PONG, Vanish(), Hold()], PONG, tls=certificates.server if certificates else None
    ) as server:
        tls = TLS(ca_file=certificates.ca_file) if certificates else None
        probing = Probing(endpoint("http", server.url, tls=tls))
        async with probing.prober:
            await probing.once()
            row = await probing.once()
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert found(row) == [FindingName.STALE_CONNECTION]
    assert "idle for " in row.findings[0].evidence
    assert "acknowledged" in row.findings[0].evidence
    assert row.phases.reused is False
    assert len(server.requests) == 2, "the gateway never saw the one that was lost"


@linux_only
async def test_a_long_request_that_nobody_acknowledges_is_sent_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledged, "ACKNOWLEDGED_S", 0.05)
    async with ScriptedServer([*PONG, Vanish(), Hold()], PONG) as server:
        probing = Probing(endpoint("http", server.url, body="x" * 8_000_000))
        async with probing.prober:
            await probing.once()
            row = await probing.once()
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert found(row) == [FindingName.STALE_CONNECTION]


async def test_an_acknowledged_request_without_an_answer_is_no_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledged, "ACKNOWLEDGED_S", 0.3)
    async with ScriptedServer([*PONG, Receive(), Hold()], PONG) as server:
        probing = Probing(endpoint("http", server.url, deadlines=soon(first_byte_s=2.0)))
        async with probing.prober:
            await probing.once()
            row = await probing.once()
    assert row.verdict is Verdict.NO_FIRST_BYTE
    assert row.phases.reused is True
    assert found(row) == []
    assert len(server.requests) == 2


async def pinged(server: ScriptedServer, times: int, **fields: Any) -> list[Ping]:
    probing = Probing(endpoint("websocket", server.url, **fields))
    async with probing.prober:
        return [await probing.once() for _ in range(times)]


async def test_a_websocket_for_each_ping_is_closed_after_it() -> None:
    async with ScriptedServer([Accept(), *ANSWERED]) as server:
        rows = await pinged(server, 2, connection="fresh")
    assert server.connections == 2
    assert [(row.verdict, row.connection, row.connect_ns is not None) for row in rows] == [
        (Verdict.PONG, 1, True),
        (Verdict.PONG, 2, True),
    ]


async def test_a_websocket_that_is_too_old_is_replaced() -> None:
    async with ScriptedServer([Accept(), *ANSWERED]) as server:
        rows = await pinged(server, 2, max_connection_s=1e-9)
    assert server.connections == 2
    assert [row.verdict for row in rows] == [Verdict.PONG] * 2


@unix_only
async def test_a_websocket_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "gateway.sock")
    async with ScriptedServer([Accept(), *ANSWERED * 2], unix=path) as server:
        rows = await pinged(server, 2, unix=path)
    assert [(row.verdict, row.address) for row in rows] == [(Verdict.PONG, f"unix:{path}")] * 2, rows[0].reason
    assert [row.clock for row in rows] == [Clock.USER] * 2


async def test_a_websocket_is_drained_when_its_address_is_no_longer_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    answering: list[Step] = [Accept(), *ANSWERED]
    async with ScriptedServer(answering) as old, ScriptedServer(answering) as new:
        resolve_as(monkeypatch, answers(old.port))
        probing = Probing(endpoint("websocket", f"ws://moving.example:{old.port}"))
        async with probing.prober:
            rows = [await probing.once()]
            resolve_as(monkeypatch, answers(new.port))
            looked_up("moving.example", old.port, new.port)
            rows.append(await probing.once())
    assert [row.address for row in rows] == [f"127.0.0.1:{old.port}", f"127.0.0.1:{new.port}"]
    assert [found(row) for row in rows] == [[], [FindingName.ADDRESS_CHANGED]]
    assert all(row.verdict is Verdict.PONG for row in rows)


async def test_each_address_has_its_own_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        script: list[Step] = [Accept(), *ANSWERED * 2]
        servers = [await stack.enter_async_context(ScriptedServer(script)) for _ in range(2)]
        dead = free_port()
        resolve_as(monkeypatch, answers(*(server.port for server in servers), dead))
        probing = Probing(
            endpoint("websocket", "ws://three.example:80", addresses="each", connect_to="other.example:80")
        )
        async with probing.prober:
            rows = [await probing.once() for _ in range(6)]
            wait_ns = probing.prober.wait_ns()
    assert [server.connections for server in servers] == [1, 1]
    good = [row for row in rows if row.verdict is Verdict.PONG]
    bad = [row for row in rows if row.verdict is not Verdict.PONG]
    assert Counter(row.address for row in good) == {f"127.0.0.1:{server.port}": 2 for server in servers}
    assert [(row.verdict, row.address) for row in bad] == [(Verdict.REFUSED, f"127.0.0.1:{dead}")] * 2
    assert wait_ns == 0, "the pause after failures is that address's own"
    assert [row.connection for row in good] == [1] * 4
    assert [row.connection for row in bad] == [1, 2], "the first redial is at once"


@linux_only
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_a_ping_that_nobody_acknowledges_is_sent_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, secure: bool
) -> None:
    monkeypatch.setattr(acknowledged, "ACKNOWLEDGED_S", 0.05)
    certificates = pair("good", tmp_path) if secure else None
    scripts: list[list[Step]] = [[Accept(), *ANSWERED, Vanish(), Hold()], [Accept(), *ANSWERED]]
    async with ScriptedServer(*scripts, tls=certificates.server if certificates else None) as server:
        tls = TLS(ca_file=certificates.ca_file) if certificates else None
        rows = await pinged(server, 2, tls=tls)
    assert [row.verdict for row in rows] == [Verdict.PONG] * 2, rows[1].reason
    assert [found(row) for row in rows] == [[], [FindingName.STALE_CONNECTION]]
    assert (rows[1].connection, rows[1].connect_ns is not None) == (2, True)


async def test_addresses_that_failed_before_a_websocket_was_open_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer([Accept(), *ANSWERED * 2]) as server:
        dead = free_port()
        resolve_as(monkeypatch, answers(dead, server.port))
        probing = Probing(endpoint("websocket", "ws://two.example:80"))
        async with probing.prober:
            rows = [await probing.once() for _ in range(2)]
    assert [row.verdict for row in rows] == [Verdict.PONG] * 2
    assert [found(row) for row in rows] == [[FindingName.ADDRESS_FALLBACK], []]
    assert f"127.0.0.1:{dead}" in rows[0].findings[0].evidence
