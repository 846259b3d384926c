"""`bench` and `compare` from the command line: what to load, how, where the results go, and the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli.console import (
    EXIT_DOWN,
    OwnFaultError,
    Refusal,
    finish,
    in_colour,
    interruptible,
    refusing,
    say,
    shown,
    width,
)

if TYPE_CHECKING:
    from gwtui.bench.csv_out import CSVOutput
    from gwtui.bench.plan import Plan
    from gwtui.bench.runner import BenchRun
    from gwtui.bench.table import TableStyle
    from gwtui.model.profile import Endpoint, Profile
    from gwtui.stats.comparison import ComparedSeries
from dataclasses import replace
from itertools import combinations

from gwtui.bench.csv_in import CSVError
from gwtui.stats.comparison import ComparedSeries
from gwtui.text.sanitize import clean


def places(paths: Sequence[Path]) -> list[str]:
    """What to call these files: by their names, and by their whole paths where two have the same."""
    names = [path.resolve().name if not (path.is_fifo() or path.is_char_device()) else str(path) for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def pairs(sources: Sequence[tuple[str, Sequence[ComparedSeries]]]) -> list[tuple[ComparedSeries, ComparedSeries]]:
    """What to compare. Of one source its endpoints with each other; of several each endpoint with its namesakes.

    Sources that hold one endpoint each are compared whatever it is called. Raises CSVError.
    """
    if len(sources) == 1:
        (place, series), *_ = sources
        if len(series) < 2:
            raise CSVError(f"{place}: it has one endpoint, {series[0].name}: name a second file to compare it with")
        return list(combinations(series, 2))
    if all(len(series) == 1 for _, series in sources):
        return list(combinations([_in(series[0], place) for place, series in sources], 2))
    named = {name: None for _, series in sources for name in (each.name for each in series)}
    found = [
        pair
        for name in named
        for pair in combinations(
            [_in(each, place) for place, series in sources for each in series if each.name == name], 2
        )
    ]
    if not found:
        names = "; ".join(f"{place} has {', '.join(each.name for each in series)}" for place, series in sources)
        raise CSVError(f"these files have no endpoint in common: {names}")
    return found


def _in(series: ComparedSeries, place: str) -> ComparedSeries:
    return replace(series, name=f"{series.name} in {clean(place)}")


BENCH_REQUESTS = 1000
COMPARE_REQUESTS = 100
OPEN_LOOP_ROOM = 100
"""How many requests of an open loop may be under way at once, unless told otherwise."""

Targets = tuple["Profile", tuple["Endpoint", ...]]


def bench(options: Mapping[str, Any], *, as_json: bool) -> int:
    """Load the endpoints and tell what came of it. Returns the exit code."""
    from gwtui.bench import report, thresholds
    from gwtui.bench.runner import BenchRun

    plan = _plan(options)
    profile, endpoints = _targets(options)
    run = BenchRun.of(endpoints, plan, keeps_rows=options["request_csv"] is not None)
    with _refusing():
        parsed = [thresholds.parse(text) for text in options["fail_if"]]
        thresholds.check(parsed, list(run.measured.values()))
    outputs = _outputs(options)
    _drive(run, endpoints, profile)
    tripped = thresholds.judge(parsed, list(run.measured.values()))
    say(report.bench_json(run, tripped) if as_json else report.bench_text(run, _text_style()))
    for each in tripped:
        click.echo(f"gwtui: {each}", err=True)
    _write(run, outputs)
    return _exit_code(run, tripped=bool(tripped))


def compare(sources: Sequence[str], options: Mapping[str, Any], *, as_json: bool) -> int:
    """Hold endpoints or files against each other. Returns the exit code."""
    from gwtui.bench.results import series_of
    from gwtui.bench.runner import BenchRun
    from gwtui.stats.comparison import all_pairs

    if all(_is_place(source) for source in sources):
        if options["aggregate_csv"] or options["request_csv"]:
            raise Refusal("--csv and --request-csv are for what is measured now")
        _tell_pairs(_pairs_of_files([Path(source) for source in sources]), None, as_json=as_json)
        return 0
    if len(set(sources)) < 2:
        raise Refusal("name two endpoints or more to compare, or files with what was measured before")
    profile, endpoints = _from_profile(sources, options)
    run = BenchRun.of(endpoints, _turns(options), keeps_rows=options["request_csv"] is not None)
    outputs = _outputs(options)
    _drive(run, endpoints, profile)
    _tell_pairs(all_pairs([series_of(each) for each in run.measured.values()]), run, as_json=as_json)
    _write(run, outputs)
    return _exit_code(run, tripped=False)


def _drive(run: BenchRun, endpoints: Sequence[Endpoint], profile: Profile) -> None:
    """Carry the run out, or as much of it as a signal lets it."""
    from signal import Signals

    _, number = finish(interruptible(run.drive(endpoints, profile)))
    run.stopped_by = None if number is None else Signals(number)


def _plan(options: Mapping[str, Any]) -> Plan:
    from gwtui.bench.plan import Order, Plan

    if options["together"] and options["interleave"]:
        raise Refusal("--together and --interleave are two ways to share the time: choose one")
    order = Order.TOGETHER if options["together"] else Order.INTERLEAVED if options["interleave"] else Order.ONE_BY_ONE
    rate = options["rate"]
    return Plan(
        requests=_requests(options, BENCH_REQUESTS),
        for_s=options["for_s"],
        concurrency=options["concurrency"] or (1 if rate is None else OPEN_LOOP_ROOM),
        rate=rate,
        warmup=options["warmup"],
        order=order,
    )


def _turns(options: Mapping[str, Any]) -> Plan:
    """How endpoints are compared: in turns, so that what changes with time changes all of them."""
    from gwtui.bench.plan import Order, Plan

    requests = _requests(options, COMPARE_REQUESTS)
    return Plan(requests=requests, for_s=options["for_s"], warmup=options["warmup"], order=Order.INTERLEAVED)


def _requests(options: Mapping[str, Any], default: int) -> int | None:
    """How many for each endpoint; None: as many as the time allows."""
    if options["requests"] is None and options["for_s"] is not None:
        return None
    return options["requests"] or default


def _targets(options: Mapping[str, Any]) -> Targets:
    """The endpoints that the command line asks for, in one of three ways."""
    described = {name: options[name] for name in ("api", "url", "path", "key") if options[name] is not None}
    others = ("gateway", "sgd", "sourcegraph", "sgp", "special_header", "connectivity", "providers")
    by_url = any(options[name] for name in others)
    if sum((bool(options["endpoints"]), bool(described), by_url)) > 1:
        raise Refusal("say what to load in one way: ENDPOINTs of a profile, --api and --url, or --gateway and so on")
    if by_url:
        return _gateway_and_instance(options)
    if described:
        return _described({**described, **_changes(options)})
    return _from_profile(options["endpoints"], options)


def _changes(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the options say about the requests of every endpoint."""
    names = ("model", "max_tokens", "stream")
    return {name: options[name] for name in names if options.get(name) is not None}


