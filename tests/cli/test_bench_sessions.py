"""The sessions of `gwtui bench`: where they are, what a kill leaves, and how a benchmark is gone on with."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from support.answering import WHOLE, Answering, answering

from gwtui.bench.session.bench_recording import read_bench
from gwtui.cli import bench, compare, decode, incidents, replay, report
from gwtui.recorder import state_dir
from gwtui.stats import accuracy

MAIN = "from gwtui.cli.console import run; from gwtui.cli import bench; run(bench.command)"


@pytest.fixture
def gateway() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """How late a busy machine is with answers that take less than a millisecond is not the question here."""
    monkeypatch.setattr(accuracy, "DOUBT_NS", 60_000_000_000)


@pytest.fixture
def line(gateway: Answering) -> str:
    gateway.answer = lambda _: (200, WHOLE["/v2/http"])
    return f"--api http --url {gateway.url} --path /v2/http"


def typed(line: str, *more: str) -> Result:
    return CliRunner().invoke(bench.command, [*line.split(), *more])


def refused(line: str, *more: str) -> str:
    result = typed(line, *more)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr


def sessions() -> list[Path]:
    state = state_dir()
    assert state is not None
    return sorted((state / "sessions").iterdir()) if (state / "sessions").exists() else []


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class Killed:
    """A benchmark in a process of its own whose sixth request hangs, ended there by a signal."""

    def __init__(self, gateway: Answering, line: str, number: signal.Signals, is_kept: Any) -> None:
        hangs, over = threading.Event(), threading.Event()

        def answer(_: Any) -> tuple[int, bytes]:
            if len(gateway.asked) == 6:
                hangs.set()
                over.wait(30)
            return 200, WHOLE["/v2/http"]

        gateway.answer = answer
        with subprocess.Popen(
            [sys.executable, "-c", MAIN, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert hangs.wait(30)
            is_kept()
            process.send_signal(number)
            self.output, self.errors = process.communicate(timeout=30)
            over.set()
        self.code = process.returncode


def until_written(directory: Path, number: int) -> None:
    """Wait until so many rows are on the disk, as long as a test may take."""
    done = threading.Event()
    while not done.wait(0.02):
        if (directory / "requests.csv").exists() and len(rows(directory / "requests.csv")) == number:
            return


def test_every_benchmark_has_a_session_and_says_where(line: str) -> None:
    result = typed(f"{line} --requests 3 --json")
    (directory,) = sessions()
    assert result.stderr == f"gwtui: session {directory}\n"
    assert directory.name.endswith("Z-bench")
    assert json.loads((directory / "summary.json").read_text()) == json.loads(result.stdout)
    assert [(row["point"], row["outcome"]) for row in rows(directory / "requests.csv")] == [("http", "ok")] * 3
    assert [point.ended for point in read_bench(directory).run.points] == [True]


def test_no_session_is_kept_where_none_is_wanted(line: str, tmp_path: Path) -> None:
    assert typed(f"{line} --requests 1 --no-session").stderr == ""
    assert sessions() == []
    assert "leave out --session-dir" in refused(f"{line} --no-session --session-dir {tmp_path / 'a'}")


def test_a_session_that_is_there_is_not_written_into(line: str, tmp_path: Path, gateway: Answering) -> None:
    assert typed(f"{line} --requests 1 --session-dir {tmp_path / 'a'}").exit_code == 0
    assert "it holds a session already" in refused(f"{line} --requests 1 --session-dir {tmp_path / 'a'}")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").touch()
    assert "files that gwtui did not write: mine.txt" in refused(f"{line} --session-dir {tmp_path / 'b'}")
    assert len(gateway.asked) == 1


def test_what_a_kill_leaves_is_gone_on_with(line: str, gateway: Answering, tmp_path: Path) -> None:
    directory, requests = tmp_path / "s", tmp_path / "requests.csv"
    killed = Killed(
        gateway,
        f"{line} --requests 9 --session-dir {directory} --fail-if failed>0",
        signal.SIGKILL,
        lambda: until_written(directory, 5),
    )
    assert killed.code == -signal.SIGKILL
    assert not (directory / "summary.json").exists()
    gateway.answer = lambda _: (200, WHOLE["/v2/http"])
    before = len(gateway.asked)
    result = typed(f"--resume {directory} --json --request-csv {requests}")
    assert result.exit_code == 0, result.output
    assert result.stderr == f"gwtui: session {directory} goes on: 5 requests are there\n"
    assert len(gateway.asked) - before == 4
    told = json.loads(result.stdout)
    assert told["endpoints"][0]["successful"] == told["endpoints"][0]["rates"]["completed"] == 9
    assert [int(row["request_number"]) for row in rows(directory / "requests.csv")] == list(range(1, 10))
    assert [int(row["request_number"]) for row in rows(requests)] == list(range(1, 10))
    again = typed(f"--resume {directory} --json --fail-if success>50%")
    assert (again.exit_code, len(gateway.asked) - before) == (1, 4), "all is there, and other gates are judged"


def test_ctrl_c_keeps_what_was_measured_and_why_it_ended(line: str, gateway: Answering, tmp_path: Path) -> None:
    killed = Killed(gateway, f"{line} --requests 9 --session-dir {tmp_path / 's'}", signal.SIGINT, lambda: None)
    assert killed.code == 128 + signal.SIGINT
    assert json.loads((tmp_path / "s" / "summary.json").read_text())["stopped_by"] == "SIGINT"
    assert [row["outcome"] for row in rows(tmp_path / "s" / "requests.csv")] == ["ok"] * 5 + ["cancelled"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("--requests 5", "leave out --requests"),
        ("one --rate 5", "leave out --rate, [ENDPOINT]..."),
        ("--session-dir b", "goes on in its own directory"),
        ("--no-session", "leave out --session-dir and --resume"),
    ],
)
def test_a_benchmark_is_gone_on_with_as_it_was_begun(line: str, tmp_path: Path, more: str, says: str) -> None:
    typed(f"{line} --requests 1 --session-dir {tmp_path / 'a'}")
    assert says in refused(f"--resume {tmp_path / 'a'} {more}")


def test_prompts_go_on_behind_those_that_were_asked(gateway: Answering, tmp_path: Path) -> None:
    prompts, other = tmp_path / "prompts.jsonl", tmp_path / "other.jsonl"
    prompts.write_text("".join(f'{{"prompt": "question {each}"}}\n' for each in range(1, 10)))
    other.write_text('{"prompt": "another"}\n')
    line = f"--api openai-chat --url {gateway.url} --no-stream --prompts {prompts}"
    killed = Killed(gateway, f"{line} --requests 8 --session-dir {tmp_path / 's'}", signal.SIGINT, lambda: None)
    assert killed.code == 128 + signal.SIGINT, killed.errors
    gateway.answer = lambda _: (200, WHOLE["/v2/http"])
    assert "give --prompts with the file prompts.jsonl" in refused(f"--resume {tmp_path / 's'}")
    assert "give --prompts with the file prompts.jsonl" in refused(f"--resume {tmp_path / 's'} --prompts {other}")
    before = len(gateway.asked)
    typed(f"--resume {tmp_path / 's'} --prompts {prompts}")
    assert [each.json["messages"][0]["content"] for each in gateway.asked[before:]] == [
        f"question {each}" for each in (6, 7, 8)
    ]


def test_what_is_no_bench_session_cannot_be_gone_on_with(tmp_path: Path) -> None:
    assert "is not a session directory" in refused(f"--resume {tmp_path / 'nowhere'}")
    assert "is not a session directory" in refused(f"--resume {tmp_path}")


def test_a_secret_in_the_configuration_is_not_in_the_session_which_says_so(gateway: Answering, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[profiles.p]\nendpoints = [{{ name = "one", api = "http", url = "{gateway.url}", path = "/v2/http", '
        'body = "token: sk-made-up-secret-word-0123456789" }]\n'
    )
    gateway.answer = lambda _: (200, WHOLE["/v2/http"])
    assert typed(f"--config {config} --requests 1 --session-dir {tmp_path / 'a'}").exit_code == 0
    assert "made-up-secret-word" not in "".join(path.read_text() for path in (tmp_path / "a").iterdir())
    assert "one had a secret written out in the configuration" in refused(f"--resume {tmp_path / 'a'}")


def test_a_directory_that_cannot_be_made_costs_no_result(line: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = typed(f"{line} --requests 2 --session-dir {tmp_path / 'file' / 's'}")
    assert "2 requests in " in result.stdout
    assert "measuring goes on" in result.stderr
    assert result.stderr.count("2 rows were not written") == 1
    assert result.exit_code == 3


def test_a_home_that_cannot_be_written_to_is_said_once_and_is_no_fault(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    result = typed(f"{line} --requests 2")
    assert result.exit_code == 0
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert "measuring goes on" in result.stderr


def test_old_sessions_are_removed_and_those_of_benchmarks_count(line: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[sessions]\nkeep_days = 1\n")
    typed(f"{line} --requests 1")
    (old,) = sessions()
    for path in old.iterdir():
        os.utime(path, (0, 0))
    result = typed(f"{line} --requests 1 --config {config}")
    assert "1 old session removed" in result.stderr
    assert old not in sessions()
    assert len(sessions()) == 1


def test_gates_are_test_cases(line: str, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    gates = [f"--fail-if={each}" for each in ("avg_e2e>1m", "success>50%", "p99_e2e>1m")]
    result = typed(f"{line} --requests 3 --junit {file}", *gates)
    assert result.exit_code == 1
    root = ElementTree.parse(file).getroot()
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("5", "2", "0")
    cases = {case.get("name"): [*case] for suite in root for case in suite}
    assert not cases["avg_e2e>1m"]
    assert cases["success>50%"][0].get("type") == "tripped"
    assert "takes 299 results" in str(cases["p99_e2e>1m"][0].get("message"))
    typed(f"{line} --requests 3 --allow-undecided --junit {file}", *gates)
    root = ElementTree.parse(file).getroot()
    assert (root.get("failures"), root.get("skipped")) == ("1", "1")


def test_commands_about_monitors_say_that_it_is_a_benchmark(line: str) -> None:
    typed(f"{line} --requests 1")
    (directory,) = sessions()
    for command in (incidents.command, decode.command):
        args = [directory.name] if command is incidents.command else ["--session", directory.name]
        result = CliRunner().invoke(command, args)
        assert (result.exit_code, "gwtui report shows what it measured" in result.stderr) == (2, True)
    assert "there is no session yet" in CliRunner().invoke(incidents.command, []).stderr


def test_a_benchmark_is_replayed_and_compared_as_any_session(line: str) -> None:
    typed(f"{line} --requests 3")
    (directory,) = sessions()
    replayed = CliRunner().invoke(replay.command, [str(directory), "--headless"])
    assert "3 requests, 0 failed" in replayed.stdout
    compared = CliRunner().invoke(compare.command, [str(directory), str(directory)])
    assert "(3 of 3 good) against" in compared.stdout


def test_a_report_of_a_benchmark_is_written_in_every_form(line: str, tmp_path: Path) -> None:
    typed(f"{line} --requests 2")
    (directory,) = sessions()
    page = tmp_path / "page.html"
    assert CliRunner().invoke(report.command, [directory.name, "-o", str(page)]).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
    told = json.loads(CliRunner().invoke(report.command, [directory.name, "--format", "json"]).stdout)
    assert sum(step["ended"] for step in told["points"][0]["series"]) == 2
    assert "### Per second" in CliRunner().invoke(report.command, [directory.name]).stdout
    result = CliRunner().invoke(report.command, [directory.name, "--incident", "1"])
    assert (result.exit_code, "a benchmark has no incidents" in result.stderr) == (2, True)


def test_a_plan_is_gone_on_with_where_it_stopped(gateway: Answering, tmp_path: Path) -> None:
    config, directory = tmp_path / "config.toml", tmp_path / "s"
    text = (
        f'[profiles.p]\nendpoints = [{{ name = "one", api = "openai-chat", url = "{gateway.url}", stream = false }}]\n'
        '[bench.nightly]\nprompts = { short = "hi", long = "say more" }\nrequests = 4\nblocks = 2\n'
    )
    config.write_text(text)
    line = f"--plan nightly --config {config}"
    killed = Killed(gateway, f"{line} --session-dir {directory}", signal.SIGINT, lambda: None)
    assert killed.code == 128 + signal.SIGINT, killed.errors
    gateway.answer = lambda _: (200, WHOLE["/v2/http"])
    assert "give --plan nightly too" in refused(f"--resume {directory}")
    before = len(gateway.asked)
    result = typed(f"{line} --resume {directory}")
    assert "5 requests are there" in result.stderr
    assert len(gateway.asked) - before == 3
    counted = [row["point"] for row in rows(directory / "requests.csv") if row["outcome"] != "cancelled"]
    assert sorted(counted) == ["one/long"] * 4 + ["one/short"] * 4
    config.write_text(text.replace("say more", "say less"))
    assert "is not what plan nightly says now" in refused(f"{line} --resume {directory}")
