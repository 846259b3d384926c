"""Exceptions that nobody can catch say what they say without keys, and without anything that a terminal obeys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.hazards import HAZARD, hazards_in

CANARY = "sk-q7Zx+W9/vB3=kTpL0mYc8HdRfN2uJs5E"
FAILING = """
import asyncio, os, sys, threading
from gwtui.probes.http import HTTPProber

def fail():
    raise ZeroDivisionError(f"{os.environ['CANARY']} {os.environ['HAZARD']}")

class Failing:
    def __del__(self):
        fail()

def in_a_thread():
    thread = threading.Thread(target=fail, name="reader")
    thread.start()
    thread.join()

def in_a_callback():
    asyncio.get_running_loop().call_soon(fail)

request = HTTPProber._prepared

def failing(self, *about):
    prepared = request(self, *about)
    {"thread": in_a_thread, "callback": in_a_callback, "object": Failing}[os.environ["PLACE"]]()
    return prepared

HTTPProber._prepared = failing
from gwtui.cli import main
main()
"""
SAID = {
    "thread": "gwtui: the thread reader ended:",
    "callback": "gwtui: Exception in callback fail()",
    "object": "gwtui: not raised, for want of a caller:",
}
CONFIG = """
[[profiles.default.endpoints]]
name = "e"
api = "openai-chat"
url = "http://127.0.0.1:9"
key = "env:CANARY"
"""


@pytest.mark.parametrize("command", [("probe", "e"), ("watch", "--headless", "--for", "1s", "--session-dir", "rows")])
@pytest.mark.parametrize("place", SAID)
def test_an_exception_that_nobody_can_catch_is_reported_safely(
    place: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    result = subprocess.run(
        [sys.executable, "-P", "-c", FAILING, *command, "--config", "config.toml"],
        cwd=tmp_path,
        env={**os.environ, "CANARY": CANARY, "HAZARD": HAZARD, "PLACE": place},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert result.returncode == 1, "the endpoint is down"
    assert SAID[place] in result.stderr
    assert "ZeroDivisionError: •••" in result.stderr
    assert CANARY not in result.stderr
    assert hazards_in(result.stderr) == []
