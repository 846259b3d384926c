"""No stream at all: one body, which is kept whole."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.framing.base import NOTHING, FramedEvent, Framing, FramingLimitError

MAX_BODY = 16 << 20
"""The most bytes that a body may have: all of them are kept in memory, for each endpoint whose answer is read."""
BEGINNING_BYTES = 64 << 10
"""How much is left of a body that has more."""


class WholeParser:
    """Keeps one body. It has no events."""

    comments = 0
    stray = b""
    mangled: Sequence[tuple[int, str]] = ()
    unended = None

    def __init__(self, *, max_body: int = MAX_BODY) -> None:
        self._max_body = max_body
        self._pieces: list[bytes] = []
        self.unfinished = 0
        """Bytes of the body so far."""

    @property
    def body(self) -> bytes:
        """All bytes so far; of a body over the limit the beginning."""
        return b"".join(self._pieces)

    def feed(self, chunk: bytes) -> list[FramedEvent]:
        """Keep the next bytes. Raises `FramingLimitError`, and then always."""
        self.unfinished += len(chunk)
        if self.unfinished > self._max_body:
            self._pieces = [self.body[:BEGINNING_BYTES]]
            raise FramingLimitError(f"the body is longer than {self._max_body >> 20} MiB")
        self._pieces.append(chunk)
        return []


WHOLE = Framing(
    name="whole",
    title="one whole answer",
    media_types=(),
    parser=WholeParser,
    line=NOTHING,
    beginning=NOTHING,
    event_end="",
    keep_alives="",
)
