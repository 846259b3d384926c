"""What `gwtui bench` sends and when, beyond one question at one rate: its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gwtui.cli.console import Refusal
from gwtui.cli.measure import MeasureOptions
from gwtui.cli.options import option_group

if TYPE_CHECKING:
    from gwtui.bench.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadOptions(MeasureOptions):
    """The options of `workload_options`, as click hands them over."""

    rate: float | None = None
    """Requests a second."""
    arrivals: str | None = None
    seed: int | None = None

    def arrivals_asked(self) -> Arrivals | None:
        """When requests are due; None where only a rate, or none, is given. Raises a Refusal."""
        from gwtui.bench.arrivals import ArrivalsError, arrivals_of

        if self.arrivals is None:
            return None
        try:
            return arrivals_of(self.arrivals, self.rate, self.seed or 0)
        except ArrivalsError as error:
            raise Refusal(f"--arrivals: {error}") from error


workload_options = option_group(
    click.option(
        "--arrivals",
        metavar="LAW",
        help="Open loop with a law of arrivals: poisson 20, bursty:0.25 20, 10..100 over 1m, 10,20,40 every 30s.",
    ),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of --arrivals.  [default: 0]"),
)
