"""`bench` and `compare` as they are typed, against a gateway on loopback."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from support.answering import WHOLE, Answering, answering
from support.oswords import MISSING

from gwtui.cli import bench, compare
from gwtui.stats import accuracy


@pytest.fixture
def gateway() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SGD", "sgd_one")
    monkeypatch.setenv("SGP", "sgp_two")


@click.group()
def program() -> None:
    """What the commands are part of."""


program.add_command(bench.command)
program.add_command(compare.command)


def typed(line: str, *more: str) -> Result:
    """The outcome of a command line, split at its spaces; `more` are arguments as they are."""
    return CliRunner().invoke(program, [*line.split(), *more])


def refused(line: str, *more: str) -> str:
    """What a command says that cannot be carried out."""
    result = typed(line, *more)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(autouse=True)
def _nothing_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """These answers take less than a millisecond, and how late a busy machine is with them is not the question here."""
    monkeypatch.setattr(accuracy, "DOUBT_NS", 60_000_000_000)


@pytest.fixture
def profile(tmp_path: Path, gateway: Answering) -> str:
    """Options that name a configuration with three endpoints, one of them paused."""
    path = tmp_path / "config.toml"
    where = f'api = "http"\nurl = "{gateway.url}"\npath = "/v2/http"'
    path.write_text(
        "".join(
            f'[[profiles.p.endpoints]]\nname = "{name}"\n{where}\n{more}\n'
            for name, more in (("one", ""), ("two", 'expect = "pong"'), ("idle", "paused = true"))
        )
    )
    return f"--config {path}"


@pytest.mark.parametrize(
    ("provider", "paths", "limits"),
    [
        (
            "anthropic",
            ["/v1/completions/anthropic-messages", "/.api/completions/stream"],
            ["max_tokens", "maxTokensToSample"],
        ),
        ("fireworks", ["/v1/completions/fireworks", "/.api/completions/code"], ["max_tokens", "maxTokensToSample"]),
    ],
)
def test_the_command_line_of_the_predecessor(
    gateway: Answering, tmp_path: Path, provider: str, paths: list[str], limits: list[str]
) -> None:
    figures, requests = tmp_path / "figures.csv", tmp_path / "requests.csv"
    result = typed(
        f"bench --provider {provider} --gateway {gateway.url} --sgd env:SGD --sourcegraph {gateway.url}/ --sgp env:SGP "
        f"--max-tokens 50 --requests 3 --use-special-header special --csv {figures} --request-csv {requests}"
    )
    assert result.exit_code == 0, result.output
    assert [each.path for each in gateway.asked] == [paths[0]] * 3 + [paths[1]] * 3
    for each, auth, limit in zip(gateway.asked[::3], ("Bearer sgd_one", "token sgp_two"), limits, strict=True):
        assert each.headers["authorization"] == auth
        assert each.headers["x-sourcegraph-should-trace"] == "true"
        assert each.headers["x-sourcegraph-feature"] == "code_completions"
        assert each.headers["cody-core-gc-test"] == "special"
        assert each.json[limit] == 50
        assert each.json["stream"] is False
    assert [(row["endpoint"], row["successful"], row["total_requests"]) for row in rows(figures)] == [
        ("gateway", "3", "3"),
        ("sourcegraph", "3", "3"),
    ]
    found = [(row["endpoint"], row["request_number"], row["trace_id"]) for row in rows(requests)]
    assert found[:2] == [("gateway", "1", "trace-1"), ("gateway", "2", "trace-2")]
    assert found[3] == ("sourcegraph", "1", "trace-4")


def test_flags_as_the_predecessor_took_them(gateway: Answering) -> None:
    line = f"bench -gateway={gateway.url} -sgd env:SGD -requests=2 --stream=false"
    assert typed(line).exit_code == 0
    assert typed(line.replace("=false", "=true")).exit_code == 1, "what is answered is no stream"
    assert [each.json["stream"] for each in gateway.asked] == [False, False, True, True]
    assert [each.json["max_tokens"] for each in gateway.asked] == [256] * 4


def test_keys_for_nothing_and_missing_keys_are_said(gateway: Answering) -> None:
    result = typed(f"bench --gateway {gateway.url} --sgp env:SGP --requests 1 --no-session")
    assert result.stderr.splitlines() == [
        "gwtui: note: --gateway is asked without a key: there is no --sgd",
        "gwtui: note: --sgp was given and is not used: there is no --sourcegraph",
    ]
    result = typed(f"bench --gateway {gateway.url} --sgd env:SGD --connectivity --requests 1")
    assert "note: --sgd was given and is not used: pings of a gateway need no key" in result.stderr


def test_several_providers_have_endpoints_of_their_own(gateway: Answering) -> None:
    line = f"bench --provider anthropic --provider fireworks --gateway {gateway.url} --sgd env:SGD --requests 6"
    result = typed(line)
    assert [line.split(" ")[0] for line in result.stdout.splitlines()[4:6]] == [
        "gateway-anthropic",
        "gateway-fireworks",
    ]
    assert "gateway-anthropic" in result.stdout


def test_connectivity_needs_no_model(gateway: Answering) -> None:
    result = typed(
        f"bench --connectivity --gateway {gateway.url} --sourcegraph {gateway.url} --sgp env:SGP --requests 2 --json"
    )
    endpoints = json.loads(result.stdout)["endpoints"]
    assert [(each["endpoint"], each["successful"], each["latency"]) for each in endpoints] == [
        ("ws(s): gateway", 0, "rtt"),  # this gateway has no WebSocket
        ("http(s): gateway", 2, "e2e"),
        ("ws(s): sourcegraph", 0, "rtt"),
        ("http(s): sourcegraph", 2, "e2e"),
        ("http(s): http-then-ws", 2, "e2e"),
    ]
    assert {each.body for each in gateway.asked if not each.path.endswith("/websocket")} == {b"ping"}
    assert {each.headers.get("authorization") for each in gateway.asked if each.path == "/v2/http"} == {None}
    assert {each.headers.get("authorization") for each in gateway.asked if "/.api/" in each.path} == {"token sgp_two"}
    assert result.exit_code == 1


def test_a_key_on_the_command_line_is_refused_and_not_repeated(gateway: Answering) -> None:
    message = refused(f"bench --gateway {gateway.url} --sgd sgd_secret")
    assert "--sgd env:SGD_KEY" in message
    assert "sgd_secret" not in message
    assert gateway.asked == []


def test_endpoints_of_a_profile_in_its_order(gateway: Answering, profile: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.csv"
    assert typed(f"bench two one {profile} --requests 2 --together --csv {figures}").exit_code == 0
    assert [row["endpoint"] for row in rows(figures)] == ["one", "two"]
    assert typed(f"bench {profile} --requests 2").exit_code == 0
    assert len(gateway.asked) == 8, "without names all but the one that is paused"


def test_failures_are_reported_and_kept(gateway: Answering, profile: str, tmp_path: Path) -> None:
    gateway.answer = lambda _: (200, b"pong") if len(gateway.asked) % 4 else (503, b'{"error": "breaker is open"}')
    requests = tmp_path / "requests.csv"
    result = typed(f"bench one {profile} --requests 8 --request-csv {requests}")
    assert result.exit_code == 0
    assert "one: 2 of 8 requests failed; statistics calculated on 6 successful requests only" in result.stdout
    assert "503 unavailable 2: first #4" in result.stdout
    assert "breaker is open (trace trace-4)" in result.stdout
    assert [row["verdict"] for row in rows(requests)] == (["complete"] * 3 + ["unavailable"]) * 2


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("fail_rate>40%", 1),
        ("fail_rate>60%", 0),
        ("p50_e2e>1m", 0),
        ("p50_e2e<1m", 1),
        ("server_error", 1),
        ("server_error>6", 0),
        ("sequential", 0),
    ],
)
def test_a_gate_decides_the_exit_code(gateway: Answering, profile: str, gate: str, code: int) -> None:
    gateway.answer = lambda _: (200, b"pong") if len(gateway.asked) % 2 else (500, b"")
    result = typed(f"bench one {profile} --requests 12 --fail-if {gate}")
    assert result.exit_code == code
    assert (f"and the gate is {gate}" in result.stderr) == bool(code)


def test_an_undecided_gate_is_no_pass_unless_that_is_allowed(profile: str) -> None:
    line = f"bench one {profile} --requests 3 --fail-if p99_e2e>1m --no-session"
    result = typed(line)
    assert result.exit_code == 1
    assert "gwtui: one: undecided: p99 E2E takes 299 results, and n is 3" in result.stderr
    allowed = typed(f"{line} --allow-undecided")
    assert (allowed.exit_code, allowed.stderr) == (0, result.stderr)
    assert typed(f"{line} --fail-if max_e2e>0 --allow-undecided").exit_code == 1


@pytest.mark.parametrize("command", ["bench", "compare"])
def test_help_has_each_option_in_its_group_and_says_what_gates_are(command: str) -> None:
    told = CliRunner().invoke(program, [command, "--help"], terminal_width=80).stdout
    assert max(map(len, told.splitlines())) <= 80
    _, _, rest = told.partition("\nOther:\n")
    others = rest.partition("\n\n")[0].splitlines()
    assert len(others) == 1, "each other one has a group"
    assert "--help" in others[0]
    assert all(part in told for part in ("What has to hold:", "p95_ttft>1.2x", "never_sent", "slower", "Exit codes:"))


def recorded(path: Path, name: str, took_ms: float, n: int = 60) -> Path:
    """A file of requests that each took about that long."""
    rows = [f"{name},{took_ms + at * 37 % n / 1000},ok" for at in range(n)]
    path.write_text("\n".join(["endpoint,duration_ms,outcome", *rows, ""]))
    return path


@pytest.mark.parametrize(("took_ms", "outcome"), [(60_000, "passed"), (0.001, "tripped")])
def test_a_baseline_decides_the_exit_code(profile: str, tmp_path: Path, took_ms: float, outcome: str) -> None:
    """A busy machine may answer in waves, for which the run is too short: the gate is undecided then."""
    before = recorded(tmp_path / "before.csv", "one", took_ms)
    line = f"bench one {profile} --requests 60 --baseline {before} --fail-if p50_e2e>1.2x --json"
    result = typed(f"{line} --allow-undecided")
    told = json.loads(result.stdout)
    (ratio,) = told["ratios"]
    assert ratio["outcome"] in (outcome, "undecided")
    assert result.exit_code == (ratio["outcome"] == "tripped")
    assert [each["gate"] for each in (*told["tripped"], *told["undecided"])] == ["p50_e2e>1.2x"] * (
        ratio["outcome"] != "passed"
    )


def test_a_baseline_is_named_with_what_is_known_of_it(profile: str, tmp_path: Path) -> None:
    before = recorded(tmp_path / "before.csv", "one", 10)
    result = typed(f"bench one {profile} --requests 2 --baseline {before} --fail-if slower --allow-undecided")
    assert "baseline of one: one in before.csv, n 60, 0 failed, its age is unknown" in result.stdout


def test_the_session_of_a_benchmark_is_a_baseline_by_its_name(profile: str) -> None:
    assert typed(f"bench one {profile} --requests 40").exit_code == 0
    (session,) = (Path(os.environ["XDG_STATE_HOME"]) / "gwtui" / "sessions").iterdir()
    gate = "--fail-if p50_e2e>1000x --allow-undecided"
    result = typed(f"bench one {profile} --requests 40 --baseline {session.name} {gate}")
    assert result.exit_code == 0, result.output
    assert f"one in {session.name}, n 40, 0 failed, just measured" in result.stdout
    assert typed(f"compare {session.name} {session.name} --fail-if slower").exit_code == 0
    message = refused(f"bench one {profile} --rate 50 --requests 2 --baseline {session.name}")
    assert f"one was measured in a closed loop in {session.name}, and this is an open one" in message


def test_a_ratio_of_too_few_results_is_undecided(profile: str, tmp_path: Path) -> None:
    before = recorded(tmp_path / "before.csv", "one", 10)
    line = f"bench one {profile} --requests 3 --baseline {before} --fail-if p95_e2e>1.2x"
    result = typed(line)
    assert result.exit_code == 1
    assert "one: undecided: p95 E2E takes 59 results of each, and n is 60 and 3; the gate is" in result.stderr
    assert typed(f"{line} --allow-undecided").exit_code == 0


@pytest.mark.parametrize(
    ("gate", "code"),
    [("p50_e2e>1.2x", 1), ("p50_e2e>3x", 0), ("slower", 1), ("fails_more", 0), ("one: p50_e2e>1.2x", 1)],
)
def test_a_gate_on_files(tmp_path: Path, gate: str, code: int) -> None:
    before, after = recorded(tmp_path / "a.csv", "one", 100), recorded(tmp_path / "b.csv", "one", 200)
    result = typed(f"compare {before} {after} --fail-if", gate)
    assert result.exit_code == code
    assert f"{gate}: one in b.csv {'tripped' if code else 'passed'}: " in result.stdout
    told = json.loads(typed(f"compare {before} {after} --json --fail-if", gate).stdout)
    assert [each["gate"] for each in told["tripped"]] == [gate] * code
    assert typed(f"compare {before} {before} --fail-if", gate).exit_code == 0


def test_a_gate_on_endpoints_in_turns(profile: str) -> None:
    line = f"compare one two {profile} --requests 10 --allow-undecided"
    assert typed(f"{line} --fail-if p50_e2e>1000000x --fail-if fail_rate>1%").exit_code == 0
    result = typed(f"{line} --fail-if p50_e2e>0.000001x --fail-if two:p50_e2e>1ns --fail-if p99_e2e>9x")
    assert result.exit_code == 1
    assert [line.split()[1] for line in result.stderr.splitlines()] == ["two:"] * 3


def test_an_endpoint_without_any_success_fails_the_benchmark(gateway: Answering, profile: str) -> None:
    gateway.answer = lambda _: (500, b"")
    result = typed(f"bench one {profile} --requests 3")
    assert result.exit_code == 1
    assert "all of 3 requests failed; there are no statistics" in result.stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("bench --requests 1", "there is no profile"),
        ("bench nobody CONFIG", "There is no endpoint 'nobody' in profile 'p'. It has: one, two, idle"),
        ("bench one CONFIG --fail-if speed>1", "'speed' is not a measured value"),
        ("bench one CONFIG --fail-if sequental>1%", "'sequental' is not a measured value (did you mean sequential?)"),
        ("bench one CONFIG --fail-if trunkated", "no verdict or finding 'trunkated' (did you mean truncated?)"),
        ("bench one CONFIG --together --interleave", "choose one"),
        ("bench one CONFIG --csv DIR/nowhere/x.csv", "cannot write"),
        ("bench one CONFIG --csv DIR/x.csv --request-csv DIR/x.csv", "two files"),
        ("bench one CONFIG --gateway http://127.0.0.1:1", "in one way"),
        ("bench one CONFIG --for never", "is not a duration"),
        ("bench one CONFIG --rate fast", "is not a number of requests per second"),
        ("bench one CONFIG --requests 0", "--requests"),
        ("bench --sgd env:SGD", "--gateway URL, --sourcegraph URL or both"),
        ("bench --gateway http://127.0.0.1:1 --sgd env:NOT_SET", "NOT_SET is not set"),
        ("bench --gateway ftp://host", "must begin with http://"),
        ("bench --provider openai", "openai"),
        ("bench --connectivity --gateway http://h --stream", "requests no model"),
        ("bench --api http", "missing: --url"),
        ("bench --api telepathy --url http://127.0.0.1:1", "unknown API"),
        ("compare one CONFIG", "two endpoints or more"),
        ("compare one one CONFIG", "two endpoints or more"),
        ("compare DIR/none.csv DIR/nothing.csv", f"none.csv: cannot be read: {MISSING}"),
        ("compare DIR", "it contains neither requests.csv nor pings.csv"),
        ("compare DIR DIR --csv DIR/x.csv", "for new measurements"),
        ("compare DIR DIR --fail-if p95_e2e>1s", "what was recorded is judged by ratios"),
        ("compare one two CONFIG --fail-if p95_rtt>2x", "no endpoint here has the latency RTT"),
        ("bench one CONFIG --fail-if p95_e2e>1.2x", "give --baseline SESSION or FILE"),
        ("bench one CONFIG --fail-if slwer", "did you mean slower?"),
        ("bench one CONFIG --baseline-endpoint two", "is for --baseline"),
        ("bench one CONFIG --baseline DIR/none.csv", f"none.csv: cannot be read: {MISSING}"),
    ],
)
def test_what_cannot_be_done_is_an_error_in_words(profile: str, tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "session").mkdir()
    message = refused(line.replace("CONFIG", profile).replace("DIR", str(tmp_path / "session")))
    assert says in message
    assert "Traceback" not in message


def test_endpoints_are_compared_in_turns(gateway: Answering, profile: str, tmp_path: Path) -> None:
    requests = tmp_path / "requests.csv"
    result = typed(f"compare one two {profile} --requests 10 --request-csv {requests}")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("one (10 of 10 good) against two (10 of 10 good)\n")
    assert "10 pairs by turn" in result.stdout
    assert len(gateway.asked) == 22, "one each before, which does not count"
    assert [row["endpoint"] for row in rows(requests)] == ["one"] * 10 + ["two"] * 10


def test_what_was_measured_before_is_compared(profile: str, tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("Endpoint,Duration (ms),Trace ID\n" + "".join(f"one,{90_000 + each}.00,t\n" for each in range(50)))
    assert typed(f"bench one {profile} --requests 50 --request-csv {new}").exit_code == 0
    result = typed(f"compare {old} {new}")
    assert result.exit_code == 0
    assert "one in old.csv (50 good, failures unknown) against one in new.csv (50 of 50 good)" in result.stdout
    assert "one in old.csv 90.0 s: one in old.csv takes " in result.stdout
    assert " times as long; E2E p50, 95 % interval of the difference " in result.stdout
    found = json.loads(typed(f"compare {old} {new} --json").stdout)
    assert found["comparisons"][0]["faster"] == "one in new.csv"
    assert found["series"][0]["median_ms"] == 90_024


def test_ctrl_c_reports_what_was_measured(gateway: Answering, tmp_path: Path) -> None:
    """Five are answered; the sixth hangs until the benchmark was told to stop."""
    hangs, over = threading.Event(), threading.Event()

    def answer(_: Any) -> tuple[int, bytes]:
        if len(gateway.asked) > 5:
            hangs.set()
            over.wait(30)
        return 200, WHOLE["/v2/http"]

    gateway.answer = answer
    requests = tmp_path / "requests.csv"
    main = "from gwtui.cli.console import run; from gwtui.cli import bench; run(bench.command)"
    line = f"--api http --url {gateway.url} --path /v2/http --requests 1000 --request-csv {requests} --no-session"
    with subprocess.Popen(
        [sys.executable, "-c", main, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert hangs.wait(30)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        over.set()
    assert process.returncode == 130, errors
    assert "5 requests in " in output
    assert "stopped by SIGINT, results until then" in output
    assert "5/5" in output
    assert "http: 1 in flight when gwtui stopped, not counted" in output
    assert [row["outcome"] for row in rows(requests)] == ["ok"] * 5 + ["cancelled"]
    assert errors == "", "no bar where nobody watches, and no traceback"


PLAN = """
[bench.{name}]
endpoints = ["one", "two"]
concurrency = [1, 2]
requests = 8
blocks = 2
compare = [["one", "two"]]
{more}
"""


def planned(profile: str, more: str = "", name: str = "n") -> str:
    """The options of a profile, whose file has a plan as well."""
    path = Path(profile.split()[profile.split().index("--config") + 1])
    path.write_text(path.read_text() + PLAN.format(name=name, more=more))
    return profile


def test_a_plan_is_carried_out_from_its_table_to_its_gates(profile: str, tmp_path: Path) -> None:
    options = planned(profile, 'fail_if = ["one/*: throughput<1000000"]')
    done = typed(f"bench {options} --plan n --csv {tmp_path / 'points.csv'} --request-csv {tmp_path / 'rows.csv'}")
    assert done.exit_code == 1
    assert "plan n: 32 requests" in done.stdout
    assert re.search(r"^Endpoint \| +\| +1 at a time \| +2 at a time$", done.stdout, re.MULTILINE)
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines() if "the gate is" in line] == [
        "one/c1", "one/c2",
    ]  # fmt: skip
    points = rows(tmp_path / "points.csv")
    assert [(row["point"], row["concurrency"], row["successful"]) for row in points] == [
        ("one/c1", "1", "8"), ("one/c2", "2", "8"), ("two/c1", "1", "8"), ("two/c2", "2", "8"),
    ]  # fmt: skip
    requests = rows(tmp_path / "rows.csv")
    assert sorted({row["point"] for row in requests}) == ["one/c1", "one/c2", "two/c1", "two/c2"]
    assert len(requests) == 32


def test_a_plan_has_a_session_and_its_gates_are_test_cases(profile: str, tmp_path: Path) -> None:
    options = planned(profile, 'fail_if = ["*/c2: failed>0"]')
    session = tmp_path / "session"
    done = typed(f"bench {options} --plan n --session-dir {session} --junit {tmp_path / 'j.xml'}")
    assert done.exit_code == 0, done.output
    run = json.loads((session / "run.json").read_text())
    assert (run["kind"], run["plan"]["name"], run["gates"]) == ("plan", "n", ["*/c2: failed>0"])
    assert {each["name"]: (each["axes"], each["ended"]) for each in run["points"]} == {
        name: ({"concurrency": int(name[-1])}, True) for name in ("one/c1", "one/c2", "two/c1", "two/c2")
    }
    assert len(rows(session / "requests.csv")) == 32
    assert len(json.loads((session / "summary.json").read_text())["points"]) == 4
    suites = re.findall(r'classname="([^"]+)" name="\*/c2: failed&gt;0"', (tmp_path / "j.xml").read_text())
    assert suites == ["one/c2", "two/c2"]
    again = typed(f"bench {options} --plan n --resume {session}")
    assert "32 requests are there" in again.stderr
    assert len(rows(session / "requests.csv")) == 32


def test_a_plan_is_compared_with_an_earlier_one_point_by_point(profile: str, tmp_path: Path) -> None:
    options = planned(profile, 'fail_if = ["one/*: avg_e2e>1000x"]')
    assert "compares: give --baseline" in refused(f"bench {options} --plan n")
    first = typed(f"bench {profile} --plan n --session-dir {tmp_path / 'first'} --baseline nowhere")
    assert first.exit_code == 2
    path = Path(profile.split()[-1])
    ratio = path.read_text()
    path.write_text(ratio.replace("avg_e2e>1000x", "failed>0"))
    assert typed(f"bench {profile} --plan n --session-dir {tmp_path / 'first'}").exit_code == 0
    path.write_text(ratio)
    done = typed(f"bench {profile} --plan n --no-session --json --baseline {tmp_path / 'first'}")
    told = json.loads(done.stdout)
    assert [each["endpoint"] for each in told["ratios"]] == ["one/c1", "one/c2"]
    assert [each["endpoint"] for each in told["baseline"]] == ["one/c1", "one/c2", "two/c1", "two/c2"]


def test_the_command_line_changes_simple_settings_of_a_plan(profile: str) -> None:
    options = planned(profile, 'fail_if = ["*/c1: fail_rate>1%"]')
    done = typed(f"bench two {options} --plan n --concurrency 3 --requests 4 --json", "--fail-if", "failed>0")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [(each["point"], each["total_requests"]) for each in told["points"]] == [("two/c3", 4)]
    assert told["notes"][-1] == "*/c1: fail_rate>1% is about none of these points, and judges nothing"
    assert told["comparisons"] == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("--plan m", 'there is no plan "m" (known: n)'),
        ("--plan n --together", "--together and --plan exclude each other"),
        ("--plan n --url http://127.0.0.1:1 --api http", "--api and --plan exclude each other"),
        ("--plan n --rate 5", "plan n has concurrency, and is no open loop"),
        ("three --plan n", "plan n has no endpoint 'three'; it has: one, two"),
        ("--plan n --fail-if three:failed>0", "there is no endpoint or point 'three'"),
    ],
)
def test_what_contradicts_a_plan_is_refused(profile: str, more: str, says: str) -> None:
    assert says in refused(f"bench {planned(profile)} {more}")
