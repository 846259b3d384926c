"""The CSV files of benchmarks: those gwtui writes, and all that it can read back."""

from __future__ import annotations

import csv
import io
import os
import re
import sys
from array import array
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.benching import NOON, measured, ping, request
from support.commanding import gwtui
from support.monitor_stage import MS, endpoint

from gwtui.bench.earlier.csv_in import read
from gwtui.bench.results.csv_out import AGGREGATE_COLUMNS, aggregate_lines, request_line, request_lines
from gwtui.bench.results.measured import Measured, empty
from gwtui.bench.session.bench_session import BenchSession
from gwtui.bench.session.run_file import Point, RunFile
from gwtui.bench.work.plan import Plan
from gwtui.cli.compare import labels, pairs
from gwtui.cli.console import Refusal
from gwtui.codec.csv_rows import CSVError
from gwtui.codec.csv_schema import PING_COLUMNS, REQUEST_COLUMNS, ping_row, request_row
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.verdicts import Verdict
from gwtui.recorder.csvfile import csv_line
from gwtui.recorder.disk import other_parts

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX systems")


def rows(lines: list[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(lines).decode())))


def test_the_first_columns_are_where_people_look_for_them() -> None:
    assert ",".join(AGGREGATE_COLUMNS).startswith(
        "endpoint,avg_ms,median_ms,p5_ms,p75_ms,p80_ms,p95_ms,total_ms,successful,total_requests,"
    )
    heading = request_lines([])[0].decode()
    assert heading.startswith("endpoint,request_number,duration_ms,trace_id,")
    assert heading.strip().split(",") == [*REQUEST_COLUMNS, "from_planned_ms", "room_wait_ms", "counted_from"]


def test_figures_of_an_endpoint() -> None:
    (row,) = rows(aggregate_lines([measured("gateway", range(1, 101), failed=5)]))
    expected = {
        "avg_ms": "50.5",
        "median_ms": "50.0",
        "p5_ms": "5.0",
        "p75_ms": "75.0",
        "p80_ms": "80.0",
        "p95_ms": "95.0",
        "total_ms": "5050.0",
        "successful": "100",
        "total_requests": "105",
        "failures": "truncated=5",
        "p95_low_ms": "90.0",
        "p95_high_ms": "100.0",
        "counted_from": "actual send",
    }
    assert {name: row[name] for name in expected} == expected


def test_an_endpoint_without_a_success_has_no_latency() -> None:
    (row,) = rows(aggregate_lines([measured("dead", [], failed=7)]))
    assert (row["successful"], row["total_requests"]) == ("0", "7")
    assert {row[name] for name in row if name.endswith("_ms") and "lateness" not in name} == {""}


def test_a_failed_request_is_a_row_too() -> None:
    failed = request(number=3, e2e_ms=None, verdict=Verdict.UNAVAILABLE, status=503, reason="=breaker open")
    (row,) = rows(request_lines([request_line(failed)]))
    assert (row["request_number"], row["duration_ms"], row["verdict"]) == ("3", "", "unavailable")
    assert row["reason"] == "'=breaker open"


def test_how_late_a_request_was_is_in_its_row() -> None:
    late = request(e2e_ms=100, lateness_ms=50, sent_ms=57)
    (row,) = rows(request_lines([request_line(late)]))
    assert (row["duration_ms"], row["lateness_ms"], row["from_planned_ms"]) == ("100.0", "50.0", "157.0")


def test_a_ping_fits_among_the_requests() -> None:
    (row,) = rows(request_lines([request_line(ping("ws", 4, 12.5, trace_id="abc", sent_ns=3 * MS))]))
    expected = {"endpoint": "ws", "request_number": "4", "duration_ms": "12.5", "trace_id": "abc", "api": "websocket"}
    assert {name: row[name] for name in expected} == expected
    assert (row["verdict"], row["status"], row["from_planned_ms"]) == ("pong", "101", "15.5")


def some(name: str) -> Measured:
    """Two minutes of streams, some of which failed."""
    each = empty([endpoint(name)])[name]
    for one in results(name):
        each.take(one)
    return each


