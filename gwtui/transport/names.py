"""Names that connections are kept to, looked up again in the background for as long as anybody keeps one.

A look-up never delays a probe: it runs in a thread of its own, one at a time, and what it found is used by the next
probe. One that fails changes nothing: a resolver that is out of order is no reason to leave a connection.
"""

from __future__ import annotations

import asyncio
import socket
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from weakref import WeakKeyDictionary, WeakValueDictionary

from gwtui.transport.connection_policy import Address

LOOK_EVERY_S = 30.0


class FollowedName:
    """A host and port, and the addresses it has now. Resolved again until nothing refers to it."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.addresses: tuple[Address, ...] = ()
        """As they were looked up in the background last, and by connections since then."""
        self._look_soon()

    def _look_soon(self) -> None:
        asyncio.get_running_loop().call_later(LOOK_EVERY_S, _look, weakref.ref(self))

    def look(self) -> None:
        """Look the name up in the background, and again a while after that has ended."""
        loop = asyncio.get_running_loop()
        try:
            looking = loop.run_in_executor(_thread(), _addresses, self.host, self.port)
        except RuntimeError:  # no thread can be started now
            self._look_soon()
            return
        looking.add_done_callback(self._found)

    def _found(self, looking: asyncio.Future[tuple[Address, ...]]) -> None:
        if looking.cancelled():
            return
        if not isinstance(looking.exception(), OSError | UnicodeError):
            self.addresses = looking.result() or self.addresses
        self._look_soon()


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[tuple[str, int], FollowedName]] = (
    WeakKeyDictionary()
)


def follow(host: str, port: int, addresses: Sequence[Address]) -> FollowedName:
    """Follow the name, which was just looked up and has these addresses. Refer to it for as long as it matters.

    They are added to those of earlier look-ups until the next one in the background: a resolver that gives another
    address to everybody would else have the connections of one worker closed by each look-up of another.
    """
    names = _of_loops.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    name = names.get((host, port))
    if name is None:
        name = names[host, port] = FollowedName(host, port)
    name.addresses = tuple(dict.fromkeys((*addresses, *name.addresses)))
    return name


def _look(reference: weakref.ref[FollowedName]) -> None:
    name = reference()
    if name is not None:
        name.look()


@cache
def _thread() -> ThreadPoolExecutor:
    """One thread, so that a resolver that hangs holds up other look-ups of this kind and nothing else."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="names")


def _addresses(host: str, port: int) -> tuple[Address, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple((int(family), address) for family, _, _, _, address in found)
