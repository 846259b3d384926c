"""What leaves the screen: to the clipboard, and to new files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from gwtui.model.view import View
from gwtui.text.untrusted_files import Directory

if TYPE_CHECKING:
    from gwtui.report.writeup.sources import KeptRows

MOST_COPIED_BYTES = 74_994
"""OSC 52 carries base64, and terminals take 100,000 bytes of that, or less without a word."""
MOST_NAMES = 1_000
"""Files of one name, with a number behind it."""


def copied(app: App[object], text: str) -> bool:
    """Copy the text to the clipboard of the terminal. False: it is longer than terminals take."""
    if len(text.encode()) > MOST_COPIED_BYTES:
        return False
    app.copy_to_clipboard(text)
    return True


def places(view: View) -> tuple[Path, ...]:
    """Where files go: the session's directory, or else the one that gwtui was started in."""
    session = view.header.session_dir
    return (*([Path(session)] if session else []), Path.cwd())


def saved(places: Iterable[Path], name: str, suffix: str, text: str) -> Path:
    """Write a new file into the first of these directories that takes one. It gets a number where there is a file of
    that name. Raises OSError."""
    error = OSError("there is no directory for it")
    for place in places:
        try:
            return _saved(place, name, suffix, text)
        except OSError as refused:
            error = refused
    raise error


def _saved(place: Path, name: str, suffix: str, text: str) -> Path:
    with Directory.held(place) as directory:
        taken = set(directory.names())
        for number in range(1, MOST_NAMES + 1):
            whole = f"{name}.{suffix}" if number == 1 else f"{name}-{number}.{suffix}"
            if whole in taken:
                continue
            try:
                fd = directory.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            except FileExistsError:
                continue
            with os.fdopen(fd, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            return place / whole
    raise FileExistsError(f"{place}: {MOST_NAMES:,} files are called {name}")


def write_up(view: View, kept: KeptRows, number: int | None, settle_s: float) -> str:
    """Incident `number` as Markdown; without one the 15 minutes around the moment that is shown, or the last ones.
    Blocks while files are read. Raises `NoIncidentError`."""
    from gwtui.report.writeup.sources import (  # with all of the reports: not for a screen that only starts
        chosen_period,
        masked_markdown,
    )

    moment_at = view.at if view.query.at_ns is not None else None
    is_recorded = not view.header.unwritten
    return masked_markdown(
        view.header.session_dir if is_recorded else "",
        kept,
        chosen_period(number, moment_at),
        time.time(),
        settle_s=settle_s,
    )
