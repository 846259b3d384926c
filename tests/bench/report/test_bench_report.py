"""What a benchmark and a comparison print."""

from __future__ import annotations

import json
import signal
from random import Random
from typing import Any

import click
import pytest
from support.benching import measured, ping, request
from support.monitor_stage import MS, endpoint

from gwtui.bench.gates.thresholds import judge, parse
from gwtui.bench.report import breakdown, output, table
from gwtui.bench.results.measured import Measured, empty, series_of
from gwtui.bench.run.runner import BenchRun
from gwtui.bench.work.plan import Plan
from gwtui.model.enums import Unsent
from gwtui.model.metrics import Metric
from gwtui.model.verdicts import Verdict
from gwtui.stats.comparison import ComparedSeries, all_pairs, compare, compare_failures
from gwtui.stats.sentences import in_one_unit, sentence, takes_more
from gwtui.stats.significance import Sample
from gwtui.text.tables import TextStyle

PLAIN = TextStyle()
COLOUR = TextStyle(colour=True)


def cells(lines: list[str], row: str) -> dict[str, str]:
    """A row of a table by its headings."""
    headings = [text.strip() for text in click.unstyle(lines[0]).split("|")]
    line = next(line for line in lines if click.unstyle(line).split("|")[0].strip() == row)
    return dict(zip(headings, (text.strip() for text in line.split("|")), strict=True))


def fast(n: int = 100) -> Measured:
    return measured("gateway", [100 + each % 10 for each in range(n)])


def slow(n: int = 100) -> Measured:
    return measured("sourcegraph", [130 + each % 10 for each in range(n)])


def test_the_table_has_the_columns_people_know() -> None:
    lines = table.latencies([fast(), slow()], PLAIN)
    assert [each.strip() for each in lines[0].split("|")] == [
        "Endpoint", "Average", "Median", "P5", "P75", "P80", "P95", "Total", "Success",
    ]  # fmt: skip
    assert cells(lines, "gateway") == {
        "Endpoint": "gateway",
        "Average": "104 ms",
        "Median": "104 ms",
        "P5": "100 ms",
        "P75": "107 ms",
        "P80": "107 ms",
        "P95": "109 ms",
        "Total": "10.4 s",
        "Success": "100/100",
    }


def test_the_best_is_green_the_worst_red_and_the_rest_yellow() -> None:
    middle = measured("other", [115] * 90, failed=10)
    lines = table.latencies([slow(), middle, fast()], COLOUR)
    expected = {"gateway": ("green", "green"), "other": ("yellow", "red"), "sourcegraph": ("red", "green")}
    for name, (average, success) in expected.items():
        row = cells(lines, name)
        assert row["Average"].startswith(click.style("", fg=average, reset=False))
        assert row["Success"].startswith(click.style("", fg=success, reset=False))
        assert "\x1b" not in row["Total"], "sums of 90 and of 100 requests are no contest"


def test_one_endpoint_alone_is_neither_best_nor_worst() -> None:
    assert "\x1b" not in "".join(table.latencies([fast()], COLOUR))


def test_without_a_success_there_is_no_latency_and_nothing_to_be_best_in() -> None:
    dead = measured("dead", [], failed=5)
    row = cells(table.latencies([dead, fast(), slow()], COLOUR), "dead")
    assert [row[name] for name in ("Average", "Median", "P5", "P75", "P80", "P95", "Total")] == ["-"] * 7
    assert click.unstyle(row["Success"]).strip() == "0/5"
    assert click.style("", fg="red", reset=False) in row["Success"]


def test_what_n_does_not_support_is_not_shown_and_does_not_compete() -> None:
    few = measured("few", [1] * 12)
    row = cells(table.latencies([few, fast()], COLOUR), "few")
    assert (row["P5"], row["P80"], row["P95"]) == ("-(12)", "-(12)", "-(12)")
    assert click.unstyle(row["P75"]).strip() == "1.00 ms"
    assert "\x1b" not in cells(table.latencies([few, fast()], COLOUR), "gateway")["P95"]


