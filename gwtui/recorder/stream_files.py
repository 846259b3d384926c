"""The kept streams of a session: `streams/` in its directory, a file each, bounded in size and number.

`hold` and `take` are for the event loop, and only note what is to be written; the recorder's thread writes. A file is
written under another name and then renamed, so that a kill or a full disk leaves no part of one. What lies in the
directory and is not ours stays, and is not counted.
"""

from __future__ import annotations

import errno
import heapq
import logging
import stat
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gwtui.codec.stream_file import GOOD, STREAMS, StreamName, stream_name_of
from gwtui.model.enums import FindingName, Outcome, Severity
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.recorder.disk import replace_file
from gwtui.recorder.rows import describe_error
from gwtui.stats.accuracy import sure_findings
from gwtui.text.units import timestamp
from gwtui.text.untrusted_files import Directory

if TYPE_CHECKING:
    from gwtui.probes.stream_capture import StreamCapture

log = logging.getLogger(__name__)

SAMPLE_S = 600.0
"""The first good stream of each endpoint is kept in this time."""

MOST_FILES = 10_000
MOST_HELD = 10_000
"""Answers whose records have not come; more than can be under way."""
MAX_WAITING = 32 << 20
"""Bytes that may wait while they cannot be written; what comes then is lost and counted."""
_FILE_BYTES = 4096
"""What a file without any read takes of that."""
_OTHERS = frozenset({errno.ELOOP, errno.EINVAL, errno.EEXIST, errno.ENAMETOOLONG})
"""Errors that are about one file, and not about the disk."""
_VERDICTS = frozenset(Verdict)
_PART = ".new"
"""The end of the name of a file that is being written."""


def rank(name: StreamName) -> int:
    """In which order files are removed: good ones, those with findings, those that failed."""
    return 0 if name.word == GOOD else 2 if name.word in _VERDICTS else 1


def is_kept_stream(directory: Directory, name: str) -> bool:
    """Whether that is a file of ours, or the beginning of one that a kill has left."""
    whole = name[1 : -len(_PART)] if name.startswith(".") and name.endswith(_PART) else name
    if stream_name_of(whole) is None:
        return False
    status = directory.status(name)
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def badness(result: Request | Ping, capture: StreamCapture, profile: Profile) -> str:
    """Why the stream is bad: its verdict where it failed, else the name of a finding in the answer that degrades or
    warns; empty where it is not."""
    if result.outcome is not Outcome.OK:
        return result.verdict.value if result.outcome is Outcome.FAILED else ""
    if isinstance(result, Ping):
        return ""
    degrade = profile.thresholds_of(capture.endpoint).findings_degrade
    elsewhere = {FindingName.CLOCK_SKEW, *(finding.name for finding in capture.told)}
    for found in sure_findings(result):
        warns = found.degrades or str(found.name) in degrade or found.entry.severity is Severity.WARNING
        if warns and found.name not in elsewhere:
            return str(found.name)
    return ""


class StreamPicker:
    """Chooses which streams are kept."""

    def __init__(self) -> None:
        self._sampled_at: dict[str, float] = {}

    def word(self, result: Request | Ping, capture: StreamCapture, profile: Profile) -> str:
        """By which word the stream is kept; empty where it is not. One without an answer is not."""
        mode = profile.streams_kept
        if mode == "none" or not (capture.tape or result.status is not None):
            return ""
        if word := badness(result, capture, profile):
            return word
        if result.outcome is not Outcome.OK or mode == "bad":
            return ""
        if mode == "sample":
            since_s = result.started_at - self._sampled_at.get(result.endpoint, float("-inf"))
            if 0 <= since_s < SAMPLE_S:
                return ""
            self._sampled_at[result.endpoint] = result.started_at
        return GOOD


@dataclass(slots=True)
class _Waiting:
    """A stream that is to be written."""

    capture: StreamCapture
    result: Request | Ping
    word: str
    data: bytes = b""
    """The file, once it was made."""

    @property
    def size(self) -> int:
        return self.capture.tape.size + _FILE_BYTES

    @property
    def name(self) -> str:
        at, result = timestamp(self.result.started_at), self.result
        return str(StreamName.of(at, result.endpoint, result.number, self.word))


