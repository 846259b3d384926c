"""Streams as lines to read: what came, when, after which gap, and which gaps are out of the usual.

A `Stream` is one probe under way or ended, a `StreamStore` those of one endpoint that are still kept. Both are bounded:
a stream keeps its newest lines, the store the newest ended probes and those that incidents name.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gwtui.model.concurrency import ModelTimeline
from gwtui.model.records import Ping, Request, RequestStarted, StreamAlive, StreamRead
from gwtui.model.stream_view import ModelCard, ModelState, StreamLine, StreamView
from gwtui.model.verdicts import GOOD
from gwtui.stats.model_timelines import ModelTimelines

LINES_PER_STREAM = 2000
ENDED_PER_ENDPOINT = 50
RECALLED_PER_ENDPOINT = 3
RUNNING_PER_ENDPOINT = 2000
"""Far above what can be under way at once: only a feed that loses results reaches it."""

LONG_GAP_NS = 100_000_000
LONG_GAP_RATIO = 5
MIN_GAPS = 1000
"""The number of gaps from which a stream's usual gap is known."""


def stands_out(gap_ns: int, usual_ns: int | None) -> bool:
    """Whether a reader should look at this gap: far longer than the stream's usual one, and long in itself."""
    return usual_ns is not None and gap_ns > max(LONG_GAP_RATIO * usual_ns, LONG_GAP_NS)


def stream_lines(reads: Iterable[StreamRead]) -> list[StreamLine]:
    """All lines of the reads of one stream, in order."""
    liner = _Liner()
    return [line for read in reads for line in liner.lines(read)]


