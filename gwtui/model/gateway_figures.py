"""What a gateway's own counters say, and how that compares with what gwtui sent to it.

All of it is the gateway's word: untrusted, cleaned, bounded. None: it does not say.
"""

from __future__ import annotations

import msgspec


class GatewayCounts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counters since the gateway's start, or by how much they grew."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_read_tokens: int | None = None
    cost_usd: float | None = None
    avg_latency_ms: float | None = None
    """By the gateway's own clock."""

    @property
    def tokens(self) -> int | None:
        """All tokens together."""
        parts = (self.input_tokens, self.output_tokens, self.cache_write_tokens, self.cache_read_tokens)
        known = [part for part in parts if part is not None]
        return sum(known) if known else None

    @property
    def is_told(self) -> bool:
        """Whether it says anything."""
        return any(getattr(self, name) is not None for name in COUNT_FIELDS)

    @property
    def usd_per_1000_tokens(self) -> float | None:
        """What a thousand of these tokens cost; None without tokens or without a cost."""
        return self.cost_usd / self.tokens * 1000 if self.cost_usd is not None and self.tokens else None


COUNT_FIELDS = GatewayCounts.__struct_fields__
COUNTERS = tuple(name for name in COUNT_FIELDS if name != "avg_latency_ms")
"""Those that only grow, as long as the gateway runs."""


class NamedCounts(GatewayCounts, frozen=True, kw_only=True, omit_defaults=True):
    """The same of one provider or model."""

    name: str


class GatewayComparison(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gateway counted beside what gwtui itself sent to it meanwhile."""

    span_ns: int
    """The time that it covers: from an earlier answer of the gateway to this one."""
    counted: int | None = None
    """Requests that the gateway counted, of whomever."""
    own: int = 0
    """Requests of gwtui that have to be among them: begun and ended well within that time."""
    doubtful: int = 0
    """Requests of gwtui that may be among them: under way at either end, just ended, or failed."""
    own_tokens: int = 0
    """Tokens of `own`, as their answers reported them."""
    told_usd: float | None = None
    """What the gateway says they cost; None where the requests of others cannot be separated."""
    expected_usd: float | None = None
    """What they cost by the `price` of their endpoints; None where that is not known."""


class GatewayFigures(GatewayCounts, frozen=True, kw_only=True, omit_defaults=True):
    """A gateway's counters as one answer tells them."""

    by_provider: tuple[NamedCounts, ...] = ()
    """The busiest first; not all of very many."""
    by_model: tuple[NamedCounts, ...] = ()
    grown_ns: int | None = None
    """Since when `grown` counts: the time since the answer before; None for the first one."""
    grown: GatewayCounts | None = None
    """By how much the counters grew since the answer before."""
    restarted: bool = False
    """A counter is lower than before: the gateway began anew."""
    comparison: GatewayComparison | None = None
    """The newest comparison that was possible."""


NO_FIGURES = GatewayFigures()
