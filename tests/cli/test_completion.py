"""The Tab key: what the shells offer, and that their scripts work in a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from support.commanding import gwtui

from gwtui import cli
from gwtui.cli.completion import SHELLS, VARIABLE

CONFIG = """
[profiles.prod]
endpoints = [
  { name = "claude", api = "anthropic-messages", url = "http://127.0.0.1:9" },
  { name = "claude-eu", api = "anthropic-messages", url = "http://127.0.0.1:9" },
]

[profiles.dev]
endpoints = [{ name = "gpt", api = "openai-chat", url = "http://127.0.0.1:9" }]

[bench.nightly]
profile = "prod"
endpoints = ["claude"]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "gwtui.toml"
    path.write_text(CONFIG)
    monkeypatch.setenv("GWTUI_CONFIG", str(path))
    return path


def offered(*words: str) -> list[str]:
    """What is offered for the last of these words, which is begun."""
    *done, begun = words
    found = ShellComplete(cli.gwtui, {}, "gwtui", VARIABLE).get_completions(done, begun)
    return [f"<{each.type}>" if each.type != "plain" else each.value for each in found]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("ben",), ["bench"]),
        (("probe", "cl"), ["claude", "claude-eu"]),
        (("bench", ""), ["claude", "claude-eu", "gpt"]),
        (("bench", "-p", "dev", ""), ["gpt"]),
        (("-p", ""), ["prod", "dev"]),
        (("check", "gp"), ["gpt"]),
        (("bench", "--plan", ""), ["nightly"]),
        (("compare", "claude-"), ["claude-eu"]),
        (("compare", "./"), ["<file>"]),
        (("history", "accept", "gp"), ["gpt"]),
        (("probe", "--api", "openai-c"), ["openai-chat", "openai-completions"]),
        (("replay", "/"), ["<dir>"]),
        (("manual", "verd"), ["verdicts"]),
        (("help", "hea"), ["headless"]),
        (("config", "add", "openr"), ["openrouter"]),
        (("completion", ""), [*SHELLS]),
        (("check", "--jun"), ["--junit"]),
    ],
)
def test_what_is_offered(config: Path, words: tuple[str, ...], found: list[str]) -> None:
    assert offered(*words) == found


def test_the_newest_sessions_are_offered_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.recorder.session_dirs.state_dir", lambda: tmp_path)
    for age, name in enumerate(("old", "new")):
        session = tmp_path / "sessions" / name / "session.toml"
        session.parent.mkdir(parents=True)
        session.touch()
        os.utime(session, (1_000 + age, 1_000 + age))
    assert offered("replay", "") == ["new", "old"]
    assert offered("report", "o") == ["old"]


def test_a_configuration_that_cannot_be_read_offers_nothing(config: Path) -> None:
    config.write_text("[profiles")
    assert offered("bench", "") == []


def test_a_shell_that_is_not_known_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    refused = gwtui("completion")
    assert (refused.exit_code, "gwtui completion bash|zsh|fish" in refused.stderr) == (2, True)
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert gwtui("completion").stdout == gwtui("completion", "fish").stdout


TAB = {
    "bash": 'eval "$(gwtui completion bash)"; COMP_WORDS=(gwtui probe clau); COMP_CWORD=2; {function} gwtui; '
    'printf "%s\\n" "${{COMPREPLY[@]}}"',
    "fish": "gwtui completion fish | source; complete -C 'gwtui probe clau'",
}
"""What is typed into the shell itself, so that its own rules for scripts are those that hold."""


@pytest.mark.parametrize("shell", TAB)
def test_the_script_works_in_the_shell(config: Path, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "gwtui"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gwtui "$@"\n')
    program.chmod(0o755)
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "GWTUI_CONFIG": str(config)}
    env = {**os.environ, **home, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    typed = TAB[shell].format(function="_gwtui_completion")
    run = subprocess.run([shell, "-c", typed], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert [line.split("\t")[0] for line in run.stdout.split("\n") if line] == ["claude", "claude-eu"], run.stderr


def test_the_script_for_zsh_is_one(config: Path) -> None:
    script = gwtui("completion", "zsh").stdout
    assert script.startswith("#compdef gwtui\n")
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh here")
    assert subprocess.run(["zsh", "-n"], input=script, capture_output=True, text=True, check=False).returncode == 0
