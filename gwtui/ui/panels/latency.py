"""Percentiles of one latency over the window, as lines over time and as figures with their n."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.model.query import Window
from gwtui.model.view import LatencyView, View
from gwtui.text import units
from gwtui.ui.charts import LABEL, ChartSeries, line_chart
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import Panel
from gwtui.ui.text_layout import Line, Span, centred, flow, sheet

LINES = ("p50", "p95", "p99")


def draw(view: View, width: int, height: int) -> list[Line]:
    """The chart, and the figures under it; where there is no room for both, the figures."""
    latency = view.latency
    if latency is None:
        return centred([(Span("Nothing measured yet", "muted"),)], width, height)
    figures = flow(_figures(latency), width)
    room = height - len(figures)
    chart = _chart(latency, width, room) if room >= 4 else []
    return sheet([*chart, *figures], width, height)


def _chart(latency: LatencyView, width: int, height: int) -> list[Line]:
    points = latency.points
    series = (
        ChartSeries("p99", "p99", tuple(point.p99_ns for point in points)),
        ChartSeries("p95", "p95", tuple(point.p95_ns for point in points)),
        ChartSeries("p50", "p50", tuple(point.p50_ns for point in points)),
    )
    start = "start" if latency.window is Window.ALL else f"-{latency.window}"
    failed = [point.failed for point in points]
    chart = line_chart(series, failed, (f"{start} ", "now"), (width, height))
    if latency.n == 0 and chart:
        text = f"no {latency.metric.label} in this window"
        axis: Line = (Span(" " * LABEL), Span("│", "axis"))
        chart[height // 2] = (*axis, *centred([(Span(text, "muted"),)], width - LABEL - 1, 1)[0])
    return chart


def _figures(latency: LatencyView) -> list[Line]:
    items: list[Line] = []
    for name, quantile in latency.figures:
        known = quantile.value_ns is not None
        text = units.quantile(quantile.value_ns, quantile.n)
        items.append((Span(f"{name} ", name if name in LINES else "muted"), Span(text, "text" if known else "faint")))
    items.append((Span("n ", "muted"), Span(units.count(latency.n))))
    if latency.failed:
        items.append((Span("failed ", "muted"), Span(units.count(latency.failed), "bad")))
    if latency.tainted:
        items.append((Span("tainted ", "muted"), Span(units.count(latency.tainted), "warn")))
    return items


class LatencyPanel(Panel):
    """A click asks for the next metric, the wheel for another window."""

    NUMBER = 3
    FADES = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("latency")]

    class MetricChosen(Message):
        """The next metric (1) or the one before (-1) is wanted."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class WindowChosen(Message):
        """The next longer window (1) or the next shorter one (-1) is wanted."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def title(self, view: View) -> str:
        latency = view.latency
        if latency is None:
            return "Latency"
        return f"Latency · {latency.metric.label} · {latency.endpoint} · {latency.window}"

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(view, width, height)

    def action_metric(self, step: int) -> None:
        self.post_message(self.MetricChosen(step))

    def action_window(self, step: int) -> None:
        self.post_message(self.WindowChosen(step))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_window(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_window(-1)

    def on_click(self, event: events.Click) -> None:
        if event.get_content_offset(self) is not None:
            self.action_metric(1)
