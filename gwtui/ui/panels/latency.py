"""One latency over the window: a dot per request, its rolling median, and figures with their n."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.model.metrics import Metric
from gwtui.model.view import LatencyView, View
from gwtui.text import units
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import BorderOption, Panel, parted, window_options
from gwtui.ui.plot import LABEL, LINEAR, ChartLook, Curve, Level, Plot, draw_plot
from gwtui.ui.text_layout import Line, Span, centred, flow, sheet

LINES = ("p50", "p90")
LEAST = 3
"""Lines from which on there is a chart."""
KEY_FIGURES = ("p50", "p90", "p99", "max")
"""Those that stay where there is little room."""


def draw(view: View, width: int, height: int, look: ChartLook = LINEAR) -> list[Line]:
    """The chart, and the figures under it: as many as leave the chart its room, or all where the chart has no room."""
    latency = view.latency
    if latency is None:
        return centred([(Span("Nothing measured yet", "muted"),)], width, height)
    figures = flow(_figures(latency), width)
    if len(figures) > max(1, (height - LEAST) // 2) and height > LEAST:
        figures = flow(_figures(latency, KEY_FIGURES), width)[:1]
    room = height - len(figures)
    chart = _chart(view, latency, width, room, look) if room >= LEAST else []
    return sheet([*chart, *figures], width, height)


def _chart(view: View, latency: LatencyView, width: int, height: int, look: ChartLook) -> list[Line]:
    chart = draw_plot(_plot(view, latency), width, height, partial(units.clock, utc=view.query.utc), look)
    if not latency.dots and latency.n == 0 and chart:
        text = f"no {latency.metric.label} in this window"
        if latency.tainted:
            text = f"no {latency.metric.label} that counts in this window: gwtui was late"
        axis: Line = (Span(" " * LABEL), Span("│", "axis"))
        chart[height // 2] = (*axis, *centred([(Span(text, "muted"),)], width - LABEL - 1, 1)[0])
    return chart


def _plot(view: View, latency: LatencyView) -> Plot:
    levels = (("limit", "slow", latency.limit_ns), ("usual", "faint", latency.usual_ns))
    return Plot(
        start_ns=latency.start_ns,
        end_ns=latency.end_ns,
        end_at=view.header.at - (view.now_ns - latency.end_ns) / 1e9,
        curve=Curve("p50", latency.p50s),
        band=Curve("p90", latency.p90s),
        dots=latency.dots,
        levels=[Level(name, style, value) for name, style, value in levels if value is not None],
        limit_ns=latency.limit_ns,
        spans=latency.spans,
        end="" if view.header.behind_ns else "now",
    )


def _figures(latency: LatencyView, names: tuple[str, ...] = ()) -> list[Line]:
    """The percentiles, or those of them; then what they are of."""
    items: list[Line] = []
    for name, quantile in latency.figures:
        if names and name not in names:
            continue
        known = quantile.value_ns is not None
        text = units.quantile(quantile.value_ns, quantile.n)
        items.append((Span(f"{name} ", name if name in LINES else "muted"), Span(text, "text" if known else "faint")))
    items.append((Span("n ", "muted"), Span(units.count(latency.n))))
    if latency.metric is Metric.ICL:  # of which a stream has many: the figures are of all, the chart has a dot each
        items[-1] = (*items[-1], Span(" gaps", "muted"))
        items.append((Span("chart ", "muted"), Span("mean per request")))
    if latency.failed:
        items.append((Span("failed ", "muted"), Span(units.count(latency.failed), "bad")))
    if latency.tainted:
        items.append((Span("tainted ", "muted"), Span(units.count(latency.tainted), "warn")))
    if latency.usual_ns is not None:
        items.append((Span("usual ", "muted"), Span(units.short(latency.usual_ns))))
    if latency.limit_ns is not None:
        items.append((Span("limit ", "muted"), Span(units.short(latency.limit_ns))))
    return items


class LatencyPanel(Panel):
    """A click asks for the next metric, the wheel for another window."""

    NUMBER = 3
    FADES = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("latency")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._is_log = False

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
        return f"Latency · {latency.endpoint}"

    def options(self, view: View) -> tuple[BorderOption, ...]:
        metric = view.latency.metric if view.latency is not None else view.query.metric
        scale = BorderOption("log" if self._is_log else "linear", "log_scale")
        return (*parted(BorderOption(metric.label, "metric(1)")), *window_options(view.query.window), *parted(scale))

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        mixes = self.background_colors[1].ansi is None and not self.app.no_color
        return draw(view, width, height, ChartLook(self._is_log, mixes))

    def toggle_scale(self) -> None:
        """A logarithmic axis, or again a linear one that begins at 0."""
        self._is_log = not self._is_log
        self.redraw()

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
