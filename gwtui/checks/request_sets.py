"""What checks may need to know: each need is a few requests, sent once however many checks look at the answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gwtui.apis import APIS
from gwtui.model.profile import Endpoint, Profile

DEFAULT_AGENT = "code-reviewer"
"""The kind of agent that is sent where none is named."""
MAX_MODELS = 9
"""The most models that are asked at once: the largest of `request_plans.SIZES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTarget:
    """What is checked, and what more is known about it."""

    endpoint: Endpoint
    profile: Profile
    models: tuple[str, ...] = ()
    """Models that have to work; at most `MAX_MODELS`."""
    agent_type: str = DEFAULT_AGENT
    """A kind of agent that the gateway may route by."""
    provoke: str = ""
    """A model that fails at its first provider: only with it are fallbacks and breakers provoked."""

    @property
    def asks_several_models(self) -> bool:
        """Whether one request of the endpoint's API asks several models at once."""
        return APIS[self.endpoint.api].several_models


def parse_models(text: str) -> tuple[str, ...]:
    """Models written with commas between them, each once. Raises ValueError for more than `MAX_MODELS`."""
    models = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if len(models) > MAX_MODELS:
        raise ValueError(f"{len(models)} models; the maximum is {MAX_MODELS}")
    return models


class RequestSet(StrEnum):
    """In the order in which they are gathered: the counts before come before the requests that move them."""

    PING = "ping"
    """The endpoint's own ping (`http` and `websocket` endpoints)."""
    HEALTH = "health"
    METRICS_BEFORE = "metrics_before"
    STREAM = "stream"
    """One plain streaming request."""
    ANSWER = "answer"
    """The same without streaming."""
    METRICS_AFTER = "metrics_after"
    AUDIT = "audit"
    INVALID_KEY = "invalid_key"
    UNKNOWN_MODEL = "unknown_model"
    LONG_STREAM = "long_stream"
    LARGE_ANSWER = "large_answer"
    MODELS = "models"
    """Each model of the list, one after another."""
    AGENT = "agent"
    AGENT_AUDIT = "agent_audit"
    TOGETHER = "together"
    """Many streams of one model at once."""
    COMPARED = "compared"
    """Several models at once, in growing numbers."""
    STRANGER = "stranger"
    """A model that does not exist, asked together with one that does."""
    PROVOKED = "provoked"
    """The failing model, once."""
    PROVOKED_METRICS = "provoked_metrics"
    PROVOKED_AUDIT = "provoked_audit"
    BREAKER = "breaker"
    """The failing model, again and again, unless it was answered."""
    BREAKER_AUDIT = "breaker_audit"
    """What the gateway noted of the last of these."""


HEAVY = frozenset(
    {RequestSet.LONG_STREAM, RequestSet.LARGE_ANSWER, RequestSet.TOGETHER, RequestSet.COMPARED, RequestSet.STRANGER}
)
"""Only asked of a gateway that answers plain requests: a sick one is not made to carry them."""
PROBES = frozenset(RequestSet) - {
    RequestSet.HEALTH,
    RequestSet.METRICS_BEFORE,
    RequestSet.METRICS_AFTER,
    RequestSet.AUDIT,
    RequestSet.AGENT_AUDIT,
    RequestSet.PROVOKED_METRICS,
    RequestSet.PROVOKED_AUDIT,
    RequestSet.BREAKER_AUDIT,
}
"""Needs that ask the endpoint itself, not one of the gateway's own documents."""
