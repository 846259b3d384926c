"""Forward proxies that the environment names. They are used where the profile says so; else gwtui connects directly,
and says so where that may be why nothing was reached.

What a proxy does wrong is told as its own fault. Its user and password are shown nowhere.
"""

from __future__ import annotations

import asyncio
import base64
import os
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from gwtui.clean import clean
from gwtui.probes.netclock import StampedSocket
from gwtui.verdicts import Judgement, Verdict
from gwtui.words import Outcome

NOT_CONNECTED = frozenset({Verdict.DNS, Verdict.REFUSED, Verdict.UNREACHABLE, Verdict.CONNECT_TIMEOUT})
MAX_HEAD = 16 * 1024
"""The longest answer to CONNECT."""
_SCHEMES = {"ws": "http", "wss": "https"}


class ProxyError(ConnectionError):
    """The proxy failed or refused, so that nothing is known of the gateway."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `str` of it is for everybody to see."""

    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"proxy {self.host}:{self.port}"

    @property
    def authorization(self) -> str:
        """The value of `Proxy-Authorization`; "" where no user is named."""
        login = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(login).decode()}" if self.user else ""


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the environment names for this URL. Raises `ProxyError` for one that cannot be used."""
    name, found = _found(url)
    if not found:
        return None
    try:
        parts = urlsplit(found if "://" in found else f"http://{found}")
        return _proxy(parts, name)
    except ValueError:
        raise ProxyError(f"{name} holds no URL of a proxy, such as http://proxy.example.com:3128") from None


def secrets_of_proxy(proxy: Proxy | None) -> tuple[str, ...]:
    """What must be masked."""
    if proxy is None:
        return ()
    return tuple(filter(None, (proxy.password, proxy.authorization.removeprefix("Basic "))))


def reason_of(judgement: Judgement, url: str, proxy: Proxy | None) -> str:
    """The reason, with the proxy that was in between, or that was meant to be where nothing was reached."""
    verdict, reason = judgement.verdict, judgement.reason
    if proxy is not None:
        untold = verdict.outcome is Outcome.FAILED and str(proxy) not in reason
        return f"{reason}; by way of the {proxy}" if untold else reason
    name = _found(url)[0] if verdict in NOT_CONNECTED else ""
    return f"{reason} ({name} is set, but gwtui connects directly: `use_proxies` is off)" if name else reason


async def open_tunnel(sock: StampedSocket, proxy: Proxy, host: str, port: int) -> None:
    """Have the proxy connect to the gateway (RFC 9110 9.3.6). Raises `ProxyError`."""
    loop = asyncio.get_running_loop()
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    try:
        await loop.sock_sendall(sock, "\r\n".join((*lines, "", "")).encode("latin-1"))
        status = await _status_line(sock)
    except OSError as error:
        raise ProxyError(f"the {proxy} broke the connection: {os.strerror(error.errno or 0)}") from None
    if not status:
        raise ProxyError(f"the {proxy} closed the connection without an answer to CONNECT")
    version, _, answer = status.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ProxyError(f"the {proxy} does not speak HTTP: {clean(status, 80)}")
    if answer[:1] != "2":
        raise ProxyError(f"the {proxy} refused to connect to {authority}: {clean(answer, 80)}")


def _found(url: str) -> tuple[str, str]:
    """The variable that names a proxy for this URL, and what it holds; empty where there is none."""
    parts = urlsplit(url)
    proxies = getproxies_environment()
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    name = next((name for name in (scheme, "all") if proxies.get(name)), "")
    if not name or proxy_bypass(parts.hostname or ""):
        return "", ""
    return f"{name.upper()}_PROXY", proxies[name]


def _proxy(parts: SplitResult, name: str) -> Proxy:
    if parts.scheme != "http":
        raise ProxyError(f"{name} names a proxy of the kind {clean(parts.scheme, 20)}: gwtui uses http:// proxies only")
    if not parts.hostname:
        raise ValueError(name)
    return Proxy(parts.hostname, parts.port or 80, unquote(parts.username or ""), unquote(parts.password or ""))


async def _status_line(sock: StampedSocket) -> str:
    """The first line of the answer, once its head is read and nothing more; "" where none came."""
    loop = asyncio.get_running_loop()
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < MAX_HEAD:
        if not (byte := await loop.sock_recv(sock, 1)):
            break
        head += byte
    return head.partition(b"\r\n")[0].decode("latin-1")
