"""Reaching a gateway's host: directly, or by way of a proxy."""

from __future__ import annotations

from gwtui.probes.dial import Dial, dial
from gwtui.probes.ends import OWN_FAULTS
from gwtui.probes.netclock import NetClock, StampedSocket
from gwtui.probes.proxies import Proxy, ProxyError, open_tunnel


async def reach(
    host: str, port: int, proxy: Proxy | None, clock: NetClock, progress: Dial, *, tunnel: bool
) -> StampedSocket:
    """A socket that is connected to the host, or to the proxy; `tunnel`: to the host through the proxy.

    Notes its steps in `progress`. Raises `OSError`; `ProxyError` for all that is the proxy's fault.
    """
    if proxy is None:
        return await dial(host, port, clock, progress)
    try:
        sock = await dial(proxy.host, proxy.port, clock, progress)
    except OSError as error:
        if error.errno in OWN_FAULTS:
            raise
        told = "; ".join(progress.refusals) or error.strerror or str(error)
        raise ProxyError(f"the {proxy} cannot be reached: {told}") from None
    progress.address = f"{progress.address} (proxy)"
    if tunnel:
        progress.stage = "proxy"
        try:
            await open_tunnel(sock, proxy, host, port)
        except BaseException:
            sock.close()
            raise
    return sock
