"""Watching without a screen: the same records, as lines for people or as JSON for programs."""

from gwtui.headless.json_lines import JSONLines
from gwtui.headless.table import SpokenLines, TextLines
from gwtui.headless.watch import EXIT_DOWN, EXIT_ENGINE, LineWriter, Printer, signals, watch_lines

__all__ = [
    "EXIT_DOWN",
    "EXIT_ENGINE",
    "JSONLines",
    "LineWriter",
    "Printer",
    "SpokenLines",
    "TextLines",
    "signals",
    "watch_lines",
]
