"""The rate at which a stream's tokens came, or why it has none. Pure."""

from __future__ import annotations

import msgspec

from gwtui.apis.tokens import SeenTokens
from gwtui.model.content_pace import ContentPace
from gwtui.verdict.buffering import is_burst

PLAUSIBLE_PER_S = 20_000.0
"""Several times what the fastest hosted models write. More than that is content that waited somewhere..."""
SURE_READS = 3
"""... unless at least this number of reads bears it out."""

BYTES_PER_CHARACTER = 4
"""The most that UTF-8 takes (RFC 3629 3). A token of text is at least one byte..."""
UNSEEN_TOKENS = 64
"""... but for those that mark turns and tool calls, a dozen for each."""


class TokenRate(msgspec.Struct, frozen=True, kw_only=True):
    """A rate or a reason, under the names that a `Request` has for them."""

    tokens_per_s: float | None = None
    tpot_ns: int | None = None
    no_rate: str = ""
    """Why there is no rate, where an answer came as a stream."""


def rate_of(pace: ContentPace | None, seen: SeenTokens, *, held_back: bool = False) -> TokenRate:
    """The tokens after the first whose arrival was seen, over the time from the first of them to the last content.

    `held_back`: something before the model let its content go later than it was written.
    """
    if pace is None:
        return TokenRate()
    tokens, spread_ns, reads, characters = seen.number, pace.spread_ns, pace.reads, pace.characters
    if seen.only_visible and pace.visible_ns is not None:
        spread_ns, reads, characters = pace.last_ns - pace.visible_ns, pace.visible_reads, pace.visible_characters
    if tokens is None or tokens < 2:
        return TokenRate(no_rate=seen.unknown or _too_few(tokens))
    if spread_ns <= 0:
        return TokenRate(no_rate="all content came in one read")
    if held_back:
        return TokenRate(no_rate="the stream was held back: its times are not the model's")
    if is_burst(pace):
        return TokenRate(no_rate="all content came at once: its times are not the model's")
    if characters and tokens > BYTES_PER_CHARACTER * characters + UNSEEN_TOKENS:
        return TokenRate(no_rate=f"{tokens:,} tokens are more than the {characters:,} characters that came can hold")
    per_s = (tokens - 1) * 1e9 / spread_ns
    if per_s > PLAUSIBLE_PER_S and reads < SURE_READS:
        return TokenRate(no_rate=f"{tokens:,} tokens in {reads} reads are no rate of a model")
    return TokenRate(tokens_per_s=per_s, tpot_ns=round(spread_ns / (tokens - 1)))


def _too_few(tokens: int | None) -> str:
    if tokens is None:
        return "the answer does not tell its number of tokens"
    return "the answer has a single token" if tokens else "the answer counts no token"
