"""Opening a WebSocket: dial, TLS and handshake, each failure as the reason why a ping failed."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    SecurityError,
)
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event, State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from gwtui.apis.base import AskError
from gwtui.apis.errors import error_reason
from gwtui.apis.websocket import SUBPROTOCOLS, WEBSOCKET
from gwtui.model.enums import End, FindingName
from gwtui.model.profile import TLS, Deadlines, Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.probes.inbox import FrameInbox
from gwtui.probes.prepared_request import fresh_ids, overlaid, sent_ids
from gwtui.secrets.references import KeyReferenceError, NoRoomError
from gwtui.secrets.resolver import resolve, resolve_headers, resolve_url
from gwtui.text.sanitize import clean
from gwtui.transport.certificates import expires_at
from gwtui.transport.connection_policy import Made
from gwtui.transport.dial import Dial
from gwtui.transport.errors import end_of
from gwtui.transport.proxies import ProxyError
from gwtui.transport.request import USER_AGENT
from gwtui.transport.timestamps import StampedSocket
from gwtui.transport.tls_files import TLSFileError, TLSFiles, tls_files
from gwtui.transport.trace import ConnectionTrace
from gwtui.verdict.http_status import judge_status

MAX_MESSAGE_BYTES = 1024 * 1024
_NO_SUBPROTOCOL = (
    Finding(
        name=FindingName.NO_SUBPROTOCOL,
        evidence="the gateway chose none of the subprotocols that were offered",
    ),
)
CLOSE_S = 0.2
"""How long the peer's half of the closing handshake is waited for."""


class PingFailedError(Exception):
    """A ping came to nothing."""

    def __init__(self, judgement: Judgement, *, redial_later: bool = True) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement
        self.redial_later = redial_later
        """Whether a pause is due before the next dial."""


@dataclass(slots=True)
class Opening:
    """What is known of a connection while it is opened, also when that fails."""

    connect_ns: int | None = None
    status: int | None = None
    headers: Sequence[tuple[str, str]] = ()
    sent_trace_id: str = ""
    dial: Dial = field(default_factory=lambda: Dial(0))
    inbox: FrameInbox = field(default_factory=FrameInbox)
    lost: Exception | None = None
    """What broke the connection; None: it was closed, or is open."""


@dataclass(frozen=True, slots=True)
class DialTarget:
    """Where to connect to, and what to say there."""

    url: str
    host: str
    port: int
    headers: list[tuple[str, str]]
    tls: ssl.SSLContext | None
    files: TLSFiles | None
    """What `tls` was made of."""
    server_name: str
    subprotocols: tuple[str, ...]
    """What is offered, best first."""


_GOOD_CODES = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD)


@dataclass(frozen=True, slots=True)
class OpenWebSocket:
    """An open connection."""

    socket: ClientConnection
    stamps: StampedSocket
    target: DialTarget
    made: Made
    inbox: FrameInbox

    def is_current(self) -> bool:
        """Whether a connection that is made now would use the same certificates."""
        return self.target.files is None or self.target.files.context() is self.target.tls

    def left(self) -> str:
        """How the gateway, or a proxy before it, gave up the idle connection; empty while it is open, and where its end
        is a fault: a close code that says so, or one that gwtui sent."""
        protocol = self.socket.protocol
        if protocol.state is State.OPEN:
            return ""
        frame = protocol.close_rcvd
        if frame is None:
            return "closed without a close frame" if protocol.close_sent is None else ""
        if frame.code not in _GOOD_CODES:
            return ""
        return f"closed by the gateway: {int(frame.code)} {frame.reason}".rstrip()

    def findings(self, warn_days: float) -> tuple[Finding, ...]:
        """Findings about the subprotocol and the certificates in use."""
        found = _NO_SUBPROTOCOL if self.target.subprotocols and self.socket.subprotocol is None else ()
        if self.target.files is None:
            return found
        certificate = self.socket.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return (*found, *self.target.files.findings(expires_at(certificate or b""), warn_days))


