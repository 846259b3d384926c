"""The rows of one file, from when they come to when they are on the disk."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gwtui.codec.csv_schema import check_row, incident_row, ping_row, request_row
from gwtui.codec.wire import encode
from gwtui.model.check_results import CheckResult
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.records import Ping, Request
from gwtui.recorder.csvfile import csv_line
from gwtui.recorder.disk import LineFile
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import Directory

BATCH = 500
"""Rows in one write."""

_R = TypeVar("_R")


class Rows(Generic[_R]):
    """The rows of one file that are on their way to it."""

    def __init__(
        self,
        directory: Directory,
        name: str,
        render: Callable[[_R], bytes],
        columns: Sequence[str] = (),
        *,
        always: bool = True,
    ) -> None:
        """`always`: there is such a file even before it has a row."""
        self.file = LineFile(directory, name, csv_line(columns) if columns else b"")
        self.always = always
        self.waiting: deque[_R] = deque()
        self.lines: list[bytes] = []
        self.written = 0
        self.lost = 0
        self.error = ""
        self._render = render

    def put(self, record: _R, room: int) -> None:
        if len(self.waiting) < room:
            self.waiting.append(record)
        else:
            self.lost += 1

    def write(self, goes_on: Callable[[], bool]) -> None:
        """Everything that waits by now, while it `goes_on`. What cannot be written stays, and `error` says why."""
        waiting = len(self.waiting)
        while goes_on():
            while waiting and len(self.lines) < BATCH:
                self.lines.append(self._render(self.waiting.popleft()))
                waiting -= 1
                time.sleep(0)  # between two rows the event loop may have the interpreter: what is due is sent in time
            try:
                self.file.append(b"".join(self.lines))
            except OSError as error:
                self.error = describe_error(error, self.file.name)
                return
            self.error = ""
            self.written += len(self.lines)
            self.lines.clear()
            if not waiting:
                return

    def close(self) -> None:
        try:
            self.file.close()
        except OSError as error:
            self.error = describe_error(error, self.file.name)
        self.lost += len(self.lines) + len(self.waiting)
        self.lines.clear()
        self.waiting.clear()


def request_line(request: Request) -> bytes:
    return csv_line(request_row(request).values())


def ping_line(ping: Ping) -> bytes:
    return csv_line(ping_row(ping).values())


def incident_line(incident: LogEntry) -> bytes:
    return csv_line(incident_row(incident).values())


def check_line(result: CheckResult) -> bytes:
    return csv_line(check_row(result).values())


def usual_line(usual: Usual) -> bytes:
    return encode(usual)


def text_line(request: Request) -> bytes:
    line = {"endpoint": request.endpoint, "request_number": request.number, "text": request.text}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def describe_error(error: OSError, name: str) -> str:
    """The error for a banner: what, and where."""
    return clean(f"{error.strerror or error} ({name})", 200)