def test_what_n_supports_badly_is_shown_where_that_is_wanted_and_marked() -> None:
    lines = table.latencies([measured("few", [*range(1, 13)])], PLAIN, doubtful=True)
    row = cells(lines[:-1], "few")
    assert (row["P5"], row["P75"], row["P80"], row["P95"]) == ("~1.00 ms", "9.00 ms", "~10.0 ms", "~12.0 ms")
    assert lines[-1] == "~ marks a percentile of too few requests to rely on"
    assert "~" not in "".join(table.latencies([fast()], PLAIN, doubtful=True))


def test_a_narrow_terminal_gets_shorter_numbers() -> None:
    wide = table.latencies([fast(), slow()], TextStyle(width=200))
    narrow = table.latencies([fast(), slow()], TextStyle(width=80))
    assert len(narrow[0]) < len(wide[0])
    assert cells(narrow, "gateway")["Average"] == "104"
    details = table.details([fast()], TextStyle(width=70))
    assert "P95" in details[0]
    assert "P99" not in details[0]


def test_details_have_every_latency_with_its_interval() -> None:
    each = empty([endpoint()])["gateway"]
    for number in range(100):
        each.take(request(number=number, e2e_ms=100 + number * 37 % 100, ttft_ms=40, gaps=((5 * MS, 10),)))
    lines = table.details([each], PLAIN)
    by_latency = {line.split("|")[1].strip(): line for line in lines[2:]}
    assert set(by_latency) == {"TTFT", "ICL", "E2E"}
    assert "149 (139-160)" in by_latency["E2E"]
    assert "-(100)" in by_latency["E2E"]
    assert by_latency["ICL"].split("|")[2].strip() == "1,000"
    assert "(" not in by_latency["ICL"]


def test_who_is_faster_on_average() -> None:
    lines = breakdown.comparison_lines([slow(), fast()])
    words = "gateway 104 ms, sourcegraph 134 ms: sourcegraph takes 29 % more (gateway 22 % less)"
    (line,) = lines
    assert line.startswith(f"{words}; E2E p50, 95 % interval of the difference "), "one statement, of the same figures"


def test_pings_and_completions_are_no_match() -> None:
    assert breakdown.comparison_lines([fast(), measured("ws", [1] * 50, api="websocket")]) == []
    lines = breakdown.comparison_lines(
        [measured("ws", [5] * 50, api="websocket"), measured("http", [9] * 50, api="http")]
    )
    (line,) = lines
    assert line.startswith("ws 5.00 ms, http 9.00 ms: http takes 80 % more (ws 44 % less); E2E/RTT p50, ")


def test_nobody_is_faster_than_one_without_a_success() -> None:
    lines = breakdown.comparison_lines([fast(), measured("dead", [], failed=3)])
    assert lines == ["failures: gateway 0 % (0 of 100), dead 100 % (3 of 3): Fisher's exact p <0.001"]


@pytest.mark.parametrize(
    ("one", "other"),
    [([5] * 9, [5] * 9), ([*range(100, 120)], [*range(101, 121)]), ([100] * 40 + [300] * 39, [101] * 39 + [297] * 40)],
    ids=["a tie", "no evidence", "a tendency with equal averages"],
)
def test_nobody_takes_more_without_evidence_or_at_a_tie(one: list[float], other: list[float]) -> None:
    lines = breakdown.comparison_lines([measured("a", one), measured("b", other)])
    assert not any("takes" in line or line.startswith("average") for line in lines)


@pytest.mark.parametrize(
    ("values_ms", "words"),
    [
        ((145, 180), "a 145 ms, b 180 ms: b takes 24 % more (a 19 % less)"),
        ((944, 1342), "a 0.94 s, b 1.34 s: b takes 42 % more (a 30 % less)"),
        ((100, 100.4), "a 100 ms, b 100 ms: b takes 0.4 % more (a 0.4 % less)"),
        ((11, 1112), "a 11.0 ms, b 1.11 s: b takes 101 times as long"),
        ((0, 5), "a 0.00 us, b 5.00 ms"),
    ],
)
def test_both_shares_of_a_difference_are_named(values_ms: tuple[float, float], words: str) -> None:
    assert takes_more(("a", "b"), [round(value * MS) for value in values_ms]) == words


