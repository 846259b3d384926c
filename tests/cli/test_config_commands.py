"""The commands of `gwtui config`: where the files are, an example, every fault with its line, ready-made endpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commanding import gwtui, profiles, written

from gwtui.config import load


def test_where_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    monkeypatch.setenv("GWTUI_CONFIG", str(path))
    assert f"configuration  {path}  (does not exist yet)" in gwtui("config", "path").stdout
    path.write_text("")
    result = gwtui("config", "path").stdout.splitlines()
    assert result[:2] == [f"configuration  {path}", f"themes         {tmp_path / 'themes'}"]
    assert result[2].startswith("sessions       ")


def test_the_example_that_is_printed_is_good(tmp_path: Path) -> None:
    example = gwtui("config", "example").stdout
    result = gwtui("config", "check", written(tmp_path, example))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].endswith("gwtui.toml: good")


def test_the_file_to_check_may_be_given_as_to_other_commands(tmp_path: Path) -> None:
    path = written(tmp_path, "[profiles.prod]\nintervall_s = 1\n")
    assert gwtui("config", "check", "--config", path).stderr == gwtui("config", "check", path).stderr
    refused = gwtui("config", "check", path, "--config", path)
    assert (refused.exit_code, "give one of them" in refused.output) == (2, True)


def test_every_fault_has_its_line_its_key_and_a_hint(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """[ui]
theme = "gwtui-drak"
[profiles.prod]
intervall_s = 1
[[profiles.prod.endpoints]]
name = "chat"
api = "openai-cha"
url = "http://h"
key = "sk-12345678"
""",
    )
    result = gwtui("config", "check", path)
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0] == f"{path}:4: profiles.prod.intervall_s: unknown key (did you mean interval_s?)"
    assert lines[1] == f"{path}:7: profiles.prod.endpoints[0].api: unknown API (did you mean openai-chat?)"
    assert lines[2].startswith(f"{path}:9: profiles.prod.endpoints[0].key: must say where the key is")
    assert len(lines) == 3
    assert "12345678" not in result.output


def test_themes_and_key_bindings_are_looked_at_when_all_else_is_good(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """[ui]
theme = "gwtui-drak"
[ui.keys]
probe.pasue = "p"
"nope" = "x"
"probe.pause" = "p"
""",
    )
    result = gwtui("config", "check", path)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{path}:2: ui.theme: there is no such theme (did you mean gwtui-dark?)",
        f"{path}:4: ui.keys.probe.pasue: there is no such key binding (did you mean probe.pause?)",
        f"{path}:5: ui.keys.nope: there is no such key binding (in gwtui ? lists them)",
    ]


def test_what_is_missing_on_this_machine_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GWTUI_TEST_KEY", raising=False)
    path = written(tmp_path, profiles("http://h", 'key = "env:GWTUI_TEST_KEY"'))
    result = gwtui("config", "check", path)
    assert result.exit_code == 0
    notes = [line for line in result.stdout.splitlines() if line.startswith("note: ")]
    assert notes[0] == "note: bare: has no endpoints"
    assert notes[1].startswith("note: prod.chat: the environment variable GWTUI_TEST_KEY is not set")
    monkeypatch.setenv("GWTUI_TEST_KEY", "x-verysecret")
    assert "GWTUI_TEST_KEY" not in gwtui("config", "check", path).output


def test_config_add_lists_the_kinds_and_puts_one_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert "responses" in gwtui("config", "add").output
    added = gwtui("config", "add", "openai", "--config", str(path), "--name", "mine", "--model", "m", "-p", "prod")
    assert added.exit_code == 0
    assert f"{path}: added mine to profile prod" in added.output
    endpoint = load(path).profile("prod").endpoint("mine")
    assert endpoint is not None
    assert (endpoint.api, endpoint.model) == ("openai-chat", "m")


def test_config_add_refuses_a_name_that_is_taken_and_a_kind_there_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "config.toml")
    assert gwtui("config", "add", "openai", "--config", path).exit_code == 0
    before = Path(path).read_text()
    again = gwtui("config", "add", "openai", "--config", path)
    assert (again.exit_code, "openai" in again.stderr) == (2, True)
    assert Path(path).read_text() == before
    wrong = gwtui("config", "add", "opneai", "--config", path)
    assert (wrong.exit_code, "did you mean openai" in wrong.stderr) == (2, True)


def test_config_add_adds_all_of_a_gateway(tmp_path: Path) -> None:
    path = str(tmp_path / "config.toml")
    assert "All of a Cody Gateway" in gwtui("config", "add").output
    added = gwtui("config", "add", "cody", "--config", path, "--url", "http://127.0.0.1:1")
    assert added.output.endswith(
        "added cody-gateway-anthropic, cody-gateway-fireworks, cody-gateway-ws, cody-gateway-http to profile default; "
        "their URL is http://127.0.0.1:1\n"
    )


def test_the_rules_of_every_endpoint_are_explained(tmp_path: Path) -> None:
    endpoints = "".join(
        f'[[profiles.prod.endpoints]]\nname = "{name}"\napi = "{api}"\nurl = "http://h"\n{more}\n'
        for name, api, more in (
            ("one", "openai-chat", ""),
            ("two", "anthropic-messages", ""),
            ("ws", "websocket", 'interval_s = 1.0\nthresholds = { degraded_fail_share = 0.2, relearn_after = "7d" }'),
        )
    )
    window = '[[profiles.prod.maintenance]]\ncron = "0 2 * * sun"\nlasts = "2h"\nzone = "UTC"\nendpoints = ["ws"]\n'
    limit = "[profiles.prod.thresholds]\nslow_over_ms = 5000\nfindings_degrade = ['combed', 'damaged']\n"
    text = gwtui("config", "check", written(tmp_path, limit + endpoints + window)).stdout
    first, second = text.split("prod: one, two\n")[1].split("prod: ws\n")
    for words in (
        "probed          every 5 s\n",
        "after 3 failures in a row, until 2 good results in a row\n",
        "when more fails than usual\n",
        "where 3 of 5 answers are combed or damaged\n",
        "1.3x its usual or more, TTFT by 50.0 ms or TPOT by 3.00 ms at least\n",
        "or when p50 TTFT of 60 s is over 5.00 s for 10 s\n",
        "this hour over 7 days, else the last 24 h, else this session",
        "a change that lasts 24h becomes what is usual",
    ):
        assert words in first, words
    kept = "prod: failed streams and those with findings that degrade or warn are kept, up to 100 MB"
    assert kept in text
    assert "maintenance" not in first
    for words in (
        "every 1 s\n",
        "when 20 % of 60 s fail and at least 2, until it is half of that\n",
        "RTT by 5.00 ms at least\n",
        "a change that lasts 7d",
        "no incidents    0 2 * * sun for 2h (UTC)\n",
    ):
        assert words in second, words
    assert "over 5.00 s" not in second, "its own thresholds replace the profile's"
    assert "answers are" not in second, "pings have no such findings"
