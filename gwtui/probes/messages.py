"""One answer over a WebSocket, measured as a stream over HTTP is: each message is an event of it.

The handshake is an HTTP request as any other. A WebSocket is opened for each probe, because the session behind it would
carry one question into the next. The question is sent as soon as it is open: from there all times count, and what came
before was connecting. Once the API has said that the answer is over, gwtui hangs up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from websockets.utils import accept_key, generate_key

from gwtui.apis.base import SocketAPI, StreamReader
from gwtui.apis.damage import DamageWatch
from gwtui.apis.headers import header
from gwtui.framing.messages import MESSAGES, MessageParser
from gwtui.model.enums import Outcome
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Record
from gwtui.probes.deadlines import waiting
from gwtui.probes.http import HTTPProber
from gwtui.probes.prepared_request import PreparedRequest
from gwtui.probes.probe_result import Result
from gwtui.probes.response_reader import StreamIntake
from gwtui.probes.stream_capture import StreamKeeper
from gwtui.transport.connection import HTTPConnection
from gwtui.transport.connection_pool import ConnectionPool
from gwtui.transport.errors import FAILURES
from gwtui.transport.http1 import CutError
from gwtui.transport.http1_head import SWITCHING_PROTOCOLS, NotHTTPError, ResponseHead
from gwtui.transport.request import target_of

LIMITS_S = 0.25
"""How long rate limits are waited for behind an answer: OpenAI's come within 50 ms."""


class MessagesProber(HTTPProber):
    """Measures one endpoint, over a new WebSocket each time."""

    def __init__(
        self,
        endpoint: Endpoint,
        profile: Profile,
        api: SocketAPI,
        emit: Callable[[Record], None],
        *,
        events: bool = True,
        keeper: StreamKeeper | None = None,
    ) -> None:
        super().__init__(endpoint, profile, api, emit, events=events, keeper=keeper)
        self._socket_api = api
        self._awaits_limits = True
        """The gateway sends rate limits, as far as is known."""

    async def _ask(self, result: Result, request: PreparedRequest, pool: ConnectionPool, url: str | None) -> None:
        pool.use(self._proxy)
        target = request.target if url is None else target_of(url)
        key = generate_key()
        data, ids = request.in_bytes(target, None, (("Sec-WebSocket-Key", key),))
        result.sent_trace_id, result.sent_request_id = ids
        parser = MessageParser()
        question = parser.say(self._socket_api.messages(request.question()))
        connection = await pool.connection(result.number, result.trace, result.findings.append)
        try:
            head = await connection.ask(data, request.method, result.trace, switches=True)
            if head.status == SWITCHING_PROTOCOLS:
                _check_agreement(head, key)
                result.status, result.headers = head.status, head.headers
                await connection.put(question)
                await self._talk(result, connection, parser)
            else:
                await self._read(result, connection, head)
        finally:
            await pool.finish(connection)

    async def _talk(self, result: Result, connection: HTTPConnection, parser: MessageParser) -> None:
        """Follow the answer to its end. Raises as `HTTPProber._ask` expects it."""
        watch = DamageWatch(self._api, self._endpoint)
        intake = self._stream_intake(result, replace(MESSAGES, parser=lambda: parser), watch)
        result.intake = intake
        try:
            await self._follow_answer(result, connection, intake, parser)
        finally:
            result.headers = (*result.headers, *self._socket_api.told_headers(watch.reader))

    async def _follow_answer(
        self, result: Result, connection: HTTPConnection, intake: StreamIntake, parser: MessageParser
    ) -> None:
        while True:
            arrival = await connection.read(waiting(result.progress))
            if arrival is None:
                raise CutError("the connection was closed without a close frame")
            try:
                await self._take(result, intake, arrival, arrival.data)
            finally:
                self._taken(result, intake, arrival)
                if not self._socket_api.answers(intake.reader):
                    result.trace.greeted()
                if replies := parser.replies():
                    await connection.reply(replies)
            if intake.reader.ended():
                await self._part(connection, parser, intake.reader)
                return
            if parser.closed is not None:
                self._socket_api.closed(intake.reader, parser.closed)
                if intake.reader.ended():
                    return
                raise CutError(f"closed by the gateway: {parser.closed}")

    async def _part(self, connection: HTTPConnection, parser: MessageParser, reader: StreamReader) -> None:
        """Close the WebSocket. Behind a good answer without rate limits, these are waited for first, unless the gateway
        is known to send none."""
        if self._awaits_limits and reader.end().verdict.outcome is Outcome.OK:
            await self._limits(connection, parser, reader)
            self._awaits_limits = bool(self._socket_api.told_headers(reader))
        await connection.reply(parser.hang_up())

    async def _limits(self, connection: HTTPConnection, parser: MessageParser, reader: StreamReader) -> None:
        with suppress(*FAILURES):
            async with asyncio.timeout(LIMITS_S):
                while parser.closed is None and not self._socket_api.told_headers(reader):
                    for event in parser.feed(await connection.further()):
                        reader.event(event)


def _check_agreement(head: ResponseHead, key: str) -> None:
    """Raises `NotHTTPError` where the answer to the handshake is not one to this handshake (RFC 6455 4.1)."""
    upgrade, accept = header(head.headers, "upgrade"), header(head.headers, "sec-websocket-accept")
    if upgrade.lower() != "websocket":
        raise NotHTTPError(f"the answer breaks the WebSocket handshake: its Upgrade header is {upgrade!r}")
    if accept != accept_key(key):
        raise NotHTTPError("the answer breaks the WebSocket handshake: its Sec-WebSocket-Accept is for another key")