def _noting(opening: Opening) -> type[ClientConnection]:
    """A connection that notes the answer to the handshake, whatever it is worth."""

    class Noting(ClientConnection):
        def process_event(self, event: Event) -> None:
            if isinstance(event, Response):
                opening.status = event.status_code
                opening.headers = list(event.headers.raw_items())
            super().process_event(event)
            if isinstance(event, Frame) and event.opcode is Opcode.PONG:
                opening.inbox.take_pong(bytes(event.data))

        def connection_lost(self, exc: Exception | None) -> None:
            opening.lost = exc
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            """Closes the TCP connection as soon as the closing handshake is under way: a peer that keeps it open would
            else keep `recv` from telling that it is over (RFC 6455 7.1.1 allows it)."""
            super().data_received(data)
            if self.protocol.close_expected():
                self.transport.close()

    return Noting


class _Dial(connect):
    """Follows no redirect: the answer that asks for one is the answer."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_websocket(
    target: DialTarget,
    way: Callable[[Dial], Awaitable[StampedSocket]],
    deadlines: Deadlines,
    opening: Opening,
    within_s: float,
) -> OpenWebSocket:
    """Connect by that way, and shake hands within that time. Raises `PingFailedError`."""
    opening.sent_trace_id, _ = sent_ids(target.headers)
    began = time.perf_counter_ns()
    opening.dial = Dial(began)
    try:
        sock = await _dialled(way, deadlines, opening.dial)
        socket = await _shaken(target, within_s, sock, opening)
    finally:
        opening.connect_ns = time.perf_counter_ns() - began
    sock.unread.watch(time.perf_counter_ns())
    opening.inbox.follow(socket, sock)
    return OpenWebSocket(socket, sock, target, Made(time.perf_counter_ns(), opening.dial.peer), opening.inbox)


@contextmanager
def as_failed_ping() -> Iterator[None]:
    """Raises `PingFailedError` for what an endpoint's settings and references raise before anything is dialled."""
    try:
        yield
    except ProxyError as error:
        raise ping_failed(Verdict.PROXY, "proxy", str(error)) from error
    except TLSFileError as error:
        raise ping_failed(Verdict.TLS_FILE, "tls-file", str(error), redial_later=False) from error
    except (NoRoomError, OSError) as error:
        raise ping_failed(Verdict.LOCAL, "no-room", str(error), redial_later=False) from error
    except KeyReferenceError as error:
        raise ping_failed(Verdict.NO_KEY, "no-key", str(error), redial_later=False) from error
    except (AskError, InvalidURI, ValueError) as error:
        raise ping_failed(Verdict.LOCAL, "cannot-be-made", str(error), redial_later=False) from error


def dial_target(endpoint: Endpoint) -> DialTarget:
    """What the endpoint's references say now. Raises `PingFailedError`."""
    with as_failed_ping():
        key = resolve(endpoint.key) if endpoint.key is not None else None
        further = resolve_headers(endpoint)
        url = resolve_url(WEBSOCKET.url(endpoint))
        settings = endpoint.tls or TLS()
        files = tls_files(settings) if is_secure(endpoint) else None
        context = files.context() if files is not None else None
        parse_uri(url)
        parts = urlsplit(url)
        headers = overlaid(fresh_ids().headers, WEBSOCKET.headers(endpoint, key), further)
        return DialTarget(
            url=url,
            host=parts.hostname or "",
            port=parts.port or (443 if files is not None else 80),
            headers=[(name, value) for name, value in headers if name.lower() != SUBPROTOCOLS],
            tls=context,
            files=files,
            server_name=settings.server_name or parts.hostname or "",
            subprotocols=WEBSOCKET.subprotocols(endpoint, further),
        )


def is_secure(endpoint: Endpoint) -> bool:
    """Whether it is reached by TLS."""
    return endpoint.url.lower().startswith(("wss:", "https:"))


async def _dialled(
    way: Callable[[Dial], Awaitable[StampedSocket]], deadlines: Deadlines, progress: Dial
) -> StampedSocket:
    try:
        async with asyncio.timeout(deadlines.connect_s) as limit:
            return await way(progress)
    except OSError as error:
        if limit.expired():
            reason = f"no connection within {deadlines.connect_s:g} s ({progress.stage})"
            raise ping_failed(Verdict.CONNECT_TIMEOUT, "connect-timeout", reason) from error
        raise _broken(error, progress) from error


