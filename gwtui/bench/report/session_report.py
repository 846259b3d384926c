"""The report of a bench session: what was done where, what came of each point, and what happened in each second.

It is made from the rows alone, so that a benchmark that was killed has one too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec

from gwtui.bench.report import breakdown, table
from gwtui.bench.report.output import endpoint_told
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.results.rates import COUNTED, begin_ns, end_ns
from gwtui.bench.session.bench_recording import BenchRecording
from gwtui.bench.session.resume import Stretches
from gwtui.bench.session.run_file import Point, RunFile
from gwtui.bench.work.plan import Plan
from gwtui.codec.cells import wall_time
from gwtui.model.enums import Outcome
from gwtui.model.metrics import HEADLINES, Metric
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request
from gwtui.recorder.session_reader import UnreadRows
from gwtui.stats.accuracy import sure
from gwtui.stats.per_second import SECOND_NS, LoadStep, PerSecond
from gwtui.text import units
from gwtui.text.tables import TextStyle

HEADINGS = (
    *("point", "requests", "failed", "completed/s", "in flight"),
    *(heading for metric in HEADLINES for heading in (f"{metric.label} p50", "p95")),
    "tokens/s",
)
UNFINISHED = "it did not come to its end: killed, or still running"
Mask = Callable[[str], str]


@dataclass(slots=True)
class PointPart:
    """One point of the report."""

    point: Point
    measured: Measured
    seconds: PerSecond = field(default_factory=PerSecond)
    began_ns: int | None = None
    """The second in which its first request began, in ns since the start of the session."""
    _steps: list[LoadStep] | None = None

    @property
    def main(self) -> Metric:
        """The latency that its series are of."""
        return next(each for each in HEADLINES if each in self.measured.metrics)

    @property
    def steps(self) -> list[LoadStep]:
        """Second by second, from its first request on."""
        if self._steps is None:
            first = 0 if self.began_ns is None else self.began_ns // SECOND_NS
            self._steps = self.seconds.steps()[first:]
        return self._steps

    def take(self, result: Request | Ping) -> None:
        began_ns, ended_ns = begin_ns(result), end_ns(result)
        self.began_ns = began_ns if self.began_ns is None else min(self.began_ns, began_ns)
        self.seconds.flight(began_ns, ended_ns)
        if result.outcome in COUNTED:
            self.seconds.end(ended_ns, sure(result, self.main), failed=result.outcome is Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class BenchReport:
    """All that a report of a benchmark says."""

    run: RunFile
    points: Sequence[PointPart]
    seconds: float
    """How long it took, without the time between stretches."""
    ended: str
    """How it ended."""
    gates: Sequence[tuple[str, str, str]]
    """Those that were not passed: endpoint, gate, reason."""
    unread: str = ""
    mask: Mask = str

    @property
    def title(self) -> str:
        names = ", ".join(dict.fromkeys(each.point.endpoint for each in self.points))
        what = f"Plan {self.run.plan['name']}" if self.run.kind == "plan" else "Benchmark"
        return self.mask(f"{what} of {names or 'nothing'}")

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was done where, by what."""
        run, machine = self.run, self.run.machine
        resumed = f", resumed {', '.join(run.resumed_at)}" if run.resumed_at else ""
        prompts = run.prompts or {}
        told = [
            ("when", f"{run.started_at}{resumed}; took {units.duration(round(self.seconds * 1e9))}"),
            ("end", self.ended),
            ("kind", run.kind),
            ("machine", f"{machine.system} {machine.release}, {machine.architecture}, {machine.cpus} CPUs"),
            ("versions", f"gwtui {run.gwtui}, Python {machine.python}"),
            ("gates", "; ".join(run.gates)),
            ("not passed", "; ".join(f"{name}: {reason} ({gate})" for name, gate, reason in self.gates)),
            ("prompts", f"{prompts.get('prompts')} of {prompts.get('file')}, SHA-256 {prompts.get('sha256')}"),
            ("not read", self.unread),
        ]
        return [(label, self.mask(text)) for label, text in told if text and (label != "prompts" or prompts)]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """What each point was asked, and how."""
        return [(self.mask(each.point.name), self.mask(_asked(each.point))) for each in self.points]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """A row of `HEADINGS` for each point."""
        return [(self.mask(each.point.name), *_figures(each.measured)) for each in self.points]

    @property
    def text(self) -> str:
        """The tables that the benchmark printed."""
        measured = [each.measured for each in self.points]
        blocks = [
            table.latencies(measured, TextStyle()),
            table.rates(measured, TextStyle()),
            breakdown.goodput_lines(measured),
            [*table.details(measured, TextStyle()), *breakdown.exactness_lines(measured)],
            breakdown.summary_lines(measured),
        ]
        return self.mask("\n\n".join("\n".join(block) for block in blocks if block))


