"""The command lines of `src gateway`, of which only the first word changes, against a gateway that keeps what came."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from support.answering import Answering, Asked, answering, whole

from gwtui.bench.run import progress
from gwtui.bench.work.targets import SPECIAL_VALUE
from gwtui.cli import gateway as command
from gwtui.stats import accuracy

SGD, SGP = "sgd_madeup_0123456789", "sgp_madeup_9876543210"


@pytest.fixture
def gateway() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """How late a busy machine is with answers of less than a millisecond is not the question here."""
    monkeypatch.setattr(accuracy, "DOUBT_NS", 60_000_000_000)


@click.group()
def gwtui() -> None:
    """What the command is part of."""


gwtui.add_command(command.command)


def typed(line: str, *more: str) -> Result:
    return CliRunner().invoke(gwtui, ["gateway", *line.split(), *more])


def refused(line: str) -> str:
    result = typed(line)
    assert result.exit_code == 2, result.output
    return result.stderr


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


PATHS = {
    "anthropic": ["/v1/completions/anthropic-messages", "/.api/completions/stream"],
    "fireworks": ["/v1/completions/fireworks", "/.api/completions/code"],
}


CLAUDE = (
    b'{"model":"claude-3-haiku-20240307","max_tokens":256,"stream":false,"messages":[{"role":"user","content":'
    b'"def bubble_sort(arr):"},{"role":"assistant","content":"Here is a bubble sort:"}],"temperature":0.0}'
)
SOURCEGRAPH = (
    b'{"model":"anthropic::2023-06-01::claude-3-haiku","messages":[{"speaker":"human","text":"def bubble_sort(arr):"},'
    b'{"speaker":"assistant","text":"Here is a bubble sort:"}],"maxTokensToSample":256,'
    b'"temperature":0.0,"stream":false}'
)


def test_the_bodies_are_those_of_the_predecessor(gateway: Answering) -> None:
    result = typed(
        f"benchmark-stream --requests 1 --gateway {gateway.url} --sourcegraph {gateway.url} --sgd {SGD} --sgp {SGP}"
    )
    assert result.exit_code == 0, result.output
    assert [each.body for each in gateway.asked] == [CLAUDE, SOURCEGRAPH]


@pytest.mark.parametrize("provider", PATHS)
def test_completions_with_keys_on_the_command_line(gateway: Answering, tmp_path: Path, provider: str) -> None:
    figures, requests = tmp_path / "figures.csv", tmp_path / "requests.csv"
    result = typed(
        f"benchmark-stream -requests 3 -gateway {gateway.url} -sourcegraph {gateway.url} -sgd {SGD} -sgp={SGP} "
        f"-provider {provider} --max-tokens 50 -csv {figures} -request-csv {requests}"
    )
    assert result.exit_code == 0, result.output
    assert [each.path for each in gateway.asked] == [path for path in PATHS[provider] for _ in range(3)]
    assert [each.headers["authorization"] for each in gateway.asked[::3]] == [f"Bearer {SGD}", f"token {SGP}"]
    assert [each.json["stream"] for each in gateway.asked] == [False] * 6
    assert [(row["endpoint"], row["successful"]) for row in rows(figures)] == [("gateway", "3"), ("sourcegraph", "3")]
    assert [row["trace_id"] for row in rows(requests)] == [f"trace-{number}" for number in range(1, 7)]
    (note,) = result.stderr.splitlines()
    assert "read the key of --sgd and --sgp in the list of processes" in note
    assert "safer: env:NAME" in note


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="hidden on Linux alone")
def test_a_key_on_the_command_line_is_hidden_from_the_list_of_processes(gateway: Answering) -> None:
    lines: list[bytes] = []
    line = f"-m gwtui gateway benchmark-stream --gateway {gateway.url} --sgd {SGD} --requests 1"

    def answer(asked: Asked) -> tuple[int, bytes]:
        lines.append(Path(f"/proc/{process.pid}/cmdline").read_bytes())
        return 200, whole(asked.path)

    gateway.answer = answer
    with subprocess.Popen([sys.executable, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert [(SGD.encode() in each, b"*" * len(SGD) in each, gateway.url.encode() in each) for each in lines] == [
        (False, True, True)
    ]
    assert b"until now" in errors
    assert SGD.encode() not in output + errors


def test_a_key_on_the_command_line_is_masked_wherever_it_comes_back(gateway: Answering, tmp_path: Path) -> None:
    def echo(asked: Asked) -> tuple[int, bytes]:
        return 401, json.dumps({"error": {"message": f"{asked.headers['authorization']} is unknown"}}).encode()

    gateway.answer = echo
    requests = tmp_path / "requests.csv"
    line = f"benchmark-stream --requests 2 --gateway {gateway.url} --sgd {SGD} --request-csv {requests}"
    for result in (typed(line), typed(f"{line} --json")):
        assert result.exit_code == 1
        assert "401" in result.stdout
        assert "••• is unknown" in result.stdout + requests.read_text()
        assert SGD[:12] not in result.output + requests.read_text()


@pytest.mark.parametrize(
    ("written", "streams"),
    [
        ("", False),
        ("--stream", True),
        ("-stream", True),
        ("--stream true", True),
        ("-stream=true", True),
        ("--stream=T", True),
        ("--stream false", False),
        ("--stream=0", False),
    ],
)
def test_a_stream_is_asked_for_as_go_reads_flags(gateway: Answering, written: str, streams: bool) -> None:
    typed(f"benchmark-stream {written} --gateway {gateway.url} --sgd {SGD} --requests 1")
    assert [each.json["stream"] for each in gateway.asked] == [streams]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("--use-special-header", SPECIAL_VALUE),
        ("-use-special-header=true", SPECIAL_VALUE),
        ("--use-special-header=false", None),
        ("--use-special-header mine", "mine"),
    ],
)
def test_the_special_header_with_and_without_a_value(gateway: Answering, written: str, value: str | None) -> None:
    result = typed(f"benchmark --requests 1 --sourcegraph {gateway.url} --sgp {SGP} --requests 1 {written}")
    assert {each.headers.get("cody-core-gc-test") for each in gateway.asked} == {value}
    assert result.exit_code == 1, "this gateway has no WebSocket"


def test_pings_of_a_gateway_that_is_named_by_its_websocket(gateway: Answering) -> None:
    result = typed(f"benchmark --gateway {gateway.url.replace('http', 'ws')} --requests 2 --json")
    found = {each["endpoint"]: each["successful"] for each in json.loads(result.stdout)["endpoints"]}
    assert found == {"ws(s): gateway": 0, "http(s): gateway": 2}
    pings = [each for each in gateway.asked if each.path == "/v2/http"]
    assert {(each.body, each.headers["content-type"]) for each in pings} == {(b"ping", "application/json")}


def test_completions_of_a_gateway_that_is_named_by_its_websocket(gateway: Answering) -> None:
    url = gateway.url.replace("http", "ws")
    assert typed(f"benchmark-stream --gateway {url} --sgd {SGD} --requests 1").exit_code == 0
    assert [each.path for each in gateway.asked] == ["/v1/completions/anthropic-messages"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("benchmark-stream --gateway URL --sgp k", "--gateway needs its key: --sgd env:NAME"),
        ("benchmark-stream --sourcegraph URL --sgd k", "--sourcegraph needs its key: --sgp env:NAME"),
        ("benchmark --sourcegraph URL", "--sourcegraph needs its key: --sgp env:NAME"),
        ("benchmark-stream --gateway URL --sgd ENV:KEY", "--sgd begins like a reference, but is not valid"),
        ("benchmark-stream --gateway URL --sgd env:NOT_SET", "NOT_SET is not set"),
        ("benchmark-stream", "--gateway URL, --sourcegraph URL or both"),
        ("benchmark --sgp k", "--gateway URL, --sourcegraph URL or both"),
        ("benchmark --gateway localhost:9992", "--gateway must begin with http://"),
        ("benchmark-stream --gateway URL --sgd half secret", "arguments without an option are not allowed"),
        ("benchmark-stream --provider openai", "openai"),
    ],
)
def test_what_cannot_be_done_sends_nothing(gateway: Answering, line: str, says: str) -> None:
    message = refused(line.replace("URL", gateway.url))
    assert says in message
    assert "secret" not in message
    assert gateway.asked == []


def test_an_option_that_is_empty_was_not_given(gateway: Answering) -> None:
    result = typed(f"benchmark-stream --gateway {gateway.url} --requests 1", "--sgd", "")
    assert result.exit_code == 2
    assert "--gateway needs its key" in result.stderr


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        ("benchmark --gateway URL --requests 1", ["sourcegraph is not benchmarked: there is no --sourcegraph"]),
        (
            "benchmark-stream --gateway URL --sgd env:SGD --sgp k --requests 1",
            ["sourcegraph is not benchmarked: there is no --sourcegraph, so --sgp is not used"],
        ),
        (
            "benchmark --gateway URL --sgd k --requests 1",
            [
                "--sgd was given and is not used: pings of a gateway need no key",
                "sourcegraph is not benchmarked: there is no --sourcegraph",
            ],
        ),
    ],
)
def test_what_was_given_for_nothing_is_said(
    gateway: Answering, monkeypatch: pytest.MonkeyPatch, line: str, notes: list[str]
) -> None:
    monkeypatch.setenv("SGD", SGD)
    result = typed(line.replace("URL", gateway.url))
    assert result.stderr.splitlines() == [f"gwtui: note: {note}" for note in notes]


def test_the_summary_counts_and_names_what_failed(gateway: Answering) -> None:
    """Of four: a 200, a 201 with a good body, a 503, and another 200."""

    def answer(asked: Asked) -> tuple[int, bytes]:
        return {2: 201, 3: 503}.get(len(gateway.asked), 200), whole(asked.path)

    gateway.answer = answer
    line = f"--gateway {gateway.url} --sgd {SGD} --requests 4"
    result = typed(f"benchmark-stream {line}")
    assert result.exit_code == 0
    assert "gateway: 4 requests, 2 successful (50.0 %), 2 failed (50.0 %)" in result.stdout
    assert "statistics calculated on 2 successful requests only" in result.stdout
    assert (
        "  non-200 answers: 2\n    201 wrong_status 1: first #2 HTTP 201 instead of 200 (trace trace-2)"
        in result.stdout
    )
    cells = result.stdout.splitlines()[4].split("|")
    assert all(cell.strip().startswith("~") for cell in cells[2:7]), "median and P5 to P95, however few there are"
    assert "~ marks a percentile" in result.stdout


def test_a_deadline_ends_it_with_what_there_is(gateway: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third request hangs until all is over."""
    over = threading.Event()

    def answer(asked: Asked) -> tuple[int, bytes]:
        if len(gateway.asked) == 3:
            over.wait(30)
        return 200, whole(asked.path)

    gateway.answer = answer
    monkeypatch.setattr(progress, "LINE_PERIOD_S", 0.3)
    result = typed(f"benchmark-stream --gateway {gateway.url} --sgd {SGD} --requests 50 --deadline 2s")
    over.set()
    assert result.exit_code == 1
    assert "stopped by --deadline, results until then" in result.stdout
    assert "gateway: 2 requests, 2 successful (100 %), 0 failed (0.0 %)" in result.stdout
    assert "gateway: 1 in flight when gwtui stopped, not counted" in result.stdout
    lines = [line for line in result.stderr.splitlines() if " requests, " in line]
    assert any(line.startswith("gwtui: 2 of 50 requests, 0 failed, ") for line in lines), result.stderr


def test_alone_it_is_the_embedded_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr("gwtui.gateway.process.serve", lambda *args, **_: served.append(args[:2]))
    assert typed("--port 0").exit_code == 0
    assert typed("").exit_code == 0
    assert served == [("127.0.0.1", 0), ("127.0.0.1", 8765)]
