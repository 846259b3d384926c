"""What a benchmark has done before its first counted request: nothing is connected or imported during one."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.counting import counting

WATCHED = """
import json, sys
from gwtui.cli.bench import command
from gwtui.engine.load import LoadDriver

send = LoadDriver.send

async def watched(self, *args, **options):
    before = set(sys.modules)
    await send(self, *args, **options)
    print("imported", json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)

LoadDriver.send = watched
command(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("load", "connections"),
    [("--rate 20 --requests 4", 4), ("--rate 2 --requests 3", 2), ("--concurrency 3 --requests 7", 3)],
)
def test_connections_and_modules_are_there_before_the_first_request(
    tmp_path: Path, load: str, connections: int
) -> None:
    rows = tmp_path / "requests.csv"
    with counting(after_s=0.02) as truth:
        line = f"--api openai-chat --url {truth.url} --no-stream {load} --json --request-csv {rows}"
        command = [sys.executable, "-c", WATCHED, *line.split()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "imported []" in done.stderr
    assert json.loads(done.stdout)["endpoints"][0]["successful"] == len(truth.served)
    with rows.open(newline="") as file:
        assert {row["connect_ms"] for row in csv.DictReader(file)} == {""}
    assert truth.connected == connections