FAILURES = [
    (request, {"verdict": Verdict.NO_FIRST_BYTE, "status": None}, "network timeouts"),
    (request, {"verdict": Verdict.STALLED, "status": 200}, "network timeouts"),
    (ping, {"verdict": Verdict.NO_PONG}, "network timeouts"),
    (request, {"verdict": Verdict.REFUSED, "status": None}, "no connection"),
    (request, {"verdict": Verdict.UNAVAILABLE, "status": 503}, "non-200 answers"),
    (request, {"verdict": Verdict.RATE_LIMITED, "status": 429}, "non-200 answers"),
    (request, {"verdict": Verdict.GATEWAY_TIMEOUT, "status": 504}, "non-200 answers"),
    (request, {"verdict": Verdict.REDIRECT, "status": 307}, "non-200 answers"),
    (request, {"verdict": Verdict.RESET, "status": 200}, "read errors"),
    (ping, {"verdict": Verdict.CLOSED}, "read errors"),
    (ping, {"verdict": Verdict.WRONG_PONG}, "unexpected answers"),
    (request, {"verdict": Verdict.WRONG_BODY, "status": 200}, "unexpected answers"),
    (request, {"verdict": Verdict.TRUNCATED, "status": 200}, "truncated streams"),
    (request, {"verdict": Verdict.ERROR_IN_STREAM, "status": 200}, "errors inside a stream"),
    (request, {"verdict": Verdict.NOT_A_STREAM, "status": 200}, "answers that are not a stream"),
    (request, {"verdict": Verdict.EMPTY, "status": 200}, "empty answers"),
    (request, {"verdict": Verdict.EMPTY, "status": 204}, "non-200 answers"),
]


@pytest.mark.parametrize(("make", "fields", "group"), FAILURES)
def test_failures_are_told_apart(make: Any, fields: dict[str, Any], group: str) -> None:
    each = empty([endpoint("it", "websocket" if make is ping else "anthropic-messages")])["it"]
    each.take(make("it", 1))
    each.take(make("it", 2, None, **fields, reason="what was said", trace_id="4bf9"))
    lines = breakdown.failure_lines([each])
    assert lines[0] == "it: 1 of 2 requests failed; statistics calculated on 1 successful requests only"
    assert lines[1] == f"  {group}: 1"
    assert f"{fields['verdict']} 1: first #2 what was said (trace 4bf9)" in lines[2]


def test_a_whole_answer_that_is_cut_is_a_read_error() -> None:
    each = empty([endpoint("it", "anthropic-messages", stream=False)])["it"]
    each.take(request("it", 1, None, verdict=Verdict.TRUNCATED, status=200, reason="the body has 23 bytes of 47"))
    assert breakdown.failure_lines([each])[1] == "  read errors: 1"


def test_the_summary_counts_every_endpoint_and_all_of_them() -> None:
    lines = breakdown.summary_lines([measured("a", [5] * 987, failed=13), measured("b", [5] * 1000)])
    assert lines[:4] == [
        "a: 1,000 requests, 987 successful (98.7 %), 13 failed (1.3 %)",
        "b: 1,000 requests, 1,000 successful (100 %), 0 failed (0.0 %)",
        "total: 2,000 requests, 1,987 successful (99.4 %), 13 failed (0.7 %)",
        "",
    ]
    assert lines[4].startswith("a: 13 of 1,000 requests failed")
    assert breakdown.summary_lines([measured("a", [])]) == ["a: no requests"]


def test_failures_without_any_success_say_so() -> None:
    assert breakdown.failure_lines([measured("dead", [], failed=3)])[0] == (
        "dead: all of 3 requests failed; there are no statistics"
    )
    assert breakdown.failure_lines([fast()]) == []


def test_requests_that_this_machine_was_late_for_are_reported() -> None:
    each = fast()
    each.take(request("fast", 99, tainted=True))
    assert breakdown.failure_lines([each]) == [f"{each.endpoint}: 1 with times in doubt: gwtui was late (tainted)"]


def series(name: str, *ms: float, **fields: Any) -> ComparedSeries:
    """Latencies in an order by chance, one a second."""
    values = [round(each * MS) for each in Random(name).sample(ms, len(ms))]
    at_ms = [at * 1000 for at in range(len(ms))]
    return ComparedSeries(name, {Metric.TTFT: Sample(values, at_ms)}, len(ms), len(ms), **fields)


def sentence_about(first: ComparedSeries, second: ComparedSeries) -> str:
    (found,) = compare([(first, second)])
    return sentence(found)


