"""Connecting: DNS, then TCP to the first address that answers, each timed by itself; or a Unix socket."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from gwtui.model.records import Finding
from gwtui.transport.connection_policy import Address, address_fallback, spelled
from gwtui.transport.timestamps import NetClock, StampedSocket

ATTEMPT_DELAY_S = 0.25
"""RFC 8305 section 5: the recommended time between the starts of two connection attempts."""

_UNTELLING = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What a family without any route gives: any other address's error says more."""

ASK_AGAIN_S = 0.01
"""Seconds until a Unix socket whose backlog is full is tried again: the kernel does not report free room."""


class NoThreadError(OSError):
    """This machine has no thread left to ask the resolver in."""


@dataclass(slots=True)
class Dial:
    """One attempt to get a connection: how far it is, and what each step took."""

    began_ns: int
    stage: Literal["dns", "connect", "proxy", "tls", "done"] = "dns"
    dns_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    tried: list[str] = field(default_factory=list)
    """Addresses that were asked for a connection."""
    address: str = ""
    """The peer's address and port: once connected, or if it is the only one."""
    answers: tuple[Address, ...] = ()
    """The addresses that the name was looked up to have."""
    peer: Address | None = None
    """The one that was connected to, or the only one that is tried."""
    tls: str = ""
    """TLS version, issuer and expiry of the peer's certificate."""
    expires_at: float | None = None
    """When the peer's certificate ends; wall time, UTC."""
    refusals: list[str] = field(default_factory=list)
    """Addresses that failed, each with its error, and those that a later one was faster than."""


def fallbacks(made: Dial | None) -> tuple[Finding, ...]:
    """Findings about the addresses that failed before the connected one."""
    if made is None or not made.refusals or made.connect_ns is None:
        return ()
    return (address_fallback(made.refusals, made.address),)


async def dial(
    host: str,
    port: int,
    clock: NetClock,
    progress: Dial,
    choose: Callable[[Sequence[Address]], Sequence[Address]] | None = None,
    known: Sequence[Address] = (),
) -> StampedSocket:
    """A connected socket. Notes its steps in `progress`; raises `OSError` (`gaierror` for DNS).

    `choose` says which of the name's addresses to try, and in which order; by default all, by RFC 8305. `known`: its
    addresses, where they need not be looked up.
    """
    addresses = known or _numeric(host, port)
    if not addresses:
        addresses = await _resolve(host, port)
        progress.dns_ns = time.perf_counter_ns() - progress.began_ns
        progress.answers = tuple(addresses)
    progress.stage = "connect"
    began = time.perf_counter_ns()
    chosen = (choose or _interleaved)(addresses)
    if len(chosen) == 1:
        progress.peer, progress.address = chosen[0], spelled(chosen[0][1])
    sock = await _connect_any(chosen, clock, progress)
    progress.connect_ns = time.perf_counter_ns() - began
    with closed_on_failure(sock):
        progress.address = spelled(sock.getpeername())  # fails where the peer is gone again
    return sock


@contextmanager
def closed_on_failure(sock: StampedSocket) -> Iterator[None]:
    """Closes the socket unless the block runs to its end."""
    with ExitStack() as on_failure:
        on_failure.callback(sock.close)
        yield
        on_failure.pop_all()


async def look_up(host: str, port: int) -> Sequence[Address]:
    """The host's addresses, in the order to try them in. Raises `OSError` (`gaierror` for DNS)."""
    return _interleaved(_numeric(host, port) or await _resolve(host, port))


async def dial_unix(path: str, clock: NetClock, progress: Dial) -> StampedSocket:
    """A socket connected to the one of that path. Notes its steps in `progress`; raises `OSError`."""
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    progress.stage, progress.address = "connect", spelled(path)
    progress.tried.append(progress.address)
    began = time.perf_counter_ns()
    sock = StampedSocket(socket.AF_UNIX, clock)
    with closed_on_failure(sock):
        try:
            while not _is_connected(sock, path):  # noqa: ASYNC110 - the kernel tells nobody when there is room again
                await asyncio.sleep(ASK_AGAIN_S)
        except OSError as error:
            progress.refusals.append(f"{progress.address}: {error.strerror or error}")
            raise
    progress.connect_ns = time.perf_counter_ns() - began
    return sock


