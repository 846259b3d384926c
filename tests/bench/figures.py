"""What a section of the bench measured, and how it is printed."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from gwtui.selftest.report import machine

COMPARED = ("httpx", "httpcore", "textual", "websockets", "uvloop")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what, how much, and what is to be reached where that is a ratio or a bound."""

    what: str
    measured: str
    reach: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the bench that can be run by itself. `run` gets whether only the wiring is to be tried."""

    name: str
    title: str
    run: Callable[[bool], Iterator[Figure]]


def line(figure: Figure) -> str:
    return f"  {figure.what:<58} {figure.measured:<44} {figure.reach}".rstrip()


def preamble() -> Iterator[str]:
    """The machine, the versions, and how much the machine itself disturbs."""
    yield machine()
    yield ", ".join(f"{name} {_version(name)}" for name in COMPARED)
    gaps, longest_ns = noise()
    yield f"load {os.getloadavg()[0]:.2f}; a process that only reads the clock missed {gaps} times 1 ms or more within "
    yield f"1 s, {longest_ns / 1e6:.1f} ms at most: nothing below that can be told from noise"


def noise() -> tuple[int, int]:
    """How often within a second this process was held up for a millisecond, and the longest time in ns."""
    gaps = longest = 0
    end = before = time.perf_counter_ns()
    end += 1_000_000_000
    while before < end:
        now = time.perf_counter_ns()
        if now - before > 1_000_000:
            gaps += 1
        longest = max(longest, now - before)
        before = now
    return gaps, longest


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)


def quantile(values: Sequence[float], q: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(math.ceil(q * len(ordered)), 1) - 1]


def us(ns: float | None) -> str:
    return "-" if ns is None else f"{ns / 1000:.1f} us"


def ratio(part: float, whole: float) -> str:
    return f"{part / whole:.2f}x" if whole else "-"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def has(name: str) -> bool:
    return _version(name) != "not installed"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
