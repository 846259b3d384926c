"""`gwtui bench`: load endpoints and print latency percentiles and failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli import completion
from gwtui.cli.bench_endpoints import targets_of
from gwtui.cli.bench_plan import bench_plan
from gwtui.cli.bench_sessions import (
    Keeping,
    SessionOptions,
    given_options,
    junit_of,
    refuse_other_prompts,
    resumed_plan,
    resumed_recording,
    resumed_targets,
    session_options,
)
from gwtui.cli.console import Refusal, say
from gwtui.cli.find_limit import find_limit
from gwtui.cli.gates import baseline_options, complain, gate_options, gates_of
from gwtui.cli.measure import (
    COUNT,
    WARMUP,
    drive,
    exit_code,
    exit_codes,
    measure_options,
    outputs_of,
    text_style,
    write,
)
from gwtui.cli.measure_help import MeasureHelp
from gwtui.cli.options import endpoint_options, exit_with, given, go_bool, rate
from gwtui.cli.sweep import refuse_slo, slo_options, sweep
from gwtui.cli.user_files import OutputFile
from gwtui.cli.workload import workload_options

if TYPE_CHECKING:
    from gwtui.bench.results.slo import Objective
    from gwtui.bench.run.runner import BenchRun
    from gwtui.bench.session.bench_recording import BenchRecording
    from gwtui.bench.session.run_file import RunFile
    from gwtui.bench.work.plan import Plan
    from gwtui.bench.work.workload import Workload
    from gwtui.model.profile import Endpoint, Profile

DEFAULT_REQUESTS = 1000
MOST_CONCURRENT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions(SessionOptions):
    """The options of `bench`."""

    endpoints: tuple[str, ...] = ()
    plan_name: str | None = None
    concurrency: int | None = None
    together: bool = False
    interleave: bool = False
    baseline: Path | None = None
    baseline_endpoints: tuple[str, ...] = ()
    slo: tuple[Objective, ...] = ()
    sweep: str | None = None
    """`rate` or `concurrency`."""
    api: str | None = None
    url: str | None = None
    path: str | None = None
    key: str | None = None
    model: str | None = None
    gateway: str | None = None
    sgd: str | None = None
    sourcegraph: str | None = None
    sgp: str | None = None
    special_header: str | None = None
    providers: tuple[str, ...] = ()
    connectivity: bool = False
    like_src: bool = False
    """As the predecessor: only a 200 is a success, and percentiles are shown whatever n is."""

    def changes(self) -> dict[str, Any]:
        return given(model=self.model, **SessionOptions.changes(self))

    def described(self) -> dict[str, Any]:
        """Fields of an endpoint that the options describe; empty when they describe none."""
        return given(api=self.api, url=self.url, path=self.path, key=self.key)

    @property
    def by_url(self) -> bool:
        """Whether a gateway or an instance is named."""
        named = (self.gateway, self.sgd, self.sourcegraph, self.sgp, self.special_header)
        return self.connectivity or any(named) or bool(self.providers)

    def plan(self) -> Plan:
        """How to load the endpoints. Raises a Refusal for options that contradict each other."""
        from gwtui.bench.work.plan import Order, Plan

        if self.together and self.interleave:
            raise Refusal("--together and --interleave are two ways to share the time: choose one")
        order = (
            Order.TOGETHER
            if self.together
            else Order.INTERLEAVED
            if self.interleave or self.cold_warm
            else Order.ONE_BY_ONE
        )
        arrivals = self.arrivals_asked()
        rate = self.rate if arrivals is None else arrivals.peak_per_s
        length_s = arrivals.length_s if arrivals is not None and self.requests is None else None
        return Plan(
            requests=self.requests_or(DEFAULT_REQUESTS) if length_s is None else None,
            for_s=self.for_s or length_s,
            **self._room(is_open=rate is not None or self.replay is not None),
            rate=rate,
            arrivals=arrivals,
            warmup=self.warmup,
            order=order,
            slo=self.slo,
        )

    def _room(self, *, is_open: bool) -> dict[str, Any]:
        """The maximum number of requests under way; of an open loop as many as this machine bears."""
        from gwtui.bench.run.machine_limits import in_flight_limit

        if self.concurrency is None and not is_open:
            return {"concurrency": 1}
        limit = in_flight_limit()
        if self.concurrency is None:
            return {"concurrency": limit.number, "concurrency_limit": limit.why}
        if self.concurrency > limit.number:
            most = f"at most {limit.number} requests can be under way here, as {limit.why}"
            raise Refusal(f"--concurrency {self.concurrency}: {most}")
        return {"concurrency": self.concurrency}


def _special_header(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    """The header's value; that of the predecessor where none, or what Go takes for true, was given."""
    from gwtui.bench.work.targets import SPECIAL_VALUE

    meaning = go_bool(text or "")
    return text if meaning is None else SPECIAL_VALUE if meaning else None


