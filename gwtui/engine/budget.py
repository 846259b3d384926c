"""What a session's requests have taken of their profile's budget. Pure: the clock is passed in."""

from __future__ import annotations

from gwtui.model.profile import Budget, Price
from gwtui.model.records import Request
from gwtui.text.units import count, elapsed

HOUR_NS = 3_600_000_000_000


class BudgetTracker:
    """Counts requests as they begin, tokens and dollars as answers report them. Without a budget it is never empty."""

    def __init__(self, budget: Budget | None, now_ns: int) -> None:
        self._budget = budget or Budget()
        self._hour_ns = now_ns
        self._requests = self._tokens = 0
        self._usd = 0.0

    def take(self, now_ns: int) -> bool:
        """Count a request that is about to begin; False: there is no budget for it, and it must not."""
        if self.spent(now_ns):
            return False
        self._requests += 1
        return True

    def charge(self, request: Request, price: Price | None) -> None:
        """Count what an answer took. What it does not report takes nothing; nor does a request that was never sent."""
        if request.duration_ns is None:
            self._requests = max(0, self._requests - 1)
        tokens_in, tokens_out = request.input_tokens or 0, request.output_tokens or 0
        self._tokens += tokens_in + tokens_out
        if price is not None:
            self._usd += (tokens_in * price.input_per_million + tokens_out * price.output_per_million) / 1e6

    def spent(self, now_ns: int) -> str:
        """The limit that is reached, and when there is a budget again; empty while there is one."""
        self._turn(now_ns)
        budget = self._budget
        if budget.requests is not None and self._requests >= budget.requests:
            limit = f"{count(budget.requests)} requests"
        elif budget.tokens is not None and self._tokens >= budget.tokens:
            limit = f"{count(budget.tokens)} tokens"
        elif budget.usd is not None and self._usd >= budget.usd:
            limit = f"${budget.usd:,.2f}"
        else:
            return ""
        if budget.per == "session":
            return f"the session's budget of {limit} is spent"
        return f"this hour's budget of {limit} is spent, the next begins in {elapsed(self._hour_ns + HOUR_NS - now_ns)}"

    def _turn(self, now_ns: int) -> None:
        """Begin a new hour when it has come."""
        if self._budget.per == "hour" and now_ns - self._hour_ns >= HOUR_NS:
            self._hour_ns += (now_ns - self._hour_ns) // HOUR_NS * HOUR_NS
            self._requests = self._tokens = 0
            self._usd = 0.0
