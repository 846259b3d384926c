"""Scenarios as data: what the embedded gateway does to which request, and when.

A scenario is a TOML file with a `seed`, a `[default]`, a `[gateway]` and any number of `[[rule]]`s. Every rule that
matches a request lays its fields over the default, later rules over earlier ones. A number may be written as
`[low, high]`: then it is drawn anew for each request, from the seed, so that a scenario plays the same way every time.
"""

from __future__ import annotations

import math
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.behaviour import PACE, Behaviour, BehaviourSpec, Nth, Share, Table, laid_over, seeded
from gwtui.gateway.faults import FAULTS
from gwtui.gateway.providers import PROVIDERS

DEMO = Path(__file__).parent / "scenarios" / "demo.toml"
"""The story that `gwtui demo` shows."""

Seconds = Annotated[float, Meta(ge=0)]
Length = Annotated[float, Meta(gt=0)]

_P95 = 1.645
"""Standard deviations between the median and the 95th percentile of a normal distribution."""


class ScenarioError(ValueError):
    """A scenario cannot be used. The text names the file, the key and what is wrong."""


class Rule(BehaviourSpec, frozen=True, kw_only=True):
    """Which requests, when, and what is different about them."""

    fault: str | None = None
    """A fault of the catalogue, under the rule's own fields."""
    model: str = "*"
    """The model asked for, as a glob; pings have none, which only `*` matches."""
    path: str = "*"
    """The request's path, as a glob."""
    provider: str = "*"
    """The provider that is asked for the answer, as a glob."""
    from_s: Seconds = 0.0
    """Begin of the time slot, since the gateway's start."""
    to_s: Seconds | None = None
    """End of the time slot; by default it has none."""
    every_s: Length | None = None
    """Repeat the time slot at this period."""
    every_nth: Nth = 1
    """Only the n-th, 2n-th, 3n-th ... request of that path and model."""
    share: Share = 1.0
    """Only this share of the requests, drawn from the seed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.to_s is not None and self.to_s <= self.from_s:
            raise ValueError(f"`to_s` must be later than `from_s`, {self.from_s:g}")
        if self.every_s is not None and self.to_s is None:
            raise ValueError("`every_s` repeats a time slot: `to_s` is missing")
        if self.fault is not None and self.fault not in FAULTS:
            raise ValueError(f"there is no fault {self.fault!r} in the catalogue")

    def matches(self, path: str, model: str, provider: str, at_s: float, nth: int) -> bool:
        """Whether the rule is meant for this request, but for `share`."""
        return (
            fnmatchcase(path, self.path)
            and fnmatchcase(model, self.model)
            and fnmatchcase(provider, self.provider)
            and nth % self.every_nth == 0
            and self._in_slot(at_s)
        )

    def _in_slot(self, at_s: float) -> bool:
        since = at_s - self.from_s
        if since < 0:
            return False
        if self.every_s is not None:
            since %= self.every_s
        return self.to_s is None or since < self.to_s - self.from_s


class Gateway(Table, frozen=True, kw_only=True):
    """What the gateway does about upstreams that fail."""

    default_provider: str = "anthropic"
    """Who answers for a model that no provider is known for."""
    fallback_chain: tuple[str, ...] = ("anthropic", "openai")
    """Who is asked next, in this order."""
    attempts: Nth = 2
    """How many upstream attempts one request may cost."""
    breaker_failures: Nth = 5
    """Failures in a row that open a provider's circuit breaker."""
    breaker_open_s: Length = 10.0
    """How long it stays open before one request may test it."""
    upstream_timeout_s: Length = 5.0
    """How long an upstream is waited for."""

    def __post_init__(self) -> None:
        if unknown := {self.default_provider, *self.fallback_chain} - set(PROVIDERS):
            raise ValueError(f"unknown provider: {', '.join(sorted(unknown))}; there are {', '.join(PROVIDERS)}")


class Scenario(Table, frozen=True, kw_only=True):
    """A seed, a default and the rules."""

    seed: int = 1
    gateway: Gateway = Gateway()
    default: BehaviourSpec = BehaviourSpec()
    rule: tuple[Rule, ...] = ()

    def behaviour(
        self, path: str, model: str, at_s: float, nth: int, *, provider: str = "", fault: str = ""
    ) -> Behaviour:
        """What happens to the `nth` request (from 1) of this path and model, `at_s` seconds after the start.

        `fault` is one of the catalogue that the request itself chose, over all rules.
        """
        seed = f"{self.seed}/{path}/{model}/{nth}"
        fields = laid_over({}, self.default)
        for number, rule in enumerate(self.rule, 1):
            if not rule.matches(path, model, provider, at_s, nth):
                continue
            if rule.share < 1 and seeded(f"{seed}/{number}").random() >= rule.share:
                continue
            fields = laid_over(_with_fault(fields, rule.fault or ""), rule)
        return _drawn(_with_fault(fields, fault), seed)


def _with_fault(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """The catalogue's fault, and of what was there before only the pace: faults that mix are neither."""
    if not name:
        return fields
    pace = {field: value for field, value in fields.items() if field in PACE}
    return laid_over(pace, FAULTS[name].behaviour) | {"fault": name}


def load_scenario(path: Path | None = None) -> Scenario:
    """Read a scenario file, by default the demo's story. Raises `ScenarioError`."""
    path = path if path is not None else DEMO
    try:
        return parse_scenario(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not UTF-8 text") from None


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Decode a scenario's TOML; `source` is what errors call it. Raises `ScenarioError`."""
    try:
        return msgspec.convert(tomllib.loads(text), Scenario)
    except RecursionError:
        raise ScenarioError(f"{source}: nested too deeply") from None
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        key = where.strip("`").removeprefix("$").removeprefix(".")
        raise ScenarioError(f"{source}: {key}: {what}" if key else f"{source}: {what}") from None
    except ValueError as error:  # TOML's own fault, or a number of more digits than Python reads
        raise ScenarioError(f"{source}: {error}") from None


def _drawn(fields: dict[str, Any], seed: str) -> Behaviour:
    random = seeded(seed)
    # All three are drawn whether asked for or not, each at its place in the sequence: a rule that fixes one of them
    # does not change the others.
    ttft, gap = random.gauss(0, 1), random.gauss(0, 1)
    length = random.random()
    fields["ttft_ms"] = _lognormal(fields.get("ttft_ms", 0.0), ttft)
    fields["gap_ms"] = _lognormal(fields.get("gap_ms", 0.0), gap)
    if isinstance(tokens := fields.get("tokens"), tuple):
        low, high = tokens
        fields["tokens"] = low + int(length * (high - low + 1))
    return Behaviour(seed=seed, **fields)


def _lognormal(span: float | tuple[float, float], deviation: float) -> float:
    """The value that lies `deviation` standard deviations from the median of the lognormal with that 90 % span."""
    if not isinstance(span, tuple):
        return float(span)
    low, high = (math.log(max(end, 0.001)) for end in span)
    return math.exp((low + high) / 2 + deviation * (high - low) / (2 * _P95))