special_header_option = click.option(
    "--use-special-header",
    "special_header",
    is_flag=False,
    flag_value="true",
    metavar="[VALUE]",
    callback=_special_header,
    help="Send the header cody-core-gc-test, with VALUE or the one that src sent.",
)


@click.command(
    "bench",
    cls=MeasureHelp,
    short_help="Benchmark endpoints: latency percentiles and failures.",
    epilog=exit_codes("true or undecided --fail-if, endpoint with no success, or --deadline"),
)
@click.argument("endpoints", nargs=-1, metavar="[ENDPOINT]...", shell_complete=completion.endpoints)
@click.option(
    "--plan",
    "plan_name",
    metavar="NAME",
    shell_complete=completion.plans,
    help="Carry out the plan [bench.NAME] of the configuration.",
)
@click.option(
    "--requests", type=COUNT, metavar="N", help="Requests per endpoint.  [default: 1000, no limit with --for]"
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MOST_CONCURRENT),
    metavar="N",
    help="Maximum concurrent requests.  [default: 1, with --rate what this machine bears]",
)
@click.option("--rate", metavar="N", callback=rate, help="Open loop: start N requests per second.")
@click.option("--warmup", type=WARMUP, metavar="N", default=0, help="Warm-up requests, not counted.")
@click.option("--together", is_flag=True, help="Load all endpoints at the same time.  [default: one after another]")
@click.option("--interleave", is_flag=True, help="Load the endpoints in turns: A B B A.")
@gate_options
@baseline_options
@session_options
@workload_options
@slo_options
@measure_options
@endpoint_options
@click.option("--gateway", metavar="URL", help="Load a Cody Gateway at this URL.")
@click.option("--sgd", metavar="REFERENCE", help="Where the gateway's key is.")
@click.option("--sourcegraph", metavar="URL", help="Load a Sourcegraph instance at this URL.")
@click.option("--sgp", metavar="REFERENCE", help="Where the instance's access token is.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    type=click.Choice(["anthropic", "fireworks"]),
    help="Provider for --gateway and --sourcegraph; repeatable.  [default: anthropic]",
)
@click.option(
    "--connectivity", is_flag=True, help="Ping --gateway and --sourcegraph over WebSocket and HTTP, no model."
)
@special_header_option
def command(**options: Any) -> None:
    """Benchmark endpoints: latency percentiles and failures.

    Load the ENDPOINTs of a profile (default: all that are not paused), one endpoint described by --api and --url, or a
    gateway and an instance. Percentiles are nearest rank over the successful requests, with 95 % confidence intervals;
    -(n) means that n requests are too few. With --rate, latency counts from the planned send. All requests
    are sent, whatever the answers: Retry-After is not obeyed, and requests do not count against a budget.

    \b
      gwtui bench --requests 200 --csv results.csv
      gwtui bench --plan nightly --json
      gwtui bench claude gpt --together --concurrency 8 --for 1m
      gwtui bench claude --rate 20 --fail-if 'p95_ttft>800ms'
      gwtui bench claude --arrivals 'poisson 5..50 over 2m'
      gwtui bench claude --sweep rate --slo 'ttft<500ms,e2e<5s'
      gwtui bench claude --find-limit --max-requests 500
      gwtui bench claude --replay requests.csv --speed 4
      gwtui bench --gateway https://host --sgd env:KEY --provider fireworks
    """
    exit_with(bench(BenchOptions(**options)))


