"""The last gate before the terminal: whatever a widget drew, only what can be printed goes out.

Panels draw clean text anyway. A field of the form does not: it shows what the configuration holds or what was pasted
into it, as it is, and Textual hands escape sequences on.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from gwtui.ui.text_layout import printable


class EscapeFilter(LineFilter):
    """Makes visible what would move the cursor, reach the clipboard or hide. A line stays as wide as it was."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isprintable() for segment in segments):
            return segments
        width = Segment.get_line_length(segments)
        shown = [Segment(printable(text), style, control) for text, style, control in segments]
        return Segment.adjust_line_length(shown, width)