def _from_profile(names: Sequence[str], options: Mapping[str, Any]) -> Targets:
    from gwtui.bench.targets import check, from_profile

    with _refusing():
        profile, endpoints = from_profile(options["config_file"], options["profile_name"], names, _changes(options))
        check(endpoints)
    return profile, endpoints


def _described(fields: Mapping[str, Any]) -> Targets:
    from gwtui.bench.targets import check
    from gwtui.config import endpoint_from
    from gwtui.model.profile import Profile

    if missing := [f"--{name}" for name in ("api", "url") if name not in fields]:
        raise Refusal(f"an endpoint is described with --api and --url (missing: {', '.join(missing)})")
    with _refusing():
        endpoints = (endpoint_from(fields),)
        check(endpoints)
    return Profile(endpoints=endpoints), endpoints


def _gateway_and_instance(options: Mapping[str, Any]) -> Targets:
    from gwtui.bench.targets import SourcegraphTarget, check
    from gwtui.model.profile import Profile

    names = ("gateway", "sgd", "sourcegraph", "sgp", "special_header")
    asked, changes = SourcegraphTarget(**{name: options[name] for name in names}), _changes(options)
    if options["connectivity"] and (options["providers"] or changes):
        raise Refusal("--connectivity asks no model: leave out --provider, --model, --max-tokens and --stream")
    providers = tuple(dict.fromkeys(options["providers"])) or ("anthropic",)
    with _refusing():
        endpoints = asked.pings() if options["connectivity"] else asked.completions(providers, changes)
        check(endpoints)
    return Profile(endpoints=endpoints), endpoints


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever is wrong with what was asked for ends the command."""
    from gwtui.bench.csv_in import CSVError
    from gwtui.bench.targets import TargetError
    from gwtui.bench.thresholds import GateError

    with refusing():
        try:
            yield
        except (CSVError, GateError, TargetError) as error:
            raise Refusal(str(error)) from error


def _outputs(options: Mapping[str, Any]) -> dict[str, CSVOutput]:
    """The files to write, tried before the first request is sent."""
    from gwtui.bench.csv_out import CSVOutput

    paths = {name: options[name] for name in ("aggregate_csv", "request_csv") if options[name] is not None}
    if len(set(paths.values())) < len(paths):
        raise Refusal(f"--csv and --request-csv are two files, and both are {paths['request_csv']}")
    found = {}
    for name, path in paths.items():
        try:
            found[name] = CSVOutput(path)
        except OSError as error:
            raise Refusal(f"cannot write {path}: {error.strerror or error}") from error
    return found


def _write(run: BenchRun, outputs: Mapping[str, CSVOutput]) -> None:
    from gwtui.bench.csv_out import aggregate_lines, request_lines

    for name, output in outputs.items():
        measured = list(run.measured.values())
        lines = aggregate_lines(measured) if name == "aggregate_csv" else request_lines(run.lines())
        try:
            output.write(lines)
        except OSError as error:
            raise OwnFaultError(f"{output.path} was not written: {error.strerror or error}") from error


def _exit_code(run: BenchRun, *, tripped: bool) -> int:
    if run.stopped_by is not None:
        return 128 + run.stopped_by
    return EXIT_DOWN if tripped or any(not each.ok for each in run.measured.values()) else 0


def _text_style() -> TableStyle:
    from gwtui.bench.table import TableStyle

    return TableStyle(width(), in_colour())


def _is_place(source: str) -> bool:
    """Whether it names a file or a directory, and not an endpoint."""
    return source.endswith(".csv") or "/" in source or Path(source).exists()


def _pairs_of_files(paths: Sequence[Path]) -> list[tuple[ComparedSeries, ComparedSeries]]:
    from gwtui.bench.csv_in import other_parts, read
    from gwtui.cli.user_files import progress

    for path in paths:
        if others := other_parts(path):
            told = f"{path} is a part of a session; {len(others)} more are beside it. {path.parent} names all of them"
            click.echo(f"gwtui: note: {shown(told)}", err=True)
    with _refusing(), progress() as add:
        return pairs([(place, read(path, add)) for place, path in zip(places(paths), paths, strict=True)])


def _tell_pairs(pairs: Sequence[tuple[ComparedSeries, ComparedSeries]], run: BenchRun | None, *, as_json: bool) -> None:
    from gwtui.bench import report
    from gwtui.stats.comparison import compare

    found = compare(pairs)
    measured = list(run.measured.values()) if run is not None else []
    say(report.compare_json(pairs, found) if as_json else report.compare_text(pairs, found, measured, _text_style()))
