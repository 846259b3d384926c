"""`gwtui bench`: load endpoints and print latency percentiles and failures. `gwtui compare` measures the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli.console import (
    EXIT_DOWN,
    OwnFaultError,
    Refusal,
    carry_out,
    in_colour,
    refusing,
    say,
    width,
)
from gwtui.cli.options import KEY_PLACES, FlagsAsGo, exit_with, rate, seconds

if TYPE_CHECKING:
    from gwtui.bench.csv_out import CSVOutput
    from gwtui.bench.plan import Plan
    from gwtui.bench.runner import BenchRun
    from gwtui.model.profile import Endpoint, Profile
    from gwtui.text.tables import TextStyle

FILE = click.Path(dir_okay=False, path_type=Path)
COUNT = click.IntRange(1, 1_000_000_000)
WARMUP = click.IntRange(0, 1_000_000)
DEFAULT_REQUESTS = 1000
OPEN_LOOP_ROOM = 100
"""How many requests of an open loop may be under way at once, unless --concurrency says otherwise."""

EXIT_CODES = """\b
Exit codes:
  0      good
  1      a --fail-if came true, or an endpoint had no success
  2      the command line, the configuration or a file is wrong
  3      gwtui itself failed
  128+n  ended by signal n (130: Ctrl-C); what was measured is printed"""

Targets = tuple["Profile", tuple["Endpoint", ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """The options of `bench` that `compare` has too, as click hands them over. None: not given."""

    profile_name: str | None
    config_file: Path | None
    requests: int | None
    """For each endpoint."""
    for_s: float | None
    warmup: int
    max_tokens: int | None
    stream: bool | None
    aggregate_csv: Path | None
    request_csv: Path | None
    as_json: bool

    def changes(self) -> dict[str, Any]:
        """Fields of every endpoint that the options set."""
        return _given(max_tokens=self.max_tokens, stream=self.stream)

    def requests_or(self, default: int) -> int | None:
        """The number of requests for each endpoint; None: as many as the time allows."""
        return None if self.requests is None and self.for_s is not None else self.requests or default


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions(MeasureOptions):
    """The options of `bench`."""

    endpoints: tuple[str, ...]
    concurrency: int | None
    rate: float | None
    """Requests a second."""
    together: bool
    interleave: bool
    fail_if: tuple[str, ...]
    api: str | None
    url: str | None
    path: str | None
    key: str | None
    model: str | None
    gateway: str | None
    sgd: str | None
    sourcegraph: str | None
    sgp: str | None
    special_header: str | None
    providers: tuple[str, ...]
    connectivity: bool

    def changes(self) -> dict[str, Any]:
        return _given(model=self.model, max_tokens=self.max_tokens, stream=self.stream)

    def described(self) -> dict[str, Any]:
        """Fields of an endpoint that the options describe; empty when they describe none."""
        return _given(api=self.api, url=self.url, path=self.path, key=self.key)

    @property
    def by_url(self) -> bool:
        """Whether a gateway or an instance is named."""
        named = (self.gateway, self.sgd, self.sourcegraph, self.sgp, self.special_header)
        return self.connectivity or any(named) or bool(self.providers)

    def plan(self) -> Plan:
        """How to load the endpoints. Raises a Refusal for options that contradict each other."""
        from gwtui.bench.plan import Order, Plan

        if self.together and self.interleave:
            raise Refusal("--together and --interleave are two ways to share the time: choose one")
        order = Order.TOGETHER if self.together else Order.INTERLEAVED if self.interleave else Order.ONE_BY_ONE
        return Plan(
            requests=self.requests_or(DEFAULT_REQUESTS),
            for_s=self.for_s,
            concurrency=self.concurrency or (1 if self.rate is None else OPEN_LOOP_ROOM),
            rate=self.rate,
            warmup=self.warmup,
            order=order,
        )


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def measure_options(command: Any) -> Any:
    """The options of `MeasureOptions`, but for the numbers of requests."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option("--request-csv", type=FILE, metavar="FILE", help="Write a row per request, failures included."),
        click.option("--csv", "aggregate_csv", type=FILE, metavar="FILE", help="Write a row per endpoint."),
        click.option("--stream/--no-stream", default=None, help="Request streams, or whole answers."),
        click.option("--max-tokens", type=COUNT, metavar="N", help="Maximum number of tokens in each answer."),
        click.option(
            "--for",
            "for_s",
            metavar="DURATION",
            callback=seconds,
            help="Stop starting requests after DURATION: 30s, 5m.",
        ),
        click.option("--config", "config_file", type=FILE, help="The configuration file."),
        click.option("-p", "--profile", "profile_name", metavar="NAME", help="The profile with the endpoints."),
    ):
        command = option(command)
    return command


