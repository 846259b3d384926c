"""One probe of one endpoint, outside any schedule: what `gwtui probe` runs."""

from __future__ import annotations

import asyncio
import time

from gwtui.keys import make_ready
from gwtui.probes.kept import KeptReads
from gwtui.probes.prober import prober_for
from gwtui.profile import Endpoint, Profile
from gwtui.records import Ping, Record, Request, StreamRead
from gwtui.words import Trigger


async def probe_once(endpoint: Endpoint, profile: Profile) -> tuple[Request | Ping, tuple[StreamRead, ...]]:
    """Probe the endpoint now. Returns its result and the reads of its stream, in order, as `KeptReads` keeps them.

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
            result = await prober.probe(1, time.perf_counter_ns(), Trigger.TRIAL)
        except asyncio.CancelledError:
            if not cancelled:
                raise
            result = cancelled[0]
    return result, kept.reads
