"""Every command as a user types it: what it prints, what it refuses, and the exit code."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from support.commanding import Canned, gwtui, profiles, written
from support.completions import EVENT_STREAM, LAST_CHUNK, WHOLE
from support.oswords import MISSING
from support.scripted import chunk, free_port

from gwtui import cli
from gwtui.apis import api_names
from gwtui.cli import config, console, gateway, watch
from gwtui.gateway.process import GatewayError
from gwtui.model.commands import Start
from gwtui.model.enums import State
from gwtui.secrets.references import SCHEMES

COMMANDS: dict[str, click.Command] = {
    "": cli.gwtui,
    **{name: command for name, command in cli.gwtui.commands.items() if not command.hidden},
    **{f"config {name}": command for name, command in config.command.commands.items()},
    **{f"gateway {name}": command for name, command in gateway.command.commands.items()},
}
STREAM = EVENT_STREAM + chunk(WHOLE) + LAST_CHUNK


@pytest.fixture(scope="module")
def good() -> Iterator[Canned]:
    with Canned(STREAM) as server:
        yield server


# Help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_eighty_columns_and_cuts_nothing_off(name: str) -> None:
    result = gwtui(*name.split(), "--help", env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    assert not [line for line in result.output.splitlines()[1:] if line.endswith("...") and "--" not in line]


@pytest.mark.parametrize("name", ["", "watch", "replay", "probe", "bench", "compare", "decode", "demo", "gateway"])
def test_help_lists_the_exit_codes(name: str) -> None:
    result = gwtui(*name.split(), "--help").output
    assert all(f"\n    {code}" in result for code in ("0 ", "2 ", "3 ", "128+n"))
    assert ("\n    1 " in result) is (name not in ("demo", "gateway")), "these two never end with 1"


@pytest.mark.parametrize("name", ["bench", "check", "probe", "config add"])
def test_help_names_every_place_a_key_may_be_in(name: str) -> None:
    found = " ".join(gwtui(*name.split(), "--help").output.split())
    assert f"key is: {SCHEMES}." in found


def test_help_of_probe_names_every_api() -> None:
    words = gwtui("probe", "--help").output.replace(",", " ").split()
    assert not set(api_names()) - set(words)


def test_help_and_version_load_nothing_heavy() -> None:
    program = f"""
import sys
from click.testing import CliRunner
from gwtui.cli import gwtui
for name in {[name for name in COMMANDS if name != "probe"]!r}:
    assert CliRunner().invoke(gwtui, [*name.split(), "--help"]).exit_code == 0