async def _shaken(target: DialTarget, within_s: float, sock: StampedSocket, opening: Opening) -> ClientConnection:
    secure: dict[str, Any] = {}
    if target.tls is not None:
        secure = {"ssl": target.tls, "server_hostname": target.server_name}
    progress = Dial(0, stage="tls" if secure else "done")
    try:
        async with asyncio.timeout(within_s) as limit:
            return await _Dial(
                target.url,
                sock=sock,
                additional_headers=target.headers,
                subprotocols=[Subprotocol(each) for each in target.subprotocols] or None,
                user_agent_header=USER_AGENT,
                compression=None,
                proxy=None,
                open_timeout=None,
                ping_interval=None,
                close_timeout=CLOSE_S,
                max_size=MAX_MESSAGE_BYTES,
                create_connection=_noting(opening),
                **secure,
            )
    except InvalidHandshake as error:
        raise _refused(error, opening.lost) from error
    except OSError as error:
        if limit.expired():
            reason = f"no answer to the handshake within {within_s:.3g} s"
            raise ping_failed(Verdict.NO_FIRST_BYTE, "no-handshake", reason) from error
        raise _broken(error, progress) from error


def _refused(error: InvalidHandshake, lost: Exception | None) -> PingFailedError:
    """The handshake was answered, but not with a WebSocket, or not at all. `lost`: what broke the connection."""
    if isinstance(error, InvalidStatus):
        answer = error.response
        headers = list(answer.headers.raw_items())
        body = bytes(answer.body or b"")
        return PingFailedError(judge_status(answer.status_code, headers, body, error_reason, time.time()))
    if isinstance(error, InvalidMessage):
        if isinstance(error.__cause__, SecurityError):
            reason = f"the answer to the handshake is too long: {error.__cause__}"
            return ping_failed(Verdict.TOO_LARGE, "handshake-too-large", reason)
        if isinstance(lost, OSError):
            return _broken(lost, Dial(0, stage="done"))
        if isinstance(error.__cause__, EOFError):
            return ping_failed(Verdict.RESET, "reset", "the connection was closed without an answer to the handshake")
        return ping_failed(Verdict.NOT_HTTP, "not-http", str(error.__cause__ or error))
    return ping_failed(Verdict.NOT_HTTP, "bad-handshake", f"the answer breaks the WebSocket handshake: {error}")


def _broken(error: OSError, progress: Dial) -> PingFailedError:
    end, detail = end_of(error, ConnectionTrace(dial=progress))
    verdict = Verdict.RESET if end is End.INCOMPLETE else Verdict(end.value)
    return ping_failed(verdict, verdict.value.replace("_", "-"), detail)


def ping_failed(verdict: Verdict, rule: str, reason: str, *, redial_later: bool = True) -> PingFailedError:
    """The error for a verdict of the WebSocket's own rules."""
    judgement = Judgement(verdict=verdict, rule=f"websocket.{rule}", reason=reason)
    return PingFailedError(judgement, redial_later=redial_later)


def closed(error: ConnectionClosed) -> tuple[int, str, PingFailedError]:
    """The code and the reason of an open connection's end, and what that is for the ping over it."""
    frame = error.rcvd or error.sent
    if frame is None:
        broke = f"the connection broke: {error.__cause__ or 'no close frame'}"
        return int(CloseCode.ABNORMAL_CLOSURE), "", ping_failed(Verdict.CLOSED, "closed", broke)
    code, reason = int(frame.code), clean(frame.reason)
    text = f"{code} {reason}".strip()
    if error.rcvd is not None:
        return code, reason, ping_failed(Verdict.CLOSED, "closed", f"closed by the gateway: {text}")
    if code == CloseCode.MESSAGE_TOO_BIG:
        return code, reason, ping_failed(Verdict.TOO_LARGE, "message-too-big", f"closed by gwtui: {text}")
    return code, reason, ping_failed(Verdict.CLOSED, "protocol-error", f"closed by gwtui: {text}")
