"""httpx over stamped sockets: one client with one kept connection for each worker.

A shared pool costs quadratically in its workers (httpcore 1.0), and its kept connections would wander between them.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpcore
import httpx

from gwtui.probes.bodies import Connection
from gwtui.probes.dial import Dial, dial
from gwtui.probes.exchange import Ledger
from gwtui.probes.netclock import net_clock
from gwtui.probes.tcp import TCPStream
from gwtui.probes.tls import context_for
from gwtui.profile import TLS

USER_AGENT = "gwtui"


class Network(httpcore.AsyncNetworkBackend):
    """httpcore's network for one worker, which has one connection at a time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._clock = net_clock()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        progress = self._ledger.exchange.dial = self._ledger.peer = Dial(time.perf_counter_ns())
        try:
            sock = await dial(host, port, self._clock, progress)
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        progress.stage = "done"
        return Connection(TCPStream(sock, self._ledger), self._ledger)


class StampedTransport(httpx.AsyncBaseTransport):
    """httpcore's pool over `Network`. Failures are httpcore's exceptions, with the `OSError` or TLS error as cause."""

    def __init__(self, ledger: Ledger, tls: ssl.SSLContext | None, server_name: str | None) -> None:
        self._server_name = server_name
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, max_connections=1, max_keepalive_connections=1, network_backend=Network(ledger)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        extensions = dict(request.extensions)
        if self._server_name is not None:
            extensions["sni_hostname"] = self._server_name
        url = request.url
        response = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=cast(httpx.AsyncByteStream, request.stream),
                extensions=extensions,
            )
        )
        return _Unfollowed(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Unfollowed(httpx.Response):
    """httpx reads the Location of a redirect even when it is not to follow it, and fails on a bad one."""

    @property
    def has_redirect_location(self) -> bool:
        return False


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_stream()

    async def aclose(self) -> None:
        await self._response.aclose()


def client_for(url: str, settings: TLS | None, ledger: Ledger) -> httpx.AsyncClient:
    """A client that adds nothing of its own to a request, follows nothing and keeps no cookies.

    Raises `AskError` when a file of the TLS settings cannot be used.
    """
    settings = settings or TLS()
    context = context_for(settings) if url.lower().startswith("https:") else None
    return httpx.AsyncClient(
        transport=StampedTransport(ledger, context, settings.server_name),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=None,  # noqa: S113 - deadlines are kept by the probe
        follow_redirects=False,
        trust_env=False,
    )
