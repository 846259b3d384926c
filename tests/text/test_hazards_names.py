"""Names of files and directories that hold escape sequences: what commands say of them is visible text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.commanding import gwtui
from support.hazards import ACTION, SEQUENCES, hazards_in

from gwtui.recorder import session_dirs

NAME = (SEQUENCES["clipboard"] + SEQUENCES["C1 CSI"] + SEQUENCES["reordered"] + ACTION).replace("/", "")
VISIBLE = "␛]52;c;aGFja2Vk␇"
GOOD = '[[profiles.p.endpoints]]\nname = "e"\napi = "http"\nurl = "http://127.0.0.1:9"\nkey = "env:NOT_THERE"\n'


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a hostile name; configuration and sessions are in it."""
    path = tmp_path / NAME
    path.mkdir()
    (path / "config.toml").write_text(GOOD)
    (path / "bad.toml").write_text("a = 1")
    monkeypatch.setenv("GWTUI_CONFIG", str(path / "config.toml"))
    monkeypatch.setattr(session_dirs, "state_dir", lambda: path)
    return path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("config", "path"), 0),
        (("config", "check"), 0),
        (("config", "check", "{}/bad.toml"), 2),
        (("config", "check", "{}/none.toml"), 2),
        (("config", "add", "openai", "-p", "p"), 0),
        (("watch", "--headless", "--for", "1s", "-p", "p"), 1),
        (("watch", "--config", "{}/none.toml", "--headless"), 2),
        (("compare", "{}/bad.toml", "{}/none.csv"), 2),
        (("gateway", "--scenario", "{}/bad.toml"), 2),
    ],
    ids=lambda arguments: " ".join(arguments).replace("{}", "…") if isinstance(arguments, tuple) else "",
)
def test_a_name_is_visible_text(arguments: tuple[str, ...], code: int, directory: Path) -> None:
    result = gwtui(*(argument.replace("{}", str(directory)) for argument in arguments))
    assert result.exit_code == code, result.output
    assert hazards_in(result.output) == []
    assert VISIBLE in result.output


def test_a_name_in_what_the_command_line_refuses_is_visible_text(directory: Path) -> None:
    program = [sys.executable, "-P", "-m", "gwtui", "decode", str(directory / "none"), "--api", "gemini"]
    result = subprocess.run(program, capture_output=True, encoding="utf-8", timeout=30, check=False)
    assert result.returncode == 2
    assert hazards_in(result.stderr) == []
    assert VISIBLE in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")
@pytest.mark.parametrize("option", ["--headless", "--json"])
def test_a_directory_of_a_session_that_is_not_utf_8_is_refused(directory: Path, option: str) -> None:
    rows = os.fsdecode(os.fsencode(directory) + b"/\xff\x9b")
    result = gwtui("watch", option, "--for", "1s", "-p", "p", "--session-dir", rows)
    assert result.exit_code == 2
    assert "the name is not UTF-8" in result.output
    assert hazards_in(result.output) == []
