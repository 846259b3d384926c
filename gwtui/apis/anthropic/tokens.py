"""The tokens of one message of Anthropic's API: its counts, and what was shown of the thinking among them."""

from __future__ import annotations

from dataclasses import replace

from gwtui.apis.base import Reasoning, Usage
from gwtui.apis.tokens import add, count, later, reasoning_tokens, summarises

INPUT_FIELDS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""What was sent to the model, cached or not."""
THINKING_BLOCKS = ("thinking", "redacted_thinking")


class MessageTokens:
    """Field by field the last count that is not 0, and the thinking block by block."""

    def __init__(self) -> None:
        self._input: dict[str, int | None] = {}
        self._usage = Usage()
        self._is_silent = False
        """Whether the open block is one of thinking, and none of that came."""

    def take(self, usage: object, *, begins: bool = False) -> None:
        """Take a `usage` object. The output that `message_start` tells (`begins`) is a placeholder."""
        for field in INPUT_FIELDS:
            self._input[field] = later(count(usage, field), self._input.get(field))
        output, thought = (None, None) if begins else (count(usage, "output_tokens"), reasoning_tokens(usage))
        self._usage = replace(
            self._usage,
            input_tokens=add(*self._input.values()),
            cached_tokens=self._input.get("cache_read_input_tokens"),
            output_tokens=later(output, self._usage.output_tokens),
            reasoning_tokens=later(thought, self._usage.reasoning_tokens),
        )

    def open(self, block_type: str) -> None:
        """A block begins."""
        self._is_silent = block_type in THINKING_BLOCKS

    def think(self, model: str) -> None:
        """Thinking came."""
        self._is_silent = False
        if self._usage.reasoning is Reasoning.STREAMED and summarises(model):
            self._usage = replace(self._usage, reasoning=Reasoning.SUMMARISED)

    def close(self) -> None:
        """The open block ends."""
        if self._is_silent:
            self._usage = replace(self._usage, reasoning=Reasoning.HIDDEN)

    @property
    def usage(self) -> Usage:
        return self._usage