assert CliRunner().invoke(gwtui, ["--version"]).output.startswith("gwtui ")
print(*sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert not loaded & {"textual", "rich", "httpx", "httpcore", "websockets", "starlette", "uvicorn", "msgspec"}
    own = {name for name in run.stdout.split() if name.startswith("gwtui.")}
    light = {"gwtui.model", "gwtui.model.signals", "gwtui.secrets", "gwtui.secrets.crash_output", "gwtui.text.manual"}
    of_bench_help = {
        "gwtui.model.enums",
        "gwtui.model.metrics",
        "gwtui.bench",
        "gwtui.bench.gates",
        "gwtui.bench.gates.measures",
    }
    assert {name for name in own if not name.startswith("gwtui.cli")} - {"gwtui.text"} == light | of_bench_help


# Refusals

HTTP = ("probe", "--api", "http", "--url", "http://h")
CHAT = ("probe", "--api", "openai-chat", "--url", "http://h")
SOCKET = ("probe", "--api", "websocket", "--url", "ws://h")
REFUSED = [
    (["wach"], "No such command 'wach'"),
    (["--nope"], "No such option"),
    (["-p"], "requires an argument"),
    (["--interval", "0"], "is not a duration"),
    (["--interval", "soon"], "is not a duration"),
    (["--interval", "25h"], "longer than a day"),
    (["--interval", "49ms"], "shorter than 50ms"),
    (["replay", "--speed", "nan"], "is not a number"),
    (["--for", "-3"], "is not a duration"),
    (["--for", "nan"], "is not a duration"),
    (["watch"], "there is no profile (gwtui config add KIND writes one"),
    (["watch", "--config", "none.toml"], f"none.toml: cannot be read: {MISSING}"),
    (["watch", "--config", "."], "is a directory"),
    (["watch", "--config", "GOOD", "-p", "prd"], 'there is no profile "prd" (there are: prod, bare)'),
    (["watch", "--config", "GOOD", "-p", "bare"], "has no endpoints"),
    (["--config", "BAD"], "default_profile: is not a profile"),
    (["gateway", "--port", "99999"], "not in the range"),
    (["gateway", "--scenario", "none.toml"], "does not exist"),
    (["gateway", "--scenario", "GOOD"], "unknown field `profiles`"),
    (["config", "check", "none.toml"], "cannot be read"),
    (["config", "check"], "does not exist yet"),
    (["config", "exmaple"], "No such command 'exmaple'"),
    (["probe"], "Name an ENDPOINT, or describe one with --api and --url"),
    (["probe", "--api", "http"], "missing: --url"),
    (["probe", "chat"], "there is no profile"),
    (
        ["probe", "chta", "--config", "GOOD", "-p", "prod"],
        "no endpoint 'chta' in profile 'prod'. It has: chat",
    ),
    (["probe", "--api", "openai-chta", "--url", "http://h"], "unknown API (did you mean openai-chat?)"),
    (["probe", "--api", "http", "--url", "ftp://h"], "url: must begin with"),
    ([*HTTP, "--key", "sk-12345678"], "key: must say where the key is"),
    ([*HTTP, "--header", "X-Team"], "--header is written 'Name: value'"),
    ([*HTTP, "--header", ": x"], "--header is written 'Name: value'"),
    (
        [*HTTP, "--header", "Authorization: Bearer sk-123"],
        "looks like a secret",
    ),
    ([*HTTP, "--header", "X Y: z"], "is not a header name"),
    ([*HTTP, "--prompt", "hi"], "--prompt: not for the API http"),
    (
        [*SOCKET, "--no-stream", "--method", "GET"],
        "--method, --no-stream: not",
    ),
    ([*CHAT, "--body", "{"], "--body is a JSON object"),
    ([*CHAT, "--body", "[1]"], "--body is a JSON object"),
    ([*CHAT, "--max-tokens", "0"], "--max-tokens"),
]


@pytest.mark.parametrize(("args", "expected"), REFUSED, ids=[" ".join(args) for args, _ in REFUSED])
def test_what_is_wrong_on_the_command_line_is_reported_and_nothing_is_begun(
    args: list[str], expected: str, tmp_path: Path
) -> None:
    config = written(tmp_path, profiles("http://127.0.0.1:9"))
    (tmp_path / "bad.toml").write_text('default_profile = "nope"\n' + profiles("http://127.0.0.1:9"))
    named = {"GOOD": config, "BAD": str(tmp_path / "bad.toml")}
    result = gwtui(*(named.get(arg, arg) for arg in args))
    assert result.exit_code == 2
    assert expected in result.stderr
    assert result.stdout == ""


def test_a_secret_that_was_typed_is_not_repeated() -> None:
    for option, typed in (("--key", "sk-verysecret"), ("--header", "Authorization Bearer sk-verysecret")):
        result = gwtui("probe", "--api", "http", "--url", "http://127.0.0.1:9", option, typed)
        assert result.exit_code == 2
        assert "verysecret" not in result.output


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("30", 30), ("30s", 30), ("1.5m", 90), ("2h", 7200), ("250ms", 0.25), (" 5 S ", 5), (".5s", 0.5)],
)
def test_durations(typed: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Mock(return_value=0)
    monkeypatch.setattr("gwtui.cli.demo.watch_demo", watched)
    assert gwtui("demo", "--for", typed).exit_code == 0
    assert watched.call_args.args[0].stop_after_s == pytest.approx(seconds)


def test_options_without_a_command_are_those_of_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Mock(return_value=0)
    monkeypatch.setattr("gwtui.cli.watch.watch", watched)
    assert gwtui("-p", "prod", "--json").exit_code == 0
    assert gwtui().exit_code == 0
    asked = [call.args for call in watched.call_args_list]
    assert [(profile, run.as_json) for _, profile, run in asked] == [("prod", True), (None, False)]


# Watch


def test_watching_without_a_terminal(tmp_path: Path, good: Canned) -> None:
    config = written(tmp_path, profiles(good.url))
    session = tmp_path / "session"
    result = gwtui("watch", "-p", "prod", "--config", config, "--for", "0.5s", "--session-dir", str(session))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Watching prod: 1 endpoint.")
    assert "● chat      up" in result.stdout
    assert f"rows: {session}" in result.stdout
    rows = (session / "requests.csv").read_text().splitlines()
    assert rows[0].startswith("endpoint,request_number,duration_ms,trace_id,")
    assert any(",complete," in row for row in rows[1:])


def test_an_endpoint_that_is_down_is_in_the_exit_code_and_on_disk(tmp_path: Path) -> None:
    config = written(tmp_path, profiles(f"http://127.0.0.1:{free_port()}"))
    session = tmp_path / "session"
    asked = ("-p", "prod", "--config", config, "--json", "--interval", "50ms", "--session-dir", str(session))
    result = gwtui(*asked, "--for", "400ms")
    assert result.exit_code == 1
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["endpoints"][0]["verdict"] == "refused"
    requests = [line for line in lines if line["type"] == "request"]
    on_disk = (session / "requests.csv").read_text().splitlines()[1:]
    assert len(on_disk) == len(requests) > 0


def test_rows_that_cannot_be_written_do_not_stop_the_watching(tmp_path: Path, good: Canned) -> None:
    config = written(tmp_path, profiles(good.url))
    (tmp_path / "file").write_text("")
    result = gwtui("-p", "prod", "--config", config, "--for", "300ms", "--session-dir", str(tmp_path / "file" / "s"))
    assert result.exit_code == 3
    assert "● chat" in result.stdout
    assert "rows: not written: Not a directory (s)" in result.stdout
    assert "rows: /" not in result.stdout


def test_without_a_home_directory_there_is_one_sentence_and_no_recording(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, good: Canned
) -> None:
    def nobody() -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_state_path", lambda *_, **__: nobody())
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: nobody())
    monkeypatch.delenv("GWTUI_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    config = written(tmp_path, profiles(good.url))
    watched = ("-p", "prod", "--config", config, "--for", "300ms")
    result = gwtui(*watched)
    assert result.exit_code == 0
    assert result.stderr.count("\n") == 1
    assert "nothing is recorded" in result.stderr
    assert "rows: " not in result.stdout
    kept = gwtui(*watched, "--session-dir", str(tmp_path / "s"))
    assert (kept.exit_code, kept.stderr) == (0, "")
    for command in (("replay",), ("watch",), ("config", "check")):
        refused = gwtui(*command)
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert gwtui("config", "path").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gwtui.toml", "s"]


def test_a_gateway_that_does_not_start_is_our_own_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise GatewayError("The embedded gateway did not start: it said nothing")

    monkeypatch.setattr("gwtui.gateway.process.spawn_gateway", broken)
    result = gwtui("demo")
    assert result.exit_code == 3
    assert result.stderr == "gwtui: The embedded gateway did not start: it said nothing\n"


def test_an_engine_that_cannot_be_started_is_our_own_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Start) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("gwtui.feeds.spawn_engine", refuse)
    monkeypatch.setattr(watch, "is_screen", lambda _: True)
    result = gwtui("--config", written(tmp_path, profiles("http://127.0.0.1:1")), "-p", "prod")
    assert result.exit_code == 3
    assert result.stderr == "gwtui: the engine cannot be started: Resource temporarily unavailable\n"


