"""Token counts out of `usage` objects, whatever stands in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gwtui.apis.base import Reasoning, Usage
from gwtui.apis.costs import usage_cost
from gwtui.apis.payload import member


def count(usage: object, *fields: str) -> int | None:
    """The first of the fields that holds a count; None when none does."""
    if not isinstance(usage, dict):
        return None
    for field in fields:
        value = usage.get(field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53:
            return value
    return None


def add(*counts: int | None) -> int | None:
    """The sum of those that are known; None when none is."""
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


def later(new: int | None, before: int | None) -> int | None:
    """The last count that is not 0: some gateways end with a usage of zeros, or repeat only a part of it."""
    return new or (new if before is None else before)


def token_usage(usage: object) -> Usage:
    """The counts of a `usage` object under the names of OpenAI's APIs, which most gateways use; None where it has none.

    Where the total shows that reasoning was counted beside the output (xAI), it is added.
    """
    sent = count(usage, "prompt_tokens", "input_tokens")
    made = count(usage, "completion_tokens", "output_tokens")
    thought = reasoning_tokens(usage)
    if made is not None and thought and count(usage, "total_tokens") == (sent or 0) + made + thought:
        made += thought
    return Usage(sent, made, thought, cached_tokens=cached_tokens(usage), cost_usd=usage_cost(usage))


def cached_tokens(usage: object) -> int | None:
    """How many of the input tokens a `usage` object calls cached; None where it does not say."""
    details = (
        member(usage, field) for field in ("prompt_tokens_details", "input_tokens_details", "input_token_details")
    )
    found = next((found for each in details if (found := count(each, "cached_tokens")) is not None), None)
    return found if found is not None else count(usage, "prompt_cache_hit_tokens", "cached_tokens")


def reasoning_tokens(usage: object) -> int | None:
    """How many of the output tokens a `usage` object calls reasoning; None where it does not say."""
    if not isinstance(usage, dict):
        return None
    for field in ("completion_tokens_details", "output_tokens_details", "output_token_details"):
        found = count(usage.get(field), "reasoning_tokens", "thinking_tokens")
        if found is not None:
            return found
    return count(usage, "reasoning_tokens")


def merged(new: Usage, before: Usage) -> Usage:
    """Field by field the last count that is not 0."""
    return replace(
        before,
        input_tokens=later(new.input_tokens, before.input_tokens),
        output_tokens=later(new.output_tokens, before.output_tokens),
        reasoning_tokens=later(new.reasoning_tokens, before.reasoning_tokens),
        cached_tokens=later(new.cached_tokens, before.cached_tokens),
        cost_usd=before.cost_usd if new.cost_usd is None else new.cost_usd,
        times_ns=new.times_ns or before.times_ns,
    )


def summarises(model: str) -> bool:
    """Whether it streams a summary of its thinking and counts all of it, as Claude does from version 4 on."""
    return "claude" in model and "claude-3" not in model


def with_reasoning(usage: Usage, shown: Reasoning | None) -> Usage:
    """The same where one more piece shows its reasoning so; None: it says nothing. A summary is for all of it."""
    if shown is None or usage.reasoning in (shown, Reasoning.SUMMARISED):
        return usage
    return replace(usage, reasoning=shown)


@dataclass(frozen=True, slots=True)
class SeenTokens:
    """Those of an answer's tokens whose arrival a stream showed, by the API's own count."""

    number: int | None = None
    """None where it is not known."""
    only_visible: bool = False
    """Whether reasoning is not among them."""
    unknown: str = ""
    """Why their share of the counted ones is not known; "" where it is, or where nothing was counted."""


def seen_tokens(usage: Usage, *, reasoning_came: bool) -> SeenTokens:
    """The tokens whose arrival was seen. `reasoning_came`: whether the stream had content that is reasoning."""
    output, thought = usage.output_tokens, usage.reasoning_tokens
    unseen = usage.reasoning is Reasoning.HIDDEN or (bool(thought) and not reasoning_came)
    summary = usage.reasoning is Reasoning.SUMMARISED and reasoning_came
    if output is None or not (unseen or summary):
        return SeenTokens(output)
    if not thought:
        came = "which was not streamed" if unseen else "of which a summary came"
        words = f"the {output:,} output tokens include reasoning, {came}: its share is not known"
        return SeenTokens(None, True, words)
    if thought > output:
        return SeenTokens(None, True, f"{thought:,} of {output:,} output tokens are said to be reasoning")
    return SeenTokens(output - thought, True)


def spent(usage: Usage) -> bool:
    """Whether a model worked at all, by its own account."""
    return bool(usage.input_tokens or usage.output_tokens)
