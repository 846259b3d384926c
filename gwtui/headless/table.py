"""A session as a table that grows downwards: a column per endpoint, a line per interval, events in between."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from math import inf

from gwtui.headless.incident_lines import IncidentLines
from gwtui.model.enums import BAD, State
from gwtui.model.judged import LogEntry
from gwtui.model.records import FeedEnded, FeedSilent, Record, SessionStarted
from gwtui.model.view import EndpointRow, View
from gwtui.report import Styler, plain, summary
from gwtui.report.lines import toned
from gwtui.text import units
from gwtui.text.sanitize import MAX_PATH, clean
from gwtui.text.tables import Row, TextColumn, cut, line

HEADING_EVERY = 20
"""Lines between two headings: one is always near, in a log and in a terminal."""
NARROWEST, WIDEST = 10, 20
"""What an endpoint's column may be wide. The narrowest still holds `▲ degraded`."""
_FIXED = (TextColumn(9), TextColumn(8, right=True), TextColumn(6, right=True), TextColumn(11))
_FIXED_WIDTH = len(line(("",) * len(_FIXED), _FIXED))


class TextLines:
    """`write` takes a line without its end; no line is wider than `width` unless a text within it is."""

    def __init__(self, write: Callable[[str], object], width: int, styled: Styler = plain) -> None:
        self._write = write
        self._width = width
        self._styled = styled
        self._headed: tuple[str, ...] = ()
        self._lines = 0
        self._banner = ""
        self._incidents = IncidentLines(styled)

    def record(self, record: Record) -> None:
        self._each(self._incidents.follow(record))
        match record:
            case SessionStarted():
                self._write(_opening(record))
            case LogEntry() if record.is_news and record.kind not in ("incident", "finding"):
                self._write(f"{units.clock(record.at)}Z  {self._entry(record)}")
            case FeedSilent():
                self._write(f"! engine silent for {units.elapsed(record.silent_ns)}: nothing is measured")
            case FeedEnded(failed=True):
                self._write(f"! {record.text}\n{record.detail}".rstrip())

    def interval(self, view: View) -> None:
        self.events(view)
        columns = fitting(view.endpoints, self._width - _FIXED_WIDTH)
        self._head(view, columns)
        header = view.header
        counts = (f"{units.clock(header.at)}Z", units.count(header.requests), units.count(header.failed))
        cells = [toned(_cell(row, width), row.state, self._styled) for row, width in columns]
        # One without a column is named all the same when it is not well.
        hidden = [row for row in view.endpoints[len(columns) :] if row.state in BAD]
        named = [toned(f"{row.state.mark} {row.name}", row.state, self._styled) for row in hidden]
        self._line((*counts, _by_mark(header.states), *cells, *named), columns)
        self.trouble(view)

    def events(self, view: View) -> None:
        """Print what was held back until it was clear."""
        self._each(self._incidents.due(view.header.at))

    def trouble(self, view: View) -> None:
        """Print trouble of our own when it begins and when it is over."""
        if view.header.banner != self._banner:
            self._write(f"! {view.header.banner or f'over: {self._banner}'}")
            self._banner = view.header.banner

    def end(self, view: View) -> None:
        self._each(self._incidents.due(inf))
        self._write(f"\n{summary(view, self._styled)}")

    def _each(self, lines: Iterable[str]) -> None:
        for each in lines:
            self._write(each)

    def _head(self, view: View, columns: list[tuple[EndpointRow, int]]) -> None:
        """The headings, when they are due or others than before."""
        names = tuple(cut(row.name, width) for row, width in columns)
        hidden = len(view.endpoints) - len(columns)
        if names == self._headed and self._lines < HEADING_EVERY:
            self._lines += 1
            return
        self._headed, self._lines = names, 1
        more = (f"+{hidden}",) if hidden else ()
        self._line(("", "requests", "failed", "states", *names, *more), columns)
        self._line(("UTC", "", "", "", *(row.metric.label for row, _ in columns)), columns)

    def _line(self, row: Row, columns: list[tuple[EndpointRow, int]]) -> None:
        """A column for each endpoint that has one; whatever else the row holds stands behind them."""
        laid_out = [*_FIXED, *(TextColumn(width, right=True) for _, width in columns)]
        laid_out += [TextColumn()] * (len(row) - len(laid_out) + 1)
        self._write(line((*row, ""), laid_out).rstrip())

    def _entry(self, entry: LogEntry) -> str:
        """`✖ gateway down: 5 truncated in a row (trace 4bf92f)`."""
        trace = f"  (trace {entry.trace_id})" if entry.trace_id else ""
        if entry.state is None:
            who = f"{entry.endpoint}: " if entry.endpoint else ""
            return f"◆ {who}{entry.text}{trace}"
        what = self._styled(f"{entry.state.mark} {entry.endpoint} {entry.state}", entry.state)
        return f"{what}: {entry.text}{trace}" if entry.text else what + trace


