"""One HTTP request, measured: what `http` endpoints and all LLM APIs are probed with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from gwtui.apis.base import API, Ask, AskError
from gwtui.apis.damage import DamageWatch
from gwtui.apis.headers import joined_header
from gwtui.apis.nonce import numbered
from gwtui.framing.base import Framing
from gwtui.model.enums import End, Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Record, Request, RequestStarted, StreamAlive, StreamEvent, StreamRead
from gwtui.probes.deadlines import DeadlineWatchdog, due, waiting
from gwtui.probes.limit_names import LimitNames
from gwtui.probes.prepared_request import PreparedRequest, overlaid
from gwtui.probes.probe_result import Result, record_of
from gwtui.probes.redirects import MOST_REDIRECTS, redirect_finding, within_origin
from gwtui.probes.response_reader import BodyIntake, Intake, StreamIntake, body_intake, check_length
from gwtui.probes.stream_capture import StreamKeeper, capture_of
from gwtui.probes.stream_timing import Timing
from gwtui.secrets.redaction import Redactor
from gwtui.secrets.references import KeyReferenceError, NoRoomError
from gwtui.secrets.resolver import redactor, resolve, resolve_headers, resolve_url
from gwtui.transport.acknowledged import patience_s
from gwtui.transport.connection import HTTPConnection
from gwtui.transport.connection_policy import stale_connection
from gwtui.transport.connection_pool import ConnectionPool, pool_for
from gwtui.transport.decoding import PIECE_BYTES, Decoder, decoder_for
from gwtui.transport.dial import Dial
from gwtui.transport.errors import FAILURES, end_of
from gwtui.transport.http1_head import ResponseHead
from gwtui.transport.proxies import Proxy, proxy_of, secrets_of_proxy
from gwtui.transport.request import HEADERS, target_of
from gwtui.transport.trace import Arrival, ConnectionTrace

ALIVE_NS = 1_000_000_000
"""The interval at which a stream without events is reported as alive."""
STALE_NS = 1_000_000_000
"""A kept connection that breaks so soon after the request, without a byte, was closed before the request came."""


class HTTPProber:
    """Measures one endpoint over one kept connection."""

    def __init__(
        self,
        endpoint: Endpoint,
        profile: Profile,
        api: API,
        emit: Callable[[Record], None],
        *,
        events: bool = True,
        keeper: StreamKeeper | None = None,
    ) -> None:
        """Without `events`, the events of a stream are not collected for display. `keeper` gets all answers as they
        came."""
        self._endpoint = endpoint
        self._api = api
        self._deadlines = profile.deadlines_of(endpoint)
        self._warn_days = profile.cert_warn_days_of(endpoint)
        self._record_text = profile.record_text
        self._use_proxies = profile.use_proxies
        self._connection = (("Connection", "close"),) if endpoint.connection == "fresh" else ()
        self._proxy: Proxy | None = None
        self._emit = emit
        self._events = events
        self._stream_keeper = keeper
        self._pool: ConnectionPool | None = None
        self._request: PreparedRequest | None = None
        self._limit_names = LimitNames(endpoint, api)
        self._asked: tuple[Ask, str | None, list[tuple[str, str]], Endpoint] | None = None
        """What the request is made of: the API's own part, and the key, headers and endpoint that it was made with."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    def wait_ns(self) -> int:
        """Nothing: a request that fails says nothing of when to connect again."""
        return 0

    def goes_on(self) -> bool:
        """No: one request is all."""
        return False

    def asks(self, endpoint: Endpoint) -> None:
        """From the next probe on ask as this endpoint does: of the same name, at the same place, something else."""
        self._endpoint = endpoint
        self._limit_names = LimitNames(endpoint, self._api)

    async def connect(self) -> None:
        """Prepare the request, and connect where connections are kept. What goes wrong is left to the next probe."""
        with suppress(NoRoomError, KeyReferenceError, AskError, *FAILURES):
            _, pool = self._pooled()
            pool.use(self._proxy)
            async with asyncio.timeout(self._deadlines.connect_s):
                await pool.connect()

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request:
        """Measure once. See `Prober.probe`."""
        result = Result(number, trigger, planned_ns, ConnectionTrace(), record_text=self._record_text)
        result.tape = self._stream_keeper.tape() if self._stream_keeper is not None else None
        started = RequestStarted(
            endpoint=self._endpoint.name,
            number=number,
            started_at=result.started_at,
            now_ns=result.progress.began_ns,
            trigger=trigger,
        )
        self._emit(started)
        try:
            await self._measure(result)
        except asyncio.CancelledError:
            result.over(End.CANCELLED, "gwtui stopped it")
            self._emit(self._record(result))
            raise
        return self._record(result)

    def _record(self, result: Result) -> Request:
        peer = Dial(0)
        if self._pool is not None:
            result.findings += self._pool.certificate_findings(self._warn_days)
            peer = self._pool.peer
        redact = self._redactor()
        record = record_of(result, self._endpoint, self._api, peer, redact, self._proxy)
        if self._stream_keeper is not None and result.tape is not None:
            self._stream_keeper.keep(capture_of(result, result.tape, self._endpoint, record, redact))
        return record

    def _redactor(self) -> Redactor:
        """Masks all keys that are known by now."""
        return redactor(*secrets_of_proxy(self._proxy))

    async def _measure(self, result: Result) -> None:
        watchdog = DeadlineWatchdog(self._deadlines, lambda: due(result.progress, self._deadlines))
        try:
            async with watchdog:
                await self._exchange(result)
                if _was_stale(result):
                    result.findings.append(stale_connection(result.trace.idle_ns, result.detail))
                    result.again(ConnectionTrace())
                    await self._exchange(result)
                await self._limited_otherwise(result)
                if self._endpoint.follow_redirects:
                    await self._follow(result)
        except TimeoutError:
            if watchdog.expired is None:
                raise
            result.over(watchdog.expired.end, watchdog.expired.detail, watchdog.expired.at_ns)

    async def _limited_otherwise(self, result: Result) -> None:
        """Ask once more where the name of the token limit was refused. What is measured is the second request."""
        refused = result.intake.body if isinstance(result.intake, BodyIntake) else b""
        if self._asked is None or result.end is not End.CLEAN:
            return
        taught = self._limit_names.learn(self._asked[0], result.status, refused)
        if taught is None:
            known = self._limit_names.remembered()
            result.findings += [known] if known is not None else []
            return
        result.findings.append(taught)
        result.again(ConnectionTrace())
        await self._exchange(result)
        refused = result.intake.body if isinstance(result.intake, BodyIntake) else b""
        self._limit_names.learn(self._asked[0], result.status, refused)

    async def _follow(self, result: Result) -> None:
        """Ask again where redirects within the origin lead. What is measured is the last request."""
        url, method = (self._request.url, self._request.method) if self._request is not None else ("", "")
        for _ in range(MOST_REDIRECTS):
            target = within_origin(url, method, result.status, result.headers)
            if target is None or result.end is not End.CLEAN:
                return
            url = target
            result.findings.append(redirect_finding(result.status, target))
            result.again(ConnectionTrace())
            await self._exchange(result, target)

    async def _exchange(self, result: Result, url: str | None = None) -> None:
        """Send the request and read its answer, to its end or to a failure that is noted in the result.

        It goes to the endpoint's own address, or to where the gateway has redirected it.
        """
        try:
            await self._ask(result, *self._pooled(), url)
        except NoRoomError as error:
            result.over(End.LOCAL, str(error))
        except KeyReferenceError as error:
            result.over(End.NO_KEY, str(error))
        except AskError as error:
            result.over(End.LOCAL, f"the request cannot be made: {error}")
        except FAILURES as error:
            result.over(*end_of(error, result.trace))
        else:
            result.over(End.CLEAN)

    def _pooled(self) -> tuple[PreparedRequest, ConnectionPool]:
        request, wait_s = self._prepared(), patience_s(self._deadlines.first_byte_s)
        if self._pool is None:
            self._pool = pool_for(request.target, self._endpoint, self._proxy, wait_s, switches=request.switches)
        return request, self._pool

    def _prepared(self) -> PreparedRequest:
        """The request, made anew where its references say something else than for the one before."""
        key = resolve(self._endpoint.key) if self._endpoint.key is not None else None
        further = resolve_headers(self._endpoint)
        self._proxy = proxy_of(self._endpoint, use_environment=self._use_proxies)
        asked = self._limit_names.endpoint
        if self._asked is None or self._asked[1:] != (key, further, asked):
            self._asked, self._request = (self._api.ask(asked, key), key, further, asked), None
        ask = self._asked[0]
        url = resolve_url(ask.url)
        if self._request is None or self._request.url != url:
            headers = overlaid(HEADERS, self._connection, ask.headers, further)
            body, number = numbered(ask.body, self._endpoint, self._api)
            self._request = PreparedRequest(replace(ask, body=body), url, headers, number)
        return self._request

    async def _ask(self, result: Result, request: PreparedRequest, pool: ConnectionPool, url: str | None) -> None:
        pool.use(self._proxy)
        target = request.target if url is None else target_of(url)
        data, ids = request.in_bytes(target, None if pool.tunnels else self._proxy)
        result.sent_trace_id, result.sent_request_id = ids
        connection = await pool.connection(result.number, result.trace, result.findings.append)
        try:
            head = await connection.ask(data, request.method, result.trace)
            await self._read(result, connection, head)
        finally:
            result.behind = await pool.finish(connection)

    async def _read(self, result: Result, connection: HTTPConnection, head: ResponseHead) -> None:
        result.status, result.headers = head.status, head.headers
        intake = result.intake = self._intake(result)
        self._progressed(result, intake)
        decoder = decoder_for(joined_header(result.headers, "content-encoding"))
        if not await self._is_enough(connection, decoder, intake, result):
            decoder.end()

    async def _is_enough(self, connection: HTTPConnection, decoder: Decoder, intake: Intake, result: Result) -> bool:
        """Take the body in. True when enough of it was seen before its end."""
        came = 0
        while (arrival := await connection.read(waiting(result.progress))) is not None:
            came += len(arrival.data)
            check_length(came)
            try:
                for piece in decoder.feed(arrival.data):
                    if not await self._take(result, intake, arrival, piece):
                        return True
            finally:
                self._taken(result, intake, arrival)
        return False

    async def _take(self, result: Result, intake: Intake, arrival: Arrival, piece: bytes) -> bool:
        """Take a piece of a read in, with turns for others where it is large. False when enough was seen."""
        result.bytes += len(piece)
        if result.tape is not None:
            result.tape.add(arrival.stamp_ns, arrival.error_ns, piece)
        if not intake.feed(piece):
            return False
        check_length(result.bytes)
        for _ in intake.parts(arrival):
            self._progressed(result, intake)
            await asyncio.sleep(0)
        if len(piece) == PIECE_BYTES:
            self._taken(result, intake, arrival)
            await asyncio.sleep(0)
        return True

    def _intake(self, result: Result) -> Intake:
        body = body_intake(self._endpoint, self._api.framing, result.status, result.headers)
        if body is not None:
            return body
        return self._stream_intake(result, self._api.framing, DamageWatch(self._api, self._endpoint))

    def _stream_intake(self, result: Result, framing: Framing, watch: DamageWatch) -> StreamIntake:
        result.progress.streams = True
        return StreamIntake(
            framing,
            watch,
            Timing(result.sent_ns),
            self._redactor(),
            (lambda stamp_ns, first, events: self._hand_on(result, stamp_ns, first, events)) if self._events else None,
            keep_text=result.keep_text,
            several_models=self._api.several_models,
        )

    def _taken(self, result: Result, intake: Intake, arrival: Arrival) -> None:
        """All of one read was taken in: its events share its stamp."""
        intake.flush(arrival)
        self._progressed(result, intake)

    def _progressed(self, result: Result, intake: Intake) -> None:
        if isinstance(intake, StreamIntake):
            if not intake.timing.events:
                self._report_alive(result, intake)
            has_content, ended = intake.timing.has_content, intake.reader.ended()
            progress = result.progress
            progress.event_ns, progress.progress_ns = intake.timing.last_event_ns, intake.timing.last_progress_ns
            progress.has_content = has_content
            if not ended:
                result.progress.terminated_ns = None
            elif result.progress.terminated_ns is None:
                result.progress.terminated_ns = time.perf_counter_ns()

    def _report_alive(self, result: Result, intake: StreamIntake) -> None:
        """Now and then, while no event has come."""
        stamp_ns = result.trace.last_read_ns or 0
        if stamp_ns - result.alive_ns < ALIVE_NS:
            return
        result.alive_ns = stamp_ns
        alive = StreamAlive(
            endpoint=self._endpoint.name,
            number=result.number,
            now_ns=stamp_ns,
            since_sent_ns=max(0, stamp_ns - result.sent_ns),
            comments=intake.parser.comments,
        )
        self._emit(alive)

    def _hand_on(self, result: Result, stamp_ns: int, first: int, events: tuple[StreamEvent, ...]) -> None:
        read = StreamRead(
            endpoint=self._endpoint.name,
            number=result.number,
            now_ns=stamp_ns,
            since_sent_ns=max(0, stamp_ns - result.sent_ns),
            first_event=first,
            events=events,
        )
        self._emit(read)


def _was_stale(result: Result) -> bool:
    """Whether the request went into a kept connection that was closed already, or dead."""
    trace = result.trace
    if result.end is not End.RESET or trace.dial is not None or trace.reads:
        return False
    return trace.unacknowledged or time.perf_counter_ns() - result.sent_ns < STALE_NS
