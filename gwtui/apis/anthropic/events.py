"""The events of Anthropic Messages as data: their forms, and which deltas and stop reasons are lawful."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.base import words_of
from gwtui.apis.payload import as_text

DELTAS_OF_BLOCK: dict[str, frozenset[str]] = {
    "text": frozenset({"text_delta", "citations_delta"}),
    "tool_use": frozenset({"input_json_delta"}),
    "server_tool_use": frozenset({"input_json_delta"}),
    "mcp_tool_use": frozenset({"input_json_delta"}),
    "thinking": frozenset({"thinking_delta", "signature_delta"}),
    "compaction": frozenset({"compaction_delta"}),
    "redacted_thinking": frozenset(),
    "fallback": frozenset(),
}
KNOWN_DELTAS = frozenset[str]().union(*DELTAS_OF_BLOCK.values())
TOOL_BLOCKS = ("tool_use", "server_tool_use", "mcp_tool_use")
SILENT_BLOCKS = frozenset({"text", "thinking", "redacted_thinking", "fallback"})
"""Blocks that show a user nothing by being there. Text does by its text, all others do."""


class Block(msgspec.Struct):
    """A content block, as `content_block_start` opens it."""

    type: Any = ""
    text: Any = ""
    thinking: Any = ""
    input: Any = None
    origin: Any = msgspec.field(default=None, name="from")
    to: Any = None


class BlockDelta(msgspec.Struct):
    """What `content_block_delta` adds to a block, or `message_delta` to the message."""

    type: Any = ""
    text: Any = ""
    thinking: Any = ""
    partial_json: Any = ""
    stop_reason: Any = None
    stop_details: Any = None


class Message(msgspec.Struct):
    """The message that `message_start` opens."""

    id: Any = None
    model: Any = None
    role: Any = None
    content: Any = None
    usage: Any = None
    stop_reason: Any = None


class MessagesEvent(msgspec.Struct):
    """Any event. Leaves are untyped: what is wrong with one is said by a rule, not by the decoder."""

    type: Any = ""
    index: Any = None
    message: Message | None = None
    content_block: Block | None = None
    delta: BlockDelta | None = None
    usage: Any = None
    error: Any = None


def refusal_of(stop_details: object) -> str:
    """Why the model refused, in the API's words; "" where it does not say."""
    details = stop_details if isinstance(stop_details, dict) else {}
    return ": ".join(filter(None, (as_text(details.get(name)) for name in ("category", "explanation"))))


EVENT_WORDS = words_of(
    Block,
    BlockDelta,
    Message,
    MessagesEvent,
    more=(
        *DELTAS_OF_BLOCK,
        *KNOWN_DELTAS,
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"),
        *("message_stop", "ping", "message", "stop_sequence", "signature", "citation", "citations", "data"),
    ),
)
EVENT = msgspec.json.Decoder(MessagesEvent)