_SIGNS = re.compile(r"[●▲✖✔◆■◐○◌·╳≈] ?")
"""What words say as well: a screen reader would read out names such as `heavy multiplication x`."""


class SpokenLines:
    """Prints only what changes, for a screen reader: events as they come, and what is wrong when that is different."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._lines = TextLines(self._say, WIDEST)
        self._told: object = None

    def record(self, record: Record) -> None:
        self._lines.record(record)

    def interval(self, view: View) -> None:
        self._lines.events(view)
        self._lines.trouble(view)
        # The sentence says how long it has been wrong, so it is another one each second.
        state = [(each.number, each.cause, each.scope, each.severity, each.members) for each in view.open_incidents]
        if (told := (state, view.header.states)) != self._told:
            self._told = told
            self._say(f"{units.clock(view.header.at)}Z  {view.sentence or _calm(view)}")

    def end(self, view: View) -> None:
        self._lines.end(view)

    def _say(self, line: str) -> None:
        self._write(_SIGNS.sub("", line))


def _calm(view: View) -> str:
    """That nothing is wrong, and how many endpoints are in which state."""
    counts = ", ".join(f"{units.count(count)} {state}" for state, count in view.header.states)
    return f"No incident is open: {counts}." if counts else "No endpoint was probed yet."


def fitting(rows: tuple[EndpointRow, ...], width: int) -> list[tuple[EndpointRow, int]]:
    """The endpoints that get a column, and how wide it is. Long names are cut before an endpoint is left out."""
    room = max(width, NARROWEST + 2)
    for widest in range(WIDEST, NARROWEST - 1, -1):
        widths = [min(max(len(row.name), NARROWEST), widest) for row in rows]
        if sum(widths) + 2 * len(widths) <= room:
            return list(zip(rows, widths, strict=True))
    reserved = len(f"  +{len(rows)}")
    return [(row, NARROWEST) for row in rows[: max((room - reserved) // (NARROWEST + 2), 1)]]


def _opening(session: SessionStarted) -> str:
    profile = session.profile
    endpoints = units.many(len(profile.endpoints), "endpoint")
    way = " through the environment's proxies" if profile.use_proxies else ""
    lines = [
        f"Watching {profile.name}: {endpoints}{way}. Medians of the last 2 min in ms; -(n): n results are too few."
    ]
    return "\n".join([*lines, f"Rows: {clean(session.session_dir, MAX_PATH)}"] if session.session_dir else lines)


def _by_mark(states: tuple[tuple[State, int], ...]) -> str:
    """`●5 ▲2`: two states share a mark, and the columns tell them apart."""
    counts = Counter[str]()
    for state, count in states:
        counts[state.mark] += count
    return " ".join(f"{mark}{count}" for mark, count in counts.items())


def _cell(row: EndpointRow, width: int) -> str:
    """As much as there is room for: a figure for what is up, the state in words for what is not."""
    figure = units.quantile(row.p50.value_ns, row.p50.n)
    if row.state is State.UP:
        return figure
    state = f"{row.state.mark} {row.state}"
    more = {State.DOWN: row.verdict, State.SLOW: figure, State.DEGRADED: figure}.get(row.state, "")
    full = f"{state} {more}".rstrip()
    return full if len(full) <= width else state
