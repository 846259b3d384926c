"""What is known of the WebSocket of one endpoint beside its round trips: jitter, redials, why it was closed."""

from __future__ import annotations

from functools import partial

from gwtui.model.enums import Outcome
from gwtui.model.metrics import Metric
from gwtui.model.query import Window
from gwtui.model.records import Ping
from gwtui.model.view import PingView
from gwtui.monitor.latency_chart import LatencyChart
from gwtui.monitor.series import Changes, Counted, EndpointFigures, quantiles
from gwtui.stats.accuracy import sure

CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no status received",
    1006: "abnormal closure",
    1007: "invalid payload",
    1008: "policy violation",
    1009: "message too big",
    1010: "extension missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
    1015: "TLS handshake failed",
}
"""RFC 6455 7.4.1, and those registered with IANA since."""


def close_text(code: int, reason: str) -> str:
    """`1001 going away: server restarts`."""
    name = CLOSE_CODES.get(code)
    if name is None:
        name = "registered" if 3000 <= code <= 3999 else "private use" if 4000 <= code <= 4999 else "unknown"
    return f"{code} {name}: {reason}" if reason else f"{code} {name}"


class PingStats:
    """Follows the pings of one endpoint. All that is counted goes into its figures."""

    def __init__(self, figures: EndpointFigures) -> None:
        self._figures = figures
        self._last_rtt_ns: int | None = None
        self._connections: dict[str, int] = {}
        """Which one the newest ping to an address went over."""
        self._last_close = Changes("")

    def add(self, ping: Ping) -> None:
        """Take the next ping that counts."""
        if ping.connection > 1 and self._connections.get(ping.address) != ping.connection:
            self._figures.add(ping.now_ns, Counted.REDIALS)
        self._connections[ping.address] = ping.connection
        if ping.close_code is not None:
            self._last_close.set(ping.now_ns, close_text(ping.close_code, ping.close_reason))
        rtt_ns = sure(ping, Metric.RTT)
        if ping.outcome is Outcome.OK and rtt_ns is not None:
            if self._last_rtt_ns is not None:
                self._figures.add(ping.now_ns, Counted.JITTER, abs(rtt_ns - self._last_rtt_ns))
            self._last_rtt_ns = rtt_ns

    def view(
        self, endpoint: str, last: Ping | None, chart: LatencyChart, window: Window, at_ns: int, columns: int
    ) -> PingView:
        """The panel of a moment. `last`: the newest ping that had ended."""
        figures, lines = self._figures, chart.lines(Metric.RTT, window, at_ns, columns)
        p50, p95, p99 = quantiles(figures.histogram(Metric.RTT, window, at_ns), (0.5, 0.95, 0.99))
        lost = figures.count(Counted.FAILED, window, at_ns)
        jitter = figures.histogram(Counted.JITTER, window, at_ns).mean
        return PingView(
            endpoint=endpoint,
            window=window,
            last=last,
            p50=p50,
            p95=p95,
            p99=p99,
            sent=figures.count(Counted.GOOD, window, at_ns) + lost,
            lost=lost,
            jitter_ns=None if jitter is None else round(jitter),
            redials=figures.count(Counted.REDIALS, Window.ALL, at_ns),
            last_close=self._last_close.at(at_ns),
            sparkline=figures.sparkline(Metric.RTT, window, at_ns, columns, partial(figures.cells, Metric.RTT)),
            start_ns=lines.start_ns,
            end_ns=lines.end_ns,
            dots=lines.dots,
            p50s=lines.p50s,
        )
