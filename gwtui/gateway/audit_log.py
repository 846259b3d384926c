"""What the embedded gateway remembers of its requests: counts, tokens and cost for `/gateway/metrics`, and the audit.

Pure, and bounded: the oldest entries are forgotten, and models beyond a number are counted as one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

MAX_ENTRIES = 1000
MAX_MODELS = 500
RECENT = 50
OTHERS = "(others)"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An upstream was asked for a request."""

    provider: str
    status: int
    """What it answered; 504: nothing in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request, answered or not."""

    request_id: str
    timestamp: str
    """RFC 3339, UTC."""
    path: str
    model: str
    provider: str
    """The provider that answered; "" if none did."""
    agent_type: str = ""
    stream: bool
    status: int
    outcome: str
    """`ok`, `refused`, or `client_left`."""
    attempts: tuple[Attempt, ...] = ()
    """In the order in which upstreams were asked."""
    input_tokens: int = 0
    output_tokens: int = 0
    latency_ms: float = 0.0
    cost_usd: float = 0.0
    counted: bool = True
    """Whether it is in the metrics."""


@dataclass(slots=True)
class Sums:
    """What a number of answers come to."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    latency_ms: float = 0.0

    def add(self, entry: Entry) -> None:
        self.requests += 1
        self.input_tokens += entry.input_tokens
        self.output_tokens += entry.output_tokens
        self.cost_usd += entry.cost_usd
        self.latency_ms += entry.latency_ms

    def as_dict(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": round(self.cost_usd, 9),
            "avg_latency_ms": round(self.latency_ms / self.requests, 3) if self.requests else 0.0,
        }


@dataclass(slots=True)
class Calls:
    """How an upstream did."""

    calls: int = 0
    failures: int = 0


@dataclass(slots=True)
class AuditLog:
    """All that is remembered."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=MAX_ENTRIES))
    answered: deque[Entry] = field(default_factory=lambda: deque(maxlen=RECENT))
    number: int = 0
    """Entries that ever were."""
    total: Sums = field(default_factory=Sums)
    by_provider: dict[str, Sums] = field(default_factory=dict)
    by_model: dict[str, Sums] = field(default_factory=dict)
    upstream: dict[str, Calls] = field(default_factory=dict)

    def called(self, provider: str, *, failed: bool) -> None:
        """An upstream was asked."""
        calls = self.upstream.setdefault(provider, Calls())
        calls.calls += 1
        calls.failures += failed

    def add(self, entry: Entry) -> None:
        """A request is over. Only answered requests count in the metrics; the audit has them all."""
        self.number += 1
        self.entries.append(entry)
        if not (entry.provider and entry.counted):
            return
        self.answered.append(entry)
        model = entry.model if entry.model in self.by_model or len(self.by_model) < MAX_MODELS else OTHERS
        for sums in (
            self.total,
            self.by_provider.setdefault(entry.provider, Sums()),
            self.by_model.setdefault(model, Sums()),
        ):
            sums.add(entry)

    def metrics(self) -> dict[str, Any]:
        total = self.total.as_dict()
        return {
            "summary": {
                "total_requests": total["requests"],
                "total_cost_usd": total["cost_usd"],
                "total_input_tokens": total["input_tokens"],
                "total_output_tokens": total["output_tokens"],
                "total_cache_write_tokens": 0,
                "total_cache_read_tokens": 0,
                "avg_latency_ms": total["avg_latency_ms"],
            },
            "by_provider": {name: sums.as_dict() for name, sums in self.by_provider.items()},
            "by_model": {name: sums.as_dict() for name, sums in self.by_model.items()},
            "upstream": {name: asdict(calls) for name, calls in self.upstream.items()},
            "recent": [_recent(entry) for entry in reversed(self.answered)],
        }

    def audit(self, limit: int) -> dict[str, Any]:
        """The last entries, the newest first."""
        newest = list(self.entries)[::-1][:limit]
        return {"total": self.number, "entries": [asdict(entry) for entry in newest]}


def _recent(entry: Entry) -> dict[str, Any]:
    names = ("request_id", "timestamp", "provider", "model", "input_tokens", "output_tokens", "cost_usd", "latency_ms")
    return {name: getattr(entry, name) for name in names}