# The embedded gateway


def test_a_port_that_is_taken_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = gwtui("gateway", "--port", str(port))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"gwtui: cannot listen on 127.0.0.1:{port}: ")


# Standard output


@pytest.mark.parametrize(
    ("code", "exit_code", "expected"), [(errno.EPIPE, 141, ""), (errno.ENOSPC, 3, "standard output:")]
)
def test_output_that_is_taken_no_more(
    code: int, exit_code: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, err: bool = False, **__: object) -> None:
        if not err:
            raise OSError(code, "gone")

    monkeypatch.setattr("gwtui.cli.console.click.echo", refuse)
    with pytest.raises(click.ClickException) as caught:
        console.say("hello")
    assert caught.value.exit_code == exit_code
    assert expected in caught.value.message or not expected


@pytest.mark.parametrize(("wants", "coloured"), [("", True), ("1", False)])
def test_colours_only_on_a_terminal_and_only_if_wanted(
    wants: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", wants)
    monkeypatch.setattr(console, "is_screen", lambda _: True)
    assert console.styled("up", State.UP) == ("\x1b[32mup\x1b[0m" if coloured else "up")
    monkeypatch.setattr(console, "is_screen", lambda _: False)
    assert console.styled("up", State.UP) == "up"


# A captured stream


def test_decode_reports_events_and_verdict_of_a_capture(tmp_path: Path) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n')
    result = gwtui("decode", str(capture), "--api", "openai-chat", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["verdict"] == "truncated"
    assert "truncated" in gwtui("decode", str(capture), "--api", "openai-chat").output


def test_decode_refuses_what_is_no_stream_in_one_line(tmp_path: Path) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(b"\x89PNG not a stream")
    refused = gwtui("decode", str(capture), "--api", "openai-chat")
    assert refused.exit_code == 2
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
@pytest.mark.parametrize("limit", ["-n 5", "-n 8", "-v 60000"])
def test_a_machine_without_room_gets_a_sentence_and_no_traceback(tmp_path: Path, limit: str) -> None:
    config = written(tmp_path, profiles(f"http://127.0.0.1:{free_port()}"))
    command = f"ulimit {limit} && exec '{sys.executable}' -m gwtui -p prod --headless --for 0.2s --config '{config}'"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode in (1, 3)


@pytest.mark.parametrize("command", ["bench", "probe"])
@pytest.mark.parametrize("has_profile", [True, False])
def test_a_url_in_the_place_of_a_name_is_told_where_it_goes(command: str, has_profile: bool, tmp_path: Path) -> None:
    config = ("--config", written(tmp_path, profiles("http://h"))) if has_profile else ()
    result = gwtui(command, "http://user:pass@127.0.0.1:1", *config)
    assert result.exit_code == 2
    assert "use --api NAME --url URL" in result.stderr
    assert "pass" not in result.stderr
