"""What a benchmark says it reached per second, held against a server that counts and stamps by itself."""

from __future__ import annotations

import json
from statistics import fmean
from typing import Any

import pytest
from click.testing import CliRunner
from support.benching import measured, request
from support.counting import Served, counting
from support.monitor_stage import SECOND, endpoint

from gwtui.bench.report import table
from gwtui.bench.results.csv_out import AGGREGATE_COLUMNS, aggregate_lines
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.results.rates import Flights
from gwtui.cli import bench
from gwtui.model.verdicts import Verdict
from gwtui.text.tables import TextStyle

ONE_PERCENT = 0.01
AFTER_S = 0.5


def benched(line: str) -> Any:
    result = CliRunner().invoke(bench.command, [*line.split(), "--json"])
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


def true_rates(served: list[Served]) -> dict[str, float]:
    """The same figures from the server's own stamps."""
    first_ns, last_ns = min(each.came_ns for each in served), max(each.ended_ns for each in served)
    seconds = (last_ns - first_ns) / 1e9
    good = sum(each.good for each in served)
    return {
        "seconds": seconds,
        "completed_per_s": len(served) / seconds,
        "good_per_s": good / seconds,
        "mean_in_flight": sum(each.ended_ns - each.came_ns for each in served) / 1e9 / seconds,
        "input_tokens_per_s": sum(each.input_tokens for each in served) / seconds,
        "output_tokens_per_s": sum(each.output_tokens for each in served) / seconds,
    }


@pytest.mark.parametrize(
    ("load", "counted"),
    [("--concurrency 16 --requests 64", 64), ("--rate 40 --requests 60", 60)],
    ids=["closed", "open"],
)
def test_rates_are_those_of_the_server_without_the_warm_up(load: str, counted: int) -> None:
    with counting(after_s=AFTER_S, bad=7) as truth:
        told = benched(f"--api openai-chat --url {truth.url} --no-stream --warmup 5 {load}")
    (found,) = [each["rates"] for each in told["endpoints"]]
    served = truth.served[5:]
    assert len(served) == counted
    expected = true_rates(served)
    within = ONE_PERCENT + 2 * fmean(each.late_ns for each in served) / 1e9 / AFTER_S
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=within)
    assert found["offered"] == found["started"] == found["completed"] == counted
    assert found["good"] == sum(each.good for each in served)
    assert found["never_sent"] == 0
    assert found["output_tokens"] == sum(each.output_tokens for each in served)


def flown(*times_s: tuple[float, float], **fields: Any) -> Measured:
    """An endpoint whose requests were under way between these times."""
    each = empty([endpoint()])["gateway"]
    for number, (begin_s, end_s) in enumerate(times_s, 1):
        took_ms = round((end_s - begin_s) * 1000)
        each.take(request("gateway", number, took_ms, sent_ns=round(begin_s * SECOND), **fields))
    return each


def test_concurrency_is_what_was_reached_and_not_what_was_allowed() -> None:
    found = flown((0, 2), (1, 3), (3, 4)).rates
    assert found is not None
    assert (found.span_ns, found.mean_in_flight, found.max_in_flight) == (4 * SECOND, 1.25, 2)


def test_per_user_is_per_request_in_flight() -> None:
    found = flown((0, 2), (0, 2), input_tokens=10, output_tokens=100).rates
    assert found is not None
    assert (found.per_s(found.input_tokens), found.per_s(found.output_tokens)) == (10, 100)
    assert found.output_tokens_per_user == 50


def test_what_gwtui_stopped_was_started_and_moves_no_end() -> None:
    each = flown((0, 1))
    each.take(request("gateway", 2, None, verdict=Verdict.CANCELLED, sent_ns=0, now_ns=9 * SECOND))
    for _ in range(3):
        each.miss()
    found = each.rates
    assert found is not None
    assert (found.span_ns, found.offered, found.started, found.completed) == (SECOND, 5, 2, 1)
    assert (found.never_sent, found.max_in_flight) == (3, 2)


def test_a_request_that_was_never_sent_counts_from_its_start_to_its_end() -> None:
    refused = request("gateway", 1, None, verdict=Verdict.REFUSED, planned_ns=SECOND, now_ns=3 * SECOND)
    flights = Flights()
    flights.take(refused)
    found = flights.rates(offered=1, completed=1, good=0)
    assert found is not None
    assert found.span_ns == 2 * SECOND


def test_the_time_between_two_blocks_is_no_part_of_the_rates() -> None:
    flights = Flights()
    for began_s in (0, 1, 100, 101):
        if began_s == 100:
            flights.pause()
        flights.take(request("gateway", 1, 1000, planned_ns=began_s * SECOND))
    found = flights.rates(offered=4, completed=4, good=4)
    assert found is not None
    assert (found.span_ns, found.per_s(found.good)) == (4 * SECOND, 1.0)
    assert (found.mean_in_flight, found.max_in_flight) == (1.0, 1)


def test_without_an_end_there_are_no_rates() -> None:
    assert measured("gateway", []).rates is None
    assert table.rates([measured("gateway", [])], TextStyle()) == []


def test_the_table_of_rates() -> None:
    each = flown((0, 2), (1, 3), (3, 4), input_tokens=10, output_tokens=100)
    each.miss()
    each.take(request("gateway", 4, 1, sent_ns=SECOND))
    heading, _, row, tokens = table.rates([each], TextStyle())
    named = dict(zip(heading.replace(" ", "").split("|"), row.replace(" ", "").split("|"), strict=True))
    assert named["Time"] == "4.00s"
    assert (named["Offered/s"], named["Completed/s"], named["Neversent"]) == ("1.25", "1.00", "1")
    assert named["Inflight(max)"] == "1.3(3)"
    assert tokens == (
        "gateway: 7.5 input and 75.0 output tokens/s, 60.0 output tokens/s per request in flight; "
        "1 good answer without a token count"
    )
    assert max(map(len, table.rates([each], TextStyle(width=80))[:3])) <= 80


def test_the_cached_share_is_of_the_answers_that_tell_it() -> None:
    each = measured("gateway", [])
    for number, (sent, cached) in enumerate([(100, 80), (100, 0), (500, None)], 1):
        each.take(request("gateway", number, input_tokens=sent, output_tokens=1, cached_tokens=cached))
    found = each.rates
    assert found is not None
    assert (found.cached_tokens, found.cached_share) == (80, 0.4)
    assert " input (40.0 % cached) and " in table.token_line("gateway", found)
    columns = dict(zip(AGGREGATE_COLUMNS, aggregate_lines([each])[1].decode().strip().split(","), strict=True))
    assert (columns["cached_tokens"], columns["cached_share"]) == ("80", "0.4")


def test_without_any_word_of_a_cache_there_is_no_share() -> None:
    each = flown((0, 1), input_tokens=10, output_tokens=1)
    assert each.rates is not None
    assert (each.rates.cached_tokens, each.rates.cached_share) == (None, None)
    assert "cached" not in table.token_line("gateway", each.rates)
