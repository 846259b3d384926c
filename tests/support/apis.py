"""The scripts of all LLM APIs, which stand in the tests of those."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from support.script import Script

TESTS = Path(__file__).parent.parent / "apis"


def _found() -> Iterator[Script]:
    for path in sorted(TESTS.glob("test_*.py")):
        if "\nSCRIPTS" in path.read_text(encoding="utf-8"):
            yield from import_module(f"apis.{path.stem}").SCRIPTS


SCRIPTS = tuple(_found())


def script_of(api: str) -> Script:
    """The first script of that API."""
    return next(script for script in SCRIPTS if script.api == api)
