"""The models of one stream side by side: a card for each, with its name, state, times and newest text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwtui.model.stream_view import ModelCard, ModelState
from gwtui.text import units
from gwtui.ui.text_layout import ELLIPSIS, Line, Span, exact, fit, justified, printable, sheet, wrap

NARROWEST = 20
"""Cells of the narrowest card: a state and the beginning of a name, or two figures."""
BETWEEN = (Span(" │ ", "axis"),)
BETWEEN_CELLS = 3
HEAD = 2
"""Lines of a card before its text."""
LEAST = HEAD + 1
"""Lines of the lowest card."""
_MARKS = {
    ModelState.WAITING: ("◌", "muted"),
    ModelState.RUNNING: ("●", "accent"),
    ModelState.DONE: ("✔", "good"),
    ModelState.FAILED: ("✖", "bad"),
}


def columns(count: int, width: int) -> int:
    """How many cards stand side by side: as many as fit, spread evenly over as few rows as that takes."""
    fitting = max(1, (width + BETWEEN_CELLS) // (NARROWEST + BETWEEN_CELLS))
    rows = -(-count // fitting)
    return -(-count // rows) if rows else 1


def card_lines(count: int, width: int, visible: int) -> int:
    """How many lines each card has: the visible ones are shared by the rows of cards, as long as that is enough."""
    rows = -(-count // columns(count, width)) if count else 1
    blanks = rows - 1
    return max(LEAST, (visible - blanks) // rows)


def total(count: int, width: int, visible: int) -> int:
    """How many lines there are to scroll through."""
    rows = -(-count // columns(count, width)) if count else 0
    return max(0, rows * (card_lines(count, width, visible) + 1) - 1)


def draw_cards(cards: Sequence[ModelCard], width: int, visible: int, top: int) -> list[Line]:
    """The visible lines, from line `top` on."""
    side_by_side = columns(len(cards), width)
    height = card_lines(len(cards), width, visible)
    lines: list[Line] = []
    for first in range(0, len(cards), side_by_side):
        lines += [()] if lines else []
        lines += _row(cards[first : first + side_by_side], side_by_side, width, height)
    return sheet(lines[top : top + visible], width, visible)


def shown(count: int, width: int, visible: int, top: int) -> tuple[int, int]:
    """The numbers, from 1, of the first and the last card whose name is visible."""
    side_by_side, height = columns(count, width), card_lines(count, width, visible) + 1
    first_row = -(-top // height)
    last_row = (top + visible - 1) // height
    return min(count, first_row * side_by_side + 1), min(count, (last_row + 1) * side_by_side)


def _row(cards: Sequence[ModelCard], side_by_side: int, width: int, height: int) -> Iterator[Line]:
    own = max(1, (width - BETWEEN_CELLS * (side_by_side - 1)) // side_by_side)
    drawn = [_card(card, own, height) for card in cards]
    for parts in zip(*drawn, strict=True):
        line: Line = ()
        for part in parts:
            line = (*line, *(BETWEEN if line else ()), *part)
        yield line


def _card(card: ModelCard, width: int, height: int) -> list[Line]:
    timeline, state = card.timeline, card.state
    mark, style = _MARKS[state]
    name = (Span(f"{mark} ", style), Span(printable(timeline.model), "header"))
    room = len(printable(timeline.model)) + 2 + 1 + len(state.value) <= width
    head = justified(name, (Span(state.value, style),), width) if room else exact(name, width)
    failed = state is ModelState.FAILED
    body: list[Line] = [(Span(text, "bad"),) for text in wrap(timeline.error, width)] if failed else []
    body += _text(card, width, height - HEAD - len(body))
    return sheet([head, _figures(card, width), *body], width, height)


def _figures(card: ModelCard, width: int) -> Line:
    """First chunk, number of chunks and end, as many of them as fit."""
    timeline = card.timeline
    if timeline.start_ns is None:
        return exact((), width)
    first, chunks = units.offset(timeline.first_ns), units.many(timeline.chunks, "chunk")
    texts = [f"first {first} · {chunks}", f"{first} {chunks}"] if timeline.chunks else ["no chunk"]
    if card.state is ModelState.DONE and timeline.chunks:
        texts.insert(0, f"{texts[0]} · end {units.offset(timeline.end_ns)}")
    fitting = next((text for text in texts if len(text) <= width), texts[-1])
    return exact((Span(fit(fitting, width), "muted"),), width)


def _text(card: ModelCard, width: int, height: int) -> list[Line]:
    """The newest lines of its text; what comes before them is counted out by an ellipsis."""
    if height <= 0:
        return []
    if not card.text:
        missing = card.timeline.chunks and card.state is not ModelState.FAILED
        return [(Span("its text is not kept", "faint"),)] if missing else []
    most = 4 * width * height  # cells have one character or two, and words leave some empty
    texts = wrap(card.text[-most:], width)
    cut = len(texts) > height or len(card.text) > most
    texts = texts[-height:]
    if cut:
        texts[0] = ELLIPSIS + texts[0][1:]
    return [(Span(text, "content"),) for text in texts]