def bench(options: BenchOptions) -> int:
    """Load the endpoints and print the results. Returns the exit code."""
    from gwtui.bench.report import output

    if options.plan_name is not None:
        return bench_plan(options, options.plan_name)
    recording = resumed_recording(options, given_options())
    if recording is None:
        plan = options.plan()
        profile, found = targets_of(options)
        endpoints = options.pairs_of(found)
        if options.sweep is not None:
            return sweep(options, profile, endpoints)
        if options.find_limit:
            return find_limit(options, profile, endpoints)
    else:
        plan, options = resumed_plan(recording), _as_begun(options, recording)
        profile, endpoints = resumed_targets(recording)
    workload = options.workload(endpoints)
    plan = workload.planned(plan)
    if recording is not None:
        refuse_other_prompts(recording, workload.told())
    run = _run_of(options, endpoints, plan, workload)
    refuse_slo(plan.slo, list(run.measured.values()))
    gates = gates_of(options, list(run.measured.values()), options.baseline, options.baseline_endpoints)
    outputs = outputs_of(options, options.junit)
    junit = OutputFile(options.junit) if options.junit is not None else None

    def report_results() -> bool:
        judged = gates.judged(list(run.measured.values()))
        told = output.bench_json(run, judged.tripped, judged.told())
        keeping.summary(told)
        say(
            told if options.as_json else output.bench_text(run, text_style(), judged.lines(), doubtful=options.like_src)
        )
        write(run, outputs)
        if junit is not None:
            junit.write(junit_of(run, judged.asked(), judged.tripped, allow_undecided=options.allow_undecided))
        return complain(judged.tripped, options)

    def last_words() -> None:
        report_results()
        keeping.close()

    profile, run_file = _loaded(profile, endpoints), _run_file(options, plan, endpoints, workload.told())
    with Keeping.of(options, profile, run_file, recording) as keeping:
        keeping.fill(run)
        drive(run, endpoints, profile, last_words)
        tripped = report_results()
    return exit_code(run, tripped=tripped)


def _run_of(options: BenchOptions, endpoints: Sequence[Endpoint], plan: Plan, workload: Workload) -> BenchRun:
    """The run that the options ask for; nothing has been sent yet."""
    from gwtui.bench.run.runner import BenchRun

    return BenchRun.of(
        endpoints,
        plan,
        keeps_rows=options.request_csv is not None,
        only_200=options.like_src,
        deadline_s=options.deadline_s,
        workload=workload,
    )


def _as_begun(options: BenchOptions, recording: BenchRecording) -> BenchOptions:
    """With the workload that the benchmark was begun with, and with its gates unless others are given."""
    run = recording.run
    options = replace(options, seed=run.seed, cold_warm=run.cold_warm)
    if options.fail_if:
        return options
    return replace(options, fail_if=run.gates, allow_undecided=options.allow_undecided or run.allow_undecided)


def _loaded(profile: Profile, endpoints: Sequence[Endpoint]) -> Profile:
    """The profile with those endpoints alone that are loaded, as they are loaded."""
    from msgspec import structs

    return structs.replace(profile, endpoints=tuple(endpoints))


def _run_file(
    options: BenchOptions, plan: Plan, endpoints: Sequence[Endpoint], prompts: dict[str, Any] | None
) -> Callable[[float], RunFile]:
    """What `run.json` says of a benchmark that begins at a wall time."""
    from gwtui.bench.session.run_file import RunFile

    return lambda at: replace(
        RunFile.new(
            plan,
            at=at,
            endpoints=endpoints,
            kind="replay" if options.replay else "bench",
            gates=options.fail_if,
            allow_undecided=options.allow_undecided,
        ),
        prompts=prompts,
        seed=options.seed,
        cold_warm=options.cold_warm,
    )
