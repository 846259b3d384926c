"""Where the connections of an endpoint go, from one probe to the next: its host, its address by turns, its socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.text.untrusted_files import expanded
from gwtui.transport.connection_policy import (
    Address,
    Made,
    Renewal,
    address_changed,
    host_and_port,
    in_turn,
    policy_of,
    renewal,
)
from gwtui.transport.dial import Dial, dial, dial_unix, with_route
from gwtui.transport.names import FollowedName, follow
from gwtui.transport.proxies import Proxy
from gwtui.transport.proxy_dial import dial_by_proxy
from gwtui.transport.timestamps import NetClock, StampedSocket


@dataclass(frozen=True, slots=True)
class _Turn:
    """Chooses the address that the probe of this number goes to."""

    number: int

    def __call__(self, addresses: Sequence[Address]) -> Sequence[Address]:
        return (in_turn(with_route(addresses), self.number),)


class Route:
    """Where the connections of one endpoint go, from one probe to the next."""

    def __init__(self, endpoint: Endpoint, host: str, port: int, proxy: Proxy | None) -> None:
        """`host` and `port` are those of the endpoint's URL."""
        self._unix = str(expanded(endpoint.unix)) if endpoint.unix is not None else ""
        self._proxy = None if self._unix else proxy
        self._policy = policy_of(endpoint)
        self._each = self._policy.each and self._proxy is None and not self._unix
        self._moved = endpoint.connect_to is not None
        self._host, self._port = host_and_port(endpoint.connect_to) if endpoint.connect_to else (host, port)
        self._name: FollowedName | None = None

    @property
    def keeps(self) -> bool:
        """Whether connections are kept from a request to the next."""
        return self._policy.keep

    def use(self, proxy: Proxy | None) -> None:
        """Make the next connections by way of this proxy: its login may be another one by now."""
        self._proxy = None if self._unix else proxy

    def tunnels(self, *, secure: bool) -> bool:
        """Whether a proxy is asked for a tunnel: for TLS, by SOCKS, and where the request does not say where it
        goes."""
        return secure or self._moved or (self._proxy is not None and not self._proxy.forwards)

    def turn(self, number: int) -> Address | None:
        """The address that the probe of this number goes to; None where that is not fixed, or not known yet."""
        addresses = self._addresses() if self._each else ()
        return in_turn(with_route(addresses), number) if addresses else None

    def kept_under(self, progress: Dial) -> Address | None:
        """What a connection that was made so is kept under: what `turn` gives for it."""
        return progress.peer if self._each else None

    def renewal(self, made: Made, now_ns: int) -> Renewal | None:
        """Why a kept connection is not used again; None: it is."""
        return renewal(self._policy, made, self._addresses(), now_ns)

    def address_changed(self, made: Made) -> Finding:
        host = self._proxy.host if self._proxy is not None else self._host
        return address_changed(host, made, self._addresses())

    async def connect(self, number: int, clock: NetClock, progress: Dial, *, tunnel: bool) -> StampedSocket:
        """A socket that is connected to the host, or to the proxy; `tunnel`: to the host through the proxy.

        Notes its steps in `progress`. Raises `OSError`; `ProxyError` for all that is the proxy's fault.
        """
        if self._unix:
            return await dial_unix(self._unix, clock, progress)
        if self._proxy is not None:
            sock = await dial_by_proxy(self._host, self._port, self._proxy, clock, progress, tunnel=tunnel)
            self._follow(self._proxy.host, self._proxy.port, progress)
            return sock
        try:
            return await self._dial(number, clock, progress)
        finally:
            self._follow(self._host, self._port, progress)

    async def _dial(self, number: int, clock: NetClock, progress: Dial) -> StampedSocket:
        if not self._each:
            return await dial(self._host, self._port, clock, progress)
        return await dial(self._host, self._port, clock, progress, _Turn(number), self._addresses())

    def _addresses(self) -> Sequence[Address]:
        return self._name.addresses if self._name is not None else ()

    def _follow(self, host: str, port: int, progress: Dial) -> None:
        if progress.answers and self._policy.keep:
            self._name = follow(host, port, progress.answers)
