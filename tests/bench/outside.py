"""TTFT against AIPerf and GuideLLM in the same minute, where the PATH has them: who reports which part of its own time.

All three ask the same truth server for the same streams, sixteen at a time, and say for each when its first token came.
What they report beyond what the server says it took, some 50 ms, is their own time, taken for the gateway's.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from gwtui.selftest.server import Script

from .figures import Figure, quantile
from .programs import environment, server_report, truth_server

AT_ONCE = 16
REQUESTS = 320
SCRIPT = Script(events=30)
TOKENIZER = "truth/words"
COMMIT = "0" * 40
PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who measures TTFT. `command` and `read` get the directory for its files."""

    name: str
    program: str
    command: Callable[[str, Path, int], list[str]]
    read: Callable[[Path], list[float]]
    """The TTFT of each request in ms."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of it: percentiles of the TTFT less those of the truth, in ms, and what the whole run took."""

    p50_ms: float
    p99_ms: float
    n: int
    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        took = f"{self.wall_s:.0f} s, {self.cpu_s:.1f} s of CPU in all"
        return f"{self.p50_ms:+.3f} ms / {self.p99_ms:+.3f} ms of {self.n}; {took}"


def run(short: bool) -> Iterator[Figure]:
    ours = measured(GWTUI, AT_ONCE if short else REQUESTS)
    yield Figure("TTFT beyond the truth, p50 / p99: gwtui bench", str(ours), "p50 <= 0.02 ms, p99 <= 0.1 ms")
    for peer in PEERS:
        if short or shutil.which(peer.program) is None:
            yield Figure(f"  {peer.name}", "not run" if short else f"{peer.program} is not on the PATH")
            continue
        theirs = measured(peer, REQUESTS)
        yield Figure(f"  {peer.name}", str(theirs))
        times = f"{_times(theirs.p50_ms, ours.p50_ms)} and {_times(theirs.p99_ms, ours.p99_ms)}"
        yield Figure(f"    {peer.name} / gwtui", times, ">= 15x and 100x")


def measured(client: Client, requests: int) -> Measurement:
    """What a client says of a server of its own, against what that server says."""
    with truth_server() as server, tempfile.TemporaryDirectory() as place:
        wall_s, cpu_s = _run(client.command(server.url, Path(place), requests), Path(place))
        ttfts, true = client.read(Path(place)), server_report(server.url)
    p50_ms = quantile(ttfts, 0.5) - true["ttft_p50_ns"] / 1e6
    p99_ms = quantile(ttfts, 0.99) - true["ttft_p99_ns"] / 1e6
    return Measurement(p50_ms, p99_ms, len(ttfts), wall_s, cpu_s)


def _times(theirs_ms: float, ours_ms: float) -> str:
    return f"{theirs_ms / ours_ms:,.0f}x" if ours_ms > 0 else "-"


def _run(command: list[str], place: Path) -> tuple[float, float]:
    """Seconds, of the clock and of the processor, that a program and all that it starts take."""
    offline = {"HF_HOME": str(_tokenizer(place)), "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    began, before = time.monotonic(), os.times()
    subprocess.run(command, env=environment(**offline), cwd=place, check=True, timeout=PATIENCE_S, capture_output=True)
    took, after = time.monotonic() - began, os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return took, cpu_s


def _tokenizer(place: Path) -> Path:
    """A tokenizer of whole words where those who want one look for it, so that nobody asks a hub; returns the cache."""
    model = place / "cache" / "hub" / f"models--{TOKENIZER.replace('/', '--')}"
    files = model / "snapshots" / COMMIT
    files.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    words = ["<unk>", "the", "of", "and", "to", "in", *map(chr, range(33, 127))]
    model_of_words = {"type": "WordLevel", "vocab": {word: n for n, word in enumerate(words)}, "unk_token": "<unk>"}
    tokenizer = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": model_of_words}
    (files / "tokenizer.json").write_text(json.dumps(tokenizer))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "eos_token": "<unk>"}
    (files / "tokenizer_config.json").write_text(json.dumps(kind))
    (files / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    return place / "cache"


def _gwtui(url: str, place: Path, requests: int) -> list[str]:
    endpoint = {"name": "truth", "api": "openai-chat", "url": url, "model": "truth", "body": _body()}
    config = place / "config.toml"
    config.write_text(tomli_w.dumps({"profiles": {"truth": {"endpoints": [endpoint]}}}))
    size = ["--requests", str(requests), "--concurrency", str(AT_ONCE)]
    files = ["--config", str(config), "--request-csv", str(place / "requests.csv")]
    return [sys.executable, "-m", "gwtui", "bench", "truth", *size, *files]


def _gwtui_read(place: Path) -> list[float]:
    with (place / "requests.csv").open(newline="") as file:
        return [float(row["ttft_ms"]) for row in csv.DictReader(file)]


def _aiperf(url: str, place: Path, requests: int) -> list[str]:
    size = ["--concurrency", str(AT_ONCE), "--request-count", str(requests), "--synthetic-input-tokens-mean", "10"]
    asked = ["-m", "truth", "--endpoint-type", "chat", "--streaming", "--extra-inputs", json.dumps(_body())]
    return ["aiperf", "profile", "--url", url, *asked, *size, "--tokenizer", TOKENIZER, "--ui", "none"]


def _aiperf_read(place: Path) -> list[float]:
    (file,) = place.glob("artifacts/**/profile_export.jsonl")
    return [json.loads(line)["metrics"]["time_to_first_token"]["value"] for line in file.read_text().splitlines()]


def _guidellm(url: str, place: Path, requests: int) -> list[str]:
    asked = {"request_format": "/v1/chat/completions", "extras": {"body": _body()}}
    backend = json.dumps({"kind": "openai_http", "target": url, "model": "truth", **asked})
    size = ["--profile", f"kind=concurrent,streams={AT_ONCE}", "--constraint", f"kind=max_requests,count={requests}"]
    data = ["--tokenizer", f"kind=hf_auto,model={TOKENIZER}", "--data", "kind=synthetic_text,prompt_tokens=10"]
    files = ["--output", f"kind=json,path={place / 'report.json'}", "--disable-console"]
    return ["guidellm", "run", "--backend", backend, *size, *data, *files]


def _guidellm_read(place: Path) -> list[float]:
    (benchmark,) = json.loads((place / "report.json").read_text())["benchmarks"]
    return [request["time_to_first_token_ms"] for request in benchmark["requests"]["successful"]]


def _body() -> dict[str, dict[str, int]]:
    return {"truth": SCRIPT._asdict()}


GWTUI = Client("gwtui", "gwtui", _gwtui, _gwtui_read)
PEERS = (
    Client("AIPerf", "aiperf", _aiperf, _aiperf_read),
    Client("GuideLLM", "guidellm", _guidellm, _guidellm_read),
)