class _Liner:
    """Makes lines of reads. A gap is shown at the first event of a read, and only if no read is missing before it.

    What has the stamp of the read before it is more of that read.
    """

    def __init__(self) -> None:
        self.seen = 0
        """The number of the last event."""
        self._last_ns: int | None = None
        self._gaps: list[int] = []

    def lines(self, read: StreamRead) -> list[StreamLine]:
        gap_ns, unusual = self._gap(read)
        self._last_ns = read.now_ns
        first = read.first_event
        self.seen = max(self.seen, first + len(read.events) - 1)
        return [
            StreamLine(
                number=number,
                since_sent_ns=read.since_sent_ns,
                gap_ns=gap_ns if number == first else None,
                event=event,
                stands_out=unusual and number == first,
            )
            for number, event in enumerate(read.events, first)
        ]

    def _gap(self, read: StreamRead) -> tuple[int | None, bool]:
        if self._last_ns in (None, read.now_ns) or read.first_event != self.seen + 1:
            return None, False
        gap_ns = max(read.now_ns - self._last_ns, 0)
        known = len(self._gaps)
        unusual = stands_out(gap_ns, self._gaps[(known - 1) // 2] if known >= 3 else None)
        if known < MIN_GAPS:
            insort(self._gaps, gap_ns)
        return gap_ns, unusual


class Stream:
    """One probe of an endpoint: its lines as they come, and in the end its result."""

    def __init__(self, endpoint: str, number: int, started_at: float, started_ns: int) -> None:
        self.endpoint = endpoint
        self.number = number
        self.started_at = started_at
        self.result: Request | Ping | None = None
        self.lines: deque[StreamLine] = deque(maxlen=LINES_PER_STREAM)
        self._sent_ns = started_ns
        self._comments: int | None = None
        self._liner = _Liner()
        self._models = ModelTimelines()
        self._drawn: StreamView | None = None

    def read(self, read: StreamRead) -> None:
        self._sent_ns = read.now_ns - read.since_sent_ns
        self.lines.extend(self._liner.lines(read))
        self._models.add(read.since_sent_ns, read.events)
        self._drawn = None

    def alive(self, alive: StreamAlive) -> None:
        self._sent_ns = alive.now_ns - alive.since_sent_ns
        self._comments = alive.comments
        self._drawn = None

    def end(self, result: Request | Ping) -> None:
        self.result = result
        self._drawn = None

    def forget_lines(self) -> None:
        self.lines.clear()
        self._drawn = None

    def upto(self, at_ns: int) -> Stream:
        """The stream as it was at that moment, at which it was under way."""
        then = Stream(self.endpoint, self.number, self.started_at, self._sent_ns)
        then._comments = self._comments
        for line in self.lines:
            if self._sent_ns + line.since_sent_ns <= at_ns:
                then.lines.append(line)
                then._liner.seen = line.number
                then._models.add(line.since_sent_ns, (line.event,))
        return then

    @property
    def begun_ns(self) -> int:
        """When it was sent."""
        return self._sent_ns

    @property
    def answered(self) -> bool:
        """There is something to see of it."""
        return bool(self.lines) or self.result is not None

    def running_ns(self, now_ns: int) -> int:
        """How long ago it was sent."""
        return max(now_ns - self._sent_ns, 0)

    def view(
        self, now_ns: int, *, newest: bool, waiting: Stream | None = None, asked: Sequence[str] = ()
    ) -> StreamView:
        """The stream as it is now; it is put together again only when it has changed. `asked`: its models, where it
        carries several."""
        if self._drawn is None:
            self._drawn = self._view(asked)
        return replace(
            self._drawn,
            since_sent_ns=self.running_ns(now_ns) if self.result is None else self._drawn.since_sent_ns,
            newest=newest,
            waiting=None if waiting is None else (waiting.number, waiting.running_ns(now_ns)),
        )

    def _cards(self, asked: Sequence[str], lines: Sequence[StreamLine]) -> tuple[ModelCard, ...]:
        request = self.result if isinstance(self.result, Request) else None
        timelines = request.concurrency.models if request is not None else self._models.timelines(asked)
        texts: dict[str, list[str]] = {timeline.model: [] for timeline in timelines}
        for line in lines if timelines else ():
            if line.event.kind.is_content and line.event.model in texts:
                texts[line.event.model].append(line.event.text)
        return tuple(ModelCard(each, _state(each), "".join(texts[each.model])) for each in timelines)

    def _view(self, asked: Sequence[str]) -> StreamView:
        request = self.result if isinstance(self.result, Request) else None
        decided = request.event_number if request is not None else None
        lines = tuple(replace(line, decided=True) if line.number == decided else line for line in self.lines)
        events = max(self._liner.seen, request.events if request is not None else 0)
        return StreamView(
            endpoint=self.endpoint,
            number=self.number,
            started_at=self.started_at,
            in_flight=self.result is None,
            since_sent_ns=request.duration_ns if request is not None else None,
            lines=lines,
            lines_dropped=max(events - len(lines), 0),
            text="".join(line.event.text for line in lines),
            request=request,
            newest=False,
            comments=self._comments,
            models=self._cards(asked, lines),
        )


def _state(timeline: ModelTimeline) -> ModelState:
    if timeline.error:
        return ModelState.FAILED
    if timeline.end_ns is not None:
        return ModelState.DONE
    return ModelState.WAITING if timeline.start_ns is None else ModelState.RUNNING


class StreamStore:
    """The probes of one endpoint that are under way, the newest that ended, and the newest that were to be kept."""

    def __init__(self) -> None:
        self._kept: dict[int, None] = {}
        self._running: dict[int, Stream] = {}
        self._ended: dict[int, Stream] = {}
        self._recalled: dict[int, Stream] = {}
        """Read back from the session's files, the latest last."""
        self.recalls = 0
        """How often one was."""
        self._newest_from = 0
        """Those with lower numbers are kept, but were not the newest."""

    def at(self, at_ns: int, newest: int = 0) -> StreamStore:
        """The probes of that moment, as far as they are still kept. `newest`: the number of the one that had ended
        last."""
        then = StreamStore()
        then._newest_from = newest
        then._recalled = dict(self._recalled)
        for number, stream in self._ended.items():
            if stream.result is not None and stream.result.now_ns <= at_ns:
                then._ended[number] = stream
            elif stream.begun_ns <= at_ns:
                then._running[number] = stream.upto(at_ns)
        for number, stream in self._running.items():
            if stream.begun_ns <= at_ns:
                then._running[number] = stream.upto(at_ns)
        return then

    @property
    def in_flight(self) -> int:
        return len(self._running)

    def begun_by(self, at_ns: int) -> int:
        """How many of those under way had begun by that moment."""
        return sum(stream.begun_ns <= at_ns for stream in self._running.values())

    @property
    def lines(self) -> int:
        """How many lines are kept in all."""
        return sum(len(stream.lines) for stream in self._all())

    def start(self, started: RequestStarted) -> None:
        number = started.number
        self._running[number] = Stream(started.endpoint, number, started.started_at, started.now_ns)
        if len(self._running) > RUNNING_PER_ENDPOINT:
            del self._running[next(iter(self._running))]

    def read(self, read: StreamRead) -> None:
        """Add to its stream, which may have ended: results do not wait behind events."""
        stream = self._running.get(read.number) or self._ended.get(read.number)
        if stream is not None:
            stream.read(read)

    def alive(self, alive: StreamAlive) -> None:
        if (stream := self._running.get(alive.number)) is not None:
            stream.alive(alive)

    def end(self, result: Request | Ping) -> None:
        number = result.number
        stream = self._running.pop(number, None)
        if stream is None:
            whole_ns = (result.duration_ns if isinstance(result, Request) else result.rtt_ns) or 0
            stream = Stream(result.endpoint, number, result.started_at, result.now_ns - whole_ns)
        stream.end(result)
        self._ended[number] = stream
        if len(self._ended) > ENDED_PER_ENDPOINT + len(self._kept):
            del self._ended[next(ended for ended in self._ended if ended not in self._kept)]

    def give_up(self) -> None:
        """Let go of those under way: their ends are not told any more."""
        self._running.clear()

    def keep(self, number: int) -> None:
        """Keep that probe, ended or about to end, when others as old are dropped."""
        self._kept[number] = None
        if len(self._kept) > ENDED_PER_ENDPOINT:
            del self._kept[next(iter(self._kept))]

    def recall(self, result: Request, reads: Iterable[StreamRead]) -> None:
        """Show a probe with its lines again that is no longer kept with them."""
        ended = self._ended.get(result.number)
        stream = Stream(result.endpoint, result.number, ended.started_at if ended else result.started_at, 0)
        for read in reads:
            stream.read(read)
        stream.end(ended.result if ended is not None and ended.result is not None else result)
        self.recalls += 1
        self._recalled.pop(result.number, None)
        self._recalled[result.number] = stream
        if len(self._recalled) > RECALLED_PER_ENDPOINT:
            del self._recalled[next(iter(self._recalled))]

    def _with_lines(self, stream: Stream) -> Stream:
        """The same as it was read back, where it is kept without its lines."""
        recalled = None if stream.lines else self._recalled.get(stream.number)
        return recalled if recalled is not None and recalled.started_at == stream.started_at else stream

    def find(self, number: int | None) -> tuple[Stream | None, bool]:
        """The stream of that number, and False; if it is None or no longer kept, the newest, and True.

        The newest is one that was answered, if any was: one that still waits shows nothing.
        """
        chosen = None if number is None else self._running.get(number) or self._ended.get(number)
        if chosen is None and number is not None:
            chosen = self._recalled.get(number)
        if chosen is not None:
            return self._with_lines(chosen), False
        latest = (stream for stream in self._all() if stream.number >= self._newest_from)
        newest = max(latest, key=lambda stream: (stream.answered, stream.number), default=None)
        return newest and self._with_lines(newest), True

    def waiting(self) -> Stream | None:
        """The newest if it was not answered yet, and others were."""
        newest = max(self._all(), key=lambda stream: stream.number, default=None)
        others = any(stream.answered for stream in self._all())
        return newest if newest is not None and not newest.answered and others else None

    def longest_running(self) -> Stream | None:
        """The oldest of those that have not ended."""
        return min(self._running.values(), key=lambda stream: stream.number, default=None)

    def results(self) -> list[Request | Ping]:
        """The ended ones, newest first."""
        return [stream.result for stream in reversed(self._ended.values()) if stream.result is not None]

    def forget_lines(self) -> bool:
        """Let go of the lines that will be missed least. False when only the newest stream has any.

        Ended ones go before those under way, good ones before failed ones, old ones before new ones.
        """
        newest, _ = self.find(None)
        rest = [stream for stream in self._all() if stream.lines and stream is not newest]
        if not rest:
            return False
        min(rest, key=_worth).forget_lines()
        return True

    def _all(self) -> Iterator[Stream]:
        yield from self._ended.values()
        yield from self._running.values()


def _worth(stream: Stream) -> tuple[bool, bool, int]:
    result = stream.result
    return result is None, result is not None and result.verdict not in GOOD, stream.number
