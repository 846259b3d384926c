"""The language typed after `/`: which endpoints to show.

    haiku                 name, API, model, state, a verdict or a finding contains the word
    verdict:truncated     one of the window's verdicts does; so do `finding:` `name:` `api:` `model:` `state:`
    ttft>500  fail>=1     a figure of the window: > >= < <= = and a number, in milliseconds or percent
    -state:up             not that

Conditions are parted by spaces, and all of them must hold. Capitals do not matter. An endpoint that does not have a
figure is neither above nor below anything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial

from gwtui.model.metrics import LATENCIES, Metric
from gwtui.model.view import EndpointRow


@dataclass(frozen=True, slots=True)
class Subject:
    """An endpoint to decide on."""

    row: EndpointRow
    model: str
    median: Callable[[Metric], int | None]
    """The median of any of its latencies in the window, in ns."""


Filter = Callable[[Subject], bool]
"""Whether to show it."""


class FilterError(ValueError):
    """The text is not a filter. The message says which part is wrong and what is expected."""


TEXTS: dict[str, Callable[[Subject], str]] = {
    "name": lambda subject: subject.row.name,
    "api": lambda subject: subject.row.api,
    "model": lambda subject: subject.model,
    "state": lambda subject: subject.row.state,
    "verdict": lambda subject: _words((subject.row.verdict, *(name for name, _ in subject.row.verdicts))),
    "finding": lambda subject: _words(name.value for name, _ in subject.row.findings),
}


def _words(words: Iterable[str]) -> str:
    """Several words as one text; no part of a word that was typed can lie across two of them."""
    return "\n".join(words)


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6


def _median(metric: Metric, subject: Subject) -> float | None:
    return _ms(subject.median(metric))


def _fail_percent(subject: Subject) -> float | None:
    return None if subject.row.fail_share is None else subject.row.fail_share * 100


def _of_row(metric: Metric, subject: Subject) -> float | None:
    """What the row has of a metric that is no latency, under the name of the record's field."""
    value: float | None = getattr(subject.row, metric.about.field)
    return value


FIGURES: dict[str, Callable[[Subject], float | None]] = {
    **{metric.value: partial(_median, metric) for metric in LATENCIES},
    "last": lambda subject: _ms(subject.row.last_ns),
    "p50": lambda subject: _ms(subject.row.p50.value_ns),
    "p95": lambda subject: _ms(subject.row.p95.value_ns),
    "p99": lambda subject: _ms(subject.row.p99.value_ns),
    "avg": lambda subject: _ms(subject.row.mean_ns),
    "total": lambda subject: _ms(subject.row.total_ns),
    "tokens": partial(_of_row, Metric.TOKENS_PER_S),
    **{metric.value: partial(_of_row, metric) for metric in Metric if not metric.is_latency},
    "fail": _fail_percent,
    "failed": lambda subject: subject.row.failed,
    "n": lambda subject: subject.row.n,
    "running": lambda subject: subject.row.in_flight,
    "missed": lambda subject: subject.row.missed,
}

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}
_UNITS = {"": 1.0, "%": 1.0, "us": 0.001, "ms": 1.0, "s": 1000.0}

_CONDITION = re.compile(r"(?P<key>[^:<>=]*)(?P<sign>:|[<>]=?|=)(?P<value>.*)", re.DOTALL)
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(%|us|ms|s|)")


@lru_cache(maxsize=64)
def parse(text: str) -> Filter:
    """The filter that the text describes; an empty text shows everything. Raises FilterError."""
    conditions = [_condition(word) for word in text.casefold().split() if word.strip("-")]
    return lambda subject: all(condition(subject) for condition in conditions)


def _condition(word: str) -> Filter:
    if word.startswith("-"):
        condition = _condition(word.lstrip("-"))
        return lambda subject: not condition(subject)
    parts = _CONDITION.fullmatch(word)
    if parts is None:
        return lambda subject: any(word in text(subject).casefold() for text in TEXTS.values())
    key, sign, value = parts["key"], parts["sign"], parts["value"]
    return _contains(key, value) if sign == ":" else _compares(key, sign, value)


def _contains(key: str, value: str) -> Filter:
    text = TEXTS.get(key)
    if text is None:
        raise FilterError(f"`{key}:` is not known: use {_listed(TEXTS, ':')}")
    return lambda subject: value in text(subject).casefold()


def _compares(key: str, sign: str, value: str) -> Filter:
    figure = FIGURES.get(key)
    if figure is None:
        raise FilterError(f"`{key}{sign}` is not a figure: use {_listed(FIGURES)}")
    number = _NUMBER.fullmatch(value)
    if number is None:
        raise FilterError(f"`{key}{sign}{value}` needs a number, such as `{key}{sign}500`")
    limit = float(number[1]) * _UNITS[number[2]]
    compare = _COMPARISONS[sign]
    return lambda subject: (have := figure(subject)) is not None and compare(have, limit)


def _listed(names: Iterable[str], end: str = "") -> str:
    return ", ".join(f"{name}{end}" for name in names)
