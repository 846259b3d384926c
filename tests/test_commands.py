"""Every command does its work against the embedded gateway: the smoke of a whole installation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from support.commanding import gwtui
from support.tty import terminal

from gwtui import cli
from gwtui.apis import APIS, SOCKET_APIS
from gwtui.gateway.process import GatewayProcess, spawn_gateway
from gwtui.model.enums import Kind

SCENARIO = "default = { tokens = 8, gap_ms = 2, ttft_ms = 2 }"
ANSWER = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\n'
    b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
CONFIG = """
[profiles.default]
interval_s = 0.2
endpoints = [
  {{ name = "chat", api = "openai-chat", url = "{url}" }},
  {{ name = "claude", api = "anthropic-messages", url = "{url}" }},
  {{ name = "pings", api = "websocket", url = "{url}", path = "/v2/websocket" }},
]
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    scenario = tmp_path_factory.mktemp("gateway") / "scenario.toml"
    scenario.write_text(SCENARIO)
    with spawn_gateway(scenario) as gateway:
        yield gateway


@pytest.fixture
def place(gateway: GatewayProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a configuration for the gateway and a captured answer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GWTUI_CONFIG", str(tmp_path / "gwtui.toml"))
    (tmp_path / "gwtui.toml").write_text(CONFIG.format(url=gateway.url))
    (tmp_path / "answer").write_bytes(ANSWER)
    return tmp_path


@dataclass(frozen=True)
class Command:
    """A command line, and what it prints."""

    line: str
    says: str
    stdin: bytes = b""

    def run(self, url: str) -> str:
        result = gwtui(*self.line.replace("GATEWAY", url).split(), input=self.stdin)
        assert result.exit_code == 0, result.output
        assert self.says in result.output
        return result.stdout


COMPLETIONS = [name for name, api in APIS.items() if api.kind is Kind.COMPLETION]
COMMANDS = (
    Command("--version", "gwtui "),
    Command("config path", "gwtui.toml"),
    Command("config example", "[[profiles."),
    Command("config check gwtui.toml", "gwtui.toml"),
    Command("config add anthropic --config added.toml", "added.toml"),
    Command("config add cody --config added.toml", "cody-gateway-ws"),
    Command("help gateways", "gwtui gateway benchmark-stream"),
    Command("manual benchmarks", "Benchmarks"),
    Command("completion bash", "_GWTUI_COMPLETE"),
    Command("gateway --faults", "stall"),
    Command("gateway benchmark-stream --gateway GATEWAY --sgd made-up-key --requests 2", "2 successful (100 %)"),
    Command("gateway benchmark --gateway GATEWAY --requests 2", "4 successful (100 %)"),
    *(Command(f"probe --api {name} --url GATEWAY", "complete") for name in (*COMPLETIONS, *SOCKET_APIS)),
    Command("probe --api http --url GATEWAY --path /-/__version --method GET", "complete"),
    Command("probe pings", "pong"),
    Command("decode answer", "complete"),
    Command("decode answer answer", "CAPTURE"),
    Command("doctor GATEWAY", "[[profiles.default.endpoints]]"),
    Command("decode - --api openai-chat", "complete", ANSWER),
    Command("bench chat pings --requests 4 --concurrency 2", "chat"),
    Command("compare chat claude --requests 4", "claude"),
    Command("check --list", "stream"),
    Command("check chat --only connection,stream,answer", "chat"),
    Command("demo --headless --for 1s --session-dir demo", "rows: demo"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.line)
def test_it_does_its_work(command: Command, gateway: GatewayProcess, place: Path) -> None:
    command.run(gateway.url)


IN_JSON = (
    Command("probe chat --json", "verdict"),
    Command("decode - --api openai-chat --json", "verdict", ANSWER),
    Command("check chat --only stream --json", "endpoints"),
    Command("doctor GATEWAY --json", "product"),
)


@pytest.mark.parametrize("command", IN_JSON, ids=lambda command: command.line)
def test_it_says_the_same_as_json(command: Command, gateway: GatewayProcess, place: Path) -> None:
    assert command.says in json.loads(command.run(gateway.url))


def test_what_was_recorded_is_replayed_and_compared(gateway: GatewayProcess, place: Path) -> None:
    Command("watch --headless --for 1s --session-dir session", "rows: session").run(gateway.url)
    Command("replay session --headless", "claude").run("")
    Command("incidents session", "incident").run("")
    Command("report session", "claude").run("")
    Command("history show", "chat").run("")
    Command("history accept chat", "chat").run("")
    Command("history prune", "").run("")
    Command("bench --requests 2 --csv rows.csv --request-csv requests.csv", "claude").run(gateway.url)
    Command("compare requests.csv session", "claude").run("")


@pytest.mark.usefixtures("place")
def test_the_screen_shows_the_endpoints_and_quits() -> None:
    with terminal("-P", "-m", "gwtui") as tty:
        tty.wait_for("chat", "claude", "pings", " up ")
        tty.press("q")
        assert tty.end() == 0
    assert b"Traceback" not in tty.written


def test_for_a_screen_reader_a_terminal_gets_lines_and_nothing_is_drawn(place: Path) -> None:
    with (place / "gwtui.toml").open("a") as file:
        file.write("[ui]\nscreen_reader = true\n")
    with terminal("-P", "-m", "gwtui", "--for", "3s") as tty:
        tty.wait_for("No incident is open: 3 up.")
        assert tty.end() == 0
    assert b"\x1b" not in tty.written.partition(b"\r\n\r\n")[0], "up to the summary"


AFTERWARDS = ("incidents", "report", "history show", "history accept", "history prune")
"""What looks at recorded sessions, and is tried with one."""


def test_every_command_is_tried() -> None:
    tried = [command.line for command in (*COMMANDS, *IN_JSON)]
    missing = {name for name in _names(cli.gwtui) if not any(f"{line} ".startswith(f"{name} ") for line in tried)}
    assert missing == {"watch", "replay", *AFTERWARDS, "engine", "selftest"}, (
        "which have tests of their own; the screen's engine too"
    )


def _names(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _names(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"
