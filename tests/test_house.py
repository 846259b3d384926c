"""What each room may load, seen from a fresh interpreter: the floors hold at run time, and starting stays cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "httpx", "httpcore", "websockets", "starlette", "uvicorn", "asyncio", "msgspec")


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that are loaded after running the statement in an interpreter of its own."""
    program = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("room", "never"),
    [
        ("gwtui.ui.app", {"httpx", "httpcore", "websockets", "starlette", "uvicorn"}),
        ("gwtui.feeds", {"httpx", "httpcore", "websockets", "textual"}),
        ("gwtui.monitor", {"httpx", "httpcore", "websockets", "textual"}),
        ("gwtui.headless", {"httpx", "httpcore", "websockets", "textual"}),
        ("gwtui.engine", {"textual", "starlette", "uvicorn", "httpx", "httpcore"}),
        ("gwtui.session", {"textual", "starlette", "uvicorn", "httpx", "httpcore"}),
        ("gwtui.gateway.process", {"starlette", "uvicorn", "textual", "httpx"}),
        ("gwtui.apis", {"httpx", "httpcore", "websockets", "textual", "asyncio"}),
    ],
)
def test_a_room_does_not_load_what_it_may_not_know(room: str, never: set[str]) -> None:
    assert not loaded_by(f"import {room}") & never


def test_the_command_line_starts_with_nothing_heavy() -> None:
    assert not loaded_by("import gwtui.cli") & set(HEAVY)
