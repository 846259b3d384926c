"""A short slice of what `python tests/fuzz` does for longer: every reader gets random and spoiled input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fuzz.dice import Dice
from fuzz.material import STREAMS
from fuzz.readers import TARGETS
from fuzz.target import Target

from gwtui.apis import SAVED_APIS
from gwtui.model.enums import Kind

FUZZ = Path(__file__).parent / "fuzz"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_exception_leaves_a_reader(target: Target[Any]) -> None:
    for number in range(target.short):
        name = f"suite/{target.name}/{number}"
        try:
            target.play(name)
        except Exception as error:  # noqa: BLE001 - whatever leaves a reader
            pytest.fail(f"python tests/fuzz --replay '{name}' shows it again: {type(error).__name__}: {error}")


def test_every_api_that_streams_is_fuzzed() -> None:
    assert set(STREAMS) == {name for name, api in SAVED_APIS.items() if api.kind is Kind.COMPLETION}


def test_an_input_is_known_by_its_name() -> None:
    for target in TARGETS:
        assert target.input("a") == target.input("a")
    assert Dice("a").data() != Dice("b").data()


def test_a_reader_that_raises_is_found_and_named() -> None:
    target = Target("bad", Dice.data, lambda data: data.index(b"never there"), (KeyError,))
    with pytest.raises(ValueError, match="subsection not found"):
        target.play("a")


def test_the_longer_run_is_one_command() -> None:
    command = [sys.executable, str(FUZZ), "0.2", "--seed", "7", "--only", "sse", "--only", "clean"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert (run.returncode, run.stderr) == (0, "")
    assert "nothing was found" in run.stdout
