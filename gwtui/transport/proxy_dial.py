"""Reaching a gateway's host by way of a proxy: dial it, set up TLS to it where its URL says so, and ask it for a
connection to the gateway by CONNECT (HTTP) or SOCKS 5."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gwtui.text.sanitize import clean
from gwtui.transport.connection_policy import spelled
from gwtui.transport.dial import Dial, closed_on_failure, dial, look_up
from gwtui.transport.errors import OWN_FAULTS
from gwtui.transport.proxies import Proxy, ProxyError
from gwtui.transport.timestamps import NetClock, StampedSocket
from gwtui.transport.tls_files import tls_files
from gwtui.transport.tls_socket import TLSSocket, reason_of_tls, secured

MAX_HEAD = 16 * 1024
"""The longest answer to CONNECT."""
_SOCKS = 5
_NO_LOGIN, _LOGIN = 0, 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
_REFUSALS = {
    1: "it failed",
    2: "its rules forbid it",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "the connection was refused",
    6: "the TTL expired",
    7: "it does not know the command",
    8: "it does not know this kind of address",
}
"""The replies of RFC 1928 section 6."""


async def dial_by_proxy(
    host: str, port: int, proxy: Proxy, clock: NetClock, progress: Dial, *, tunnel: bool
) -> StampedSocket:
    """A socket that is connected to the proxy; with `tunnel`, and always for SOCKS, to the host through the proxy.

    Notes its steps in `progress`: what the proxy takes counts as connecting. Raises `OSError`; `ProxyError` for all
    that is the proxy's fault.
    """
    try:
        plain = await dial(proxy.host, proxy.port, clock, progress)
    except OSError as error:
        if error.errno in OWN_FAULTS:
            raise
        why = "; ".join(progress.refusals) or error.strerror or str(error)
        raise ProxyError(f"the {proxy} cannot be reached: {why}") from None
    progress.address = f"{progress.address} (proxy)"
    progress.stage = "proxy"
    with closed_on_failure(plain):
        destination = await _destination(host, port, proxy, progress)
        began = time.perf_counter_ns()
        sock = await _secured(plain, proxy, clock) if proxy.scheme == "https" else plain
    with closed_on_failure(sock):
        if not proxy.forwards:
            await _open_socks(sock, proxy, destination, port)
        elif tunnel:
            await _open_tunnel(sock, proxy, host, port)
    progress.connect_ns = (progress.connect_ns or 0) + time.perf_counter_ns() - began
    return sock


async def _secured(sock: StampedSocket, proxy: Proxy, clock: NetClock) -> TLSSocket:
    context = tls_files(proxy.tls).context()
    try:
        return await secured(sock, clock, context, proxy.host)
    except ssl.SSLError as error:
        raise ProxyError(f"TLS to the {proxy} failed: {reason_of_tls(error)}") from None
    except OSError as error:
        raise ProxyError(f"the {proxy} broke the connection: {error.strerror or error}") from None


async def _destination(host: str, port: int, proxy: Proxy, progress: Dial) -> str:
    """The host that the proxy is asked for: the name, or with `socks5` its address here. Raises `gaierror`."""
    if proxy.scheme != "socks5":
        return host
    began = time.perf_counter_ns()
    addresses = await look_up(host, port)
    progress.dns_ns = (progress.dns_ns or 0) + time.perf_counter_ns() - began
    return str(addresses[0][1][0])


async def _open_tunnel(sock: StampedSocket, proxy: Proxy, host: str, port: int) -> None:
    """Have an HTTP proxy connect to the gateway (RFC 9110 9.3.6). Raises `ProxyError`."""
    authority = spelled((host, port))
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    with _blamed(proxy):
        await _send(sock, "\r\n".join((*lines, "", "")).encode("latin-1"))
        status = await _status_line(sock)
    if not status:
        raise ProxyError(f"the {proxy} closed the connection without an answer to CONNECT")
    version, _, answer = status.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ProxyError(f"the {proxy} does not speak HTTP: {clean(status, 80)}")
    if answer[:1] != "2":
        raise ProxyError(f"the {proxy} refused to connect to {authority}: {clean(answer, 80)}")


async def _open_socks(sock: StampedSocket, proxy: Proxy, host: str, port: int) -> None:
    """Have a SOCKS 5 proxy connect to the gateway (RFC 1928, RFC 1929). A host that is a name is looked up there.

    Raises `ProxyError`, and `gaierror` for a host that no proxy can be asked for.
    """
    destination = _socks_address(host, port)
    with _blamed(proxy):
        await _log_in(sock, proxy)
        await _send(sock, bytes((_SOCKS, 1, 0)) + destination)
        version, reply = await _exactly(sock, 2, proxy)
        if version != _SOCKS:
            raise ProxyError(f"the {proxy} does not speak SOCKS 5")
        if reply:
            why = _REFUSALS.get(reply, f"error {reply}")
            raise ProxyError(f"the {proxy} did not connect to {spelled((host, port))}: {why}")
        _, kind = await _exactly(sock, 2, proxy)
        length = {_IPV4: 4, _IPV6: 16}.get(kind)
        if length is None and kind != _NAME:
            raise ProxyError(f"the {proxy} does not speak SOCKS 5: address type {kind}")
        await _exactly(sock, (length or (await _exactly(sock, 1, proxy))[0]) + 2, proxy)


async def _log_in(sock: StampedSocket, proxy: Proxy) -> None:
    methods = bytes((_NO_LOGIN, _LOGIN)) if proxy.user else bytes((_NO_LOGIN,))
    await _send(sock, bytes((_SOCKS, len(methods))) + methods)
    version, method = await _exactly(sock, 2, proxy)
    if version != _SOCKS:
        raise ProxyError(f"the {proxy} does not speak SOCKS 5")
    if method not in methods:
        raise ProxyError(f"the {proxy} wants {'another' if proxy.user else 'a'} login: user and password in its URL")
    if method == _NO_LOGIN:
        return
    user, password = proxy.user.encode(), proxy.password.encode()
    if max(len(user), len(password)) > 255:
        raise ProxyError("a user or password for SOCKS has at most 255 bytes")
    await _send(sock, bytes((1, len(user))) + user + bytes((len(password),)) + password)
    if (await _exactly(sock, 2, proxy))[1]:
        raise ProxyError(f"the {proxy} does not accept the user and password")


def _socks_address(host: str, port: int) -> bytes:
    """Kind, address and port, as SOCKS writes them."""
    at = port.to_bytes(2, "big")
    for family, kind in ((socket.AF_INET, _IPV4), (socket.AF_INET6, _IPV6)):
        try:
            return bytes((kind,)) + socket.inet_pton(family, host) + at
        except OSError:
            continue
    try:
        name = host.encode("ascii") if host.isascii() else host.encode("idna")
        return bytes((_NAME, len(name))) + name + at
    except ValueError:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} cannot be a host name") from None


@contextmanager
def _blamed(proxy: Proxy) -> Iterator[None]:
    """What breaks the connection here is the proxy's fault."""
    try:
        yield
    except ProxyError:
        raise
    except OSError as error:
        raise ProxyError(f"the {proxy} broke the connection: {os.strerror(error.errno or 0)}") from None


async def _send(sock: StampedSocket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def _exactly(sock: StampedSocket, count: int, proxy: Proxy) -> bytes:
    """Exactly this number of bytes: those after them are the gateway's."""
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < count:
        if not (more := await loop.sock_recv(sock, count - len(data))):
            raise ProxyError(f"the {proxy} closed the connection instead of an answer")
        data += more
    return data


async def _status_line(sock: StampedSocket) -> str:
    """The first line of the answer, once its head is read and nothing more; "" where none came."""
    loop = asyncio.get_running_loop()
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < MAX_HEAD:
        if not (byte := await loop.sock_recv(sock, 1)):
            break
        head += byte
    return head.partition(b"\r\n")[0].decode("latin-1")