class _WithGates(FlagsAsGo):
    """Its help explains `--fail-if`."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from gwtui.model.metrics import LATENCIES

        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(
                "--fail-if: avg_, median_, min_, max_, p95_ (any percentile) with one of "
                f"{', '.join(LATENCIES)}; fail_rate, success, failed, tokens_per_s, or a verdict such as truncated. "
                "For one endpoint only: 'claude: p95_e2e>2s'."
            )
        super().format_epilog(ctx, formatter)


@click.command(
    "bench", cls=_WithGates, short_help="Benchmark endpoints: latency percentiles and failures.", epilog=EXIT_CODES
)
@click.argument("endpoints", nargs=-1, metavar="[ENDPOINT]...")
@click.option(
    "--requests", type=COUNT, metavar="N", help="Requests per endpoint.  [default: 1000, no limit with --for]"
)
@click.option(
    "--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Maximum concurrent requests.  [default: 1]"
)
@click.option("--rate", metavar="N", callback=rate, help="Open loop: start N requests per second.")
@click.option("--warmup", type=WARMUP, metavar="N", default=0, help="Warm-up requests, not counted.")
@click.option("--together", is_flag=True, help="Load all endpoints at the same time.  [default: one after another]")
@click.option("--interleave", is_flag=True, help="Load the endpoints in turns: A B B A.")
@click.option("--fail-if", "fail_if", multiple=True, metavar="EXPR", help="Exit with 1 if EXPR is true; repeatable.")
@measure_options
@click.option("--api", metavar="NAME", help="Load an endpoint without a profile: API ...")
@click.option("--url", metavar="URL", help="... base URL ...")
@click.option("--path", metavar="PATH", help="... and path.  [default: the API's]")
@click.option("--key", metavar="REFERENCE", help=f"Where the key is: {KEY_PLACES}.")
@click.option("--model", metavar="NAME", help="Model to request.")
@click.option("--gateway", metavar="URL", help="Load a Cody Gateway ...")
@click.option("--sgd", metavar="REFERENCE", help="... with the key at REFERENCE.")
@click.option("--sourcegraph", metavar="URL", help="Load a Sourcegraph instance ...")
@click.option("--sgp", metavar="REFERENCE", help="... with the access token at REFERENCE.")
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
@click.option(
    "--use-special-header", "special_header", metavar="VALUE", help="Send the header cody-core-gc-test: VALUE."
)
def command(**options: Any) -> None:
    """Benchmark endpoints: latency percentiles and failures.

    Load the ENDPOINTs of a profile (default: all that are not paused), one endpoint described by --api and --url, or a
    gateway and an instance. Percentiles are nearest rank over the successful requests, with 95 % confidence intervals;
    -(n) means that n requests are too few. With --rate, latency counts from the planned send. All requests
    are sent, whatever the answers: Retry-After is not obeyed, and requests do not count against a budget.

    \b
      gwtui bench --requests 200 --csv results.csv
      gwtui bench claude gpt --together --concurrency 8 --for 1m
      gwtui bench claude --rate 20 --fail-if 'p95_ttft>800ms'
      gwtui bench --gateway https://host --sgd env:KEY --provider fireworks
    """
    exit_with(bench(BenchOptions(**options)))


def bench(options: BenchOptions) -> int:
    """Load the endpoints and print the results. Returns the exit code."""
    from gwtui.bench import report, thresholds
    from gwtui.bench.runner import BenchRun

    plan = options.plan()
    profile, endpoints = _targets(options)
    run = BenchRun.of(endpoints, plan, keeps_rows=options.request_csv is not None)
    with refusing_targets():
        parsed = [thresholds.parse(text) for text in options.fail_if]
        thresholds.check(parsed, list(run.measured.values()))
    outputs = outputs_of(options)

    def tell() -> bool:
        tripped = thresholds.judge(parsed, list(run.measured.values()))
        say(report.bench_json(run, tripped) if options.as_json else report.bench_text(run, text_style()))
        for each in tripped:
            click.echo(f"gwtui: {each}", err=True)
        write(run, outputs)
        return bool(tripped)

    drive(run, endpoints, profile, tell)
    return exit_code(run, tripped=tell())


def drive(run: BenchRun, endpoints: Sequence[Endpoint], profile: Profile, last_words: Callable[[], object]) -> None:
    """Carry the run out until it is done or a signal ends it."""
    from signal import Signals

    _, number = carry_out(run.drive(endpoints, profile), last_words)
    run.stopped_by = None if number is None else Signals(number)


def _targets(options: BenchOptions) -> Targets:
    """The endpoints that the command line names, in one of three ways."""
    described = options.described()
    if sum((bool(options.endpoints), bool(described), options.by_url)) > 1:
        raise Refusal("say what to load in one way: ENDPOINTs of a profile, --api and --url, or --gateway and so on")
    if options.by_url:
        return _gateway_and_instance(options)
    if described:
        return _described({**described, **options.changes()})
    return from_profile(options.endpoints, options)


def from_profile(names: Sequence[str], options: MeasureOptions) -> Targets:
    """The endpoints of these names; for no names, all that are not paused. Raises a Refusal."""
    from gwtui.bench import targets

    with refusing_targets():
        profile, endpoints = targets.from_profile(options.config_file, options.profile_name, names, options.changes())
        targets.check(endpoints)
    return profile, endpoints


def _described(fields: Mapping[str, Any]) -> Targets:
    from gwtui.bench.targets import check
    from gwtui.config import endpoint_from
    from gwtui.model.profile import Profile

    if missing := [f"--{name}" for name in ("api", "url") if name not in fields]:
        raise Refusal(f"an endpoint is described with --api and --url (missing: {', '.join(missing)})")
    with refusing_targets():
        endpoints = (endpoint_from(fields),)
        check(endpoints)
    return Profile(endpoints=endpoints), endpoints


def _gateway_and_instance(options: BenchOptions) -> Targets:
    from gwtui.bench.targets import SourcegraphTarget, check
    from gwtui.model.profile import Profile

    target = SourcegraphTarget(options.gateway, options.sgd, options.sourcegraph, options.sgp, options.special_header)
    changes = options.changes()
    if options.connectivity and (options.providers or changes):
        raise Refusal("--connectivity requests no model: leave out --provider, --model, --max-tokens and --stream")
    providers = tuple(dict.fromkeys(options.providers)) or ("anthropic",)
    with refusing_targets():
        endpoints = target.pings() if options.connectivity else target.completions(providers, changes)
        check(endpoints)
    return Profile(endpoints=endpoints), endpoints


@contextmanager
def refusing_targets() -> Iterator[None]:
    """Faults of targets, thresholds, files and the configuration end the command."""
    from gwtui.bench.csv_in import CSVError
    from gwtui.bench.targets import TargetError
    from gwtui.bench.thresholds import GateError

    with refusing():
        try:
            yield
        except (CSVError, GateError, TargetError) as error:
            raise Refusal(str(error)) from error


def outputs_of(options: MeasureOptions) -> dict[str, CSVOutput]:
    """The files to write, tried before the first request is sent."""
    from gwtui.bench.csv_out import CSVOutput

    paths = _given(aggregate_csv=options.aggregate_csv, request_csv=options.request_csv)
    if len(set(paths.values())) < len(paths):
        raise Refusal(f"--csv and --request-csv are two files, and both are {options.request_csv}")
    found = {}
    for name, path in paths.items():
        try:
            found[name] = CSVOutput(path)
        except OSError as error:
            raise Refusal(f"cannot write {path}: {error.strerror or error}") from error
    return found


def write(run: BenchRun, outputs: Mapping[str, CSVOutput]) -> None:
    """Write the CSV files of the run. Raises OwnFaultError."""
    from gwtui.bench.csv_out import aggregate_lines, request_lines

    for name, output in outputs.items():
        measured = list(run.measured.values())
        lines = aggregate_lines(measured) if name == "aggregate_csv" else request_lines(run.lines())
        try:
            output.write(lines)
        except OSError as error:
            raise OwnFaultError(f"{output.path} was not written: {error.strerror or error}") from error


def exit_code(run: BenchRun, *, tripped: bool) -> int:
    """128 + the signal that ended the run; 1 when a threshold tripped or an endpoint had no success; else 0."""
    if run.stopped_by is not None:
        return 128 + run.stopped_by
    return EXIT_DOWN if tripped or any(not each.ok for each in run.measured.values()) else 0


def text_style() -> TextStyle:
    from gwtui.text.tables import TextStyle

    return TextStyle(width(), in_colour())
