"""`--slo` and `--sweep` of `gwtui bench`: the objectives that each request should keep, and the search for the highest
load that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gwtui.cli.measure import refusing_targets
from gwtui.cli.options import option_group

if TYPE_CHECKING:
    from gwtui.bench.results import Measured
    from gwtui.bench.slo import Objective


def _slo(_ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> tuple[Objective, ...]:
    """The objectives of all these texts."""
    if not texts:
        return ()
    from gwtui.bench.slo import SLOError, parse_slo

    try:
        return parse_slo(",".join(texts))
    except SLOError as error:
        raise click.BadParameter(str(error), param=param) from error


slo_options = option_group(
    click.option(
        "--slo", multiple=True, metavar="LIMITS", callback=_slo, help="Count requests that keep 'ttft<500ms,e2e<5s'."
    )
)


def refuse_slo(slo: Sequence[Objective], measured: Sequence[Measured]) -> None:
    """Raises a Refusal for an objective that no endpoint can answer."""
    from gwtui.bench.slo import check_slo

    with refusing_targets():
        check_slo(slo, [metric for each in measured for metric in each.metrics])
