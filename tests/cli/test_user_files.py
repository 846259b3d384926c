"""Files that a command writes at its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.oswords import MISSING

from gwtui.cli.console import OwnFaultError, Refusal
from gwtui.cli.user_files import OutputFile


def test_a_file_keeps_what_it_held_until_there_is_something_to_write(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("precious\n")
    output = OutputFile(path)
    assert path.read_text() == "precious\n"
    output.write(b"a\nb\n")
    assert path.read_text() == "a\nb\n"


def test_a_place_that_cannot_be_written_to_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "results.csv"
    with pytest.raises(Refusal, match=f"cannot write {path}: {MISSING}") as refused:
        OutputFile(path)
    assert refused.value.exit_code == 2


def test_a_place_that_is_gone_at_the_end_is_an_own_fault(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "results.csv"
    path.parent.mkdir()
    output = OutputFile(path)
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(OwnFaultError, match="was not written: "):
        output.write(b"a\n")
