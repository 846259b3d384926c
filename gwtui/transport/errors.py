"""How a failed exchange ended: an exception's own cause as one `End` and a detail in words."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator

from gwtui.framing.base import FramingError, FramingFaultError, FramingLimitError
from gwtui.model.enums import End
from gwtui.transport.acknowledged import UnacknowledgedError
from gwtui.transport.decoding import BodyLimitError, DecodeError
from gwtui.transport.dial import NoThreadError
from gwtui.transport.http1 import CutError
from gwtui.transport.http1_head import HeadLimitError, NotHTTPError
from gwtui.transport.proxies import ProxyError
from gwtui.transport.request import RequestError
from gwtui.transport.tls_files import TLSFileError
from gwtui.transport.trace import ConnectionTrace

FAILURES = (
    OSError,
    BodyLimitError,
    CutError,
    DecodeError,
    HeadLimitError,
    NotHTTPError,
    FramingError,
    RequestError,
    TLSFileError,
    UnicodeError,
)
"""All that an exchange can end with."""
RESETS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ESHUTDOWN, errno.ENOTCONN})
NO_ROUTES = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
OWN_FAULTS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EADDRNOTAVAIL,
        errno.EADDRINUSE,
        errno.EACCES,
        errno.EPERM,
    }
)
"""No descriptors, memory or ports left, or forbidden here: no word about the gateway."""

_OWN_ERRORS: dict[type[BaseException], End] = {
    BodyLimitError: End.TOO_LARGE,
    HeadLimitError: End.TOO_LARGE,
    FramingLimitError: End.TOO_LARGE,
    FramingFaultError: End.DECODE_ERROR,
    CutError: End.INCOMPLETE,
    NotHTTPError: End.NOT_HTTP,
    DecodeError: End.DECODE_ERROR,
    TLSFileError: End.TLS_FILE,
    ProxyError: End.PROXY,
    NoThreadError: End.LOCAL,
    RequestError: End.LOCAL,
    UnacknowledgedError: End.RESET,
}
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})
_CLIENT_ALERTS = {
    "HANDSHAKE_FAILURE": "the gateway shares no cipher with gwtui, or wants a client certificate (`tls.client_cert`)",
    "CERTIFICATE_REQUIRED": "the gateway wants a client certificate (`tls.client_cert`)",
    "UNKNOWN_CA": "the gateway does not know the authority of the client's certificate",
    "BAD_CERTIFICATE": "the gateway wants a client certificate, or another one (`tls.client_cert`)",
    "UNSUPPORTED_CERTIFICATE": "the gateway does not take client certificates of this kind",
    "CERTIFICATE_REVOKED": "the gateway says that the client's certificate was revoked",
    "CERTIFICATE_EXPIRED": "the gateway says that the client's certificate has expired",
    "CERTIFICATE_UNKNOWN": "the gateway does not accept the client's certificate",
    "ACCESS_DENIED": "the gateway does not let the client's certificate in",
}
"""Alerts (RFC 8446 6.2) that a client gets for its own certificate, or for the lack of one."""


def end_of(error: BaseException, trace: ConnectionTrace) -> tuple[End, str]:
    """What the error says about the exchange. The detail is as the system or a library put it, uncleaned."""
    for cause in _causes(error):
        if (known := _end_of(cause, trace)) is not None:
            return known
    return End.LOCAL, f"{type(error).__name__}: {error}"


def _end_of(error: BaseException, trace: ConnectionTrace) -> tuple[End, str] | None:
    if own := _OWN_ERRORS.get(type(error)):
        return own, str(error)
    if isinstance(error, UnicodeError):
        return End.LOCAL, "the request cannot be sent: a header or the URL holds characters that HTTP cannot carry"
    if isinstance(error, ssl.SSLError):
        return _tls_end(error, trace)
    if isinstance(error, socket.gaierror):
        return End.DNS, error.strerror or str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return _os_end(error, trace)
    if isinstance(error, ConnectionError):  # asyncio's own, which no system call has given
        return _hung_up(trace)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error behind the error first: libraries wrap what the system said."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        following = following.__cause__
    return reversed(chain)


def _tls_end(error: ssl.SSLError, trace: ConnectionTrace) -> tuple[End, str]:
    shaking = trace.dial is not None and trace.dial.stage == "tls"
    if isinstance(error, ssl.SSLCertVerificationError):
        return End.TLS, error.verify_message or str(error)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        if shaking:
            return _hung_up(trace)
        ended = End.INCOMPLETE if trace.reads else End.RESET
        return ended, "the connection was closed without TLS's close_notify"
    if error.reason in _NOT_TLS and shaking:
        return End.NOT_HTTP, "what listens there does not speak TLS; `http` may be right"
    text = (error.reason or str(error)).replace("_", " ").lower()
    if trace.reads and not shaking:
        return End.RESET, f"TLS broke: {text}"
    return End.TLS, ": ".join(filter(None, (text, _of_alert(error.reason or ""))))


def _hung_up(trace: ConnectionTrace) -> tuple[End, str]:
    """The peer closed the connection without a word, before it answered."""
    if trace.dial is not None and trace.dial.stage == "tls":
        return End.TLS, "the connection was closed during the TLS handshake"
    return End.RESET, "the connection was closed without an answer"


def _of_alert(reason: str) -> str:
    """What the peer has against the client's certificate, where that is what its alert says; else ""."""
    return next((words for alert, words in _CLIENT_ALERTS.items() if reason.endswith(f"ALERT_{alert}")), "")


def _os_end(error: OSError, trace: ConnectionTrace) -> tuple[End, str]:
    code = error.errno
    dialling = trace.dial is not None and trace.dial.stage != "done"
    detail = os.strerror(code) if code is not None else str(error)
    if trace.dial is not None and trace.dial.refusals and dialling:
        detail = "; ".join(trace.dial.refusals)
    if code in OWN_FAULTS:
        return End.LOCAL, detail
    if trace.dial is not None and trace.dial.stage == "tls":
        detail = f"{detail} during the TLS handshake"
    if code == errno.ECONNREFUSED or (dialling and code == errno.ENOENT):  # a Unix socket that is not there
        return End.REFUSED, detail
    if code in NO_ROUTES:
        return End.UNREACHABLE, detail
    if code in RESETS:
        return End.RESET, detail
    if not dialling:
        return End.RESET, detail
    return (End.CONNECT_TIMEOUT if code == errno.ETIMEDOUT else End.UNREACHABLE), detail
