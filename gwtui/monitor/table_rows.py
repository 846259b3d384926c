"""The lines of the table: their order, why an endpoint is sick, and the groups that endpoints are in. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from gwtui.health.attributes import attributes_of, gateway_of
from gwtui.health.sentence import gateway_names
from gwtui.model.enums import BAD, Outcome, Severity, State
from gwtui.model.findings import entry_of
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint
from gwtui.model.query import WORST_FIRST, Grouping, Query
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.model.view import EndpointRow, GroupRow, View
from gwtui.stats.change import LEAST_RATIO
from gwtui.text.units import countdown, times

_NO_FAILURE = frozenset(verdict.value for verdict in Verdict if verdict.outcome is not Outcome.FAILED)
_IN_SUMMARY = (*reversed(BAD), State.UP, State.PAUSED, State.UNKNOWN)

_Key: TypeAlias = int | float | str | tuple[int | float | str, ...] | None

_JUDGED_SLOW = re.compile(r"p50 (\w+) .*, (\S+x) its usual ")
"""What the judge says of a slow endpoint, whose window may still be full of what was before."""

_SEVERITY = (State.UP, State.PAUSED, State.UNKNOWN, *BAD)

_OPTIONAL: dict[str, Callable[[EndpointRow], _Key]] = {
    "avg": lambda row: row.mean_ns,
    "total": lambda row: row.total_ns,
    "cost": lambda row: row.cost_usd,
}

ORDERS: dict[str, Callable[[EndpointRow], _Key]] = {
    "endpoint": lambda row: row.name.casefold(),
    "api": lambda row: row.api,
    "state": lambda row: (_SEVERITY.index(row.state), row.fail_share or 0.0),
    "why": lambda row: row.why or None,
    "last": lambda row: row.last_ns,
    "p50": lambda row: row.p50.value_ns,
    "ratio": lambda row: row.ratio,
    "p95": lambda row: row.p95.value_ns,
    "p99": lambda row: row.p99.value_ns,
    **_OPTIONAL,
    "tokens": lambda row: row.tokens_per_s,
    "fail": lambda row: row.fail_share,
    "n": lambda row: row.n,
    "missed": lambda row: row.missed,
}
"""What each column is ordered by; None for a row that has nothing there."""


def ordered(rows: Iterable[EndpointRow], column: str, *, descending: bool) -> list[EndpointRow]:
    """The rows, which come in the profile's order, in the order of a column, or the worst first. Equal ones stay as
    they were, and those that have nothing in the column come last."""
    if column == WORST_FIRST:
        return sorted(rows, key=_badness, reverse=True)
    key = ORDERS.get(column)
    if key is None:
        return list(rows)
    keyed = [(key(row), row) for row in rows]
    having = [(value, row) for value, row in keyed if value is not None]
    having.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in having] + [row for value, row in keyed if value is None]


def _badness(row: EndpointRow) -> tuple[int, float]:
    """Those that are well are alike, whether they were paused or have no result yet: none moves for that."""
    severity = BAD.index(row.state) + 1 if row.state in BAD else 0
    return severity, row.ratio if row.is_slower and row.ratio is not None else 0.0


def explained(
    row: EndpointRow, reason: str, usual: Mapping[Metric, int], median: Callable[[Metric], int | None]
) -> EndpointRow:
    """The row with how it compares to what is usual, and why it is sick.

    `reason`: what the judge said of the state; `usual`: the usual median of each latency that has one, and `median`
    what any is in the window, in ns.
    """
    slower: dict[Metric, float] = {}
    for metric in usual if row.state is State.SLOW else ():
        median_ns = median(metric)
        if median_ns is not None and _is_slower(metric, median_ns, usual[metric]):
            slower[metric] = median_ns / usual[metric]
    p50_ns, usual_ns = row.p50.value_ns, usual.get(row.metric)
    why = _why(row, reason, slower)
    if p50_ns is None or not usual_ns:
        return replace(row, why=why, usual_ns=usual_ns)
    is_slower = _is_slower(row.metric, p50_ns, usual_ns)
    return replace(row, why=why, usual_ns=usual_ns, ratio=p50_ns / usual_ns, is_slower=is_slower)


def _is_slower(metric: Metric, median_ns: int, usual_ns: int) -> bool:
    """By as much as makes an endpoint slow."""
    return median_ns >= LEAST_RATIO * usual_ns and median_ns - usual_ns >= metric.about.slow_floor_ns


def _why(row: EndpointRow, reason: str, slower: Mapping[Metric, float]) -> str:
    """`truncated 3/24`, `slow 8x`: the worst of the window and its share of the results; "" when all is well.

    What the judge named goes before what came more often, and failures go before findings. `slower`: how many times
    its usual each latency is that is slower than usual.
    """
    if row.state is State.SLOW and slower:
        named = (metric for metric in slower if metric.label in reason)
        metric = next(named, max(slower, key=lambda each: slower[each]))
        return _slow(row, metric.label, times(slower[metric]))
    if row.state is State.SLOW and (said := _JUDGED_SLOW.match(reason)):
        return _slow(row, *said.groups())
    is_sick = row.state in BAD
    counted = [(word, count) for word, count in row.verdicts if word not in _NO_FAILURE]
    counted += [(name.value, count) for name, count in row.findings if entry_of(name).severity is Severity.WARNING]
    if not counted:
        return reason if is_sick else ""
    word, count = next((each for each in counted if is_sick and each[0] in reason), counted[0])
    return f"{word} {count}/{row.n}"


def _slow(row: EndpointRow, latency: str, ratio: str) -> str:
    """`slow 8x`; `slow TPOT 3.5x` where that is not the latency that the row shows."""
    return f"slow {ratio}" if latency == row.metric.label else f"slow {latency} {ratio}"


class Groups:
    """Which group each endpoint belongs to. That is worked out once for a profile."""

    def __init__(self) -> None:
        self._endpoints: Sequence[Endpoint] = ()
        self._names: dict[Grouping, dict[str, str]] = {}

    def rows(
        self, rows: Sequence[EndpointRow], endpoints: Sequence[Endpoint], query: Query
    ) -> tuple[EndpointRow | GroupRow, ...]:
        """The lines of the table: the rows in their order, each group together below its summary, or the summary alone
        where it is folded. The groups come in the order of their first rows."""
        if query.group is Grouping.NONE:
            return tuple(rows)
        if endpoints is not self._endpoints:
            self._endpoints, self._names = endpoints, {}
        if query.group not in self._names:
            self._names[query.group] = group_names(endpoints, query.group)
        names = self._names[query.group]
        groups: dict[str, list[EndpointRow]] = {}
        for row in rows:
            groups.setdefault(names[row.name], []).append(row)
        lines: list[EndpointRow | GroupRow] = []
        for name, members in groups.items():
            is_folded = name in query.folded
            lines.append(_summary(name, members, query.metric, is_folded=is_folded))
            if not is_folded:
                lines += members
        return tuple(lines)


def group_names(endpoints: Sequence[Endpoint], grouping: Grouping) -> dict[str, str]:
    """The group of each endpoint, by its name: `us gateway`, `anthropic`; `no tag` where it has none. One with several
    tags belongs to its first."""
    if grouping is Grouping.TAG:
        named = {each.name: next(iter(each.tags), "") for each in endpoints}
    elif grouping is Grouping.GATEWAY:
        gateways = gateway_names(endpoints)
        named = {each.name: gateways[gateway_of(each)] for each in endpoints}
    else:
        named = {each.name: str(getattr(attributes_of(each, 0), grouping)) for each in endpoints}
    return {endpoint: name or f"no {grouping}" for endpoint, name in named.items()}


def _summary(name: str, members: Sequence[EndpointRow], metric: Metric, *, is_folded: bool) -> GroupRow:
    states = Counter(row.state for row in members)
    metrics = {row.metric for row in members}
    compared = next(iter(metrics)) if len(metrics) == 1 else metric
    medians = [row.p50.value_ns for row in members if row.metric is compared and row.p50.value_ns is not None]
    return GroupRow(
        name=name,
        states=tuple((state, states[state]) for state in _IN_SUMMARY if states[state]),
        p50_ns=(min(medians), max(medians)) if medians else None,
        is_folded=is_folded,
        members=tuple(row.name for row in members),
    )


def unknown(view: View) -> View:
    """The picture while measuring has stopped, with no state known."""
    count = sum(number for _, number in view.header.states)
    return replace(
        view,
        header=replace(view.header, states=((State.UNKNOWN, count),) if count else ()),
        endpoints=tuple(replace(row, state=State.UNKNOWN) for row in view.endpoints),
        rows=tuple(map(_unknown_line, view.rows)),
        sentence="",
    )


def _unknown_line(line: EndpointRow | GroupRow) -> EndpointRow | GroupRow:
    if isinstance(line, EndpointRow):
        return replace(line, state=State.UNKNOWN)
    return replace(line, states=((State.UNKNOWN, len(line.members)),))


def note_of(last: Request | Ping) -> str:
    """What is worth knowing of a result."""
    if last.outcome is not Outcome.OK:
        return last.reason
    return "; ".join(f"{finding.name}: {finding.evidence}" for finding in last.findings)


def held_note(hold: tuple[int, str] | None, note: str) -> str:
    """For how long an endpoint is left alone, and what is worth knowing of the latest result."""
    held = "" if hold is None else f"held {countdown(hold[0])} {hold[1]}"
    return "; ".join(part for part in (held, note) if part)
