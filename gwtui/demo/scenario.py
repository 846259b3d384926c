"""Scenarios as data: what the embedded gateway does to which request, and when.

A scenario is a TOML file with a `seed`, a `[default]` and any number of `[[rule]]`s. Every rule that matches a request
lays its fields over the default, later rules over earlier ones. A number may be written as `[low, high]`: then it is
drawn anew for each request, from the seed, so that a scenario plays the same way every time.
"""

from __future__ import annotations

import math
import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Annotated, Any

import msgspec
from msgspec import Meta

DEMO = Path(__file__).parent / "scenarios" / "demo.toml"
"""The story that `gwtui demo` shows."""

Span = float | tuple[float, float]
Number = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]

_HOUR_MS = 3_600_000
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[^\0\r\n\u0100-\U0010ffff]*")
"""All that HTTP can carry, escape sequences included: hostile headers are something to test with."""

_P95 = 1.645
"""Standard deviations between the median and the 95th percentile of a normal distribution."""


class ScenarioError(ValueError):
    """A scenario cannot be used. The text names the file, the key and what is wrong."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table: unknown keys are refused."""


class Faults(_Table, frozen=True, kw_only=True):
    """What is wrong with an answer. Where nothing is said, nothing is. Events are counted from the stream's first."""

    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    """Refuse with this status; an open WebSocket is closed with 1013 instead."""
    body: str | dict[str, Any] | None = None
    """The body of a refusal, a table for JSON (by default the API's own form); for pings, the answer itself."""
    headers: dict[str, str] | None = None
    """Further response headers."""
    retry_after: int | str | None = None
    """The `retry-after` header of a refusal: seconds, a date, or anything a gateway might send."""
    no_stream: bool | None = None
    """Answer one JSON body although a stream was asked for."""
    buffer: bool | None = None
    """Hold all events back and send them in one burst when the last is due."""
    cut_after: Number | None = None
    """End the response cleanly after this many events."""
    stall_after: Number | None = None
    """Send nothing more after this many events, and keep the connection open."""
    error_after: Number | None = None
    """Send an error event after this many events, and end there."""
    error_type: str | None = None
    """The type of that error; by default `overloaded_error`."""
    error_message: str | None = None
    """Its text; by default `Overloaded`."""
    served_model: str | None = None
    """Answer as this model instead of the one asked for."""
    drop: bool | None = None
    """Do not answer a WebSocket ping."""
    close_after: Annotated[int, Meta(ge=1)] | None = None
    """Close a WebSocket once it has answered this many pings."""
    close_code: Annotated[int, Meta(ge=1000, le=4999)] | None = None
    """The code of that close; by default 1012, service restart."""
    close_reason: str | None = None
    """Its reason; by default none."""


class Manner(Faults, frozen=True, kw_only=True):
    """How a kind of request is answered: its pace and its faults, as they are written in a scenario."""

    ttft_ms: Span | None = None
    """From the request to the first token, or to the whole of a short answer. A `[low, high]` of milliseconds is
    lognormal, as latencies are: 90 % of what is drawn lies between the two, the rest mostly above."""
    gap_ms: Span | None = None
    """From one token to the next."""
    jitter: Share | None = None
    """How far single gaps stray from that: 0.5 makes them 50 % to 150 % of it."""
    tokens: int | tuple[int, int] | None = None
    """The length of an answer, drawn evenly; by default the text's own."""

    def __post_init__(self) -> None:
        # The limits are checked here because msgspec misreads a bounded number in one type with a pair.
        for name, limit in (("ttft_ms", _HOUR_MS), ("gap_ms", _HOUR_MS), ("tokens", 1_000_000)):
            if (span := getattr(self, name)) is None:
                continue
            low, high = span if isinstance(span, tuple) else (span, span)
            if not 0 <= low <= high <= limit:
                raise ValueError(f"`{name}` is a number from 0 to {limit}, or [low, high] within that")
        for name, value in (self.headers or {}).items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise ValueError(f"the header {name!r} has a character that cannot be sent")


class Rule(Manner, frozen=True, kw_only=True):
    """Which requests, when, and what is different about them."""

    model: str = "*"
    """The model asked for, as a glob; pings have none, which only `*` matches."""
    path: str = "*"
    """The request's path, as a glob."""
    from_s: Seconds = 0.0
    """Begin of the time slot, since the gateway's start."""
    to_s: Seconds | None = None
    """End of the time slot; by default it has none."""
    every_s: Annotated[float, Meta(gt=0)] | None = None
    """Repeat the time slot at this period."""
    every_nth: Annotated[int, Meta(ge=1)] = 1
    """Only the n-th, 2n-th, 3n-th ... request of that path and model."""
    share: Share = 1.0
    """Only this share of the requests, drawn from the seed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.to_s is not None and self.to_s <= self.from_s:
            raise ValueError(f"`to_s` must be later than `from_s`, {self.from_s:g}")
        if self.every_s is not None and self.to_s is None:
            raise ValueError("`every_s` repeats a time slot: `to_s` is missing")

    def matches(self, path: str, model: str, at_s: float, nth: int) -> bool:
        """Whether the rule is meant for this request, but for `share`."""
        return (
            fnmatchcase(path, self.path)
            and fnmatchcase(model, self.model)
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


class Behaviour(Faults, frozen=True, kw_only=True):
    """What happens to one request: every number drawn, nothing left to chance."""

    ttft_ms: float = 0.0
    gap_ms: float = 0.0
    jitter: float = 0.0
    tokens: int | None = None
    seed: str = ""
    """For what remains to be drawn while answering: the single gaps."""


class Scenario(_Table, frozen=True, kw_only=True):
    """A seed, a default and the rules."""

    seed: int = 1
    default: Manner = Manner()
    rule: tuple[Rule, ...] = ()

    def behaviour(self, path: str, model: str, at_s: float, nth: int) -> Behaviour:
        """What happens to the `nth` request (from 1) of this path and model, `at_s` seconds after the start."""
        seed = f"{self.seed}/{path}/{model}/{nth}"
        fields: dict[str, Any] = {}
        for number, manner in enumerate((self.default, *self.rule)):
            if not isinstance(manner, Rule) or self._hits(manner, f"{seed}/{number}", path, model, at_s, nth):
                fields |= {name: value for name in _MANNER if (value := getattr(manner, name)) is not None}
        return _drawn(fields, seed)

    @staticmethod
    def _hits(rule: Rule, seed: str, path: str, model: str, at_s: float, nth: int) -> bool:
        return rule.matches(path, model, at_s, nth) and (rule.share >= 1 or seeded(seed).random() < rule.share)


_MANNER = Manner.__struct_fields__


def load_scenario(path: Path | None = None) -> Scenario:
    """Read a scenario file, by default the demo's story. Raises `ScenarioError`."""
    path = path if path is not None else DEMO
    try:
        return parse_scenario(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not a text in UTF-8") from None


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Decode a scenario's TOML; `source` is what errors call it. Raises `ScenarioError`."""
    try:
        return msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: {error}") from None
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        key = where.strip("`").removeprefix("$").removeprefix(".")
        raise ScenarioError(f"{source}: {key}: {what}" if key else f"{source}: {what}") from None


def seeded(seed: str) -> Random:
    """The draws of that seed."""
    return Random(seed)  # noqa: S311  chance to replay, nothing secret


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
