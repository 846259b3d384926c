"""WebSocket pings: a text frame out, the expected text frame back, over one connection that is kept.

The connection is dropped after anything but the expected answer, so that a late answer can never be taken for
that of a later ping. After a failure no new dial is made before a jittered, growing pause is over; pings that are
due in that time are failed rows with the last reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from gwtui.apis.base import AskError
from gwtui.apis.websocket import WEBSOCKET
from gwtui.clean import clean
from gwtui.judging.headers import pick_headers, request_id, retry_after, trace_id
from gwtui.keys import Redactor, redactor
from gwtui.probes.backoff import Backoff
from gwtui.probes.handshake import Link, Opening, PingFailedError, open_link, ping_failed, target_of
from gwtui.probes.netclock import net_clock
from gwtui.probes.proxies import Proxy, ProxyError, proxy_for, reason_of, secrets_of_proxy
from gwtui.profile import Endpoint, Profile
from gwtui.records import Ping, Record, RequestStarted
from gwtui.verdicts import Judgement, Verdict
from gwtui.words import Clock, Trigger


@dataclass(slots=True)
class _Seen:
    """What one ping has seen so far; becomes its record."""

    number: int
    trigger: Trigger
    started_at: float
    began_ns: int
    lateness_ns: int
    rtt_ns: int | None = None
    connect_ns: int | None = None
    clock: Clock = Clock.USER
    close_code: int | None = None
    close_reason: str = ""


class WebSocketProber:
    """Pings one endpoint over one kept connection."""

    def __init__(
        self, endpoint: Endpoint, profile: Profile, emit: Callable[[Record], None], seed: int | None = None
    ) -> None:
        self._endpoint = endpoint
        self._deadlines = profile.deadlines_of(endpoint)
        self._warn_days = profile.cert_warn_days_of(endpoint)
        self._emit = emit
        self._use_proxies = profile.use_proxies
        self._proxy: Proxy | None = None
        self._clock = net_clock()
        self._backoff = Backoff(seed)
        self._link: Link | None = None
        self._connections = 0
        self._opening = Opening()
        self._last_failure: Judgement | None = None
        self._redact = Redactor()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Close the connection, if there is one, by the closing handshake."""
        link, self._link = self._link, None
        if link is not None:
            await link.socket.close()

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Ping:
        """Ping once. See `Prober.probe`."""
        began_ns = time.perf_counter_ns()
        seen = _Seen(number, trigger, time.time(), began_ns, max(0, began_ns - planned_ns))
        started = RequestStarted(
            endpoint=self._endpoint.name,
            number=number,
            started_at=seen.started_at,
            now_ns=began_ns,
            trigger=trigger,
        )
        self._emit(started)
        try:
            judgement = await self._attempt(seen)
        except asyncio.CancelledError:
            self._drop()
            stopped = Judgement(verdict=Verdict.CANCELLED, rule="websocket.cancelled", reason="gwtui stopped it")
            self._emit(self._record(seen, stopped))
            raise
        return self._record(seen, judgement)

    async def _attempt(self, seen: _Seen) -> Judgement:
        try:
            link = await self._linked(seen)
            await self._round_trip(link, seen)
        except PingFailedError as failure:
            self._drop()
            if failure.redial_later:
                self._backoff.failed(time.perf_counter_ns())
                self._last_failure = failure.judgement
            return failure.judgement
        self._backoff.succeeded()
        return Judgement(verdict=Verdict.PONG, rule="websocket.pong")

    async def _linked(self, seen: _Seen) -> Link:
        """The kept connection, or a new one."""
        if self._link is not None and self._link.is_current():
            return self._link
        await self._hang_up()
        wait_ns = self._backoff.left_ns(time.perf_counter_ns())
        if wait_ns and self._last_failure is not None:
            reason = f"{self._last_failure.reason}; next dial in {wait_ns / 1e9:.1f} s"
            waiting = msgspec.structs.replace(self._last_failure, reason=reason)
            raise PingFailedError(waiting, redial_later=False)
        try:
            self._proxy = proxy_for(self._endpoint.url) if self._use_proxies else None
        except ProxyError as error:
            raise ping_failed(Verdict.PROXY, "proxy", str(error)) from error
        self._opening = Opening()
        self._connections += 1
        target = target_of(self._endpoint, self._proxy)
        self._redact = redactor(*secrets_of_proxy(self._proxy))
        try:
            self._link = await open_link(target, self._deadlines, self._clock, self._opening, self._redact)
        finally:
            seen.connect_ns = self._opening.connect_ns
        return self._link

    async def _round_trip(self, link: Link, seen: _Seen) -> None:
        """Send the ping and take its answer, within the idle deadline."""
        frame, expected = _frame(self._endpoint), WEBSOCKET.expected(self._endpoint)
        began_ns = time.perf_counter_ns()
        try:
            async with asyncio.timeout(self._deadlines.idle_s):
                await link.socket.send(frame)
                sent_ns = max(began_ns, link.stamps.last_write_ns)
                came_ns = 0
                while came_ns < sent_ns:  # what came before the ping was sent is no answer to it
                    answer = await link.socket.recv()
                    came_ns, seen.clock = link.came(time.perf_counter_ns())
        except TimeoutError as error:
            raise ping_failed(Verdict.NO_PONG, "no-answer", f"no answer within {self._deadlines.idle_s:g} s") from error
        except ConnectionClosed as error:
            raise self._closed(error, seen) from error
        if answer != expected:
            got = (
                clean(self._redact(answer), 80) if isinstance(answer, str) else f"a binary frame of {len(answer)} bytes"
            )
            raise ping_failed(Verdict.WRONG_PONG, "wrong-answer", f"{got!r} instead of {expected!r}")
        seen.rtt_ns = came_ns - sent_ns

    def _closed(self, error: ConnectionClosed, seen: _Seen) -> PingFailedError:
        frame = error.rcvd or error.sent
        seen.close_code = int(frame.code) if frame is not None else int(CloseCode.ABNORMAL_CLOSURE)
        seen.close_reason = clean(self._redact(frame.reason)) if frame is not None else ""
        text = f"{seen.close_code} {seen.close_reason}".strip()
        if frame is None:
            return ping_failed(Verdict.CLOSED, "closed", f"the connection broke: {error.__cause__ or 'no close frame'}")
        if error.rcvd is not None:
            return ping_failed(Verdict.CLOSED, "closed", f"closed by the gateway: {text}")
        if frame.code == CloseCode.MESSAGE_TOO_BIG:
            return ping_failed(Verdict.TOO_LARGE, "message-too-big", f"closed by gwtui: {text}")
        return ping_failed(Verdict.CLOSED, "protocol-error", f"closed by gwtui: {text}")

    def _drop(self) -> None:
        """Give the connection up without a word: whatever comes over it later must not be taken for an answer."""
        link, self._link = self._link, None
        if link is not None:
            link.socket.transport.abort()

    def _record(self, seen: _Seen, judgement: Judgement) -> Ping:
        headers = [(name, self._redact(value)) for name, value in self._opening.headers]
        return Ping(
            endpoint=self._endpoint.name,
            number=seen.number,
            started_at=seen.started_at,
            now_ns=time.perf_counter_ns(),
            trigger=seen.trigger,
            verdict=judgement.verdict,
            rule=judgement.rule,
            reason=clean(self._redact(reason_of(judgement, self._endpoint.url, self._proxy))),
            rtt_ns=seen.rtt_ns,
            connect_ns=seen.connect_ns,
            connection=self._connections,
            close_code=seen.close_code,
            close_reason=seen.close_reason,
            status=self._opening.status,
            lateness_ns=seen.lateness_ns,
            clock=seen.clock,
            trace_id=trace_id(headers) or self._opening.sent_trace_id,
            request_id=request_id(headers),
            headers=pick_headers(headers),
            retry_after_s=retry_after(headers, time.time()) if seen.connect_ns is not None else None,
            findings=self._link.certificate_findings(self._warn_days) if self._link is not None else (),
        )


def _frame(endpoint: Endpoint) -> str:
    try:
        return WEBSOCKET.frame(endpoint)
    except AskError as error:
        raise ping_failed(Verdict.LOCAL, "cannot-be-made", str(error), redial_later=False) from error
