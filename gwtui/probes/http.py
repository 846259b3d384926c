"""One HTTP request, measured: what `http` endpoints and all LLM APIs are probed with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urljoin, urlsplit

from gwtui.apis.base import API, Ask, AskError
from gwtui.apis.headers import Headers, header, joined_header, without_query
from gwtui.apis.http import is_expected_status
from gwtui.model.enums import End, FindingName, Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Finding, Record, Request, RequestStarted, StreamAlive, StreamEvent, StreamRead
from gwtui.probes.deadlines import DeadlineWatchdog, due
from gwtui.probes.probe_result import Result, fresh_ids, overlaid, record_of, sent_ids
from gwtui.probes.response_reader import BODY_BYTES, BodyIntake, Intake, StreamIntake
from gwtui.probes.stream_timing import Timing
from gwtui.secrets.redaction import Redactor
from gwtui.secrets.references import KeyReferenceError, NoRoomError
from gwtui.secrets.resolver import redactor, resolve, resolve_headers, resolve_url
from gwtui.text.sanitize import clean
from gwtui.transport.acknowledged import patience_s
from gwtui.transport.bodies import body_of
from gwtui.transport.connection_policy import stale_connection
from gwtui.transport.decoding import PIECE_BYTES, BodyLimitError, Decoder, decoder_for
from gwtui.transport.errors import FAILURES, end_of
from gwtui.transport.http1 import HEADERS, PORTS, StampedTransport, transport_for, url_of
from gwtui.transport.lean import httpx
from gwtui.transport.proxies import Proxy, proxy_of, secrets_of_proxy
from gwtui.transport.trace import ConnectionTrace

MOST_REDIRECTS = 5
"""So many of one request are followed at most."""
SAME_METHOD = frozenset({307, 308})
"""The request is repeated as it is (RFC 9110 15.4.8 and 15.4.9)."""
ANY_METHOD = frozenset({301, 302, 303})
"""Clients may make a GET of a POST (RFC 9110 15.4.2 to 15.4.4), so only what was one is followed."""


def within_origin(url: str, method: str, status: int | None, headers: Headers) -> str | None:
    """The address of the same scheme, host and port (RFC 6454) that the same request is redirected to; None: of none.

    `url` is the address that answered so.
    """
    location = header(headers, "location").strip()
    if not location or not (status in SAME_METHOD or (status in ANY_METHOD and method == "GET")):
        return None
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        same = _origin(here) == _origin(there)
    except ValueError:
        return None
    return there._replace(fragment="").geturl() if same and "@" not in there.netloc else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


REFUSAL_BYTES = 64 * 1024
"""How much is read of the body of an answer that is a refusal."""
ALIVE_NS = 1_000_000_000
"""How often a stream without events is told to be alive."""
STALE_NS = 1_000_000_000
"""A kept connection that breaks so soon after the request, without a byte, was closed before the request came."""


class HTTPProber:
    """Measures one endpoint over one kept connection."""

    def __init__(
        self, endpoint: Endpoint, profile: Profile, api: API, emit: Callable[[Record], None], *, events: bool = True
    ) -> None:
        """Without `events` nothing is put together of the events of a stream that nobody would look at."""
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
        self._trace = ConnectionTrace()
        self._transport: StampedTransport | None = None
        self._url = self._method = ""
        """Of the request that was made last."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request:
        """Measure once. See `Prober.probe`."""
        result = Result(number, trigger, planned_ns, self._trace.begin(), record_text=self._record_text)
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
        if self._transport is not None:
            result.findings += self._transport.certificate_findings(self._warn_days)
        return record_of(result, self._endpoint, self._api, self._trace.peer, self._redactor(), self._proxy)

    def _redactor(self) -> Redactor:
        """Masks all keys that are known by now."""
        return redactor(*secrets_of_proxy(self._proxy))

    async def _measure(self, result: Result) -> None:
        watchdog = DeadlineWatchdog(self._deadlines, lambda: due(result.progress, self._deadlines))
        try:
            async with watchdog:
                await self._exchange(result)
                if _was_stale(result):
                    result.findings.append(stale_connection(result.exchange.idle_ns, result.detail))
                    result.again(self._trace.begin())
                    await self._exchange(result)
                if self._endpoint.follow_redirects:
                    await self._follow(result)
        except TimeoutError:
            if watchdog.expired is None:
                raise
            result.over(watchdog.expired.end, watchdog.expired.detail, watchdog.expired.at_ns)

    async def _follow(self, result: Result) -> None:
        """Ask again where redirects within the origin lead. What is measured is the last request."""
        for _ in range(MOST_REDIRECTS):
            target = within_origin(self._url, self._method, result.status, result.headers)
            if target is None or result.end is not End.CLEAN:
                return
            result.findings.append(_redirect_finding(result.status, target))
            result.again(self._trace.begin())
            await self._exchange(result, target)

    async def _exchange(self, result: Result, url: str | None = None) -> None:
        """Send the request and read its answer, to its end or to a failure that is noted in the result.

        It goes to the endpoint's own address, or to where the gateway has redirected it.
        """
        try:
            transport, request = self._request(result, url)
            response = await transport.send(request, result.number, result.findings.append)
            try:
                await self._read(result, response)
            finally:
                await response.aclose()
        except NoRoomError as error:
            result.over(End.LOCAL, str(error))
        except KeyReferenceError as error:
            result.over(End.NO_KEY, str(error))
        except AskError as error:
            result.over(End.LOCAL, f"the request cannot be made: {error}")
        except FAILURES as error:
            result.over(*end_of(error, result.exchange))
        else:
            result.over(End.CLEAN)

    def _request(self, result: Result, url: str | None) -> tuple[StampedTransport, httpx.Request]:
        key = resolve(self._endpoint.key) if self._endpoint.key is not None else None
        further = resolve_headers(self._endpoint)
        self._proxy = proxy_of(self._endpoint, use_environment=self._use_proxies)
        ask: Ask = self._api.ask(self._endpoint, key)
        address = resolve_url(ask.url)
        headers = overlaid(HEADERS, self._connection, ask.headers, fresh_ids().headers, further)
        result.sent_trace_id, result.sent_request_id = sent_ids(headers)
        if self._transport is None:
            acknowledged_s = patience_s(self._deadlines.first_byte_s)
            self._transport = transport_for(address, self._endpoint, self._trace, self._proxy, acknowledged_s)
        self._transport.use(self._proxy)
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        self._url, self._method = url or address, ask.method
        return self._transport, httpx.Request(ask.method, url_of(self._url), headers=raw, content=ask.body or None)

    async def _read(self, result: Result, response: httpx.Response) -> None:
        result.status = response.status_code
        result.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
        intake = result.intake = self._intake(result)
        result.exchange.hurried = isinstance(intake, StreamIntake)
        result.exchange.on_drained = lambda: self._drained(result, intake)
        try:
            decoder = decoder_for(joined_header(result.headers, "content-encoding"))
            if not await self._is_enough(body_of(response), decoder, intake, result):
                decoder.end()
        finally:
            result.exchange.on_drained = None
            self._drained(result, intake)

    async def _is_enough(self, body: AsyncIterator[bytes], decoder: Decoder, intake: Intake, result: Result) -> bool:
        """Take the body in. True when enough of it was seen before its end."""
        came = 0
        async for chunk in body:
            came += len(chunk)
            _check_length(came)
            for piece in decoder.feed(chunk):
                result.bytes += len(piece)
                if not intake.feed(piece):
                    return True
                _check_length(result.bytes)
                for _ in intake.parts():
                    self._progressed(result, intake)
                    await asyncio.sleep(0)
                if len(piece) == PIECE_BYTES:
                    self._drained(result, intake)
                    await asyncio.sleep(0)
        return False

    def _intake(self, result: Result) -> Intake:
        status = result.status
        wanted = status is not None and (200 <= status < 300 or is_expected_status(self._endpoint, status))
        if not wanted:
            return BodyIntake(REFUSAL_BYTES)
        framing = self._api.framing
        if not self._endpoint.stream or not framing.is_type(header(result.headers, "content-type")):
            return BodyIntake(None)
        exchange = result.exchange
        result.progress.streams = True
        return StreamIntake(
            framing,
            self._api.reader(self._endpoint),
            Timing(result.sent_ns),
            lambda: (exchange.last_read_ns or exchange.last_write_ns or 0, exchange.last_read_error_ns),
            self._redactor(),
            (lambda stamp_ns, first, events: self._hand_on(result, stamp_ns, first, events)) if self._events else None,
            keep_text=result.keep_text,
        )

    def _drained(self, result: Result, intake: Intake) -> None:
        """All of one read was taken in: its events share its stamp."""
        intake.flush()
        self._progressed(result, intake)

    def _progressed(self, result: Result, intake: Intake) -> None:
        if isinstance(intake, StreamIntake):
            if not intake.timing.events:
                self._tell_alive(result, intake)
            has_content, ended = intake.timing.has_content, intake.reader.ended()
            result.progress.event_ns, result.progress.has_content = intake.timing.last_event_ns, has_content
            result.exchange.hurried = not has_content
            result.exchange.patient = has_content and not ended  # neither the first content nor the end has to wait
            if not ended:
                result.progress.terminated_ns = None
            elif result.progress.terminated_ns is None:
                result.progress.terminated_ns = time.perf_counter_ns()

    def _tell_alive(self, result: Result, intake: StreamIntake) -> None:
        """Now and then, while no event has come."""
        stamp_ns = result.exchange.last_read_ns or 0
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


def _check_length(length: int) -> None:
    if length > BODY_BYTES:
        raise BodyLimitError(f"the body is longer than {BODY_BYTES >> 20} MiB")


def _was_stale(result: Result) -> bool:
    """Whether the request went into a kept connection that was closed already, or dead."""
    exchange = result.exchange
    if result.end is not End.RESET or exchange.dial is not None or exchange.reads:
        return False
    return exchange.unacknowledged or time.perf_counter_ns() - result.sent_ns < STALE_NS


def _redirect_finding(status: int | None, target: str) -> Finding:
    return Finding(
        name=FindingName.REDIRECTED,
        evidence=f"HTTP {status} to {clean(without_query(target), 160)}; times are those of the request made there",
    )
