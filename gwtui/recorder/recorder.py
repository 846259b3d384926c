"""The recorder of a monitor's session: a row per request, ping, incident and check, what is usual, and kept streams."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from gwtui.codec.csv_schema import CHECK_COLUMNS, INCIDENT_COLUMNS, PING_COLUMNS, REQUEST_COLUMNS
from gwtui.model.check_results import CheckResult
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, ProfileChanged, Record, Request
from gwtui.recorder.ownership import PROFILE, SESSION, USUAL
from gwtui.recorder.rows import Rows, check_line, incident_line, ping_line, request_line, text_line, usual_line
from gwtui.recorder.session_writer import Pace, RecorderStatus, SessionWriter
from gwtui.recorder.stream_files import StreamFiles

if TYPE_CHECKING:
    from gwtui.probes.stream_capture import StreamCapture

log = logging.getLogger(__name__)


class Recorder(SessionWriter):
    """Writes a session's directory. Enter it, `put` every record, leave it: then all that could be written is."""

    def __init__(self, directory: Path, profile: Profile, **pace: Unpack[Pace]) -> None:
        super().__init__(directory, profile, **pace)
        owned = self._directory
        self._requests = Rows(owned, "requests.csv", request_line, REQUEST_COLUMNS)
        self._pings = Rows(owned, "pings.csv", ping_line, PING_COLUMNS)
        self._incidents = Rows(owned, "incidents.csv", incident_line, INCIDENT_COLUMNS)
        self._checks = Rows(owned, "checks.csv", check_line, CHECK_COLUMNS, always=False)
        self._texts = Rows(owned, "texts.jsonl", text_line, always=False)
        self._usuals = Rows(owned, USUAL, usual_line, always=False)
        self._all = (self._requests, self._pings, self._incidents, self._checks, self._texts, self._usuals)
        self.notes: deque[str] = deque()
        """What the user should know, added by the thread."""
        self._streams = StreamFiles(owned, self.notes)

    def keep(self, capture: StreamCapture) -> None:
        """Take an answer as it came, whose record comes later. Never blocks, never raises."""
        self._streams.hold(capture)

    def put(self, record: Record) -> None:
        """Take a record that has a row, or a changed profile; all others pass by. Never blocks, never raises."""
        if isinstance(record, Request | Ping):
            self._streams.take(record, self._profile)
        match record:
            case Request():
                self._requests.put(record, self._max_waiting)
                if record.text and self._profile.record_text:
                    self._texts.put(record, self._max_waiting)
            case Ping():
                self._pings.put(record, self._max_waiting)
            case LogEntry():
                self._incidents.put(record, self._max_waiting)
            case CheckResult():
                self._checks.put(record, self._max_waiting)
            case Usual():
                self._usuals.put(record, self._max_waiting)
            case ProfileChanged():
                self._profile = record.profile
                self._unsaved |= {SESSION, PROFILE}
            case _:
                return
        self._woken()

    def status(self) -> RecorderStatus:
        return replace(
            super().status(),
            streams_kept=self._streams.written,
            streams_lost=self._streams.lost + (self._streams.waiting if self._given_up else 0),
        )

    def _write_beside(self) -> None:
        self._streams.write(self._profile, self._goes_on)

    def _error_beside(self) -> str:
        return self._streams.error

    def _close_beside(self) -> None:
        self._streams.close()
        if self._streams.lost:
            log.warning("%d streams were lost", self._streams.lost)
