"""What becomes of a response's body: the events of a stream, read and timed as they come, or a body kept whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from gwtui.apis.answer_ids import answer_id_in
from gwtui.apis.base import Reading
from gwtui.apis.damage import Damage, DamageWatch
from gwtui.apis.dialogue import AnswerKeeper
from gwtui.apis.headers import Headers, header
from gwtui.apis.http import is_expected_status
from gwtui.framing.base import FramedEvent, Framing, FramingError
from gwtui.framing.whole import WholeParser
from gwtui.model.profile import Endpoint
from gwtui.model.records import StreamEvent
from gwtui.probes.masking import EventMask
from gwtui.probes.stream_timing import Timing
from gwtui.secrets.redaction import Redactor
from gwtui.stats.model_timelines import ModelTimelines
from gwtui.text.sanitize import clean, clean_text
from gwtui.transport.decoding import BodyLimitError
from gwtui.transport.trace import Arrival

BODY_BYTES = 64 << 20
"""The longest body that is read; of one that is no stream, less (`gwtui.framing.whole.MAX_BODY`)."""
REFUSAL_BYTES = 64 * 1024
"""How much is read of the body of an answer that is a refusal."""
RAW_CHARS = 1024
"""How much of an event's data the record of it holds."""
EVENT_TEXT_CHARS = 4096
TEXT_CHARS = 1024 * 1024
"""How much of an answer's text is kept."""
PART_EVENTS = 1000
"""More events of one read than that are worked off in parts, between which others get their turn."""


ID_EVENTS = 8
"""The first events of a stream, in which an answer's id is looked for."""


class Intake(Protocol):
    """Takes a decoded body piece by piece."""

    def feed(self, data: bytes) -> bool:
        """Take the next piece. False: enough was seen."""

    def parts(self, arrival: Arrival) -> Iterable[None]:
        """Work off most of what was fed of this read, if it is a lot, one part for each turn."""

    def flush(self, arrival: Arrival) -> None:
        """All pieces of this read were fed."""


class BodyIntake:
    """Keeps the body."""

    def __init__(self, enough_bytes: int | None) -> None:
        self._enough_bytes = enough_bytes
        self._parser = WholeParser()

    @property
    def body(self) -> bytes:
        return self._parser.body[: self._enough_bytes]

    def feed(self, data: bytes) -> bool:
        self._parser.feed(data)
        return self._enough_bytes is None or self._parser.unfinished < self._enough_bytes

    def parts(self, arrival: Arrival) -> Iterable[None]:
        return ()

    def flush(self, arrival: Arrival) -> None:
        return


class StreamIntake:
    """Parses, reads and times the events of a stream. Those of one read are handed on together, with its stamp."""

    def __init__(
        self,
        framing: Framing,
        watch: DamageWatch,
        timing: Timing,
        redact: Redactor,
        hand_on: Callable[[int, int, tuple[StreamEvent, ...]], None] | None,
        *,
        keep_text: bool,
        several_models: bool = False,
    ) -> None:
        """`several_models`: the stream carries the answers of several models, whose timelines are kept."""
        self.models = ModelTimelines() if several_models else None
        self.reader = watch.reader
        self.watch = watch
        self.timing = timing
        self.parser = framing.parser()
        self._mask = EventMask(redact) if redact else None
        self._hand_on = hand_on
        self._keep_text = keep_text
        self._text: list[str] = []
        self._text_length = 0
        self._pending: list[FramedEvent] = []
        self._read_bytes = 0
        self.keeper: AnswerKeeper | None = None
        """Keeps the answer for the next turn of a conversation."""
        self.answer_id = ""
        """The message's own id, as soon as an event has told it."""

    @property
    def damage(self) -> Damage:
        """What of the stream was damaged."""
        return self.watch.damage(self.parser.stray, self.parser.mangled, self.timing.events)

    @property
    def text(self) -> str:
        return clean_text("".join(self._text), TEXT_CHARS)

    def feed(self, data: bytes) -> bool:
        self._read_bytes += len(data)
        try:
            self._pending += self.parser.feed(data)
        except FramingError as error:
            self._pending += error.events
            raise
        return True

    def parts(self, arrival: Arrival) -> Iterator[None]:
        while len(self._pending) > PART_EVENTS:
            part, self._pending = self._pending[:PART_EVENTS], self._pending[PART_EVENTS:]
            self._work_off(part, arrival)
            yield

    def flush(self, arrival: Arrival) -> None:
        if self._pending:
            events, self._pending = self._pending, []
            self._work_off(events, arrival)

    def _work_off(self, events: list[FramedEvent], arrival: Arrival) -> None:
        size, self._read_bytes = self._read_bytes, 0
        stamp_ns, error_ns = arrival.stamp_ns, arrival.error_ns
        first = self.timing.events + 1
        readings = self.watch.read(events, first)
        if first <= ID_EVENTS and not self.answer_id:
            self.answer_id = next(filter(None, (answer_id_in(event.data) for event in events[:ID_EVENTS])), "")
        if self.keeper is not None:
            for event in events:
                self.keeper.event(event.data)
        if self._keep_text:
            self._keep(readings)
        self.timing.add(stamp_ns, readings, size, error_ns)
        if self.models is not None:
            self.models.add(self.timing.since_sent(stamp_ns), readings)
        if self._hand_on is not None:
            pairs = zip(readings, events, strict=True)
            self._hand_on(stamp_ns, first, tuple(self._masked(reading, event.data) for reading, event in pairs))

    def _keep(self, readings: list[Reading]) -> None:
        for reading in readings:
            if reading.kind.is_visible and self._text_length < TEXT_CHARS:
                self._text.append(reading.text)
                self._text_length += len(reading.text)

    def _masked(self, reading: Reading, data: str) -> StreamEvent:
        event = stream_event(reading, data)
        return event if self._mask is None else self._mask(event)


def stream_event(reading: Reading, data: str) -> StreamEvent:
    """What is shown of an event: its reading and its data, all of it clean."""
    return StreamEvent(
        name=clean(reading.name, 64),
        kind=reading.kind,
        text=clean_text(reading.text, EVENT_TEXT_CHARS),
        raw=clean(data, RAW_CHARS),
        note=clean(reading.note) if reading.note else "",
        model=reading.model,
    )


def check_length(length: int) -> None:
    """Raises `BodyLimitError` for a body of more bytes than are read."""
    if length > BODY_BYTES:
        raise BodyLimitError(f"the body is longer than {BODY_BYTES >> 20} MiB")


def body_intake(endpoint: Endpoint, framing: Framing, status: int | None, headers: Headers) -> BodyIntake | None:
    """What takes the body of an answer that is no stream of events; None where it is one."""
    wanted = status is not None and (200 <= status < 300 or is_expected_status(endpoint, status))
    if not wanted:
        return BodyIntake(REFUSAL_BYTES)
    is_stream = endpoint.stream and framing.is_type(header(headers, "content-type"))
    return None if is_stream else BodyIntake(None)