def bench_report(recording: BenchRecording, mask: Mask = str) -> BenchReport:
    """The report of a session, from its rows. `mask`: takes keys out of a text. Raises OSError."""
    unread = UnreadRows()
    parts = {each.name: PointPart(each, _nothing_of(each, recording)) for each in recording.run.points}
    stretches = Stretches([round((wall_time(at) - recording.started_at) * 1e9) for at in recording.run.resumed_at])
    takes_turns, before = recording.run.kind != "bench", ""
    for name, result in recording.results(unread):
        if (part := parts.get(name)) is None:
            continue
        if stretches.take(name, result) or (takes_turns and name != before):
            part.measured.flights.pause()  # a block begins: points of a plan are measured one at a time
        before = name
        part.measured.take(result)
        part.take(result)
    for missed in recording.misses(unread):
        if (part := parts.get(missed.point)) is not None:
            part.measured.miss(missed.reason)
            part.seconds.miss(missed.due_ns)
    summary = _summary(recording)
    return BenchReport(
        recording.run, list(parts.values()), stretches.seconds, _end(summary), _gates(summary), str(unread), mask
    )


def bench_report_json(report: BenchReport) -> str:
    """One object: `run.json`, and for each point its figures and its series per second."""
    told = {
        "run": report.run,
        "seconds": round(report.seconds, 3),
        "end": report.ended,
        "not_passed": [{"endpoint": name, "gate": gate, "reason": why} for name, gate, why in report.gates],
        "points": [
            {
                "point": each.point.name,
                **endpoint_told(each.measured),
                "latency_of_series": each.main.value,
                "series": [_step(step) for step in each.steps],
            }
            for each in report.points
        ],
        "unread": report.unread or None,
    }
    return report.mask(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())


def _step(step: LoadStep) -> dict[str, Any]:
    told = asdict(step)
    return {
        **{name: value for name, value in told.items() if not name.endswith("_ns")},
        "in_flight": round(step.in_flight, 3),
        "p50_ms": units.milliseconds(step.p50_ns),
        "p95_ms": units.milliseconds(step.p95_ns),
    }


def _nothing_of(point: Point, recording: BenchRecording) -> Measured:
    """What was measured of a point before it began, under its name."""
    known = recording.profile.endpoint(point.endpoint)
    endpoint = known or Endpoint(name=point.endpoint, api=point.api, url=point.url, stream=point.stream)
    found = empty([endpoint], from_planned=point.plan.rate is not None)[endpoint.name]
    return replace(found, endpoint=point.name)


def _asked(point: Point) -> str:
    model = f", model {point.model}" if point.model else ""
    tokens = f", at most {units.count(point.max_tokens)} tokens" if point.max_tokens is not None else ""
    return (
        f"{point.api} at {point.url}{model}{tokens}; {load_text(point.plan)}; SHA-256 of what is asked "
        f"{point.prompt_sha256[:12]}"
    )


def load_text(plan: Plan) -> str:
    """How a point was loaded."""
    number = f"{units.count(plan.requests)} requests" if plan.requests is not None else ""
    time = units.duration(round(plan.for_s * 1e9)) if plan.for_s is not None else ""
    much = " or ".join(filter(None, (number, time)))
    if plan.arrivals is not None:
        return f"{much}, open loop of {plan.arrivals}"
    if plan.rate is not None:
        return f"{much}, open loop of {plan.rate:g}/s"
    return f"{much}, {plan.concurrency} at a time"


def _figures(measured: Measured) -> list[str]:
    rates = measured.rates
    per_s = rates.per_s(rates.completed) if rates is not None else None
    shares = [(metric, q) for metric in HEADLINES for q in (0.5, 0.95)]
    tokens = measured.median_tokens_per_s
    return [
        units.count(measured.total),
        "-" if measured.fail_share is None else f"{units.share(measured.fail_share)} %",
        "-" if per_s is None else f"{per_s:.2f}",
        "-" if rates is None else f"{rates.mean_in_flight:.1f}",
        *(_percentile(measured, metric, q) if metric in measured.metrics else "-" for metric, q in shares),
        "-" if tokens is None else units.rate(tokens),
    ]


def _percentile(measured: Measured, metric: Metric, q: float) -> str:
    found = measured.percentile(metric, q)
    return units.duration(found.value_ns) if found.supported else units.quantile(None, found.n)


def _summary(recording: BenchRecording) -> dict[str, Any] | None:
    data = recording.summary()
    try:
        return None if data is None else msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def _end(summary: dict[str, Any] | None) -> str:
    if summary is None:
        return UNFINISHED
    stopped_by = summary.get("stopped_by")
    return f"stopped by {stopped_by}" if isinstance(stopped_by, str) else "all was sent"


def _gates(summary: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    found = []
    for kind in ("tripped", "undecided"):
        listed = (summary or {}).get(kind)
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, dict):
                endpoint, gate, reason = (str(each.get(name, "")) for name in ("endpoint", "gate", "reason"))
                found.append((endpoint, gate, f"undecided: {reason}" if kind == "undecided" else reason))
    return found