class StreamFiles:
    """Keeps the streams of a session that are evidence."""

    def __init__(self, directory: Directory, notes: deque[str]) -> None:
        """`notes` gets what the user should know, added by another thread."""
        self._directory = directory
        self._notes = notes
        self._picker = StreamPicker()
        self._held: OrderedDict[tuple[str, int], StreamCapture] = OrderedDict()
        self._waiting: deque[_Waiting] = deque()
        self._put = self._done = 0
        """Bytes that were ever to be written, and those of them that are no more."""
        self._inner: Directory | None = None
        self._sizes: dict[str, int] = {}
        self._order: list[tuple[int, str]] = []
        self._is_told = False
        self.written = self.lost = 0
        self.error = ""
        """Why streams cannot be kept at the moment; empty when they can."""

    @property
    def waiting(self) -> int:
        """The number of streams that are to be written."""
        return len(self._waiting)

    def hold(self, capture: StreamCapture) -> None:
        """An answer has ended; its record comes."""
        self._held[capture.judged.endpoint, capture.judged.number] = capture
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)[1].tape.clear()

    def take(self, result: Request | Ping, profile: Profile) -> bool:
        """The record of an answer. Whether it is to be written."""
        capture = self._held.pop((result.endpoint, result.number), None)
        if capture is None:
            return False
        word = self._picker.word(result, capture, profile)
        waiting = _Waiting(capture, result, word)
        if word and self._put - self._done + waiting.size <= MAX_WAITING:
            self._put += waiting.size
            self._waiting.append(waiting)
            return True
        self.lost += bool(word)
        capture.tape.clear()
        return False

    def write(self, profile: Profile, goes_on: Callable[[], bool]) -> None:
        """Write what waits, while it `goes_on`. What cannot be written stays, and `error` says why."""
        while self._waiting and goes_on():
            each = self._waiting[0]
            try:
                self._write(each, profile)
            except OSError as error:
                if error.errno not in _OTHERS:
                    self._fail(describe_error(error, STREAMS))
                    return
                log.warning("the stream %s is not kept: %s", each.name, error)
                self.lost += 1
            self._over()
        if self.error:
            self._notes.append(f"streams are kept again; {self.lost:,} were lost")
        self.error = ""

    def close(self) -> None:
        self.lost += len(self._waiting)
        self._waiting.clear()
        if self._inner is not None:
            self._inner.let_go()
            self._inner = None

    def _over(self) -> None:
        """The first that waits does so no more."""
        each = self._waiting.popleft()
        self._done += each.size
        each.capture.tape.written()

    def _fail(self, error: str) -> None:
        if not self.error:
            self._notes.append(f"streams cannot be kept: {error}")
        self.error = error

    def _write(self, each: _Waiting, profile: Profile) -> None:
        from gwtui.recorder.stream_evidence import evidence_file  # late: who only reads sessions opens no connection

        if not each.data:
            try:
                each.data = evidence_file(each.capture, each.result)
            except (ValueError, OverflowError, RecursionError) as error:  # odd answers must not end the recorder
                raise OSError(errno.EINVAL, f"it cannot be put into words: {error!r}", each.name) from error
        inner, name = self._opened(), each.name
        if inner.has(name):
            raise OSError(errno.EEXIST, "a file of that name is there", name)
        try:
            replace_file(inner, name, each.data)
        except OSError:
            with suppress(OSError):
                inner.remove(f".{name}{_PART}")
            raise
        self.written += 1
        self._count(name, len(each.data))
        self._make_room(inner, profile)

    def _opened(self) -> Directory:
        """The directory, which is made where it is missing. What was left half-written is removed."""
        if self._inner is not None and self._inner.is_at_its_path():
            return self._inner
        if self._inner is not None:
            self._inner.let_go()
        inner = self._inner = self._directory.inner(STREAMS, make=True)
        inner.make_private()
        self._sizes, self._order = {}, []
        for name in inner.names():
            if not is_kept_stream(inner, name):
                continue
            if name.endswith(_PART):
                inner.remove(name)
            else:
                self._count(name, inner.status(name).st_size)
        return inner

    def _count(self, name: str, size: int) -> None:
        parsed = stream_name_of(name)
        if parsed is not None:
            self._sizes[name] = size
            heapq.heappush(self._order, (rank(parsed), name))

    def _make_room(self, inner: Directory, profile: Profile) -> None:
        """Remove the oldest good ones, then the oldest of the others, while there are too many."""
        limit = profile.streams_mb * 1_000_000
        size = sum(self._sizes.values())
        while self._order and (size > limit or len(self._order) > MOST_FILES):
            _, name = heapq.heappop(self._order)
            size -= self._sizes.pop(name)
            with suppress(FileNotFoundError):
                inner.remove(name)
            if not self._is_told:
                self._is_told = True
                self._notes.append(
                    f"{STREAMS}/ is at its limit of {profile.streams_mb:g} MB (streams_mb): the oldest are removed"
                )
