"""The manual's lines do what they say: each one is typed here, against the embedded gateway."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.apis import script_of
from support.commanding import gwtui

from gwtui import cli
from gwtui.bench.gates import ratio_gates, thresholds
from gwtui.checks.registry import CHECKS
from gwtui.cli.manual import INSTEAD
from gwtui.config import load
from gwtui.gateway.process import GatewayProcess, spawn_gateway
from gwtui.text.manual import page_of, rows_of, topics

ROWS = rows_of(page_of("gateways").text)
OLD_FIGURES = "endpoint,avg,median,p5,p75,p80,p95,total,success\ngateway,145,144,140,146,147,150,145000,{}\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    scenario = tmp_path_factory.mktemp("gateway") / "scenario.toml"
    scenario.write_text("default = { tokens = 8, gap_ms = 2, ttft_ms = 2 }")
    with spawn_gateway(scenario) as gateway:
        yield gateway


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the files and the variable that the lines name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GWTUI_CONFIG", str(tmp_path / "gwtui.toml"))
    monkeypatch.setenv("KEY", "key-of-nobody-0123")
    (tmp_path / "before.csv").write_text(OLD_FIGURES.format("987/1000"))
    (tmp_path / "after.csv").write_text(OLD_FIGURES.format("1000/1000"))
    script = script_of("anthropic-messages")
    (tmp_path / "answer").write_bytes(script.wire(script.good))
    return tmp_path


FEWER = {"check": ["--list"], "bench": ["--requests", "2"], "gateway": ["--requests", "2"]}
"""What is added to a line, so that a check sends nothing and a benchmark little."""


@pytest.mark.parametrize("line", sorted({line for _, line in ROWS}))
def test_every_line_works_as_it_is_typed(gateway: GatewayProcess, place: Path, line: str) -> None:
    assert shlex.split(line)[0] == "gwtui"
    words = shlex.split(line.replace("URL", gateway.url))[1:]
    result = gwtui(*words, *FEWER.get(words[0], []))
    assert result.exit_code == 0, result.output
    if words[0] == "config":
        assert load().profiles[0].endpoints


@pytest.mark.parametrize("name", INSTEAD)
def test_commands_of_other_tools_are_answered_with_the_line_to_type(name: str, place: Path) -> None:
    assert name not in cli.gwtui.commands
    result = gwtui(name, "--requests", "5")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Type: {INSTEAD[name]}\n" in result.stderr
    assert "gwtui help gateways" in result.stderr
    words = shlex.split(INSTEAD[name].partition(";")[0])[1:]
    assert words[0] in cli.gwtui.commands
    if "--only" in words:
        assert set(words[-1].split(",")) <= {check.name for check in CHECKS}


def test_every_check_has_a_line_and_every_old_flag_too() -> None:
    text = page_of("gateways").text
    named = {name for line in re.findall(r"--only ([\w,-]+)", text) for name in line.split(",")}
    others = {"connection", "models", "ping"}
    """`connection` is part of all of them."""
    assert {check.name for check in CHECKS} - named <= others
    flags = "requests csv request-csv gateway sourcegraph sgd sgp max-tokens provider stream use-special-header"
    assert all(re.search(rf"`gwtui gateway .*-{flag}\b", text) for flag in flags.split())


def test_a_page_in_a_pipe_is_plain_text_and_its_lines_can_be_copied() -> None:
    lines = gwtui("manual", "gateways").stdout.splitlines()
    assert "  src gateway benchmark-stream --gateway URL --sgd KEY" in lines
    assert lines[lines.index("  all tests, in their order") + 1] == (
        "      gwtui check --tool llm-gateway URL --key env:KEY"
    )
    assert {line.strip() for line in lines} >= {line for _, line in ROWS}
    assert not any("\x1b" in line or "|--" in line for line in lines)
    assert all(len(line) <= 100 for line in lines if "gwtui" not in line)
    assert gwtui("help", "gateways").stdout == gwtui("manual", "gateways").stdout


@pytest.mark.parametrize("topic", topics())
def test_every_page_can_be_read_and_says_what_it_is_about(topic: str) -> None:
    shown = gwtui("manual", topic)
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, page_of(topic).title)
    assert page_of(topic).about in " ".join(shown.stdout.split()).replace("`", "") or "`" in page_of(topic).about
    assert page_of(topic).about.endswith(".")
    assert topic in gwtui("manual").stdout


def test_a_cell_of_a_table_stands_under_the_first_of_its_row_with_its_name() -> None:
    lines = [line.strip() for line in gwtui("manual", "findings").stdout.splitlines()]
    at = lines.index("buffered")
    assert lines[at + 1] == "severity: warning"
    assert lines[at + 2].startswith("means: Content that the model writes")


def test_markdown_as_it_is_written() -> None:
    assert gwtui("manual", "verdicts", "--markdown").stdout.startswith("# Verdicts\n\n")


def test_every_gate_in_the_manual_means_something() -> None:
    text = page_of("benchmarks").text
    rows = [line.split("|")[1] for line in text.partition("| gate |")[2].partition("\n\n")[0].splitlines()[2:]]
    written = [gate for row in rows for gate in re.findall("`([^`]+)`", row)]
    written += re.findall("--fail-if '([^']+)'", text)
    assert len(written) > 12
    limits, comparing = ratio_gates.parse_all(written)
    assert {"slower", "p95_ttft>1.2x"} <= {each.expression.text for each in comparing}
    assert all(thresholds.parse(each) for each in limits)


def test_an_unknown_page_is_refused_with_those_that_are_there() -> None:
    refused = gwtui("manual", "verdict")
    assert (refused.exit_code, "'verdict'" in refused.stderr, "verdicts" in refused.stderr) == (2, True, True)


def test_help_for_a_command_is_its_own() -> None:
    assert gwtui("help").output == gwtui("--help").output
    assert (
        gwtui("help", "config", "add").output.splitlines()[2:] == gwtui("config", "add", "-h").output.splitlines()[2:]
    )
    refused = gwtui("help", "me")
    assert (refused.exit_code, "`gwtui manual` the topics" in refused.stderr) == (2, True)
