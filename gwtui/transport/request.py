"""HTTP/1.1 requests in bytes: what a URL means on the wire, and a head that differs from one request to the next in
its ids alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

USER_AGENT = "gwtui"
HEADERS = (
    ("Accept", "*/*"),
    ("Accept-Encoding", "identity"),
    ("Connection", "keep-alive"),
    ("User-Agent", USER_AGENT),
)
"""What a request carries unless it says otherwise, beside `Host` and `Content-Length`."""
PORTS = {"http": 80, "https": 443}
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say the length of their body also where they have none (RFC 9110 8.6)."""

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_SEGMENT = rf"(?!\.\.?(?:[/?]|\Z))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|{_ESCAPED})*"
_FINAL_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_OCTET}(?:\.{_OCTET}){{3}}|[a-z0-9._-]*[a-z_-][a-z0-9_-]*)"
    rf"(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    rf"(?P<path>(?:/{_SEGMENT})*(?:\?(?:[A-Za-z0-9._~!$&()*+,;=:@/?-]|{_ESCAPED})*)?)"
)
"""A URL that is the same on the wire as in the profile."""
_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?", re.ASCII)


class RequestError(ValueError):
    """The request cannot be sent. The text says why, and is not cleaned."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads."""

    scheme: str
    host: str
    """Without brackets, in ASCII (RFC 5891)."""
    port: int
    authority: str
    """As `Host` says it: without the scheme's own port."""
    path: str
    """With the query; percent-encoded."""

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def url(self) -> str:
        """As a proxy is asked for it (RFC 9112 3.2.2)."""
        return f"{self.scheme}://{self.authority}{self.path}"


@lru_cache(maxsize=64)
def target_of(url: str) -> Target:
    """Where the URL leads; that of a WebSocket as its handshake is asked for. Raises `RequestError`."""
    if url.startswith(("ws://", "wss://")):
        url = f"http{url.removeprefix('ws')}"
    found = _FINAL_URL.fullmatch(url)
    port = int(found["port"] or PORTS[found["scheme"]]) if found is not None else 0
    if found is None or port > 65_535:
        return _normalized(url)
    scheme, host = found["scheme"], found["host"]
    path = found["path"] if found["path"].startswith("/") else f"/{found['path']}"
    return Target(scheme, host, port, host if port == PORTS[scheme] else f"{host}:{port}", path)


def _normalized(url: str) -> Target:
    """With the host in ASCII, and the path without dots and percent-encoded, as browsers do it (RFC 3986)."""
    import httpx

    try:
        parsed = httpx.URL(url)
        host, authority = parsed.raw_host.decode("ascii"), parsed.netloc.decode("ascii")
        path = parsed.raw_path.decode("ascii")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise RequestError(f"the URL cannot be used: {error}") from error
    port = parsed.port or PORTS.get(parsed.scheme, 0)
    if not 0 < port < 65_536:
        raise RequestError(f"the URL cannot be used: it names the port {port}")
    return Target(parsed.scheme, host, port, authority, path)


def head_of(method: str, target: str, authority: str, headers: Iterable[tuple[str, str]], body_length: int) -> bytes:
    """The head of a request, without the blank line: more headers may follow.

    `target`: what is asked for, a path or a URL. Raises `RequestError`, and `UnicodeError` for what HTTP cannot carry.
    """
    named = list(headers)
    names = {name.lower() for name, _ in named}
    if "transfer-encoding" in names or any(_contradicts(each, body_length) for each in named):
        raise RequestError("the request cannot be sent: gwtui itself says in a header how long the body is")
    first = [("Host", authority)] if "host" not in names else []
    length = [("Content-Length", str(body_length))] if body_length or method in BODY_METHODS else []
    last = length if "content-length" not in names else []
    return f"{method} {target} HTTP/1.1\r\n".encode("ascii") + lines_of([*first, *named, *last])


def lines_of(headers: Iterable[tuple[str, str]]) -> bytes:
    """Headers as they are sent. Raises as `head_of`."""
    lines = b""
    for name, value in headers:
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            name.encode("ascii")
            raise RequestError("the request cannot be sent: HTTP forbids a character in one of its headers")
        lines += f"{name}: {value}\r\n".encode("latin-1")
    return lines


def _contradicts(header: tuple[str, str], body_length: int) -> bool:
    return header[0].lower() == "content-length" and header[1] != str(body_length)