def _is_connected(sock: StampedSocket, path: str) -> bool:
    """Connect. False while the backlog is full."""
    try:
        sock.connect(path)
    except BlockingIOError:
        return False
    return True


def with_route(addresses: Sequence[Address]) -> Sequence[Address]:
    """Those that this machine has a route to; all, where it has one to none. Sends nothing."""
    if len({family for family, _ in addresses}) == 1:
        return addresses
    return [address for address in addresses if _has_route(address)] or addresses


def _has_route(address: Address) -> bool:
    family, where = address
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        return sock.connect_ex(where) not in _UNTELLING


def _numeric(host: str, port: int) -> list[Address]:
    """The address that `host` spells itself; nothing when it is a name. Asks no resolver."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        return []
    return [(family, address) for family, _, _, _, address in found]


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} cannot be a host name") from None
    except RuntimeError as error:
        raise NoThreadError(str(error)) from error
    except OSError as error:
        _check_descriptors()
        if isinstance(error, socket.gaierror):
            raise socket.gaierror(error.errno, f"{host}: {error.strerror}") from None
        raise
    return [(family, address) for family, _, _, _, address in found]


def _check_descriptors() -> None:
    """Raises `OSError` where no file can be opened: a resolver that cannot read its files gives any error."""
    os.close(os.open(os.devnull, os.O_RDONLY))


def _interleaved(addresses: Sequence[Address]) -> list[Address]:
    """The families by turns, the resolver's first one first (RFC 8305 section 4)."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    other = [address for address in addresses if address[0] != addresses[0][0]]
    pairs = itertools.zip_longest(first, other)
    return [address for pair in pairs for address in pair if address is not None]


async def _connect_any(addresses: Sequence[Address], clock: NetClock, progress: Dial) -> StampedSocket:
    """Try the addresses in order, each a little after the one before or at once when that failed (RFC 8305)."""
    if len(addresses) == 1:
        return await _connect(addresses[0], clock, progress)
    waiting = iter(addresses)
    attempts: set[asyncio.Task[StampedSocket]] = set()
    started: list[asyncio.Task[StampedSocket]] = []
    errors: list[BaseException] = []
    try:
        while True:
            following = next(waiting, None)
            if following is not None:
                started.append(asyncio.create_task(_connect(following, clock, progress)))
                attempts.add(started[-1])
            if not attempts:
                raise _most_specific(errors)
            done, attempts = await asyncio.wait(
                attempts, timeout=ATTEMPT_DELAY_S if following else None, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in done:
                if (error := attempt.exception()) is None:
                    attempts |= done - {attempt}
                    place = started.index(attempt)
                    sooner = zip(addresses, started[:place], strict=False)
                    progress.peer = addresses[place]
                    silent = [spelled(where) for (_, where), other in sooner if not other.done()]
                    progress.refusals += [f"{address}: no answer" for address in silent]
                    return attempt.result()
                errors.append(error)
    finally:
        await _abandon(attempts)


async def _connect(address: Address, clock: NetClock, progress: Dial) -> StampedSocket:
    family, where = address
    progress.tried.append(spelled(where))
    sock = StampedSocket(family, clock)
    with closed_on_failure(sock):
        try:
            await asyncio.get_running_loop().sock_connect(sock, where)
        except OSError as error:
            # In the system's words: the event loop puts its own into `strerror`, with the address once more.
            why = os.strerror(error.errno) if error.errno is not None else str(error)
            progress.refusals.append(f"{spelled(where)}: {why}")
            raise
    return sock


def _most_specific(errors: list[BaseException]) -> BaseException:
    return min(errors, key=lambda error: isinstance(error, OSError) and error.errno in _UNTELLING)


async def _abandon(attempts: set[asyncio.Task[StampedSocket]]) -> None:
    """End the attempts that lost, and close what they had connected by then."""
    for attempt in attempts:
        attempt.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(result, StampedSocket):
            result.close()
