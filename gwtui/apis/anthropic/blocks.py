"""Where in its course a stream of Anthropic Messages is, and the content block that is open in it."""

from __future__ import annotations

from enum import StrEnum

from gwtui.apis.anthropic.events import DELTAS_OF_BLOCK, TOOL_BLOCKS, Block
from gwtui.apis.payload import Arguments, as_text
from gwtui.model.enums import EventKind


class Place(StrEnum):
    """Where in its course a stream is."""

    START = "before message_start"
    MESSAGE = "between blocks"
    BLOCK = "inside a block"
    CLOSING = "after message_delta"
    END = "after message_stop"


class OpenBlock:
    """The block that is open, or was last."""

    def __init__(self, index: int = -1, kind: object = "") -> None:
        self.index = index
        self.type = kind if isinstance(kind, str) else ""
        whole = self.type.endswith("_tool_result")
        self.deltas: frozenset[str] | None = frozenset() if whole else DELTAS_OF_BLOCK.get(self.type)
        """The deltas that fit it; None: any."""
        self.is_signed = False
        self.arguments = Arguments()

    def beginning(self, block: Block) -> tuple[EventKind, str]:
        """What the block holds at its start; an empty text, where that is to come."""
        if text := as_text(block.text):
            return EventKind.TEXT, text
        if text := as_text(block.thinking):
            return EventKind.REASONING, text
        return EventKind.TOOL, as_text(block.input) if self.type in TOOL_BLOCKS and block.input else ""
