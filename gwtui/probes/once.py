"""One probe of one endpoint, outside any schedule: what `gwtui probe` runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Record, Request, StreamRead
from gwtui.probes.capture import KeptReads
from gwtui.probes.prober import prober_for
from gwtui.secrets import make_ready

Probing: TypeAlias = Coroutine[Any, Any, Request | Ping]


async def _as_it_is(probing: Probing) -> Request | Ping:
    return await probing


async def probe_once(
    endpoint: Endpoint, profile: Profile, marked: Callable[[Probing], Probing] = _as_it_is
) -> tuple[Request | Ping, tuple[StreamRead, ...]]:
    """Probe the endpoint now. Returns its result and the reads of its stream, in order, as `KeptReads` keeps them.
    `marked` may change the result by how this program fared meanwhile.

    Cancelled, it returns what was seen until then; `CancelledError` goes on when nothing was begun.
    """
    kept = KeptReads()
    cancelled: list[Request | Ping] = []

    def keep(record: Record) -> None:
        kept.keep(record)
        if isinstance(record, Request | Ping):
            cancelled.append(record)

    await make_ready(endpoint)
    async with prober_for(endpoint, profile, keep) as prober:
        try:
            result = await marked(prober.probe(1, time.perf_counter_ns(), Trigger.TRIAL))
        except asyncio.CancelledError:
            if not cancelled:
                raise
            result = cancelled[0]
    return result, kept.reads
