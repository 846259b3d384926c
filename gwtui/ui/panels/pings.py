"""The pings of one WebSocket: round trips now and in the window, loss, and redials."""

from __future__ import annotations

from functools import partial

from gwtui.model.enums import Outcome
from gwtui.model.view import PingView, Quantile, View
from gwtui.text import units
from gwtui.ui.charts import bars
from gwtui.ui.panel import BorderOption, Panel, window_options
from gwtui.ui.plot import Curve, Plot, draw_plot
from gwtui.ui.text_layout import Line, Span, centred, flow, printable, sheet

TALL = 14
"""Rows from which on a chart with axes tells more than bars."""


def draw(view: View, width: int, height: int) -> list[Line]:
    """Figures above; below them the round trips with the lost pings among them, over axes where there is room."""
    ping = view.ping
    if ping is None:
        return centred([(Span("No WebSocket in this profile", "muted"),)], width, height)
    figures = [*flow(_round_trips(ping), width, 3), *flow(_losses(ping), width, 3)]
    if ping.last_close:
        figures.append((Span("last close ", "muted"), Span(printable(ping.last_close), "warn")))
    room = height - len(figures)
    if room >= TALL:
        return sheet([*figures, (), *_chart(view, ping, width, room - 1)], width, height)
    if room >= 3:
        figures.append(())
        room -= 1
    chart = bars(ping.sparkline, width, min(room, 8)) if room > 0 else []
    return sheet([*figures, *chart], width, height)


def _chart(view: View, ping: PingView, width: int, height: int) -> list[Line]:
    plot = Plot(
        start_ns=ping.start_ns,
        end_ns=ping.end_ns,
        end_at=view.header.at - (view.now_ns - ping.end_ns) / 1e9,
        curve=Curve("p50", ping.p50s),
        dots=ping.dots,
        end="" if view.header.behind_ns else "now",
    )
    return draw_plot(plot, width, height, partial(units.clock, utc=view.query.utc))


def _round_trips(ping: PingView) -> list[Line]:
    last = ping.last
    if last is None:
        now = Span("-", "faint")
    elif last.outcome is Outcome.OK:
        now = Span(units.duration(last.rtt_ns), "header")
    else:
        now = Span(f"✖ {last.verdict}", "bad")
    return [
        (Span("rtt ", "muted"), now),
        *([(Span(_waiting_text(*ping.waiting), "warn"),)] if ping.waiting is not None else []),
        _quantile("p50", ping.p50),
        _quantile("p95", ping.p95),
        _quantile("p99", ping.p99),
        (Span("jitter ", "muted"), Span(units.short(ping.jitter_ns), "faint" if ping.jitter_ns is None else "text")),
    ]


def _waiting_text(number: int, waits_ns: int) -> str:
    """In whole seconds that are over."""
    return f"waiting {waits_ns // 1_000_000_000} s for #{number}"


def _quantile(name: str, quantile: Quantile) -> Line:
    style = "faint" if quantile.value_ns is None else "text"
    return (Span(f"{name} ", "muted"), Span(units.quantile(quantile.value_ns, quantile.n), style))


def _losses(ping: PingView) -> list[Line]:
    loss = units.share(ping.lost / ping.sent) + "%" if ping.sent else "-"
    lost = f"{loss} ({units.count(ping.lost)} of {units.count(ping.sent)})" if ping.lost else loss
    return [
        (Span("loss ", "muted"), Span(lost, "bad" if ping.lost else "text")),
        (Span("redials ", "muted"), Span(units.count(ping.redials), "warn" if ping.redials else "text")),
        (Span("n ", "muted"), Span(units.count(ping.sent))),
    ]


class PingsPanel(Panel):
    NUMBER = 4
    FADES = True

    def title(self, view: View) -> str:
        return "Ping" if view.ping is None else f"Ping · {view.ping.endpoint}"

    def options(self, view: View) -> tuple[BorderOption, ...]:
        return window_options(view.query.window) if view.ping is not None else ()

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(view, width, height)
