"""The tour of the manual's page of benchmarks does what it says, typed line by line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support.commanding import gwtui

from gwtui.gateway.process import spawn_gateway
from gwtui.text.manual import page_of

TOUR = page_of("benchmarks").text.partition("## From nothing to a gate in CI\n")[2].partition("\n## ")[0]
LINES = [line.strip() for line in re.findall(r"^    (.+)$", TOUR, re.MULTILINE)]
PLAN = re.findall(r"```toml\n(.*?)```", TOUR, re.DOTALL)[0]
FEWER = {
    "bench --plan": "--requests 8",
    "bench small --sweep": "--max-requests 60 --for 1s",
    "bench small --find-limit": "--max-requests 12 --rate 50",
}
"""What is added to a line, so that it takes less time; a later option counts."""
QUICKER = "default = { tokens = 3, gap_ms = 1, ttft_ms = 30 }"
MAY_FAIL = ("friday", "--sweep", "--find-limit")
"""Lines whose exit code depends on how busy the machine is, or on the limit there is."""


@pytest.mark.timeout(120)
def test_each_line_works_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GWTUI_CONFIG", str(tmp_path / "gwtui.toml"))
    echo, gateway, export, *typed = LINES
    assert "default = {" in shlex.split(echo)[1]
    Path("fast.toml").write_text(QUICKER)
    assert gateway.startswith("gwtui gateway --scenario fast.toml")
    monkeypatch.setenv(*export.removeprefix("export ").split("=", 1))
    with spawn_gateway(Path("fast.toml")) as running:
        for line in typed:
            words = shlex.split(line.replace("http://127.0.0.1:8765", running.url))[1:]
            if words[:2] == ["config", "check"]:
                with Path("gwtui.toml").open("a") as file:
                    file.write(f"\n{PLAN}")
            fewer = next((more.split() for start, more in FEWER.items() if " ".join(words).startswith(start)), [])
            result = gwtui(*words, *fewer)
            may_be = (0, 1) if any(each in line for each in MAY_FAIL) else (0,)
            assert result.exit_code in may_be, result.output
    assert {"monday", "friday", "gates.xml", "bench.html"} <= {path.name for path in tmp_path.iterdir()}
    assert "nightly" in (tmp_path / "monday" / "run.json").read_text()
