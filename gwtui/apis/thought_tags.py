"""Thinking that models write into their text, in tags at its beginning, told from the answer as it comes."""

from __future__ import annotations

from gwtui.model.enums import EventKind

NAMES = ("think", "thinking", "thought")
"""DeepSeek, Qwen and most others; Claude where a prompt asks for it; Gemini behind OpenAI's API."""
_CLOSING = {f"<{name}>": f"</{name}>" for name in NAMES}
"""By the opening tag."""


class ThoughtTags:
    """Follows the text of one answer, cut anywhere: a leading `<think>...</think>`, and what is visible behind it."""

    def __init__(self) -> None:
        self.over = False
        """Whether all further text is visible."""
        self._closing = ""
        """The tag that ends the thinking; empty before the opening one."""
        self._is_closed = False
        self._held = ""
        """The end of the text so far, which may be the beginning of a tag."""

    def classify(self, kind: EventKind, text: str) -> tuple[EventKind, str]:
        """Take the next piece of an answer, which is thinking all the same where it is a text between the tags."""
        return (kind, text) if kind is not EventKind.TEXT or self.over else self.take(text)

    def take(self, text: str) -> tuple[EventKind, str]:
        """Take the next piece of text, until it is `over`. Returns what it is, and its text without the closing tag.

        White space around the thinking is part of it. A piece that may be the beginning of the opening tag counts as
        thinking; if it is not, its text comes once more with the first visible piece.
        """
        if not self._closing:
            self._held += text
            beginning = self._held.lstrip()
            opening = next((tag for tag in _CLOSING if beginning.startswith(tag)), "")
            if not opening:
                return self._untagged(text, beginning)
            self._closing, self._held = _CLOSING[opening], beginning[len(opening) :]
        elif not self._is_closed:
            self._held += text
        return self._tagged(text)

    def _untagged(self, text: str, beginning: str) -> tuple[EventKind, str]:
        if not beginning:
            self._held = ""
            return EventKind.TEXT, text
        if any(tag.startswith(beginning) for tag in _CLOSING):
            return EventKind.REASONING, text
        self.over, held = True, self._held
        return EventKind.TEXT, held

    def _tagged(self, text: str) -> tuple[EventKind, str]:
        behind = text.lstrip()
        if not self._is_closed:
            _, tag, behind = self._held.partition(self._closing)
            self._is_closed, behind = bool(tag), behind.lstrip()
            self._held = self._held[-len(self._closing) :]
        if not behind:
            return EventKind.REASONING, text
        self.over = True
        return EventKind.TEXT, behind
