"""The WebSockets of one endpoint: the only one, or one to each of its addresses, and when each may be dialled again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gwtui.probes.handshake import Opening, OpenWebSocket
from gwtui.transport.connection_policy import Address

FIRST_S = 0.5
"""As in the SDKs of OpenAI and Anthropic."""
LONGEST_S = 15.0
"""Longer, and a gateway that is back would be called down for too long."""


class Backoff:
    """No pause after the first failure; then pauses that double with every further one, each shortened at random by up
    to a half so that clients spread out."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - jitter keeps no secret
        self._failures = 0
        self._until_ns = 0

    def failed(self, now_ns: int) -> None:
        """Start the next pause."""
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures - 1, 20)) if self._failures else 0.0
        self._failures += 1
        self._until_ns = now_ns + round(longest * self._random.uniform(0.5, 1.0) * 1e9)

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0
        self._until_ns = 0

    def left_ns(self, now_ns: int) -> int:
        """How much of the pause is left."""
        return max(0, self._until_ns - now_ns)


@dataclass(slots=True)
class Lane:
    """The connection to one address, or the only one: as it is kept, as it was opened last, and when to dial again."""

    backoff: Backoff
    connection: OpenWebSocket | None = None
    opening: Opening = field(default_factory=Opening)
    dials: int = 0
    answered_ns: int = 0
    """When the last answer was read."""

    async def hang_up(self) -> None:
        """Close the connection, if there is one, by the closing handshake."""
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.socket.close()

    def drop(self) -> None:
        """Give the connection up without a word: whatever comes over it later must not be taken for an answer."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.socket.transport.abort()


class Lanes:
    """All of one endpoint, by address."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._of: dict[Address | None, Lane] = {}

    def __iter__(self) -> Iterator[tuple[Address | None, Lane]]:
        return iter(list(self._of.items()))

    def of(self, address: Address | None) -> Lane:
        return self._of.setdefault(address, Lane(Backoff(self._seed)))

    def forget(self, address: Address) -> None:
        del self._of[address]

    def wait_ns(self) -> int:
        """How long it is until one of them may be used; 0 where one may be at once."""
        now_ns = time.perf_counter_ns()
        known = [lane for address, lane in self._of.items() if address is not None] or list(self._of.values())
        return min((lane.backoff.left_ns(now_ns) for lane in known), default=0)

    def next_turn(self, number: int, address_of: Callable[[int], Address | None]) -> int:
        """The turn, from `number` on, of the first that may be used; `number` where none may. `address_of`: the address
        whose turn it is."""
        now_ns = time.perf_counter_ns()
        turns = range(number, number + len(self._of) + 1)
        return next((turn for turn in turns if not self.of(address_of(turn)).backoff.left_ns(now_ns)), number)
