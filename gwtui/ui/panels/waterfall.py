"""Where the time of a request went: a line per phase, each beginning where the one before it ended."""

from __future__ import annotations

from typing import NamedTuple

from gwtui.model.enums import Outcome
from gwtui.model.metrics import Metric, times_of
from gwtui.model.records import Request
from gwtui.text import units
from gwtui.ui.text_layout import Line, Span, fit

LABEL, VALUE = 16, 10
WIDEST = 64
"""The longest bar; a longer one would only be further to look."""


class Phase(NamedTuple):
    name: str
    value_ns: int
    """The text of a phase: its duration, or after the request was sent the time since then."""
    start_ns: int
    end_ns: int
    style: str


def phases(request: Request) -> list[Phase]:
    """What happened, in order, on one time axis that begins with the probe's first step. A step without a length, as
    sending a request in one write, is left out."""
    done: list[Phase] = []
    sent = 0
    steps = request.phases
    named = (("DNS", steps.dns_ns), ("connect", steps.connect_ns), ("TLS", steps.tls_ns), ("send", steps.send_ns))
    for name, took in named:
        if took:
            done.append(Phase(name, took, sent, sent + took, "muted"))
            sent += took
    last = sent
    for metric, since in times_of(request):
        done.append(Phase(metric.about.words, since, last, max(last, sent + since), _style(metric, request)))
        last = max(last, sent + since)
    return done


def _style(metric: Metric, request: Request) -> str:
    if metric is Metric.E2E:
        return "good" if request.outcome is Outcome.OK else "bad"
    return "p50" if metric is Metric.TTFB else "p95"


def waterfall(request: Request, width: int) -> list[Line]:
    """A line per phase: its name, its time, and where there is room its bar."""
    drawn = phases(request)
    whole = max((phase.end_ns for phase in drawn), default=0)
    room = min(WIDEST, width - LABEL - VALUE - 2)
    return [
        (
            Span(fit(phase.name, LABEL), "muted"),
            Span(fit(units.duration(phase.value_ns), VALUE)),
            Span("  "),
            *(_bar(phase, whole, room) if room >= 12 and whole else ()),
        )
        for phase in drawn
    ]


def _bar(phase: Phase, whole_ns: int, width: int) -> Line:
    """The phase's place in the whole, in half cells; however short, it is seen."""
    start = min(phase.start_ns * 2 * width // whole_ns, 2 * width - 1)
    end = max(start + 1, round(phase.end_ns * 2 * width / whole_ns))
    text = "".join(
        {(False, False): " ", (True, False): "╸", (False, True): "╺", (True, True): "━"}[
            start <= half < end, start <= half + 1 < end
        ]
        for half in range(0, 2 * width, 2)
    )
    return (Span(text, phase.style),)
