"""`gwtui compare`: the difference between endpoints, or between files with earlier measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli import completion, measure
from gwtui.cli.console import EXIT_DOWN, Refusal, note, say
from gwtui.cli.gates import complain, gate_options, gates_of, recorded_gates
from gwtui.cli.measure_help import MeasureHelp
from gwtui.cli.options import exit_with, seconds
from gwtui.cli.user_files import progress

if TYPE_CHECKING:
    from gwtui.bench.gates.ratio_gates import RatioGate
    from gwtui.bench.gates.thresholds import Tripped
    from gwtui.bench.run.runner import BenchRun
    from gwtui.bench.work.plan import Plan
    from gwtui.stats.comparison import ComparedSeries

DEFAULT_REQUESTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions(measure.MeasureOptions):
    """The options of `compare`."""

    sources: tuple[str, ...]
    """Names of endpoints, or paths."""
    since: str | None = None
    window_s: float | None = None
    usual: bool = False

    def plan(self) -> Plan:
        """Endpoints in turns, so that what changes with time changes all of them."""
        from gwtui.bench.work.plan import Order, Plan

        requests = self.requests_or(DEFAULT_REQUESTS)
        return Plan(requests=requests, for_s=self.for_s, warmup=self.warmup, order=Order.INTERLEAVED)


@click.command(
    "compare",
    cls=MeasureHelp,
    short_help="Compare A and B: difference, confidence interval, significance.",
    epilog=measure.exit_codes("true or undecided --fail-if, endpoint with no success, or --deadline"),
)
@click.argument("sources", nargs=-1, required=True, metavar="A B...", shell_complete=completion.sources)
@click.option(
    "--requests", type=measure.COUNT, metavar="N", help="Requests per endpoint.  [default: 100, no limit with --for]"
)
@click.option(
    "--warmup", type=measure.WARMUP, metavar="N", default=1, show_default=True, help="Warm-up requests, not counted."
)
@click.option("--since", metavar="MARK|TIME", help="Compare a recorded session before and since this mark or time.")
@click.option(
    "--window", "window_s", metavar="DURATION", callback=seconds, help="With --since: only this long before and after."
)
@click.option("--usual", is_flag=True, help="Compare a recorded session with what was usual before it.")
@gate_options
@measure.measure_options
def command(**options: Any) -> None:
    """Compare A and B: difference, confidence interval, significance.

    A, B and so on are endpoints of a profile, which are probed in turns (A B B A), or CSV files and session
    directories with earlier measurements, by gwtui or by `src gateway benchmark`.

    The command compares the latencies that both have, such as time to first token, total latency and inter-chunk
    latency (the mean of each stream): the differences of median and p95 with 95 % bootstrap intervals, and a
    Mann-Whitney test whose p is corrected for the number of pairs (Holm). Requests in turns are compared turn by turn,
    by the signed-rank test. Values that lean on each other count as fewer. Retry-After is not obeyed, and requests do
    not count against a budget.

    With --since or --usual nothing is measured: A is a session directory or an endpoint of the newest session, and is
    compared before and after a mark or a time, or with what was usual for it when the session began. Failures come
    first, by Fisher's exact test.

    \b
      gwtui compare claude-direct claude-gateway --requests 200
      gwtui compare monday.csv friday.csv
      gwtui compare claude --since CHG-4711
      gwtui compare claude --since 14:03 --window 30m
      gwtui compare claude --usual
    """
    exit_with(compare(CompareOptions(**options)))


def compare(options: CompareOptions) -> int:
    """Compare endpoints or files and print the differences. Returns the exit code."""
    if options.since is not None or options.usual:
        return _look_back(options)
    if options.window_s is not None:
        raise Refusal("--window is for --since")
    if all(_is_path(source) for source in options.sources):
        if options.aggregate_csv or options.request_csv:
            raise Refusal("--csv and --request-csv are for new measurements, not for files")
        gates = recorded_gates(options)
        tripped = _print_pairs(_pairs_of_files(list(map(_path_of, options.sources))), gates, options)
        return EXIT_DOWN if complain(tripped, options) else 0
    if len(set(options.sources)) < 2:
        raise Refusal("name two endpoints or more to compare, or files with earlier measurements")
    return _measure(options)


def _measure(options: CompareOptions) -> int:
    from gwtui.bench.results.measured import series_of
    from gwtui.bench.run.runner import BenchRun
    from gwtui.stats.comparison import all_pairs

    profile, endpoints = measure.from_profile(options.sources, options)
    keeps_rows = options.request_csv is not None
    run = BenchRun.of(endpoints, options.plan(), keeps_rows=keeps_rows, deadline_s=options.deadline_s)
    measured = list(run.measured.values())
    gates = gates_of(options, measured, compares=True)
    outputs = measure.outputs_of(options)

    def report_results() -> bool:
        pairs = all_pairs([series_of(each) for each in measured])
        tripped = _print_pairs(pairs, gates.ratios, options, run=run, limits=gates.judged(measured).tripped)
        measure.write(run, outputs)
        return complain(tripped, options)

    measure.drive(run, endpoints, profile, report_results)
    return measure.exit_code(run, tripped=report_results())


def _look_back(options: CompareOptions) -> int:
    """Compare recorded sessions with themselves, or with what was usual."""
    from gwtui.bench.earlier.since import against_usual, before_and_after, since_of

    if options.since is not None and options.usual:
        raise Refusal("--since and --usual are two comparisons: give one of them")
    if options.usual and options.window_s is not None:
        raise Refusal("--window is for --since")
    if options.aggregate_csv or options.request_csv:
        raise Refusal("--csv and --request-csv are for new measurements, not for recorded ones")
    gates = recorded_gates(options)
    recorded = _recorded(options.sources)
    tripped: list[Tripped] = []
    if options.as_json and len(recorded) > 1:
        raise Refusal("--json is for one session or file at a time")
    for path, names in recorded.items():
        with measure.refusing_targets(), progress() as add:
            if options.since is not None:
                since = since_of(options.since, path)
                found, label = before_and_after(path, names, since, options.window_s, add), f"since {since.label}"
            else:
                found, label = against_usual(path, names, add), "against its usual"
        tripped += _print_pairs(found, gates, options, label=label)
    return EXIT_DOWN if complain(tripped, options) else 0


def _recorded(sources: Sequence[str]) -> dict[Path, list[str]]:
    """The sessions and files to read, with the endpoints that are wanted of each; none: all."""
    from gwtui.recorder.session_dirs import latest_session_dir

    paths: dict[Path, list[str]] = {_path_of(source): [] for source in sources if _is_path(source)}
    names = [source for source in sources if not _is_path(source)]
    if names:
        latest = latest_session_dir()
        if latest is None:
            raise Refusal(f"{names[0]}: there is no session yet, so it has no results to compare")
        paths[latest] = names
    return paths


def _is_path(source: str) -> bool:
    """Whether it names a file, a directory or a recorded session, and not an endpoint."""
    return source.endswith(".csv") or "/" in source or _path_of(source).exists()


def _path_of(source: str) -> Path:
    from gwtui.recorder.session_dirs import session_dir

    return session_dir(Path(source))


def _pairs_of_files(paths: Sequence[Path]) -> list[tuple[ComparedSeries, ComparedSeries]]:
    from gwtui.bench.earlier.series import read_series
    from gwtui.recorder.disk import other_parts

    for path in paths:
        if others := other_parts(path):
            text = f"{path} is one part of a session; {len(others)} more are beside it. Use {path.parent} for all parts"
            note(text)
    with measure.refusing_targets(), progress() as add:
        return pairs([(label, read_series(path, add)) for label, path in zip(labels(paths), paths, strict=True)])


def labels(paths: Sequence[Path]) -> list[str]:
    """What to call these files: by their names, or by their whole paths where two have the same name."""
    names = [path.resolve().name if not (path.is_fifo() or path.is_char_device()) else str(path) for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def pairs(sources: Sequence[tuple[str, Sequence[ComparedSeries]]]) -> list[tuple[ComparedSeries, ComparedSeries]]:
    """What to compare. Of one source its endpoints with each other; of several each endpoint with its namesakes.

    Sources that hold one endpoint each are compared whatever its name. Raises a Refusal.
    """
    if len(sources) == 1:
        (label, series), *_ = sources
        if len(series) < 2:
            raise Refusal(f"{label}: it has one endpoint, {series[0].name}: name a second file to compare it with")
        return list(combinations(series, 2))
    if all(len(series) == 1 for _, series in sources):
        return list(combinations([_in(series[0], label) for label, series in sources], 2))
    named = {name: None for _, series in sources for name in (each.name for each in series)}
    found = [
        pair
        for name in named
        for pair in combinations(
            [_in(each, label) for label, series in sources for each in series if each.name == name], 2
        )
    ]
    if not found:
        names = "; ".join(f"{label} has {', '.join(each.name for each in series)}" for label, series in sources)
        raise Refusal(f"these files have no endpoint in common: {names}")
    return found


def _in(series: ComparedSeries, label: str) -> ComparedSeries:
    from gwtui.text.sanitize import clean

    return replace(series, name=f"{series.name} in {clean(label)}")


def _print_pairs(
    pairs: Sequence[tuple[ComparedSeries, ComparedSeries]],
    gates: Sequence[RatioGate],
    options: CompareOptions,
    *,
    run: BenchRun | None = None,
    limits: Sequence[Tripped] = (),
    label: str = "",
) -> list[Tripped]:
    """Print the comparisons. Returns the gates that were not passed, the `limits` among them."""
    from gwtui.bench.gates import ratio_gates
    from gwtui.bench.report import output
    from gwtui.stats import comparison

    if run is None:
        with measure.refusing_targets():
            ratio_gates.check_pairs(gates, pairs)
    found = comparison.compare(pairs)
    answers = ratio_gates.judge(gates, pairs, found)
    tripped = [*limits, *ratio_gates.tripped(answers)]
    measured = list(run.measured.values()) if run is not None else []
    if options.as_json:
        say(output.compare_json(pairs, found, label, answers, tripped))
    else:
        say(output.compare_text(pairs, found, measured, measure.text_style(), label, ratio_gates.lines(answers)))
    return tripped
