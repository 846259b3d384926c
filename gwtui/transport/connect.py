"""Reaching a gateway's host by way of a proxy."""

from __future__ import annotations

import ssl
import time

from gwtui.transport.dial import Dial, dial, look_up
from gwtui.transport.errors import OWN_FAULTS
from gwtui.transport.proxies import Proxy, ProxyError
from gwtui.transport.timestamps import NetClock, StampedSocket
from gwtui.transport.tls_files import tls_files
from gwtui.transport.tls_socket import TLSSocket, reason_of_tls, secured
from gwtui.transport.tunnels import open_socks, open_tunnel


async def reach(host: str, port: int, proxy: Proxy, clock: NetClock, progress: Dial, *, tunnel: bool) -> StampedSocket:
    """A socket that is connected to the proxy; `tunnel`, and always for SOCKS: to the host through the proxy.

    Notes its steps in `progress`: what the proxy takes counts as connecting. Raises `OSError`; `ProxyError` for all
    that is the proxy's fault.
    """
    try:
        sock = await dial(proxy.host, proxy.port, clock, progress)
    except OSError as error:
        if error.errno in OWN_FAULTS:
            raise
        told = "; ".join(progress.refusals) or error.strerror or str(error)
        raise ProxyError(f"the {proxy} cannot be reached: {told}") from None
    progress.address = f"{progress.address} (proxy)"
    progress.stage = "proxy"
    try:
        destination = await _destination(host, port, proxy, progress)
        began = time.perf_counter_ns()
        if proxy.scheme == "https":
            sock = await _secured(sock, proxy, clock)
        if not proxy.forwards:
            await open_socks(sock, proxy, destination, port)
        elif tunnel:
            await open_tunnel(sock, proxy, host, port)
    except BaseException:
        sock.close()
        raise
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
    """What the proxy is asked for: the name, or with `socks5` the address that it has here. Raises `gaierror`."""
    if proxy.scheme != "socks5":
        return host
    began = time.perf_counter_ns()
    addresses = await look_up(host, port)
    progress.dns_ns = (progress.dns_ns or 0) + time.perf_counter_ns() - began
    return str(addresses[0][1][0])
