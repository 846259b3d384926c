"""The summary of a session that is printed to the shell."""

from __future__ import annotations

from gwtui.health.sentence import worst_first
from gwtui.model.enums import Outcome
from gwtui.model.query import Window
from gwtui.model.verdicts import GOOD
from gwtui.model.view import Counts, EndpointRow, FindingCounts, View
from gwtui.report.incidents import incident_lines
from gwtui.report.lines import Styler, plain, toned
from gwtui.text import units
from gwtui.text.tables import Row, TextColumn, table

_FIGURES = ("avg", "p50", "p95", "p99", "total")
_HEADINGS = ("", "endpoint", "state", "", *_FIGURES, "n", "fail%", "verdicts")
_COLUMNS = (
    TextColumn(1),
    TextColumn(8, gap=" "),
    TextColumn(8),
    TextColumn(4),
    *[TextColumn(7, right=True, gap=" ")] * (len(_FIGURES) + 1),
    TextColumn(6, right=True, gap=" "),
    TextColumn(),
)


MOST = 8
"""The number of incidents in a summary."""


def summary(view: View, styled: Styler = plain) -> str:
    """A line per endpoint over the view's window, the incidents of the session, and where the rows are."""
    header, window = view.header, view.query.window
    states = "  ".join(styled(f"{state.mark} {count} {state}", state) for state, count in header.states)
    lines = [
        f"gwtui {header.profile}  {units.elapsed(header.elapsed_ns)}  {units.many(header.requests, 'request')}, "
        f"{units.count(header.failed)} failed  {states}".rstrip()
    ]
    if view.endpoints:
        lines += table([_HEADINGS, *(_row(row, styled) for row in view.endpoints)], _COLUMNS)
        over = "the whole session" if window is Window.ALL else f"the last {window}"
        lines.append(f"  Times in ms over {over}; -(n): n results are too few for that percentile.")
    lines += _incidents(view, styled)
    if header.unwritten:
        lines.append(styled(f"rows: not written: {header.unwritten}", Outcome.FAILED))
    elif header.session_dir:
        lines.append(f"rows: {header.session_dir}")
    if header.banner:
        lines.append(styled(f"! {header.banner}", Outcome.FAILED))
    return "\n".join(lines)


def _incidents(view: View, styled: Styler) -> list[str]:
    """Open ones first and the worst first; of many the first ones."""
    incidents = worst_first(view.incidents)
    if not incidents:
        return []
    lines = ["incidents:", *incident_lines(incidents[:MOST], view.header.at, view.fleet, styled)]
    more = len(incidents) - MOST
    return [*lines, f"and {more} more: gwtui incidents lists all"] if more > 0 else lines


def _row(row: EndpointRow, styled: Styler) -> Row:
    return (
        toned(row.state.mark, row.state, styled),
        row.name,
        toned(row.state.value, row.state, styled),
        row.metric.label,
        units.short(row.mean_ns),
        *(units.quantile(each.value_ns, each.n) for each in (row.p50, row.p95, row.p99)),
        units.short(row.total_ns),
        units.count(row.n),
        units.share(row.fail_share),
        _results(row),
    )


def _results(row: EndpointRow) -> str:
    """How often each verdict came, with what must not be overlooked about the endpoint."""
    run = f"the last {row.verdict_run} {row.verdict}" if row.verdict_run > 1 and row.verdict not in GOOD else ""
    told = (
        _counted(row.verdicts),
        f"cost {units.dollars(row.cost_usd)}" if row.cost_usd is not None else "",
        run if len(row.verdicts) > 1 else "",
        f"found {_counted(row.findings)}" if row.findings else "",
        f"{units.many(row.missed, 'tick')} missed" if row.missed else "",
        "TLS not verified" if row.insecure else "",
    )
    return "; ".join(part for part in told if part)


def _counted(counts: Counts | FindingCounts) -> str:
    return ", ".join(f"{word} {units.count(count)}" for word, count in counts)
