"""`--fail-if` and `--baseline`: the gates of `gwtui bench` and `gwtui compare`, from the options to the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli.console import Refusal
from gwtui.cli.measure import MeasureOptions, refusing_targets
from gwtui.cli.options import option_group
from gwtui.cli.user_files import progress

if TYPE_CHECKING:
    from gwtui.bench.gates.baseline import Baseline
    from gwtui.bench.gates.ratio_gates import GateAnswer, RatioGate
    from gwtui.bench.gates.thresholds import Threshold, Tripped
    from gwtui.bench.results.measured import Measured

gate_options = option_group(
    click.option("--fail-if", multiple=True, metavar="EXPR", help="Exit with 1 if EXPR is true; repeatable."),
    click.option("--allow-undecided", is_flag=True, help="A --fail-if with too few results to decide it passes."),
)
baseline_options = option_group(
    click.option(
        "--baseline",
        type=click.Path(path_type=Path),
        metavar="SESSION|FILE",
        help="Compare with an earlier measurement; --fail-if 'p95_ttft>1.2x' is a ratio to it.",
    ),
    click.option(
        "--baseline-endpoint",
        "baseline_endpoints",
        multiple=True,
        metavar="[NAME=]OLD",
        help="The endpoint's name in the baseline, where it differs; repeatable.",
    ),
)


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of one run, understood before its first request."""

    limits: Sequence[Threshold]
    ratios: Sequence[RatioGate]
    """Those that compare."""
    baseline: Baseline | None = None

    def judged(self, measured: Sequence[Measured]) -> JudgedGates:
        """What became of them."""
        from gwtui.bench.gates import ratio_gates, thresholds

        answers = self.baseline.judged(measured) if self.baseline is not None else []
        return JudgedGates(
            self, measured, answers, [*thresholds.judge(self.limits, measured), *ratio_gates.tripped(answers)]
        )


@dataclass(frozen=True, slots=True)
class JudgedGates:
    """The gates of a run once it has ended."""

    gates: Gates
    measured: Sequence[Measured]
    answers: Sequence[GateAnswer]
    tripped: Sequence[Tripped]
    """Those that were not passed."""

    def lines(self) -> list[str]:
        """How the baseline compares; none without one."""
        baseline = self.gates.baseline
        return baseline.lines(self.measured, self.answers, time()) if baseline is not None else []

    def asked(self) -> list[tuple[str, str]]:
        """Every gate that was judged, each with an endpoint that it is about."""
        limits = [
            (gate.expression.text, each.endpoint)
            for each in self.measured
            for gate in self.gates.limits
            if gate.applies_to(each)
        ]
        return [*limits, *((each.gate, each.endpoint) for each in self.answers)]

    def told(self) -> dict[str, Any]:
        """The same for JSON."""
        baseline = self.gates.baseline
        return baseline.told(self.measured, self.answers, time()) if baseline is not None else {}


def gates_of(
    options: MeasureOptions,
    measured: Sequence[Measured],
    baseline: Path | None = None,
    names: Sequence[str] = (),
    *,
    compares: bool = False,
) -> Gates:
    """The gates of a run at these endpoints, of which nothing is measured yet. Raises a Refusal.

    `names`: see `gwtui.bench.gates.baseline.load`. `compares`: the endpoints are compared with each other.
    """
    from gwtui.bench.gates import ratio_gates, thresholds

    with refusing_targets():
        texts, ratios = ratio_gates.parse_all(options.fail_if)
        limits = thresholds.parse_all(texts, measured)
        ratio_gates.check(ratios, measured)
        if baseline is not None:
            return Gates(limits, ratios, _load(baseline, names, ratios, measured))
    if ratios and not compares:
        raise Refusal(f"--fail-if {ratios[0].expression.text!r} compares: give --baseline SESSION or FILE")
    if names:
        raise Refusal("--baseline-endpoint is for --baseline")
    return Gates(limits, ratios)


def _load(path: Path, names: Sequence[str], ratios: Sequence[RatioGate], measured: Sequence[Measured]) -> Baseline:
    from gwtui.bench.gates.baseline import load
    from gwtui.recorder import session_dir

    with progress() as add:
        return load(session_dir(path), names, ratios, measured, add)


def recorded_gates(options: MeasureOptions) -> list[RatioGate]:
    """The gates of recorded measurements. Raises a Refusal for a limit, which they do not have the results for."""
    from gwtui.bench.gates import ratio_gates

    with refusing_targets():
        limits, gates = ratio_gates.parse_all(options.fail_if)
    if limits:
        raise Refusal(f"--fail-if {limits[0]!r}: what was recorded is judged by ratios: use {ratio_gates.EXAMPLES}")
    return gates


def complain(tripped: Sequence[Tripped], options: MeasureOptions) -> bool:
    """Say which gates were not passed. Returns whether one of them ends the command with 1."""
    for each in tripped:
        click.echo(f"gwtui: {each}", err=True)
    return any(not (each.undecided and options.allow_undecided) for each in tripped)
