"""What the handlers of the embedded gateway share: scenario, clock, audit log, upstreams, and what was seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.requests import HTTPConnection

from gwtui.gateway.audit_log import Attempt, AuditLog, Entry
from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.faults import FAULT_HEADER, FAULTS, chosen
from gwtui.gateway.providers import cost_usd
from gwtui.gateway.replies.base import Question
from gwtui.gateway.scenario import Scenario
from gwtui.gateway.upstreams import Upstreams

MOST_CACHED = 10_000
"""Questions whose answers are remembered."""
INVALID_KEY = "invalid"
"""The one key that is refused; any other, or none, will do."""
UNKNOWN_MODEL = "no-such-model"
"""The one model that does not exist."""


class FaultError(ValueError):
    """The fault that was chosen cannot be made here. The text says why."""


class GatewayState:
    """One gateway."""

    def __init__(self, scenario: Scenario, clock: Callable[[], float], raw_port: int) -> None:
        self.scenario = scenario
        self.clock = clock
        self.raw_port = raw_port
        self.audit_log = AuditLog()
        self.upstreams = Upstreams(scenario.gateway, clock, self.audit_log)
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._cached: dict[int, float] = {}
        """When a question was first asked, by its hash."""

    def next(self, path: str, model: str = "", kind: str = "request") -> int:
        """Count one more request of that path and model; its number."""
        self._seen[path, model, kind] += 1
        return self._seen[path, model, kind]

    def cached_s(self, body: bytes) -> int | None:
        """How old the answer to this question is in the cache, in whole seconds from 1; None where it is not there."""
        key, now = hash(body), self.clock()
        if key in self._cached:
            return max(1, int(now - self._cached[key]))
        if len(self._cached) >= MOST_CACHED:
            self._cached.clear()
        self._cached[key] = now
        return None

    def behaviour(
        self, connection: HTTPConnection, nth: int, model: str = "", provider: str = "", turn: int = 1
    ) -> Behaviour:
        """What is to happen to a request, in that turn of a conversation. Raises `FaultError`."""
        path = connection.url.path
        fault = chosen(model, connection.headers.get(FAULT_HEADER))
        if fault and fault not in FAULTS:
            raise FaultError(f"There is no fault `{fault}` in the catalogue: see /gateway/faults.")
        behaviour = self.scenario.behaviour(path, model, self.clock(), nth, provider=provider, fault=fault)
        if behaviour.fault and FAULTS[behaviour.fault].is_raw:
            raise FaultError(
                f"The fault `{behaviour.fault}` needs a bare socket: ask for it on the raw port, {self.raw_port}."
            )
        return behaviour.in_turn(turn)


class Visit:
    """One request on its way into the audit log."""

    def __init__(self, state: GatewayState, connection: HTTPConnection, question: Question | None = None) -> None:
        self._state = state
        self._began = time.monotonic()
        self._request_id: str = getattr(connection.state, "request_id", "")
        self._path = connection.url.path
        self.question = question
        self.attempts: tuple[Attempt, ...] = ()
        """The upstreams that were asked for it."""

    def over(
        self,
        status: int,
        outcome: str = "ok",
        *,
        provider: str = "",
        model: str = "",
        tokens: int = 0,
        behaviour: Behaviour | None = None,
    ) -> None:
        """The request is answered, or its client has gone."""
        question = self.question
        input_tokens = question.input_tokens if question is not None and provider else 0
        factor = behaviour.cost_factor if behaviour is not None else None
        cost = cost_usd(provider, input_tokens, tokens) if provider else 0.0
        entry = Entry(
            request_id=self._request_id,
            timestamp=datetime.now(UTC).isoformat(timespec="milliseconds"),
            path=self._path,
            model=model or (question.model if question is not None else ""),
            provider=provider,
            agent_type=question.agent_type if question is not None else "",
            stream=question.stream if question is not None else False,
            status=status,
            outcome=outcome,
            attempts=self.attempts,
            input_tokens=input_tokens,
            output_tokens=tokens,
            latency_ms=round((time.monotonic() - self._began) * 1000, 3),
            cost_usd=cost if factor is None else cost * factor,
            counted=behaviour is None or not behaviour.uncounted,
        )
        self._state.audit_log.add(entry)


def key_is_invalid(connection: HTTPConnection) -> bool:
    authorization = connection.headers.get("authorization", "").split(" ")
    keys = (connection.headers.get(name) for name in ("x-api-key", "api-key", "x-goog-api-key"))
    return INVALID_KEY in (authorization[-1], connection.query_params.get("key"), *keys)


def phrase(status: int) -> str:
    """What a status is called."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else f"Status {status}"
