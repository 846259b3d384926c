"""The connections of one endpoint's worker: a request gets one that was kept, or a new one, with TLS over it.

Workers share no connections: these would wander between them. No cookies are kept, no redirects followed, no
credentials taken from anywhere, and a proxy is used only where one is given.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from gwtui.model.profile import TLS, Endpoint
from gwtui.model.records import Finding
from gwtui.transport.acknowledged import ACKNOWLEDGED_S
from gwtui.transport.connection import HTTPConnection, Origin, StampedStream
from gwtui.transport.connection_policy import Address, Made, Renewal
from gwtui.transport.dial import Dial
from gwtui.transport.proxies import Proxy
from gwtui.transport.request import Target
from gwtui.transport.routes import Route
from gwtui.transport.sockets import TCPStream
from gwtui.transport.timestamps import net_clock
from gwtui.transport.tls import TLSStream
from gwtui.transport.tls_files import TLSFiles, tls_files
from gwtui.transport.trace import ConnectionTrace


class ConnectionPool:
    """One connection, or one for each address that is probed in turn, kept as long as the route's policy says."""

    def __init__(
        self,
        route: Route,
        tls: TLSFiles | None,
        server_name: str,
        proxy: Proxy | None,
        acknowledged_s: float = ACKNOWLEDGED_S,
        *,
        switches: bool = False,
    ) -> None:
        """`switches`: requests ask for another protocol, which needs a tunnel through a proxy."""
        self.peer = Dial(0)
        """How the connection in use, or the last one, was made."""
        self._route = route
        self._tls = tls
        self._server_name = server_name
        self._proxy = proxy
        self._acknowledged_s = acknowledged_s
        self._switches = switches
        self._kept: dict[Address | None, HTTPConnection] = {}

    def use(self, proxy: Proxy | None) -> None:
        """Make the next requests by way of this proxy."""
        self._proxy = proxy
        self._route.use(proxy)

    @property
    def tunnels(self) -> bool:
        """Whether a proxy is asked for a tunnel, and not for the URL itself."""
        return self._route.tunnels(secure=self._switches or self._tls is not None)

    async def connection(self, number: int, trace: ConnectionTrace, found: Callable[[Finding], None]) -> HTTPConnection:
        """The connection for the probe of this number: the one that was kept for it, or a new one.

        `found` is called with each finding about it. Raises `OSError`, `ProxyError`, and what `TLSFiles.context` does.
        """
        context = self._tls.context() if self._tls is not None else None
        await self._renew(context, found)
        return await self._reusable(number, trace) or await self._connected(number, trace, context)

    async def connect(self) -> None:
        """Load what connections need before the first request, and open one where connections are kept. Raises as
        `connection` does."""
        import encodings.idna  # noqa: F401 - the first look-up of a name would load it

        context = self._tls.context() if self._tls is not None else None
        if self._route.keeps and not self._kept:
            await self._connected(1, ConnectionTrace(), context)

    async def finish(self, connection: HTTPConnection) -> bytes:
        """The connection's request is over: keep it, or close it. Returns what came behind the answer."""
        behind = await connection.finish(keep=self._route.keeps)
        if not connection.is_open:
            self._forget(connection)
        return behind

    def certificate_findings(self, warn_days: float) -> tuple[Finding, ...]:
        """Findings about the certificates of the connection that was used last."""
        return self._tls.findings(self.peer.expires_at, warn_days) if self._tls is not None else ()

    async def aclose(self) -> None:
        for connection in list(self._kept.values()):
            await self._drop(connection)

    async def _renew(self, context: ssl.SSLContext | None, found: Callable[[Finding], None]) -> None:
        """Give up the connections that the policy does not keep any longer, and those made with another proxy or
        other certificates."""
        now_ns = time.perf_counter_ns()
        for connection in list(self._kept.values()):
            origin = connection.origin
            why = self._route.renewal(origin.made, now_ns)
            if why is Renewal.ADDRESS:
                found(self._route.address_changed(origin.made))
            if why is not None or origin.context is not context or origin.proxy != self._proxy:
                await self._drop(connection)

    async def _reusable(self, number: int, trace: ConnectionTrace) -> HTTPConnection | None:
        """The connection that was kept for this probe, if the peer did not close it meanwhile."""
        connection = self._kept.get(self._route.turn(number))
        if connection is None:
            return None
        if not connection.is_idle():
            await self._drop(connection)
            return None
        self.peer = connection.origin.dial
        trace.idle_ns = time.perf_counter_ns() - (connection.last_read_ns or connection.origin.made.at_ns)
        connection.expect_acknowledgement(self._acknowledged_s)
        return connection

    async def _connected(self, number: int, trace: ConnectionTrace, context: ssl.SSLContext | None) -> HTTPConnection:
        progress = trace.dial = self.peer = Dial(time.perf_counter_ns())
        sock = await self._route.connect(number, net_clock(), progress, tunnel=self.tunnels)
        stream: StampedStream
        stream = tcp = TCPStream(sock)
        if context is not None:
            async with AsyncExitStack() as on_failure:
                on_failure.push_async_callback(tcp.aclose)
                stream = secure = TLSStream(tcp, context, self._server_name)
                await secure.handshake(progress)
                on_failure.pop_all()
        progress.stage = "done"
        made = Made(time.perf_counter_ns(), progress.peer)
        connection = HTTPConnection(stream, Origin(made, progress, context, self._proxy))
        self._kept[self._route.kept_under(progress)] = connection
        return connection

    async def _drop(self, connection: HTTPConnection) -> None:
        self._forget(connection)
        await connection.aclose()

    def _forget(self, connection: HTTPConnection) -> None:
        for key, each in list(self._kept.items()):
            if each is connection:
                del self._kept[key]


def pool_for(
    target: Target, endpoint: Endpoint, proxy: Proxy | None, acknowledged_s: float, *, switches: bool = False
) -> ConnectionPool:
    """The connections of the endpoint's requests to this host. `switches`: as of `ConnectionPool`."""
    settings = endpoint.tls or TLS()
    files = tls_files(settings) if target.is_secure else None
    route = Route(endpoint, target.host, target.port, proxy)
    name = settings.server_name or target.host
    return ConnectionPool(route, files, name, proxy, acknowledged_s, switches=switches)
