"""`gwtui bench --find-limit`: where an endpoint begins to answer 429."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gwtui.cli.bench_sessions import Keeping
from gwtui.cli.console import EXIT_DOWN, Refusal, carry_out, note, say
from gwtui.cli.measure import outputs_of, text_style
from gwtui.cli.workload import LEAST_REQUESTS, MOST_REQUESTS

if TYPE_CHECKING:
    from gwtui.bench.search.limit_search import LimitPoint, LimitSearch
    from gwtui.bench.session.run_file import RunFile
    from gwtui.bench.work.plan import Plan
    from gwtui.cli.bench import BenchOptions
    from gwtui.model.profile import Endpoint, Profile
    from gwtui.model.records import Ping, Request

_NOT_WITH = (
    "requests",
    "for_s",
    "warmup",
    "arrivals",
    "cold_warm",
    "together",
    "interleave",
    "slo",
    "fail_if",
    "baseline",
    "aggregate_csv",
    "junit",
    "replay",
)
"""Options that a search has no use for."""
_NAMES = {"for_s": "--for", "aggregate_csv": "--csv"}


def find_limit(options: BenchOptions, profile: Profile, endpoints: Sequence[Endpoint]) -> int:
    """Search one endpoint after the other and print what was found. Returns the exit code."""
    from signal import Signals

    from gwtui.bench.results.csv_out import request_lines
    from gwtui.bench.search import limit_report

    _refuse_others(options)
    outputs = outputs_of(options)
    searches = _searches(options, profile, endpoints)
    rows: list[bytes] = []
    ran_out = False

    def report(stopped_by: str = "") -> None:
        told = limit_report.limit_json(searches, stopped_by)
        keeping.summary(told)
        say(told if options.as_json else limit_report.limit_text(searches, text_style(), stopped_by))
        for output in outputs.values():
            output.write(b"".join(request_lines(rows, have_points=True)))

    def last_words() -> None:
        report()
        keeping.close()

    async def search_all() -> None:
        import asyncio

        nonlocal ran_out
        try:
            async with asyncio.timeout(options.deadline_s):
                for search in searches:
                    await search.run()
        except TimeoutError:
            ran_out = True

    with Keeping.of(options, _loaded(profile, endpoints), _run_file(options, searches)) as keeping:
        for search in searches:
            _keep(search, keeping, rows if outputs else None)
        _, number = carry_out(search_all(), last_words)
        report(Signals(number).name if number is not None else "--deadline" if ran_out else "")
    if number is not None:
        return 128 + number
    return EXIT_DOWN if ran_out or not all(any(point.measured.ok for point in each.points) for each in searches) else 0


def _keep(search: LimitSearch, keeping: Keeping, rows: list[bytes] | None) -> None:
    """Have the results of the search written as they come."""
    from gwtui.bench.results.csv_out import request_line
    from gwtui.bench.session.run_file import Point

    session = keeping.session

    def begin(point: LimitPoint, plan: Plan) -> None:
        if session is not None:
            axes = {"phase": point.phase.value, "rate": point.per_s}
            session.begin(Point.of(search.endpoint, plan, name=point.name, axes=axes))

    def take(point: LimitPoint, result: Request | Ping) -> None:
        if session is not None:
            session.row(point.name, result)
        if rows is not None:
            rows.append(request_line(result, point=point.name))

    search.begin, search.take = begin, take


def _run_file(options: BenchOptions, searches: Sequence[LimitSearch]) -> Callable[[float], RunFile]:
    """What `run.json` says of a search that begins at a wall time."""
    from dataclasses import replace

    from gwtui.bench.session.run_file import RunFile

    plan = {"max_requests": sum(each.most_requests for each in searches), "rate": searches[0].start_per_s}
    endpoints = [each.endpoint for each in searches]
    prompts = searches[0].workload.told()

    def made(at: float) -> RunFile:
        new = RunFile.new(plan, at=at, endpoints=endpoints, kind="limit search")
        return replace(new, prompts=prompts, seed=options.seed)

    return made


def _loaded(profile: Profile, endpoints: Sequence[Endpoint]) -> Profile:
    from msgspec import structs

    return structs.replace(profile, endpoints=tuple(endpoints))


def _searches(options: BenchOptions, profile: Profile, endpoints: Sequence[Endpoint]) -> list[LimitSearch]:
    from gwtui.bench.search.limit_search import START_PER_S, LimitSearch

    most = options.max_requests or MOST_REQUESTS
    each = most // len(endpoints)
    if each < LEAST_REQUESTS:
        words = f"{most} requests are too few for {len(endpoints)} endpoints"
        raise Refusal(f"--find-limit: {words}: {LEAST_REQUESTS} each is the minimum of --max-requests")
    if len(endpoints) > 1:
        note(f"--max-requests {most} is for all: {each} requests for each of {len(endpoints)} endpoints")
    workload = options.workload(tuple(endpoints))
    start_per_s = options.rate or START_PER_S
    return [LimitSearch(endpoint, profile, each, start_per_s, workload=workload) for endpoint in endpoints]


def _refuse_others(options: BenchOptions) -> None:
    for name in _NOT_WITH:
        if getattr(options, name, None):
            option = _NAMES.get(name, f"--{name.replace('_', '-')}")
            raise Refusal(f"--find-limit chooses its own requests and rates: leave {option} out")
