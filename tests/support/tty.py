"""Programs in a terminal of their own, typed at as by a user, and what they wrote to it taken apart."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from rich.cells import cell_len

PATIENCE_S = 30.0
"""Far longer than anything takes."""
AT_ONCE = 1 << 20
"""Bytes that are taken before the screen is looked at."""

_ESCAPE = re.compile(
    r"\x1b(?:"
    r"(?P<csi>\[[0-?]*[ -/]*[@-~])"
    r"|(?P<string>[\]PX^_k](?s:.*?)(?:\x07|\x1b\\|\Z))"
    r"|(?P<short>[ -/]*[0-Z\\^-~])"
    r")?"
)
"""ECMA-48: control sequences, strings such as OSC and DCS up to their end, and all others; or an ESC alone."""
_RUN = re.compile(r"[\r\n]|[^\r\n]+")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_k][^\x07\x1b]*\x1b?|[ -/]*)?\Z")


def panel(number: int) -> str:
    """What begins the border of that panel: its number, which is its key as well. Its title is not looked for, as that
    of a panel says what is in it at the moment."""
    return f"╭─ {number} "


class Written(NamedTuple):
    """What a program wrote to a terminal."""

    controls: frozenset[str]
    """Its control sequences without their numbers, `ESC[m` and `ESC[?25h`, where numbers that are modes stay."""
    strings: tuple[str, ...]
    """OSC, DCS, APC, PM and the like, each as it is."""
    text: str
    """All the rest."""


def taken_apart(data: bytes) -> Written:
    """What a terminal would make of the bytes."""
    screen = data.decode("utf-8", "surrogateescape")
    controls, strings = set(), []
    for found in _ESCAPE.finditer(screen):
        if found["string"]:
            strings.append(found[0])
        else:
            controls.add(_shape(found[0]))
    return Written(frozenset(controls), tuple(strings), _ESCAPE.sub("", screen))


@cache
def _shape(sequence: str) -> str:
    """Numbers are kept only where they are modes: `ESC[?1049h`; of `ESC[1;31m` and `ESC[3;9H` the last letter stays."""
    private = re.fullmatch(r"\x1b\[([<-?]?)([0-9:;]*)(.*)", sequence)
    if private is None:
        return sequence.replace("\x1b", "ESC")
    mark, numbers, final = private.groups()
    return f"ESC[{mark}{numbers if mark else ''}{final}"


class Screen:
    """What a terminal shows: as much of one as a program needs that draws whole lines at places that it names."""

    def __init__(self, columns: int, lines: int) -> None:
        self._cells = [[" "] * columns for _ in range(lines)]
        self._line = self._column = 0
        self._begun = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __str__(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self._cells)

    def take(self, data: bytes) -> None:
        """Draw; a sequence that is cut off waits for its rest."""
        text = self._begun + self._decoder.decode(data)
        unfinished = _UNFINISHED.search(text)
        self._begun = unfinished[0] if unfinished is not None else ""
        text = text.removesuffix(self._begun)
        at = 0
        for found in _ESCAPE.finditer(text):
            self._draw(text[at : found.start()])
            self._obey(found[0])
            at = found.end()
        self._draw(text[at:])

    def _obey(self, sequence: str) -> None:
        if place := re.fullmatch(r"\x1b\[(\d*);?(\d*)H", sequence):
            self._line, self._column = (int(number or 1) - 1 for number in place.groups())

    def _draw(self, text: str) -> None:
        for run in _RUN.findall(text):
            if run == "\r":
                self._column = 0
            elif run == "\n":
                self._line += 1
            elif self._line < len(self._cells):
                self._write(self._cells[self._line], run)

    def _write(self, line: list[str], text: str) -> None:
        """Put a text without line ends into a line, at the column."""
        if all(map(_is_narrow, text)):
            end = min(self._column + len(text), len(line))
            line[self._column : end] = text[: end - self._column]
            self._column = end
            return
        for char in text:
            if self._column < len(line):
                line[self._column] = char
                self._column += cell_len(char)


@cache
def _is_narrow(char: str) -> bool:
    return cell_len(char) == 1


class Tty:
    """A program in a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], fd: int, screen: Screen) -> None:
        self.process = process
        self.screen = screen
        self._written = bytearray()
        self._fd = fd

    @property
    def written(self) -> bytes:
        return bytes(self._written)

    def press(self, keys: str, *shows: str, hides: str = "") -> None:
        """Type, and wait until the screen shows and hides this. An escape key goes alone: with another it is Alt."""
        os.write(self._fd, keys.encode())
        self.wait_for(*shows, hides=hides)

    def wait_for(self, *texts: str, hides: str = "") -> None:
        until = time.monotonic() + PATIENCE_S
        while wrong := self._wrong(texts, hides):
            assert time.monotonic() < until, f"{wrong} is wrong on:\n{self.screen}"
            assert self._read(), f"ended, and {wrong} is wrong on:\n{self.screen}"

    def _wrong(self, texts: Sequence[str], hides: str) -> list[str]:
        """What the screen should show and does not, or what it should hide."""
        shown = str(self.screen)
        return [text for text in texts if text not in shown] or [text for text in (hides,) if text and text in shown]

    def end(self) -> int:
        """Wait for its end; its exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        """Take what was written by now. False when there will be no more."""
        end = len(self._written) + AT_ONCE
        patience_s = 0.2
        while len(self._written) < end and select.select([self._fd], [], [], patience_s)[0]:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:  # what Linux raises once no process writes any more
                return False
            if not data:
                return False
            self._written += data
            self.screen.take(data)
            patience_s = 0.0
        return patience_s == 0.0 or self.process.poll() is None


@contextmanager
def terminal(*arguments: str, size: tuple[int, int] = (140, 40)) -> Iterator[Tty]:
    """Run `python ARGUMENTS` in a terminal of so many columns and lines."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    sizeless = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment = {**sizeless, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with subprocess.Popen(
        [sys.executable, *arguments], stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    ) as process:
        os.close(its)
        try:
            yield Tty(process, mine, Screen(*size))
        finally:
            process.kill()
            os.close(mine)
