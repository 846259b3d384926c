"""The events of Anthropic Messages as data: their forms, and which deltas and stop reasons are lawful."""

from __future__ import annotations

from typing import Any

import msgspec

STOP_REASONS = frozenset(
    {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"}
)
CUTTING = frozenset({"max_tokens", "refusal", "model_context_window_exceeded"})
"""Stop reasons that may leave the last block open, its tool call half and the answer empty."""

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


EVENT = msgspec.json.Decoder(MessagesEvent)
