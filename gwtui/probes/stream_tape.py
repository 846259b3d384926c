"""The bytes of an answer as they came, kept in memory until it is known whether they are evidence.

A read costs one entry in a list, and nothing where nothing is kept. An answer that is too long keeps its beginning and
its end; all answers that are under way together take at most `ROOM_BYTES`.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

HEAD_BYTES = 2 << 20
"""The maximum that is kept of the beginning of one answer, `READ_BYTES` for each read included."""
TAIL_BYTES = 512 << 10
"""The maximum that is kept of the end of one that is longer."""
ROOM_BYTES = 64 << 20
"""The maximum that is kept of all answers whose files are not written yet."""
READ_BYTES = 200
"""What a read takes beside its bytes."""

TapedRead: TypeAlias = tuple[int, int, bytes]
"""Its stamp in ns, how far that may be from when any of the bytes came, and the bytes."""


class TapeRoom:
    """The memory that tapes may take. One thread takes it and gives it back; another one only gives it back."""

    def __init__(self, limit: int = ROOM_BYTES) -> None:
        self._limit = limit
        self._taken = 0
        self._written = 0

    def take(self, size: int) -> bool:
        """Whether there is room for that number of bytes, which then are taken."""
        if self._taken - self._written + size > self._limit:
            return False
        self._taken += size
        return True

    def give_back(self, size: int) -> None:
        """For the thread that takes."""
        self._taken -= size

    def written(self, size: int) -> None:
        """For the thread that writes."""
        self._written += size


class Tape:
    """The reads of one answer."""

    __slots__ = ("_is_full", "_left", "_room", "_tail_size", "dropped", "head", "size", "tail")

    def __init__(self, room: TapeRoom) -> None:
        self._room = room
        self._left = HEAD_BYTES
        self._tail_size = 0
        self._is_full = False
        self.head: list[TapedRead] = []
        self.tail: deque[TapedRead] = deque()
        """The end of an answer that is too long."""
        self.dropped = 0
        """Bytes between head and tail that are not kept; behind both where there was no room for more."""
        self.size = 0
        """What it takes of the room."""

    def add(self, stamp_ns: int, error_ns: int, data: bytes) -> None:
        """Keep the next bytes of the answer."""
        size = len(data) + READ_BYTES
        if size <= self._left and self._room.take(size):
            self._left -= size
            self.size += size
            self.head.append((stamp_ns, error_ns, data))
        else:
            self._add_late(stamp_ns, error_ns, data, size)

    def _add_late(self, stamp_ns: int, error_ns: int, data: bytes, size: int) -> None:
        """Keep bytes behind the beginning, in place of older ones of the end."""
        self._left = 0
        if self._is_full or not self._room.take(size):
            self._is_full = True
            self.dropped += len(data)
            return
        self.size += size
        self._tail_size += size
        self.tail.append((stamp_ns, error_ns, data))
        while self._tail_size > TAIL_BYTES and len(self.tail) > 1:
            *_, oldest = self.tail.popleft()
            self.dropped += len(oldest)
            self._tail_size -= len(oldest) + READ_BYTES
            self.size -= len(oldest) + READ_BYTES
            self._room.give_back(len(oldest) + READ_BYTES)

    def clear(self) -> None:
        """Keep nothing of what came so far."""
        self._room.give_back(self.size)
        self.head, self.tail = [], deque()
        self._left, self._is_full = HEAD_BYTES, False
        self._tail_size = self.dropped = self.size = 0

    def written(self) -> None:
        """It is on the disk, or lost, says the thread that writes."""
        self._room.written(self.size)

    def __bool__(self) -> bool:
        return bool(self.head or self.dropped)
