"""What a session's requests have taken of their profile's budget. Pure: the clock is passed in."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.apis import api_named
from gwtui.apis.base import LIMIT_FIELDS
from gwtui.apis.requests import models_asked
from gwtui.model.enums import Kind, Outcome
from gwtui.model.profile import Budget, Endpoint, Price
from gwtui.model.records import Request
from gwtui.text.units import count, elapsed, many

HOUR_NS = 3_600_000_000_000


def most_tokens(endpoint: Endpoint) -> int:
    """The maximum number of output tokens that one request of the endpoint allows; 0 where no model is asked."""
    api = api_named(endpoint.api)
    if api is None or api.kind is not Kind.COMPLETION:
        return 0
    models = len(models_asked(endpoint, api.default_model)) if api.several_models else 1
    return max(_limits(endpoint.body), default=endpoint.max_tokens) * max(models, 1)


def _limits(body: object) -> Iterator[int]:
    for name, value in body.items() if isinstance(body, dict) else ():
        if name in LIMIT_FIELDS and isinstance(value, int) and value > 0:
            yield value
        elif isinstance(value, dict):
            yield from _limits(value)


class BudgetTracker:
    """Counts requests as they begin, tokens and dollars as answers report them. Without a budget it is never empty."""

    def __init__(self, budget: Budget | None, now_ns: int) -> None:
        self._budget = budget or Budget()
        self._hour_ns = now_ns
        self._requests = self._tokens = 0
        self._usd = 0.0
        self._untold = 0
        """Answers that did not tell their tokens."""

    @property
    def counts_tokens(self) -> bool:
        """Whether what answers report decides when it is spent."""
        return self._budget.tokens is not None or self._budget.usd is not None

    def take(self, now_ns: int) -> bool:
        """Count a request that is about to begin; False: there is no budget for it, and it must not."""
        if self.spent(now_ns):
            return False
        self._requests += 1
        return True

    def charge(self, request: Request, price: Price | None, most_tokens: int = 0) -> bool:
        """Count what an answer took; a request that was never sent takes nothing.

        An answer that does not tell its output takes the `most_tokens` that were asked for. Returns whether it did so.
        """
        if request.duration_ns is None:
            self._requests = max(0, self._requests - 1)
        untold = request.output_tokens is None and most_tokens > 0 and _is_answered(request)
        self._untold += untold
        tokens_in, tokens_out = request.input_tokens or 0, most_tokens if untold else request.output_tokens or 0
        self._tokens += tokens_in + tokens_out
        if price is not None:
            self._usd += price.usd(tokens_in, tokens_out)
        return untold and self.counts_tokens

    def spent(self, now_ns: int) -> str:
        """The limit that is reached, and when there is a budget again; empty while there is one."""
        self._turn(now_ns)
        budget = self._budget
        if budget.requests is not None and self._requests >= budget.requests:
            limit = f"{count(budget.requests)} requests"
        elif budget.tokens is not None and self._tokens >= budget.tokens:
            limit = f"{count(budget.tokens)} tokens{self._by_limit()}"
        elif budget.usd is not None and self._usd >= budget.usd:
            limit = f"${budget.usd:,.2f}{self._by_limit()}"
        else:
            return ""
        if budget.per == "session":
            return f"the session's budget of {limit} is spent"
        return f"this hour's budget of {limit} is spent, the next begins in {elapsed(self._hour_ns + HOUR_NS - now_ns)}"

    def _by_limit(self) -> str:
        """How much of it was counted and not reported."""
        return f" ({many(self._untold, 'answer')} without usage counted as max_tokens)" if self._untold else ""

    def _turn(self, now_ns: int) -> None:
        """Begin a new hour when it has come."""
        if self._budget.per == "hour" and now_ns - self._hour_ns >= HOUR_NS:
            self._hour_ns += (now_ns - self._hour_ns) // HOUR_NS * HOUR_NS
            self._requests = self._tokens = self._untold = 0
            self._usd = 0.0


def _is_answered(request: Request) -> bool:
    """Whether a model worked for it, to the end or not."""
    return request.outcome is Outcome.OK or request.ttft_ns is not None
