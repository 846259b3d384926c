"""WebSocket pings: a text frame out, the expected text frame back, over one connection that is kept, or over one for
each address that is probed in turn.

Another message than the expected answer is either a wrong answer or an unsolicited one. It is skipped, but unless the
peer is known to send unsolicited ones, the expected answer has to follow soon.

The connection is dropped after anything but the expected answer, so that a late answer can never be taken for
that of a later ping. The next dial is made at once, but after further failures not before a jittered, growing pause
is over: `wait_ns` says how long that is, and its caller asks for no ping until then.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from websockets.exceptions import ConnectionClosed

from gwtui.apis.headers import pick_headers, request_id, retry_after, trace_id
from gwtui.model.enums import Clock, Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Finding, Ping, Record, RequestStarted
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.probes.deadlines import within_total
from gwtui.probes.handshake import (
    Opening,
    OpenWebSocket,
    PingFailedError,
    as_failed_ping,
    closed,
    dial_target,
    open_websocket,
)
from gwtui.probes.inbox import ReceivedFrame
from gwtui.probes.lanes import Lanes
from gwtui.probes.masking import masked_ping
from gwtui.probes.pong import PingQuestion, answer_within_s, grace_s
from gwtui.probes.stream_capture import StreamKeeper
from gwtui.probes.stream_tape import Tape
from gwtui.secrets.resolver import redactor
from gwtui.stats.accuracy import in_doubt
from gwtui.text.sanitize import clean
from gwtui.transport.acknowledged import Acknowledgement, UnacknowledgedError, patience_s
from gwtui.transport.connection_policy import Address, Renewal, stale_connection
from gwtui.transport.dial import Dial, fallbacks
from gwtui.transport.proxies import Proxy, proxy_of, reason_of, secrets_of_proxy
from gwtui.transport.routes import Route
from gwtui.transport.timestamps import StampedSocket, net_clock
from gwtui.verdict.tolerance import not_tolerated

MOST_TIMES = 1000
"""Times that are remembered, to know how long an answer usually takes."""


@dataclass(slots=True)
class _Seen:
    """What one ping has seen so far; becomes its record."""

    number: int
    trigger: Trigger
    started_at: float
    began_ns: int
    lateness_ns: int
    planned_ns: int
    rtt_ns: int | None = None
    error_ns: int | None = None
    connect_ns: int | None = None
    clock: Clock = Clock.USER
    close_code: int | None = None
    close_reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    question: PingQuestion | None = None
    tape: Tape | None = None
    """What came that may be its answer, where that is kept."""


class WebSocketProber:
    """Pings one endpoint over one kept connection, or over one for each of its addresses."""

    def __init__(
        self,
        endpoint: Endpoint,
        profile: Profile,
        emit: Callable[[Record], None],
        seed: int | None = None,
        keeper: StreamKeeper | None = None,
    ) -> None:
        self._stream_keeper = keeper
        self._endpoint = endpoint
        self._deadlines = within_total(profile.deadlines_of(endpoint))
        self._warn_days = profile.cert_warn_days_of(endpoint)
        self._emit = emit
        self._use_proxies = profile.use_proxies
        self._proxy: Proxy | None = None
        self._clock = net_clock()
        self._route: Route | None = None
        self._lanes = Lanes(seed)
        self._lane = self._lanes.of(None)
        """That of the ping under way, or of the last one."""
        self._turn = 0
        """Whose turn it is, where each address is probed."""
        self._rtts: deque[int] = deque(maxlen=MOST_TIMES)
        self._openings: deque[int] = deque(maxlen=MOST_TIMES)
        """How long opening a connection took, in ns."""
        self._sends_unsolicited = False
        """Whether the peer has sent a message that was no answer to a ping."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, lane in self._lanes:
            await lane.hang_up()

    def wait_ns(self) -> int:
        """Until the next dial is due. See `Prober.wait_ns`."""
        return self._lanes.wait_ns()

    def goes_on(self) -> bool:
        """No: pings have no turns."""
        return False

    async def connect(self) -> None:
        """Connect before the first ping, where connections are kept. What goes wrong is left to that ping."""
        if self._endpoint.connection == "fresh":
            return
        now_ns = time.perf_counter_ns()
        with suppress(PingFailedError):
            await self._dialled(_Seen(1, Trigger.BURST, time.time(), now_ns, 0, now_ns))

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Ping:
        """Ping once. See `Prober.probe`."""
        began_ns = time.perf_counter_ns()
        seen = _Seen(number, trigger, time.time(), began_ns, max(0, began_ns - planned_ns), planned_ns)
        seen.tape = self._stream_keeper.tape() if self._stream_keeper is not None else None
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
            self._lane.drop()
            stopped = Judgement(verdict=Verdict.CANCELLED, rule="websocket.cancelled", reason="gwtui stopped it")
            self._emit(self._record(seen, stopped))
            raise
        record = self._record(seen, judgement)
        if self._endpoint.connection == "fresh":
            await self._lane.hang_up()
        return record

    async def _attempt(self, seen: _Seen) -> Judgement:
        try:
            await self._renew(seen)
            self._turn = self._lanes.next_turn(seen.number, self._address_of)
            self._lane = self._lanes.of(self._address_of(self._turn))
            await self._exchange(seen)
        except PingFailedError as failure:
            self._lane.drop()
            if failure.redial_later:
                self._lane.backoff.failed(time.perf_counter_ns())
            return failure.judgement
        self._lane.backoff.succeeded()
        return Judgement(verdict=Verdict.PONG, rule="websocket.pong")

    async def _exchange(self, seen: _Seen) -> None:
        """Ping over the kept connection, or over a new one; over a new one also when the kept one was dead."""
        connection = self._lane.connection
        if connection is not None:
            idle_ns = self._idle_ns(connection)
            try:
                await self._round_trip(connection, seen, kept=True)
            except UnacknowledgedError as error:
                self._lane.drop()
                seen.findings.append(stale_connection(idle_ns, str(error)))
            else:
                return
        await self._round_trip(await self._dialled(seen), seen, kept=False)

    def _idle_ns(self, connection: OpenWebSocket) -> int | None:
        """How long the kept connection has been idle, or was until the gateway closed it."""
        if not connection.stamps.reads:
            return None
        if connection.left() and connection.stamps.last_read_ns > self._lane.answered_ns:
            return connection.stamps.last_read_ns - self._lane.answered_ns
        return time.perf_counter_ns() - connection.stamps.last_read_ns

    async def _renew(self, seen: _Seen) -> None:
        """Close the connections that the policy does not keep any longer."""
        now_ns = time.perf_counter_ns()
        for address, lane in self._lanes:
            if self._route is None or lane.connection is None:
                continue
            why = self._route.renewal(lane.connection.made, now_ns)
            if why is Renewal.ADDRESS:
                seen.findings.append(self._route.address_changed(lane.connection.made))
            if why is not None or not lane.connection.is_current():
                await lane.hang_up()
            if why is Renewal.ADDRESS and address is not None:
                self._lanes.forget(address)

    def _address_of(self, turn: int) -> Address | None:
        return self._route.turn(turn) if self._route is not None else None

    async def _dialled(self, seen: _Seen) -> OpenWebSocket:
        """A new connection."""
        with as_failed_ping():
            self._proxy = proxy_of(self._endpoint, use_environment=self._use_proxies)
        opening = self._lane.opening = Opening()
        target = dial_target(self._endpoint)
        route = self._route = self._route or Route(self._endpoint, target.host, target.port, self._proxy)
        route.use(self._proxy)

        async def way(progress: Dial) -> StampedSocket:
            return await route.connect(self._turn, self._clock, progress, tunnel=True)

        try:
            connection = await open_websocket(
                target, way, self._deadlines, opening, self._within_s(self._openings, seen)
            )
        finally:
            seen.connect_ns = opening.connect_ns
            self._lane = self._lanes.of(route.kept_under(opening.dial))
            self._lane.opening = opening
            self._lane.dials += 1
        self._lane.connection = connection
        self._openings.append(seen.connect_ns or 0)
        seen.findings += fallbacks(opening.dial)
        return connection

    async def _round_trip(self, connection: OpenWebSocket, seen: _Seen, *, kept: bool) -> None:
        """Send the ping and take its answer, within its deadline. Raises `PingFailedError`, and
        `UnacknowledgedError` where the peer's kernel did not get the ping over a kept connection, or had left it."""
        if kept and (left := connection.left()):
            raise UnacknowledgedError(left)
        dead: list[UnacknowledgedError] = []

        def give_up(error: UnacknowledgedError) -> None:
            dead.append(error)
            connection.socket.transport.abort()

        question = seen.question = PingQuestion(self._endpoint)
        within_s = self._within_s(self._rtts, seen)
        acknowledgement = Acknowledgement(connection.stamps, patience_s(within_s), give_up) if kept else None
        try:
            await self._answered(connection, question, seen, within_s)
        except ConnectionClosed as error:
            if dead:
                raise dead[0] from error
            seen.close_code, seen.close_reason, failed = closed(error)
            raise failed from error
        finally:
            if acknowledgement is not None:
                acknowledgement.cancel()

    def _within_s(self, times: Iterable[int], seen: _Seen) -> float:
        """How long what usually takes these times may take now."""
        return answer_within_s(times, self._deadlines, time.perf_counter_ns() - seen.began_ns)

    async def _answered(self, connection: OpenWebSocket, question: PingQuestion, seen: _Seen, within_s: float) -> None:
        began_ns, began_s = time.perf_counter_ns(), asyncio.get_running_loop().time()
        self._sends_unsolicited |= connection.inbox.heard_unsolicited
        timer = asyncio.timeout_at(began_s + within_s)

        def is_answer(arrival: ReceivedFrame) -> bool:
            if seen.tape is not None and arrival.is_pong is (question.text is None):
                seen.tape.add(arrival.stamp_ns, arrival.error_ns, arrival.in_bytes)
            found = question.is_answered_by(arrival)
            self._sends_unsolicited |= question.heard_earlier
            if question.others == 1 and question.text is not None and not self._sends_unsolicited:
                self._shorten(timer)
            return found

        answer = connection.inbox.listen(is_answer)
        try:
            async with timer:
                if question.text is None:
                    await connection.socket.ping(question.payload)
                else:
                    await connection.socket.send(question.text)
                question.sent_ns = max(began_ns, connection.stamps.last_write_ns)
                sent_error_ns = connection.stamps.last_write_error_ns
                arrival = await answer
        except TimeoutError as error:
            raise question.unanswered((timer.when() or 0.0) - began_s) from error
        finally:
            connection.inbox.shut()
        question.check()
        self._sends_unsolicited |= question.others > 0
        seen.clock, seen.error_ns = arrival.clock, sent_error_ns + arrival.error_ns
        seen.rtt_ns = max(0, arrival.stamp_ns - question.sent_ns)
        self._rtts.append(seen.rtt_ns)
        self._lane.answered_ns = connection.stamps.last_read_ns

    def _shorten(self, timer: asyncio.Timeout) -> None:
        """The answer has to come soon, or what came is a wrong one."""
        end_s = timer.when()
        if end_s is not None and not timer.expired():
            soon_s = asyncio.get_running_loop().time() + grace_s(self._rtts or self._openings)
            timer.reschedule(min(end_s, soon_s))

    def _record(self, seen: _Seen, judgement: Judgement) -> Ping:
        opening, connection = self._lane.opening, self._lane.connection
        headers, found = opening.headers, connection.findings(self._warn_days) if connection is not None else ()
        ping = Ping(
            endpoint=self._endpoint.name,
            number=seen.number,
            started_at=seen.started_at,
            now_ns=time.perf_counter_ns(),
            trigger=seen.trigger,
            verdict=judgement.verdict,
            rule=judgement.rule,
            reason=clean(reason_of(judgement, self._endpoint, self._proxy)),
            rtt_ns=seen.rtt_ns,
            error_ns=seen.error_ns,
            tainted=seen.error_ns is not None and in_doubt(seen.rtt_ns, seen.error_ns),
            connect_ns=seen.connect_ns,
            connection=self._lane.dials,
            close_code=seen.close_code,
            close_reason=seen.close_reason,
            status=opening.status,
            lateness_ns=seen.lateness_ns,
            planned_ns=seen.planned_ns,
            sent_ns=seen.question.sent_ns if seen.question is not None else None,
            clock=seen.clock,
            trace_id=trace_id(headers) or opening.sent_trace_id,
            request_id=request_id(headers),
            headers=pick_headers(headers),
            retry_after_s=retry_after(headers, time.time()) if seen.connect_ns is not None else None,
            findings=not_tolerated(self._endpoint, (*seen.findings, *found)),
            address=opening.dial.address,
        )
        redact = redactor(*secrets_of_proxy(self._proxy))
        masked = masked_ping(ping, redact)
        if self._stream_keeper is not None:
            self._stream_keeper.keep_ping(masked, seen.tape, seen.question, self._endpoint, opening.headers, redact)
        return masked