def test_the_sentence_to_paste() -> None:
    gateway = series("gateway", *range(380, 400))
    other = series("sourcegraph", *range(505, 525))
    words = (
        "gateway 389 ms, sourcegraph 514 ms: sourcegraph takes 32 % more (gateway 24 % less); "
        "TTFT p50, 95 % interval of the difference 1"
    )
    assert sentence_about(gateway, other).startswith(words)
    assert sentence_about(other, gateway).startswith(words), "whichever is named first"
    assert sentence_about(gateway, other).endswith(" ms, n 20 each")


def test_among_several_the_fastest_comes_first() -> None:
    group = [
        measured(name, [ms + each % 10 for each in range(50)]) for name, ms in (("a", 100), ("b", 200), ("c", 300))
    ]
    lines = breakdown.comparison_lines(group)
    assert [line.split(": ")[-1].split(";")[0] for line in lines] == [
        "b takes 96 % more (a 49 % less)",
        "c takes 192 % more (a 66 % less)",
        "c takes 49 % more (b 33 % less)",
    ]


def test_among_several_what_decides_nothing_is_counted() -> None:
    alike = [measured(name, [100 + each % 10 for each in range(50)]) for name in "abcd"]
    assert breakdown.comparison_lines(alike) == [
        "no evidence of a difference (3.4 % or more would have been one) in 6 comparisons"
    ]
    lines = breakdown.comparison_lines([*alike[:3], measured("slow", [300 + each % 10 for each in range(50)])])
    assert lines[-1] == "no evidence of a difference (3.4 % or more would have been one) in 3 other comparisons"
    assert sum("; E2E p50" in line for line in lines) == 3
    few = [measured(name, [100, 101]) for name in "abc"]
    assert breakdown.comparison_lines([*few]) == ["too few results for 3 comparisons"]


def test_no_evidence_is_reported_as_such() -> None:
    words = sentence_about(series("a", *range(300, 400, 5)), series("b", *range(301, 401, 5)))
    assert words.startswith("no evidence of a difference between a and b; this run would have shown one of ")
    assert "% or more (TTFT p50 345 vs 346 ms, 95 % interval -" in words
    assert " p 0." in words


def test_few_results_are_not_compared() -> None:
    assert (
        sentence_about(series("a", 1, 2, 3), series("b", 7, 8))
        == "too few results to compare the TTFT of a and b (n 3 and 2)"
    )


def test_ranks_without_clear_medians_are_a_tendency() -> None:
    """Most of the one's values are a little lower, and yet the medians may be equal."""
    words = sentence_about(series("a", *[100] * 40, *[300] * 38), series("b", *[101] * 38, *[310] * 40))
    assert words.startswith(
        "a tends to be faster than b, by how much is unclear (TTFT p50 100 vs 310 ms, 95 % interval -"
    )


def test_many_pairs_need_more_evidence() -> None:
    alone = compare([(series("a", *range(300, 340)), series("b", *range(310, 350)))])
    many = compare(all_pairs([series(name, *range(300 + at * 10, 340 + at * 10)) for at, name in enumerate("abcde")]))
    assert many[0].test.p == alone[0].test.p
    assert many[0].p > alone[0].p


def test_only_what_both_measured_is_compared() -> None:
    stream = ComparedSeries("s", {Metric.TTFT: Sample([1] * 9), Metric.E2E: Sample([2] * 9)}, 9, 9)
    whole = ComparedSeries("w", {Metric.E2E: Sample([2] * 9)}, 9, 9)
    assert [each.metric for each in compare([(stream, whole)])] == [Metric.E2E]


@pytest.mark.parametrize(
    ("values_ms", "texts"),
    [
        ((388, 511), ("388", "511 ms")),
        ((944, 1342), ("0.94", "1.34 s")),
        ((-12.34, 9), ("-12.3", "9.00 ms")),
        ((-0.0001, 0.5), ("-0.10", "500 us")),
        ((0, 0), ("0.00", "0.00 us")),
    ],
)
def test_two_durations_share_a_unit(values_ms: tuple[float, ...], texts: tuple[str, ...]) -> None:
    assert in_one_unit(*(value * MS for value in values_ms)) == texts


