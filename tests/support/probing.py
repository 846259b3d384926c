"""One endpoint probed over loopback, and everything that was emitted meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.completions import MODEL

from gwtui.model.enums import Trigger
from gwtui.model.profile import Deadlines, Endpoint, Profile
from gwtui.model.records import Record, Request
from gwtui.probes.http import HTTPProber
from gwtui.probes.prober import Prober, prober_for

PATIENT = Deadlines(connect_s=20, first_byte_s=20, first_token_s=20, idle_s=20, total_s=60)
"""For all that must end without any deadline."""


def endpoint(api: str, url: str, **fields: Any) -> Endpoint:
    """Chats ask for the model of `support.completions`."""
    if api == "openai-chat":
        fields = {"model": MODEL, **fields}
    return Endpoint(name="target", api=api, url=url, **{"deadlines": PATIENT, **fields})


class Probing:
    """A prober and what it emitted."""

    def __init__(self, endpoint: Endpoint, listen: Callable[[Record], None] | None = None) -> None:
        self.emitted: list[Record] = []
        self._listen = listen
        self.prober: Prober = prober_for(endpoint, Profile(), self._emit)
        self._number = 0

    def _emit(self, record: Record) -> None:
        self.emitted.append(record)
        if self._listen is not None:
            self._listen(record)

    async def once(self, trigger: Trigger = Trigger.SCHEDULE) -> Any:
        """The record of the next probe."""
        self._number += 1
        return await self.prober.probe(self._number, time.perf_counter_ns(), trigger)


async def probed(endpoint: Endpoint, trigger: Trigger = Trigger.SCHEDULE) -> Request:
    """The record of one HTTP probe."""
    probing = Probing(endpoint)
    assert isinstance(probing.prober, HTTPProber)
    async with probing.prober:
        record = await probing.once(trigger)
    assert isinstance(record, Request)
    return record


def soon(**deadlines: float) -> Deadlines:
    """Patient deadlines but for those that are the thing tested."""
    fields = {name: getattr(PATIENT, name) for name in PATIENT.__struct_fields__}
    return Deadlines(**{**fields, **deadlines})


def resolve_as(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Let every name resolve to this, or fail with it."""

    async def getaddrinfo(loop: object, host: object, port: object, **options: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
