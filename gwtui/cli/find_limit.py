"""`gwtui bench --find-limit`: where an endpoint begins to answer 429."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gwtui.cli.console import EXIT_DOWN, Refusal, carry_out, note, say
from gwtui.cli.measure import outputs_of, text_style
from gwtui.cli.workload import LEAST_REQUESTS, MOST_REQUESTS

if TYPE_CHECKING:
    from gwtui.bench.limit_search import LimitSearch
    from gwtui.cli.bench import BenchOptions
    from gwtui.model.profile import Endpoint, Profile

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
    "replay",
)
"""Options that a search has no use for."""
_NAMES = {"for_s": "--for", "aggregate_csv": "--csv"}


def find_limit(options: BenchOptions, profile: Profile, endpoints: Sequence[Endpoint]) -> int:
    """Search one endpoint after the other and print what was found. Returns the exit code."""
    from signal import Signals

    from gwtui.bench import limit_report
    from gwtui.bench.csv_out import request_line, request_lines

    _refuse_others(options)
    rows: list[bytes] = []
    outputs = outputs_of(options)
    searches = _searches(options, profile, endpoints)
    for search in searches:
        search.take = lambda result: rows.append(request_line(result))
    ran_out = False

    def report(stopped_by: str = "") -> None:
        text = limit_report.limit_json(searches, stopped_by)
        say(text if options.as_json else limit_report.limit_text(searches, text_style(), stopped_by))
        for output in outputs.values():
            output.write(b"".join(request_lines(rows)))

    async def search_all() -> None:
        nonlocal ran_out
        try:
            async with asyncio.timeout(options.deadline_s):
                for search in searches:
                    await search.run()
        except TimeoutError:
            ran_out = True

    _, number = carry_out(search_all(), report)
    report(Signals(number).name if number is not None else "--deadline" if ran_out else "")
    if number is not None:
        return 128 + number
    return EXIT_DOWN if ran_out or not all(any(point.measured.ok for point in each.points) for each in searches) else 0


def _searches(options: BenchOptions, profile: Profile, endpoints: Sequence[Endpoint]) -> list[LimitSearch]:
    from gwtui.bench.limit_search import START_PER_S, LimitSearch

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
