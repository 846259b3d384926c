"""Watching without a screen: the same records, as lines for people or as JSON for programs."""

from gwtui.headless.objects import JSONLines
from gwtui.headless.table import TextLines
from gwtui.headless.voice import Voice
from gwtui.headless.watching import EXIT_DOWN, EXIT_ENGINE, Printer, signals, watch_lines

__all__ = ["EXIT_DOWN", "EXIT_ENGINE", "JSONLines", "Printer", "TextLines", "Voice", "signals", "watch_lines"]
