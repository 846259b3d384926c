"""What a session leaves in the shell."""

from __future__ import annotations

from gwtui.model.enums import Outcome
from gwtui.model.verdicts import GOOD
from gwtui.model.view import Counts, EndpointRow, View, Window
from gwtui.report.lines import Paint, plain
from gwtui.text import units

_FIGURES = ("p50", "p95", "p99")


def summary(view: View, paint: Paint = plain) -> str:
    """A line per endpoint over the view's window, and where the rows are."""
    header, window = view.header, view.query.window
    states = "  ".join(paint(f"{state.mark} {count} {state}", state) for state, count in header.states)
    lines = [
        f"gwtui {header.profile}  {units.elapsed(header.elapsed_ns)}  {units.count(header.requests)} requests, "
        f"{units.count(header.failed)} failed  {states}".rstrip()
    ]
    if view.endpoints:
        width = max(8, *(len(row.name) for row in view.endpoints))
        figures = "".join(f" {heading:>7}" for heading in _FIGURES)
        lines.append(f"  {'endpoint':<{width}}  {'state':<8}  {'':<4}{figures} {'n':>7} {'fail%':>6}  verdicts")
        lines += [_row(row, width, paint) for row in view.endpoints]
        over = "the whole session" if window is Window.ALL else f"the last {window}"
        lines.append(f"  Figures in ms over {over}; -(n): n is too few for that percentile.")
    if header.unwritten:
        lines.append(paint(f"rows: none is written: {header.unwritten}", Outcome.FAILED))
    elif header.session_dir:
        lines.append(f"rows: {header.session_dir}")
    if header.banner:
        lines.append(paint(f"! {header.banner}", Outcome.FAILED))
    return "\n".join(lines)


def _row(row: EndpointRow, width: int, paint: Paint) -> str:
    quantiles = (row.p50, row.p95, row.p99)
    figures = "".join(f" {units.quantile(each.value_ns, each.n):>7}" for each in quantiles)
    mark, state = paint(row.state.mark, row.state), paint(f"{row.state:<8}", row.state)
    return (
        f"{mark} {row.name:<{width}}  {state}  {row.metric.label:<4}{figures} {units.count(row.n):>7} "
        f"{units.share(row.fail_share):>6}  {_results(row)}".rstrip()
    )


def _results(row: EndpointRow) -> str:
    """How often each verdict came, with what must not be overlooked about the endpoint."""
    run = f"the last {row.verdict_run} {row.verdict}" if row.verdict_run > 1 and row.verdict not in GOOD else ""
    told = (
        _counted(row.verdicts),
        run if len(row.verdicts) > 1 else "",
        f"found {_counted(row.findings)}" if row.findings else "",
        f"{units.count(row.missed)} {'tick' if row.missed == 1 else 'ticks'} missed" if row.missed else "",
        "TLS not verified" if row.insecure else "",
    )
    return "; ".join(part for part in told if part)


def _counted(counts: Counts) -> str:
    return ", ".join(f"{word} {units.count(count)}" for word, count in counts)