def test_figures_without_single_results_are_compared_as_figures() -> None:
    old = ComparedSeries("old", {}, 987, 1000, figures={"avg": 400 * MS, "median": 390 * MS})
    lines = breakdown.figure_lines(old, series_of(measured("new", [300] * 50)), PLAIN)
    assert cells(lines, "median")["change"] == "-23.1 %"
    assert lines[-1].startswith(
        "a file of figures has no single results: whether these differences are more than chance"
    )
    assert breakdown.figure_lines(old, ComparedSeries("dead", {}, 0, 1000), PLAIN) == [
        "nothing to compare: no successful result of dead"
    ]


def run(*measured: Measured) -> BenchRun:
    by_name = {each.endpoint: each for each in measured}
    return BenchRun(Plan(), by_name, by_name, seconds=2.0)


def test_the_text_of_a_run_that_was_stopped_says_so() -> None:
    stopped = run(fast(), slow())
    stopped.stopped_by = signal.SIGINT
    text = output.bench_text(stopped, PLAIN)
    assert text.splitlines()[0] == (
        "200 requests in 2.00 s; 1 at a time, latency from the last byte sent, endpoints one by one; "
        "stopped by SIGINT, results until then"
    )
    assert "\ngateway 104 ms, sourcegraph 134 ms: sourcegraph takes" in text


def test_an_open_loop_reports_both_latencies() -> None:
    outcome = BenchRun.of([endpoint()], Plan(rate=50))
    for number in range(100):
        outcome.take(request(number=number, e2e_ms=100, lateness_ms=number, room_wait_ms=number))
    for _ in range(7):
        outcome.measured["gateway"].miss()
    text = output.bench_text(outcome, PLAIN)
    assert "p95 194 ms from the planned send, 100 ms from the actual one" in text
    assert "latest start 99.0 ms after its planned time" in text
    assert "99 requests waited for room: the maximum concurrency, 1, was used up" in text
    assert "7 planned requests found no room in time and were never sent" in text
    assert "gateway: 107 requests, 100 successful (93.5 %), 7 failed (6.5 %)" in text
    assert "  never sent: 7 (no room in time)" in text
    both = json.loads(output.bench_json(outcome, []))
    assert both["endpoints"][0]["metrics"]["e2e"]["p95"]["ms"] == 194
    assert both["from_actual_send"][0]["metrics"]["e2e"]["p95"]["ms"] == 100


def test_json_has_it_all() -> None:
    object_ = json.loads(output.bench_json(run(fast(), measured("dead", [], failed=2)), []))
    gateway, dead = object_["endpoints"]
    assert gateway["metrics"]["e2e"]["p50"] == {"ms": 104, "low_ms": 103, "high_ms": 106, "supported": True}
    assert gateway["metrics"]["e2e"]["p99"]["supported"] is False
    assert dead["metrics"]["e2e"]["p50"]["ms"] is None
    assert dead["failures"][0]["verdict"] == "truncated"
    pair = json.loads(output.bench_json(run(fast(), slow()), []))["comparisons"][0]
    assert (pair["first"], pair["second"], pair["metric"], pair["faster"]) == (
        "gateway", "sourcegraph", "e2e", "gateway",
    )  # fmt: skip
    assert pair["mann_whitney"]["rank_biserial"] == 1


def test_json_tells_undecided_gates_from_tripped_ones() -> None:
    few = measured("few", [10] * 3)
    told = json.loads(output.bench_json(run(few), judge([parse("p95_e2e>1s"), parse("max_e2e>1ms")], [few])))
    assert [each["gate"] for each in told["tripped"]] == ["max_e2e>1ms"]
    assert [each["gate"] for each in told["undecided"]] == ["p95_e2e>1s"]


