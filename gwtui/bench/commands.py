"""`gwtui bench` and `gwtui compare`. What a command needs it imports when it runs, so that `--help` costs nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.bench.options import (
    EXIT_OWN_FAULT,
    EXIT_TRIPPED,
    RATE,
    SECONDS,
    FlagsAsGo,
    Refusal,
    has_colour,
    output_options,
    profile_options,
    refuse,
    terminal_width,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gwtui.bench.comparing import Series
    from gwtui.bench.plan import Plan
    from gwtui.bench.running import Run
    from gwtui.bench.table import Paper
    from gwtui.bench.writing import CSVOutput
    from gwtui.profile import Endpoint, Profile

REQUESTS = 1000
OPEN_LOOP_ROOM = 100
COMPARED_REQUESTS = 100


@click.command(cls=FlagsAsGo)
@click.argument("endpoints", nargs=-1, metavar="[ENDPOINT]...")
@profile_options
@click.option("--requests", type=click.IntRange(1), help=f"Requests for each endpoint.  [default: {REQUESTS}]")
@click.option("--for", "for_s", type=SECONDS, help="Start no more requests after that long: 30s, 5m.")
@click.option("--concurrency", type=click.IntRange(1, 1000), help="The most at once for each endpoint.  [default: 1]")
@click.option("--rate", type=RATE, help="Requests per second for each endpoint, whatever it answers: an open loop.")
@click.option("--warmup", type=click.IntRange(0), default=0, help="Requests before, which do not count.")
@click.option("--together", is_flag=True, help="All endpoints at the same time.  [default: one after another]")
@click.option("--interleave", is_flag=True, help="The endpoints in turns: A B B A.")
@click.option(
    "--fail-if", "fail_if", multiple=True, metavar="EXPR", help="Exit with 1: 'p95_ttft>800ms', 'fail_rate>1%'."
)
@output_options
@click.option("--api", help="Load an endpoint that is in no profile: its API ...")
@click.option("--url", help="... its base URL ...")
@click.option("--path", help="... and its path, where that is not the API's own.")
@click.option("--key", metavar="REFERENCE", help="Where its key is: env:NAME or file:PATH.")
@click.option("--model", help="Ask for this model.")
@click.option("--max-tokens", type=click.IntRange(1), help="The token limit of each answer.")
@click.option("--stream/--no-stream", default=None, help="Ask for streams, or for whole answers.")
@click.option("--gateway", metavar="URL", help="Load a Cody Gateway ...")
@click.option("--sgd", metavar="REFERENCE", help="... with this key.")
@click.option("--sourcegraph", metavar="URL", help="Load a Sourcegraph instance ...")
@click.option("--sgp", metavar="REFERENCE", help="... with this access token.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    type=click.Choice(["anthropic", "fireworks"]),
    help="Whose completions; repeatable.  [default: anthropic]",
)
@click.option("--connectivity", is_flag=True, help="Ping gateway and instance over WebSocket and HTTP, no model.")
@click.option("--use-special-header", "special_header", metavar="VALUE", help="Send it as cody-core-gc-test.")
def bench(
    endpoints: tuple[str, ...],
    profile_name: str | None,
    config_file: Path | None,
    fail_if: tuple[str, ...],
    aggregate_csv: Path | None,
    request_csv: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Send many requests and tell how fast they were answered, and how many were not.

    Loads the ENDPOINTs of a profile (all that are not paused), one described by --api and --url, or a gateway and an
    instance by --gateway and --sourcegraph. Percentiles are by nearest rank over successful requests, with 95 %
    confidence intervals. Exits with 1 when a --fail-if is true or an endpoint had no success; Ctrl-C ends it early
    and tells what was measured.
    """
    from gwtui.bench import gates, telling
    from gwtui.bench.measured import empty

    plan = _plan(options)
    profile, targets = _targets(endpoints, profile_name, config_file, options)
    try:
        parsed = [gates.parse(text) for text in fail_if]
        gates.check(parsed, list(empty(targets).values()))
    except gates.GateError as error:
        refuse(error)
    outputs = _outputs(aggregate_csv, request_csv)
    run = _run(profile, targets, plan, keep_rows=request_csv is not None)
    tripped = gates.judge(parsed, run.measured)
    click.echo(telling.bench_json(run, tripped) if as_json else telling.bench_text(run, _paper()))
    for each in tripped:
        click.echo(f"gwtui: {each}", err=True)
    _write(run, outputs)
    _exit(run, tripped=bool(tripped))


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="A B...")
@profile_options
@click.option("--requests", type=click.IntRange(1), help=f"Requests for each endpoint.  [default: {COMPARED_REQUESTS}]")
@click.option("--for", "for_s", type=SECONDS, help="Start no more requests after that long.")
@click.option("--warmup", type=click.IntRange(0), default=1, show_default=True, help="Requests before, not counted.")
@click.option("--max-tokens", type=click.IntRange(1), help="The token limit of each answer.")
@click.option("--stream/--no-stream", default=None, help="Ask for streams, or for whole answers.")
@output_options
def compare(
    sources: tuple[str, ...],
    profile_name: str | None,
    config_file: Path | None,
    aggregate_csv: Path | None,
    request_csv: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say whether A is faster than B, by how much, and whether that is more than chance.

    A, B and so on are endpoints of a profile, which are probed in turns (A B B A), or CSV files and session
    directories with what was measured before. Time to first token, whole latency, inter-chunk latency (the mean of
    each stream) and time per output token are compared: the differences of median and p95 with 95 % bootstrap
    intervals, and a Mann-Whitney test, corrected for the number of pairs.
    """
    from gwtui.bench.comparing import all_pairs, series_of

    if all(_is_place(source) for source in sources):
        if aggregate_csv or request_csv:
            raise Refusal("--csv and --request-csv are for what is measured now")
        _tell(_pairs_of_files([Path(source) for source in sources]), as_json=as_json)
        return
    if len(set(sources)) < 2:
        raise Refusal("Name two endpoints or more to compare, or files with what was measured before")
    profile, targets = _from_profile(sources, profile_name, config_file, _changes(options))
    outputs = _outputs(aggregate_csv, request_csv)
    run = _run(profile, targets, _turns(options), keep_rows=request_csv is not None)
    _tell(all_pairs([series_of(each) for each in run.measured]), as_json=as_json, run=run)
    _write(run, outputs)
    _exit(run, tripped=False)


def _plan(options: Mapping[str, Any]) -> Plan:
    from gwtui.bench.plan import Order, Plan

    if options["together"] and options["interleave"]:
        raise Refusal("--together and --interleave are two ways to share the time: choose one")
    order = Order.TOGETHER if options["together"] else Order.INTERLEAVED if options["interleave"] else Order.ONE_BY_ONE
    requests, for_s, rate = options["requests"], options["for_s"], options["rate"]
    return Plan(
        requests=requests if requests is not None or for_s is not None else REQUESTS,
        for_s=for_s,
        concurrency=options["concurrency"] or (1 if rate is None else OPEN_LOOP_ROOM),
        rate=rate,
        warmup=options["warmup"],
        order=order,
    )


def _turns(options: Mapping[str, Any]) -> Plan:
    """How endpoints are compared: in turns, so that what changes with time changes both."""
    from gwtui.bench.plan import Order, Plan

    requests, for_s = options["requests"], options["for_s"]
    return Plan(
        requests=requests if requests is not None or for_s is not None else COMPARED_REQUESTS,
        for_s=for_s,
        warmup=options["warmup"],
        order=Order.INTERLEAVED,
    )


def _changes(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the options say about the requests of every endpoint."""
    names = ("model", "max_tokens", "stream")
    return {name: options[name] for name in names if options.get(name) is not None}


def _targets(
    names: Sequence[str], profile_name: str | None, config_file: Path | None, options: Mapping[str, Any]
) -> tuple[Profile, tuple[Endpoint, ...]]:
    """The endpoints that the command line asks for, in one of three ways."""
    changes = _changes(options)
    described = {name: options[name] for name in ("api", "url", "path", "key") if options[name] is not None}
    as_before = ("gateway", "sgd", "sourcegraph", "sgp", "special_header", "connectivity", "providers")
    before = any(options[name] for name in as_before)
    if sum((bool(names), bool(described), before)) > 1:
        raise Refusal("Say what to load in one way: ENDPOINTs of a profile, --api and --url, or --gateway and so on")
    if before:
        return _sourcegraph(options, changes)
    if described:
        return _described({**described, **changes})
    return _from_profile(names, profile_name, config_file, changes)


def _sourcegraph(options: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[Profile, tuple[Endpoint, ...]]:
    from gwtui.bench.targets import Sourcegraph, TargetError, check
    from gwtui.config import ConfigError
    from gwtui.profile import Profile

    names = ("gateway", "sgd", "sourcegraph", "sgp", "special_header")
    asked = Sourcegraph(**{name: options[name] for name in names})
    if options["connectivity"] and (options["providers"] or changes):
        raise Refusal("--connectivity asks no model: leave out --provider, --model, --max-tokens and --stream")
    providers = tuple(dict.fromkeys(options["providers"])) or ("anthropic",)
    try:
        endpoints = asked.pings() if options["connectivity"] else asked.completions(providers, changes)
        check(endpoints)
    except (TargetError, ConfigError) as error:
        refuse(error)
    return Profile(endpoints=endpoints), endpoints


def _described(fields: Mapping[str, Any]) -> tuple[Profile, tuple[Endpoint, ...]]:
    from gwtui.bench.targets import TargetError, check
    from gwtui.config import ConfigError, endpoint_from
    from gwtui.profile import Profile

    if missing := [f"--{name}" for name in ("api", "url") if name not in fields]:
        raise Refusal(f"An endpoint takes --api and --url: {' and '.join(missing)} missing")
    try:
        endpoints = (endpoint_from(fields),)
        check(endpoints)
    except (TargetError, ConfigError) as error:
        refuse(error)
    return Profile(endpoints=endpoints), endpoints


def _from_profile(
    names: Sequence[str], profile_name: str | None, config_file: Path | None, changes: Mapping[str, Any]
) -> tuple[Profile, tuple[Endpoint, ...]]:
    from gwtui.bench.targets import TargetError, check, from_profile
    from gwtui.config import ConfigError

    try:
        profile, endpoints = from_profile(config_file, profile_name, names, changes)
        check(endpoints)
    except (TargetError, ConfigError) as error:
        refuse(error)
    return profile, endpoints


def _run(profile: Profile, endpoints: Sequence[Endpoint], plan: Plan, *, keep_rows: bool) -> Run:
    import asyncio

    from gwtui.bench.running import run

    return asyncio.run(run(endpoints, profile, plan, keep_rows=keep_rows))


def _outputs(aggregate: Path | None, requests: Path | None) -> dict[str, CSVOutput]:
    """The files to write, tried before the first request is sent."""
    from gwtui.bench.writing import CSVOutput

    if aggregate is not None and aggregate == requests:
        raise Refusal(f"--csv and --request-csv are two files, and both are {aggregate}")
    found = {}
    for name, path in (("aggregate", aggregate), ("requests", requests)):
        try:
            if path is not None:
                found[name] = CSVOutput(path)
        except OSError as error:
            raise Refusal(f"Cannot write {path}: {error.strerror or error}") from None
    return found


def _write(run: Run, outputs: Mapping[str, CSVOutput]) -> None:
    from gwtui.bench.writing import aggregate_lines, request_lines

    for name, output in outputs.items():
        lines = aggregate_lines(run.measured) if name == "aggregate" else request_lines(run.lines())
        try:
            output.write(lines)
        except OSError as error:
            click.echo(f"gwtui: {output.path} was not written: {error.strerror or error}", err=True)
            sys.exit(EXIT_OWN_FAULT)


def _exit(run: Run, *, tripped: bool) -> None:
    if run.stopped_by is not None:
        sys.exit(128 + run.stopped_by)
    sys.exit(EXIT_TRIPPED if tripped or any(not each.ok for each in run.measured) else 0)


def _paper() -> Paper:
    from gwtui.bench.table import Paper

    return Paper(terminal_width(), has_colour())


def _is_place(source: str) -> bool:
    """Whether it names a file or a directory, and not an endpoint."""
    return source.endswith(".csv") or "/" in source or Path(source).exists()


def _pairs_of_files(paths: Sequence[Path]) -> list[tuple[Series, Series]]:
    from gwtui.bench.reading import CSVError, pairs, places, read

    try:
        return pairs(list(zip(places(paths), map(read, paths), strict=True)))
    except CSVError as error:
        refuse(error)


def _tell(pairs: Sequence[tuple[Series, Series]], *, as_json: bool, run: Run | None = None) -> None:
    from gwtui.bench import telling
    from gwtui.bench.comparing import compare

    found = compare(pairs)
    measured = run.measured if run is not None else []
    if as_json:
        click.echo(telling.compare_json(pairs, found))
    else:
        click.echo(telling.compare_text(pairs, found, measured, _paper()))
