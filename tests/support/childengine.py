"""Stand-ins for the engine's process, and what a watcher gets from them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gwtui.feeds import EngineProcess, Feed, spawn_engine
from gwtui.model.commands import Start
from gwtui.model.profile import Profile
from gwtui.model.records import FeedEnded, Notice, Record

PREAMBLE = """
import os, signal, sys
def say(text):
    os.write(1, b'{"record":"notice","now_ns":1,"text":"%s"}\\n' % text.encode())
start = sys.stdin.buffer.readline()
"""


def engine(body: str, start: Start | None = None) -> EngineProcess:
    """A stand-in for the engine: it has read its first line when `body` runs."""
    argv = (sys.executable, "-c", PREAMBLE + body)
    return spawn_engine(start or Start(profile=Profile()), argv)


async def all_of(feed: Feed) -> list[Record]:
    return [record async for batch in feed for record in batch]


def texts(records: Sequence[Record]) -> list[str]:
    return [record.text for record in records if isinstance(record, Notice | FeedEnded)]
