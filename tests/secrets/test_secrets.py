"""A canary key is sent to gateways that give it back in every way they can; then it is looked for in every output.

Outputs: what the engine's process writes (records for the screen, log), the session's directory, and what the
commands `probe` and `watch` print. Half of a key is a leak too, so its pieces are looked for.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.echoing import CANARY, ECHOES, leaks, site, where

from gwtui.codec.wire import decode, encode_command
from gwtui.feeds import ENGINE, live, spawn_engine
from gwtui.model.commands import Start
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import FeedEnded, Ping, Request
from gwtui.recorder import profile_toml

SOON_S = 30
GATEWAY = [sys.executable, "-P", "-m", "gwtui"]


ENVIRONMENT = {"CANARY": CANARY, "NEWLINE": "a\nb", "PYTHONFAULTHANDLER": "1"}


async def spawned(*argv: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | ENVIRONMENT,
        limit=1 << 24,
    )


def written(directory: Path) -> dict[str, str]:
    """Every file of a session, with the names of those whose names say something."""
    files = {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in files.items()} | {"names": " ".join(files)}


async def test_no_echo_of_a_key_gets_past_the_engine(tmp_path: Path) -> None:
    async with site(tmp_path) as gateways, asyncio.timeout(SOON_S):
        profile = gateways.profile()
        process = await spawned(*ENGINE)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(encode_command(Start(profile=profile, session_dir=str(tmp_path / "s"))))
        lines: list[bytes] = []
        ended: dict[str, Request | Ping] = {}
        while len(ended) < len(profile.endpoints):
            lines.append(await process.stdout.readline())
            assert lines[-1], (await process.stderr.read()).decode()
            if isinstance(record := decode(lines[-1]), Request | Ping):
                ended[record.endpoint] = record
        process.stdin.close()
        rest, log = await process.stdout.read(), await process.stderr.read()
        await process.wait()
    outputs = {"wire": (b"".join(lines) + rest).decode(), "log": log.decode(), **written(tmp_path / "s")}
    assert {"requests.csv", "pings.csv", "incidents.csv", "texts.jsonl", "profile.toml"} <= outputs.keys()
    assert {name: where(text) for name, text in outputs.items() if leaks(text)} == {}
    assert "•••" in outputs["requests.csv"], "the key did come back"
    assert "•••" in outputs["pings.csv"]
    assert "•••" in outputs["texts.jsonl"]
    streams = [text for name, text in outputs.items() if name.startswith("streams/")]
    assert len(streams) > len(ECHOES), "as texts are recorded, all streams are kept"
    assert sum('"masked":' in text for text in streams) > len(ECHOES)


async def printed(*argv: str, until: Callable[[str], bool]) -> dict[str, str]:
    """What a command that runs for a while prints, interrupted when it has printed enough."""
    process = await spawned(*GATEWAY, *argv)
    assert process.stdout
    lines: list[str] = []
    while not until(lines[-1] if lines else ""):
        lines.append((await process.stdout.readline()).decode())
        assert lines[-1], "it ended"
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 128 + signal.SIGINT
    return {"stdout": "".join(lines) + out.decode(), "stderr": err.decode()}


async def test_no_echo_of_a_key_gets_into_what_watching_without_a_screen_prints(tmp_path: Path) -> None:
    async with site(tmp_path) as gateways, asyncio.timeout(SOON_S):
        profile = replace(gateways.profile(), interval_s=0.5)
        config = tmp_path / "config.toml"
        config.write_text(profile_toml(profile))
        for option in ("--json", "--headless"):
            lines: list[str] = []

            def enough(line: str, seen: list[str] = lines) -> bool:
                """Incidents have spread, and later ones were printed."""
                seen += [line] if "wider" in line or "opened" in line else []
                return len(seen) >= 4 and "wider" in "".join(seen)

            directory = tmp_path / option
            outputs = await printed(
                "watch", option, "--config", str(config), "--session-dir", str(directory), until=enough
            )
            outputs |= written(directory)
            assert {name: where(text) for name, text in outputs.items() if leaks(text)} == {}
            assert "•••" in outputs["requests.csv"]


async def test_no_echo_of_a_key_gets_into_what_one_probe_prints(tmp_path: Path) -> None:
    async with site(tmp_path) as gateways, asyncio.timeout(SOON_S):
        config = tmp_path / "config.toml"
        config.write_text(profile_toml(gateways.profile()))

        async def one(name: str, *options: str) -> None:
            process = await spawned(*GATEWAY, "probe", name, "--config", str(config), *options)
            out, err = await process.communicate()
            text = (out + err).decode()
            assert name in text
            assert where(text) == []

        names = ("http headers", "chat events", "ws ws-reason", "bad header")
        await asyncio.gather(*(one(name) for name in names), *(one(name, "--json") for name in names))


CRASH = """
import sys
from gwtui.probes.http import HTTPProber

request = HTTPProber._prepared

def broken(self, *about):
    key = {name.lower(): value for name, value in request(self, *about)._headers}["authorization"]
    raise ZeroDivisionError(f"while {key} was sent")

HTTPProber._prepared = broken
sys.argv = ["gwtui", *sys.argv[1:]]
from gwtui.cli import main
main()
"""


async def test_a_crash_of_the_engine_shows_no_key() -> None:
    """Neither as a local variable nor in the exception's own words; nor does the screen get it as the engine's end."""
    endpoint = Endpoint(name="e", api="openai-chat", url="http://127.0.0.1:9", key="env:CANARY")
    start = encode_command(Start(profile=Profile(endpoints=(endpoint,))))
    argv = (sys.executable, "-P", "-c", CRASH, "engine")
    process = await spawned(*argv)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(start)
    out, log = await process.stdout.read(), (await process.stderr.read()).decode()
    await process.wait()
    assert "ZeroDivisionError: while Bearer ••• was sent" in log
    assert where(out.decode() + log) == []
    assert process.returncode == 3
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CANARY", CANARY)
        feed = live(spawn_engine(Start(profile=Profile(endpoints=(endpoint,))), argv))
    ended = [record async for batch in feed for record in batch][-1]
    assert isinstance(ended, FeedEnded)
    assert ended.text == "engine exited 3"
    assert "ZeroDivisionError: while Bearer ••• was sent" in ended.detail
    assert where(ended.detail) == []