def failing(name: str, ok: int, total: int | None) -> ComparedSeries:
    return ComparedSeries(name, {Metric.TTFT: Sample([400 * MS] * ok)} if ok else {}, ok, total)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (
            failing("a", 88, 100),
            failing("b", 100, 100),
            "failures: a 12 % (12 of 100), b 0 % (0 of 100): Fisher",
        ),
        (
            failing("a", 99, 100),
            failing("b", 97, 100),
            "failures: a 1 % (1 of 100), b 3 % (3 of 100): no evidence",
        ),
        (failing("a", 0, 9), failing("b", 9, 9), "failures: a 100 % (9 of 9), b 0 % (0 of 9): Fisher's exact p <0.001"),
        (failing("a", 9, 9), failing("b", 5000, 5000), "no failures: a 0 of 9, b 0 of 5,000"),
    ],
)
def test_failures_are_compared_first(first: ComparedSeries, second: ComparedSeries, words: str) -> None:
    pairs = [(first, second)]
    text = output.compare_text(pairs, compare(pairs), [], PLAIN)
    lines = text.splitlines()
    assert lines[3].startswith("failures ")
    sentence_line = next(line for line in lines if line.startswith(words))
    assert all(line.startswith(("failures", sentence_line, "Metric", "-", "a (", "TTFT")) for line in lines[:5])
    told = json.loads(output.compare_json(pairs, compare(pairs)))["failures"]
    assert told[0]["sentence"] == sentence_line
    assert told[0]["failed"] == [first.total - first.ok, second.total - second.ok]  # type: ignore[operator]  # known
    assert 0 < told[0]["fisher_exact"]["p"] <= told[0]["fisher_exact"]["p_holm"] <= 1


def test_failures_that_were_not_kept_are_not_compared() -> None:
    assert compare_failures([(failing("a", 9, None), failing("b", 9, 9))]) == []
    assert compare_failures([(failing("a", 0, 0), failing("b", 9, 9))]) == []


def test_failures_of_many_pairs_need_more_evidence() -> None:
    alone = compare_failures([(failing("a", 93, 100), failing("b", 100, 100))])
    many = compare_failures(all_pairs([failing("a", 93, 100), *(failing(name, 100, 100) for name in "bcd")]))
    assert alone[0].is_clear
    assert (many[0].raw_p, many[0].is_clear) == (alone[0].raw_p, False)


def test_what_gwtui_was_too_slow_for_is_its_own_fault() -> None:
    """It is counted apart, and the endpoint is neither slower nor less good for it."""
    outcome = BenchRun.of([endpoint()], Plan(rate=1500))
    for number in range(100):
        outcome.take(request(number=number, e2e_ms=2, lateness_ms=476 if number >= 60 else 0))
    for _ in range(7):
        outcome.measured["gateway"].miss(Unsent.OWN_LATENESS)
    text = output.bench_text(outcome, PLAIN)
    assert "gateway: gwtui itself started 40 of 100 requests too late (up to 476 ms late)" in text
    assert "7 planned requests never sent: gwtui itself was too slow, which is no failure of the endpoint" in text
    assert "gateway: 100 requests, 100 successful (100 %), 0 failed (0.0 %)" in text
    assert "n of m: of m values n are exact within 1 ms; the others are left out" in text
    (told,) = json.loads(output.bench_json(outcome, []))["endpoints"]
    assert (told["own_late"], told["no_room"], told["max_own_lateness_ms"]) == (40, 0, 476)
    assert (told["never_sent"], told["never_sent_by"]["own_lateness"], told["failed"]) == (7, 7, 0)
    assert told["rates"]["never_sent"] == 7
    e2e = told["metrics"]["e2e"]
    assert (e2e["n"], e2e["measured"], e2e["exact"], e2e["p50"]["ms"]) == (60, 100, 60, 2)


def test_where_gwtui_was_too_slow_for_all_the_actual_send_still_says_how_long_they_took() -> None:
    outcome = BenchRun.of([endpoint()], Plan(rate=5000))
    for number in range(100):
        outcome.take(request(number=number, e2e_ms=2, lateness_ms=800))
    text = output.bench_text(outcome, PLAIN)
    assert "p50 - from the planned send, 2.00 ms from the actual one" in text


def test_too_few_exact_values_say_that_this_machine_was_too_slow() -> None:
    """Then the figures are of all values that are not in doubt."""
    outcome = BenchRun.of([endpoint()], Plan())
    for number, (error_ms, e2e_ms) in enumerate([*[(0.2, 90)] * 40, *[(4, 100)] * 50, *[(400, 500)] * 10]):
        errors = {Metric.E2E: round(error_ms * MS)}
        outcome.take(request(number=number, e2e_ms=e2e_ms, errors=errors, error_ns=errors[Metric.E2E]))
    text = output.bench_text(outcome, PLAIN)
    assert "gateway: this machine was too slow: exact within 1 ms are E2E 40 of 100; " in text
    whole = outcome.measured["gateway"].whole
    assert (whole.n, whole.exact, whole.measured, whole.sorted[-1]) == (90, 40, 100, 100 * MS)
