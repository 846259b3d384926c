"""The rules that an endpoint may `tolerate`: those whose breach leaves an answer that clients may still read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from gwtui.model.enums import FindingName

_EVERY = ("bad-json", "wrong-form", "no-content")
_CHAT = (
    *_EVERY,
    *("choice-index", "role-not-first", "content-after-finish", "second-finish", "done-without-finish"),
    *("tool-json", "tool-missing"),
)
_ANTHROPIC = (
    *_EVERY,
    *("unnamed-events", "name-is-not-type", "second-message_start", "message_delta-misplaced"),
    *("block-not-stopped", "block-misplaced", "block-index", "stop-without-block", "stop-index"),
    *("delta-index", "delta-without-block", "delta-type", "thinking-after-signature"),
    *("message_stop-before-stop_reason", "tool-json", "tool-missing"),
)
_RESPONSES = (
    *_EVERY,
    *("name-is-not-type", "second-created", "created-missing", "sequence-gap", "sequence-order"),
    *("item-index", "done-without-item", "delta-without-item", "whole-differs"),
)
_REALTIME = tuple(rule for rule in _RESPONSES if rule != "name-is-not-type" and not rule.startswith("sequence-"))
_COHERE = (
    *_EVERY,
    *("name-is-not-type", "no-message-start", "second-message-start", "not-ended", "begun-twice", "end-without-start"),
    *("tool-json", "tool-missing"),
)
_BEDROCK = (
    *_EVERY,
    *("no-messageStart", "second-messageStart", "block-begun-twice", "block-misplaced", "block-goes-on"),
    *("block-not-stopped", "tool-json", "tool-missing"),
)
_SOURCEGRAPH = (
    *_EVERY,
    *("unnamed-events", "content-after-stop", "not-cumulative", "done-without-stopReason", "tool-missing"),
)
_STREAM = ("json-answer", "content-type", "damaged")
_BY_API = {
    "openai": _CHAT,
    "completions": _CHAT,
    "fireworks": _CHAT,
    "anthropic": _ANTHROPIC,
    "responses": _RESPONSES,
    "realtime": _REALTIME,
    "gemini": (*_EVERY, "candidate-index"),
    "ollama": _EVERY,
    "cohere": _COHERE,
    "bedrock": _BEDROCK,
    "sourcegraph": _SOURCEGRAPH,
    "tgi": (*_EVERY, "token-index"),
    "workers-ai": _CHAT,
    "compare": (*_EVERY, "second-start", "event-after-done"),
    "stream": _STREAM,
}
TOLERABLE = frozenset(f"{api}.{rule}" for api, rules in _BY_API.items() for rule in rules)
"""Ids of rules."""
TOLERATIONS = TOLERABLE | {rule.partition(".")[2] for rule in TOLERABLE} | {str(name) for name in FindingName}
"""All that `tolerate` may name: rules, with or without the API before them, and findings."""


def is_tolerated(rule: str, tolerate: Collection[str]) -> bool:
    """Whether an endpoint that tolerates these tolerates a breach of that rule."""
    return rule in TOLERABLE and (rule in tolerate or rule.partition(".")[2] in tolerate)


def line_to_tolerate(rule: str, findings: Iterable[FindingName], *, failed: bool) -> str:
    """The line of a configuration that makes an endpoint tolerate a failure by that rule, or these findings of a good
    result; "" where nothing can be tolerated."""
    names = [rule] if rule in TOLERABLE else []
    if not failed:
        names = [str(name) for name in findings if name is not FindingName.TOLERATED]
    return f"tolerate = {json.dumps(names)}" if names else ""
