"""The rate at which a stream's tokens came, or why it has none. Pure."""

from __future__ import annotations

import msgspec

from gwtui.model.content_pace import ContentPace

PLAUSIBLE_PER_S = 20_000.0
"""Several times what the fastest hosted models write. More than that is content that waited somewhere..."""
SURE_READS = 3
"""... unless at least this number of reads bears it out."""


class TokenRate(msgspec.Struct, frozen=True, kw_only=True):
    """A rate or a reason, under the names that a `Request` has for them."""

    tokens_per_s: float | None = None
    tpot_ns: int | None = None
    no_rate: str = ""
    """Why there is no rate, where an answer came as a stream."""


def rate_of(pace: ContentPace | None, tokens: int | None, *, held_back: bool = False, unknown: str = "") -> TokenRate:
    """The tokens after the first, over the time from the first content to the last.

    `tokens`: those whose arrival was seen, by the API's own count; None where it is not known, and `unknown` may say
    why. `held_back`: something before the model let its content go at once, so that its times are not the model's.
    """
    if pace is None:
        return TokenRate()
    if tokens is None:
        return TokenRate(no_rate=unknown or "the answer does not tell its number of tokens")
    if tokens < 2:
        return TokenRate(no_rate="the answer has a single token" if tokens else "the answer counts no token")
    if pace.spread_ns <= 0:
        return TokenRate(no_rate="all content came in one read")
    if held_back:
        return TokenRate(no_rate="the stream was held back: its times are not the model's")
    per_s = (tokens - 1) * 1e9 / pace.spread_ns
    if per_s > PLAUSIBLE_PER_S and pace.reads < SURE_READS:
        return TokenRate(no_rate=f"{tokens:,} tokens in {pace.reads} reads are no rate of a model")
    return TokenRate(tokens_per_s=per_s, tpot_ns=round(pace.spread_ns / (tokens - 1)))
