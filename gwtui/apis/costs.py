"""What an answer says that it cost, in US dollars."""

from __future__ import annotations

from gwtui.apis.headers import Headers, header

COST_HEADER = "x-litellm-response-cost"
MOST_USD = 1e6
"""No answer costs more."""


def usage_cost(usage: object) -> float | None:
    """In a `usage` object: OpenRouter tells it as `cost`, Perplexity as `cost.total_cost`. None without."""
    told = usage.get("cost") if isinstance(usage, dict) else None
    return _amount(told.get("total_cost") if isinstance(told, dict) else told)


def header_cost(headers: Headers) -> float | None:
    """In the response headers, as LiteLLM tells it; None where they do not."""
    try:
        return _amount(float(header(headers, COST_HEADER)))
    except ValueError:
        return None


def _amount(told: object) -> float | None:
    """A number that can be an amount of money; None for anything else, NaN included."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told < MOST_USD:
        return None
    return float(told)
