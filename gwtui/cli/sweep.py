"""`--slo` and `--sweep` of `gwtui bench`: the objectives that each request should keep, and the search for the highest
load that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gwtui.cli.bench_sessions import Keeping
from gwtui.cli.console import EXIT_DOWN, Refusal, carry_out, say
from gwtui.cli.measure import outputs_of, refusing_targets, text_style
from gwtui.cli.options import option_group

if TYPE_CHECKING:
    from gwtui.bench.results.measured import Measured
    from gwtui.bench.results.slo import Objective
    from gwtui.bench.search.sweep import Sweep, SweepPoint
    from gwtui.bench.session.run_file import RunFile
    from gwtui.bench.work.plan import Plan
    from gwtui.cli.bench import BenchOptions
    from gwtui.model.profile import Endpoint, Profile
    from gwtui.model.records import Ping, Request

_NOT_WITH = {
    "--requests": "requests",
    "--warmup": "warmup",
    "--arrivals": "arrivals",
    "--cold-warm": "cold_warm",
    "--together": "together",
    "--interleave": "interleave",
    "--fail-if": "fail_if",
    "--baseline": "baseline",
    "--csv": "aggregate_csv",
    "--junit": "junit",
    "--replay": "replay",
    "--find-limit": "find_limit",
}
"""Options that a sweep has no use for."""
MOST_REQUESTS = 20_000
"""Of each endpoint, where --max-requests does not say how many."""


def _slo(_ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> tuple[Objective, ...]:
    """The objectives of all these texts."""
    if not texts:
        return ()
    from gwtui.bench.results.slo import SLOError, parse_slo

    try:
        return parse_slo(",".join(texts))
    except SLOError as error:
        raise click.BadParameter(str(error), param=param) from error


slo_options = option_group(
    click.option(
        "--sweep",
        type=click.Choice(["rate", "concurrency"]),
        help="Find the highest rate or concurrency that keeps the --slo: 95 % of the requests have to, steadily.",
    ),
    click.option(
        "--slo", multiple=True, metavar="LIMITS", callback=_slo, help="Count requests that keep 'ttft<500ms,e2e<5s'."
    ),
)


def refuse_slo(slo: Sequence[Objective], measured: Sequence[Measured]) -> None:
    """Raises a Refusal for an objective that no endpoint can answer."""
    from gwtui.bench.results.slo import check_slo

    with refusing_targets():
        check_slo(slo, [metric for each in measured for metric in each.metrics])


def sweep(options: BenchOptions, profile: Profile, endpoints: Sequence[Endpoint]) -> int:
    """Sweep one endpoint after the other and print what was found. Returns the exit code."""
    from signal import Signals

    from gwtui.bench.results.csv_out import request_lines
    from gwtui.bench.search.sweep_report import sweep_json, sweep_text

    outputs = outputs_of(options)
    sweeps = _sweeps(options, profile, endpoints)
    rows: list[bytes] = []
    ran_out = False

    def report(stopped_by: str = "") -> None:
        told = sweep_json(sweeps, stopped_by)
        keeping.summary(told)
        say(told if options.as_json else sweep_text(sweeps, text_style(), stopped_by))
        for output in outputs.values():
            output.write(b"".join(request_lines(rows, have_points=True)))

    def last_words() -> None:
        report()
        keeping.close()

    async def sweep_all() -> None:
        import asyncio

        nonlocal ran_out
        try:
            async with asyncio.timeout(min((s for s in (options.deadline_s, options.for_s) if s), default=None)):
                for each in sweeps:
                    await each.run()
        except TimeoutError:
            ran_out = True

    with Keeping.of(options, _loaded(profile, endpoints), _run_file(options, sweeps)) as keeping:
        for each in sweeps:
            _keep(each, keeping, rows if outputs else None)
        _, number = carry_out(sweep_all(), last_words)
        report(Signals(number).name if number is not None else "the time limit" if ran_out else "")
    if number is not None:
        return 128 + number
    return EXIT_DOWN if ran_out or any(each.best is None for each in sweeps) else 0


def _sweeps(options: BenchOptions, profile: Profile, endpoints: Sequence[Endpoint]) -> list[Sweep]:
    from gwtui.bench.results.measured import empty
    from gwtui.bench.search.sweep import Axis, Sweep

    for option, name in _NOT_WITH.items():
        if getattr(options, name, None):
            raise Refusal(f"--sweep chooses its own requests and loads: leave {option} out")
    axis = Axis(options.sweep or Axis.RATE)
    start = options.rate if axis is Axis.RATE else options.concurrency
    other = options.concurrency if axis is Axis.RATE else options.rate
    if other is not None:
        start_option = "--rate" if axis is Axis.RATE else "--concurrency"
        raise Refusal(f"--sweep {axis} begins at {start_option}: leave the other one out")
    if axis is Axis.CONCURRENCY and not options.slo:
        raise Refusal("--sweep concurrency needs --slo: without it any number of concurrent requests is kept")
    refuse_slo(options.slo, list(empty(endpoints).values()))
    most = (options.max_requests or MOST_REQUESTS * len(endpoints)) // len(endpoints)
    workload = options.workload(tuple(endpoints))
    return [
        Sweep(each, profile, axis, _answerable(options.slo, each), start, most, workload=workload) for each in endpoints
    ]


def _answerable(slo: Sequence[Objective], endpoint: Endpoint) -> tuple[Objective, ...]:
    """The objectives about what is measured at that endpoint."""
    from gwtui.bench.results.measured import metrics_of

    return tuple(each for each in slo if each.metric in metrics_of(endpoint))


def _keep(search: Sweep, keeping: Keeping, rows: list[bytes] | None) -> None:
    """Have the results of the sweep written as they come."""
    from gwtui.bench.results.csv_out import request_line
    from gwtui.bench.search.sweep import Axis
    from gwtui.bench.session.run_file import Point

    session, is_open = keeping.session, search.axis is Axis.RATE

    def begin(point: SweepPoint, plan: Plan) -> None:
        if session is not None:
            axes = {search.axis.value: point.load}
            session.begin(Point.of(search.endpoint, plan, name=point.name, axes=axes))

    def take(point: SweepPoint, result: Request | Ping) -> None:
        if session is not None:
            session.row(point.name, result)
        if rows is not None:
            rows.append(request_line(result, from_planned=is_open, point=point.name))

    search.begin, search.take = begin, take


def _run_file(options: BenchOptions, sweeps: Sequence[Sweep]) -> Callable[[float], RunFile]:
    """What `run.json` says of a sweep that begins at a wall time."""
    from gwtui.bench.session.run_file import RunFile

    plan = {"max_requests": sum(each.most_requests for each in sweeps), "sweep": options.sweep}
    endpoints = [each.endpoint for each in sweeps]

    def made(at: float) -> RunFile:
        new = RunFile.new(plan, at=at, endpoints=endpoints, kind="sweep")
        return replace(new, prompts=sweeps[0].workload.told(), seed=options.seed)

    return made


def _loaded(profile: Profile, endpoints: Sequence[Endpoint]) -> Profile:
    from msgspec import structs

    return structs.replace(profile, endpoints=tuple(endpoints))