def results(name: str) -> list[Any]:
    good = [
        request(name, n, 100 + n, started_at=NOON + n * 10, ttft_ms=n, tpot_ms=n / 10, mean_icl_ms=n / 5)
        for n in range(1, 11)
    ]
    bad = [request(name, n, 5, verdict=Verdict.TRUNCATED) for n in (11, 12)]
    own = [request(name, 13, 5, verdict=Verdict.LOCAL), request(name, 14, 5, verdict=Verdict.CANCELLED)]
    return [*good, *bad, *own]


def written(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def test_what_was_written_per_request_is_read_back(tmp_path: Path) -> None:
    lines = request_lines([request_line(one) for name in ("b", "a") for one in results(name)])
    first, second = read(written(tmp_path / "requests.csv", lines))
    assert (first.name, second.name) == ("b", "a")
    assert (first.ok, first.total) == (10, 12)
    assert list(first.samples[Metric.E2E].values) == [(100 + n) * MS for n in range(1, 11)]
    assert list(first.samples[Metric.TTFT].values) == [n * MS for n in range(1, 11)]
    assert list(first.samples[Metric.ICL].values) == [n * MS // 5 for n in range(1, 11)]
    sample = first.samples[Metric.E2E]
    assert sample.at_ms == longs((NOON + n * 10) * 1000 for n in range(1, 11))
    assert sample.turns == longs(range(1, 11))


def longs(numbers: Iterable[float]) -> array[int]:
    return array("q", map(round, numbers))


def open_loop(path: Path) -> Path:
    """Requests of an open loop: they took 100 ms each, and waited for room for 300 ms before."""
    fields: dict[str, Any] = {"ttft_ms": 40, "tpot_ms": 3, "lateness_ms": 300, "room_wait_ms": 300}
    lines = [request_line(request("a", n, 100, **fields), from_planned=True) for n in range(1, 9)]
    return written(path, request_lines(lines))


def test_an_open_loop_keeps_its_wait_from_the_plan(tmp_path: Path) -> None:
    (found,) = read(open_loop(tmp_path / "open.csv"))
    values = {metric: set(sample.values) for metric, sample in found.samples.items()}
    assert values == {Metric.E2E: {400 * MS}, Metric.TTFT: {340 * MS}, Metric.TPOT: {3 * MS}}
    closed = tmp_path / "closed.csv"
    closed.write_text((tmp_path / "open.csv").read_text().replace("planned send", "actual send"))
    assert set(read(closed)[0].samples[Metric.E2E].values) == {100 * MS}


def test_an_open_loop_in_a_bench_session_keeps_its_wait_too(tmp_path: Path) -> None:
    results = [request("a", n, 100, lateness_ms=300, room_wait_ms=300, planned_ms=n * 1000) for n in range(1, 9)]
    for rate, e2e_ms in ((2.0, 400), (None, 100)):
        directory = tmp_path / f"{rate}"
        directory.mkdir()
        plan = Plan(requests=8, rate=rate)
        run = RunFile.new(plan, at=NOON)
        with BenchSession(directory, Profile(endpoints=(endpoint("a"),)), run, clock=lambda: 0) as session:
            session.begin(Point.of(endpoint("a"), plan, name="a, short"))
            for result in results:
                session.row("a, short", result)
        (found,) = read(directory)
        assert (found.name, set(found.samples[Metric.E2E].values)) == ("a, short", {e2e_ms * MS})


def test_times_in_doubt_are_no_more_compared_than_they_were_measured(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"tainted": True, "error_ns": 40 * MS, "ttft_ms": 900}
    results = [request("a", 1, 100), request("a", 2, 300, **fields)]
    lines = request_lines([request_line(each) for each in results])
    (found,) = read(written(tmp_path / "requests.csv", lines))
    each = empty([endpoint("a", "anthropic-messages")])["a"]
    for result in results:
        each.take(result)
    assert found.ok == each.ok == 2
    assert list(found.samples[Metric.E2E].values) == [100 * MS]
    assert (each.values[Metric.E2E].n, each.values[Metric.TTFT].n) == (1, 1)
    assert list(found.samples[Metric.TTFT].values) == [900 * MS], "900 ms may be wrong by 40 ms"


def test_what_was_written_per_endpoint_is_read_back(tmp_path: Path) -> None:
    lines = aggregate_lines([some("b"), measured("dead", [], failed=3)])
    first, dead = read(written(tmp_path / "figures.csv", lines))
    assert (first.ok, first.total, first.figures["avg"]) == (10, 12, round(105.5 * MS))
    assert (dead.ok, dead.total, dead.figures) == (0, 3, {})


def test_a_session_directory_has_requests_and_pings(tmp_path: Path) -> None:
    requests = [csv_line(request_row(one).values()) for one in results("gateway")]
    written(tmp_path / "requests.csv", [csv_line(REQUEST_COLUMNS), *requests])
    pings = [csv_line(ping_row(one).values()) for one in (ping("ws", 1, 10), ping("ws", 2, None))]
    written(tmp_path / "pings.csv", [csv_line(PING_COLUMNS), *pings])
    gateway, socket = read(tmp_path)
    assert (gateway.ok, gateway.total, gateway.is_ping) == (10, 12, False)
    assert (socket.ok, socket.total, socket.is_ping) == (1, 2, True)
    assert list(socket.samples[Metric.E2E].values) == [10 * MS]


def row_of(number: int) -> bytes:
    return csv_line(request_row(request("gateway", number, 100 + number, started_at=NOON)).values())


def rotated(directory: Path, name: str = "requests") -> Path:
    """A session whose rows were put aside twice."""
    directory.mkdir(exist_ok=True)
    for part, numbers in ((f"{name}.9.csv", (1, 2)), (f"{name}.10.csv", (3,)), (f"{name}.csv", (4, 5))):
        written(directory / part, [csv_line(REQUEST_COLUMNS), *map(row_of, numbers)])
    return directory


def test_a_rotated_session_is_read_from_its_first_part_to_its_last(tmp_path: Path) -> None:
    (series,) = read(rotated(tmp_path))
    assert list(series.samples[Metric.E2E].values) == [(100 + n) * MS for n in range(1, 6)]


def test_a_session_without_its_newest_part_is_read_too(tmp_path: Path) -> None:
    (rotated(tmp_path) / "requests.csv").unlink()
    (series,) = read(tmp_path)
    assert series.ok == 3


def test_a_part_that_is_named_alone_says_that_there_are_others(tmp_path: Path) -> None:
    rotated(tmp_path)
    assert other_parts(tmp_path / "requests.csv") == ["requests.9.csv", "requests.10.csv"]
    assert other_parts(tmp_path / "requests.9.csv") == ["requests.10.csv", "requests.csv"]
    assert other_parts(tmp_path / "results.csv") == other_parts(tmp_path) == []
    other = rotated(tmp_path / "other")
    result = gwtui("compare", str(tmp_path / "requests.csv"), str(other))
    assert result.exit_code == 0
    assert "is one part of a session; 2 more are beside it" in " ".join(result.stderr.split())
    assert "is one part of" not in gwtui("compare", str(tmp_path), str(other)).stderr


@posix
@pytest.mark.parametrize(
    "put",
    [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, Path.mkdir],
    ids=["a link", "a pipe", "a directory"],
)
def test_what_is_no_file_in_a_session_is_refused_at_once(tmp_path: Path, put: Callable[[Path], object]) -> None:
    (rotated(tmp_path) / "requests.9.csv").unlink()
    put(tmp_path / "requests.9.csv")
    with pytest.raises(CSVError, match=r"requests\.9\.csv: cannot be read: "):
        read(tmp_path)


@posix
def test_a_file_that_is_named_may_be_a_link_or_a_pipe(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.csv", [csv_line(REQUEST_COLUMNS), row_of(1)])
    (tmp_path / "link.csv").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        piped = pool.submit((tmp_path / "pipe").write_bytes, path.read_bytes())
        assert [each.ok for each in read(tmp_path / "pipe")] == [1]
        assert piped.result(10)
    assert [each.ok for each in read(tmp_path / "link.csv")] == [1]


@pytest.mark.skipif(not Path("/dev/zero").is_char_device(), reason="a device without an end")
def test_a_line_without_an_end_is_none_of_csv() -> None:
    with pytest.raises(CSVError, match="longer than 1 MiB"):
        read(Path("/dev/zero"))


OLD_FIGURES = """\
Endpoint,Average (ms),Median (ms),P5 (ms),P75 (ms),P80 (ms),P95 (ms),Total (ms),Success Rate
gateway,401.23,388.00,300.10,420.00,430.00,620.55,396014.01,987/1000
,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0/1000
sourcegraph,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0/1000
"""
OLD_REQUESTS = """\
Endpoint,Duration (ms),Trace ID
gateway,388.12,4bf92f
gateway,401.00,
sourcegraph,511.99,77aa00
"""


@pytest.mark.parametrize(
    "old", [OLD_FIGURES, OLD_FIGURES.replace(",", ", "), "\ufeff" + OLD_FIGURES.replace("\n", "\r\n")]
)
def test_the_figures_of_the_predecessor(tmp_path: Path, old: str) -> None:
    gateway, dead = read(written(tmp_path / "old.csv", [old.encode()]))
    assert (gateway.name, gateway.ok, gateway.total) == ("gateway", 987, 1000)
    assert gateway.figures["p95"] == round(620.55 * MS)
    assert (dead.name, dead.ok, dead.figures) == ("sourcegraph", 0, {})


SHORT = OLD_FIGURES.replace(" (ms)", "").replace("Average", "avg").lower()
COUNTED = SHORT.replace("success rate", "successful,total_requests").replace("/1000", ",1000")


@pytest.mark.parametrize(
    "old",
    [SHORT, SHORT.replace("success rate", "success"), SHORT.replace("401.23", "401.23ms"), COUNTED],
    ids=["success rate", "success", "with units", "two counts"],
)
def test_figures_under_headings_without_a_unit(tmp_path: Path, old: str) -> None:
    assert old.startswith("endpoint,avg,median,p5,p75,p80,p95,total,success")
    gateway, dead = read(written(tmp_path / "old.csv", [old.encode()]))
    assert (gateway.ok, gateway.total) == (987, 1000)
    assert (gateway.figures["avg"], gateway.figures["total"]) == (round(401.23 * MS), round(396014.01 * MS))
    assert (dead.ok, dead.total, dead.figures) == (0, 1000, {})


def test_figures_without_a_number_of_requests(tmp_path: Path) -> None:
    lines = [f"{line.rpartition(',')[0]}\n".encode() for line in SHORT.splitlines()]
    path = written(tmp_path / "old.csv", lines)
    gateway, dead = read(path)
    assert (gateway.is_counted, gateway.figures["median"], dead.figures) == (False, 388 * MS, {})
    result = gwtui("compare", str(path), str(written(tmp_path / "other.csv", [OLD_FIGURES.encode()])))
    assert result.output.startswith(
        "gateway in old.csv (number of requests unknown) against gateway in other.csv (987 of"
    )
    assert "a file of figures has no single results" in result.output


@pytest.mark.parametrize(
    "old",
    [OLD_REQUESTS, OLD_REQUESTS.replace(",", ", "), OLD_REQUESTS.replace(" (ms)", ""), OLD_REQUESTS.lower()],
)
def test_the_requests_of_the_predecessor(tmp_path: Path, old: str) -> None:
    gateway, sourcegraph = read(written(tmp_path / "old.csv", [old.encode()]))
    assert list(gateway.samples[Metric.E2E].values) == [round(388.12 * MS), 401 * MS]
    assert (gateway.ok, gateway.total) == (2, None), "it kept no failures"
    assert sourcegraph.ok == 1


HEADING = "endpoint,request_number,duration_ms,trace_id,started_at,outcome\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1: the file is empty"),
        (b"a,b,c\n1,2,3\n", "line 1: unknown columns: a,b,c"),
        (OLD_REQUESTS.replace("401.00", "fast").encode(), "line 3, column duration: 'fast' is not a number of"),
        (OLD_REQUESTS.replace("401.00", "nan").encode(), "line 3, column duration: 'nan' is not a duration"),
        (OLD_REQUESTS.replace("401.00", "-1").encode(), "line 3, column duration: '-1' is not a duration"),
        (OLD_FIGURES.replace("987/1000", "98 %").encode(), "line 2, column success rate: '98 %' is not a success rate"),
        pytest.param(OLD_FIGURES.replace("987", "9" * 5000).encode(), "line 2, column success rate: '99", id="digits"),
        ((HEADING + "a,1,\x1b[31m,,,ok\n").encode(), "line 2, column duration_ms: '␛[31m' is not a number"),
        ((HEADING + "a,1,2,,soon,ok\n").encode(), "line 2, column started_at: 'soon' is not a time like"),
        ((HEADING + "a,1,2,,,fine\n").encode(), "line 2, column outcome: 'fine' is not a known outcome"),
        ((HEADING + "a,1\n" + "b,1,2,,,ok\n").encode(), "line 2, column outcome: is missing"),
        ((HEADING + 'a,1,"2\n').encode(), "line 2: not CSV: "),
        ((HEADING + "a,1,2,,,ok\nb\xff").encode("latin-1"), "line 3: not UTF-8 text"),
        (HEADING.encode(), "it contains no results"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_line_and_column(tmp_path: Path, content: bytes, says: str) -> None:
    path = written(tmp_path / "bad.csv", [content])
    with pytest.raises(CSVError) as refusal:
        read(path)
    assert str(refusal.value).startswith(str(path))
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(CSVError, match=str(path)):
            read(path)


@pytest.mark.parametrize("cut", range(1, 17))
def test_a_last_line_that_was_torn_off_is_left_out(tmp_path: Path, cut: int) -> None:
    """As sessions are torn, whose last column is long and holds nothing that is read."""
    data = (HEADING.replace("\n", ",headers\n") + "a,1,20,,,ok,{}\na,2,30,,,ok,{}\n").encode()
    (series,) = read(written(tmp_path / "torn.csv", [data[:-cut]]))
    assert series.ok in (1, 2)
    assert list(series.samples[Metric.E2E].values)[:1] == [20 * MS]


@given(
    st.one_of(
        st.binary(max_size=300), st.text(alphabet="a,1\n\"'. ", max_size=80).map(lambda t: (HEADING + t).encode())
    )
)
def test_no_bytes_do_more_than_be_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp() / "any.csv", [data])
    with suppress(CSVError):
        assert read(path)


def test_what_is_compared_with_what(tmp_path: Path) -> None:
    old = read(written(tmp_path / "old.csv", [OLD_REQUESTS.encode()]))
    new = read(written(tmp_path / "new.csv", request_lines([request_line(one) for one in results("gateway")])))
    other = read(written(tmp_path / "other.csv", request_lines([request_line(one) for one in results("elsewhere")])))

    def named(*sources: Any) -> list[tuple[str, str]]:
        return [(first.name, second.name) for first, second in pairs(sources)]

    assert named(("old.csv", old)) == [("gateway", "sourcegraph")]
    assert named(("old.csv", old), ("new.csv", new)) == [("gateway in old.csv", "gateway in new.csv")]
    assert named(("new.csv", new), ("other.csv", other)) == [("gateway in new.csv", "elsewhere in other.csv")]
    with pytest.raises(Refusal, match=re.escape("old.csv has gateway, sourcegraph; other.csv has elsewhere")):
        pairs([("old.csv", old), ("other.csv", other)])
    with pytest.raises(Refusal, match="name a second file"):
        pairs([("new.csv", new)])


def test_files_of_the_same_name_are_told_apart_by_their_paths() -> None:
    assert labels([Path("a/old.csv"), Path("b/new.csv")]) == ["old.csv", "new.csv"]
    assert labels([Path("a/run.csv"), Path("b/run.csv")]) == ["a/run.csv", "b/run.csv"]


def test_a_row_of_a_search_names_its_point() -> None:
    lines = [request_line(request("a", 1, 100), point="a 1 rate 4")]
    (row,) = rows(request_lines(lines, have_points=True))
    assert (row["point"], row["endpoint"]) == ("a 1 rate 4", "a")
