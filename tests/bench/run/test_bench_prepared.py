"""What a benchmark has done before its first counted request: nothing is connected or imported during one."""

from __future__ import annotations

import csv
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from support.certificates import pair
from support.counting import counting
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

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


def watched(line: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WATCHED, *line.split()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


def imported(done: subprocess.CompletedProcess[str]) -> Any:
    """The modules that the counted requests have loaded."""
    last = [line for line in done.stderr.splitlines() if line.startswith("imported ")][-1]
    return json.loads(last.removeprefix("imported "))


@contextmanager
def served(connection: Callable[[ServerConnection], None], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve WebSockets, and an empty answer to whatever else is asked, in a thread."""

    def plain(socket: ServerConnection, request: Request) -> Response | None:
        return None if "upgrade" in request.headers else socket.respond(200, "pong")

    with serve(connection, "127.0.0.1", 0, ssl=context, process_request=plain) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def pongs(socket: ServerConnection) -> None:
    for _ in socket:
        socket.send("pong")


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
        done = watched(line)
    assert imported(done) == []
    assert json.loads(done.stdout)["endpoints"][0]["successful"] == len(truth.served)
    with rows.open(newline="") as file:
        assert {row["connect_ms"] for row in csv.DictReader(file)} == {""}
    assert truth.connected == connections


def profile(tmp_path: Path, **endpoint: Any) -> tuple[str, Path]:
    """A configuration with this endpoint, and where its rows go."""
    config, rows = tmp_path / "config.toml", tmp_path / "requests.csv"
    config.write_text(tomli_w.dumps({"profiles": {"default": {"endpoints": [{"name": "gateway", **endpoint}]}}}))
    return f"--config {config} --concurrency 1 --requests 3 --json --request-csv {rows}", rows


def connect_ms(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["connect_ms"] for row in csv.DictReader(file)]


def test_a_websocket_is_connected_before_the_first_counted_ping(tmp_path: Path) -> None:
    with served(pongs) as address:
        line, rows = profile(tmp_path, api="websocket", url=f"http://{address}")
        done = watched(line)
    assert json.loads(done.stdout)["endpoints"][0]["successful"] == 3
    assert imported(done) == []
    assert connect_ms(rows) == ["", "", ""]


def test_a_fresh_connection_is_dialled_by_its_request_and_all_else_is_ready(tmp_path: Path) -> None:
    """Also the certificates, whose reading takes longer than many an answer."""
    certificates = pair("good", tmp_path)
    with served(pongs, certificates.server) as address:
        url = f"https://{address.replace('127.0.0.1', 'localhost')}"
        tls = {"ca_file": certificates.ca_file, "server_name": "127.0.0.1"}
        line, rows = profile(tmp_path, api="http", url=url, method="GET", connection="fresh", tls=tls)
        done = watched(line)
    assert json.loads(done.stdout)["endpoints"][0]["successful"] == 3
    assert imported(done) == []
    assert all(float(each) > 0 for each in connect_ms(rows))
