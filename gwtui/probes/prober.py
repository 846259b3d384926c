"""What a prober is, and which one an endpoint needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

from gwtui.apis import APIS, SOCKET_APIS, dialogue_of, kind_of
from gwtui.model.enums import Kind, Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Record, Request, StreamRead
from gwtui.probes.capture import KeptReads
from gwtui.probes.conversation import ConversationProber
from gwtui.probes.http import HTTPProber
from gwtui.probes.messages import MessagesProber
from gwtui.probes.stream_capture import StreamKeeper
from gwtui.probes.websocket import WebSocketProber
from gwtui.secrets.resolver import make_ready

Emit: TypeAlias = Callable[[Record], None]


class Prober(Protocol):
    """One worker's means to measure one endpoint: one HTTP client, or one kept WebSocket. One probe at a time."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request | Ping:
        """Measure once. Whatever goes wrong is in the record that comes back.

        `RequestStarted` and `StreamRead` are emitted as they happen. When the task is cancelled, the record of what
        was seen until then is emitted with the verdict `cancelled`, and `CancelledError` goes on.
        """

    def wait_ns(self) -> int:
        """How long to wait before the next probe, because those before failed; 0: not at all."""

    def goes_on(self) -> bool:
        """Whether the next probe is a further turn of a conversation that has begun, due as soon as this one ended."""


ProberFor: TypeAlias = Callable[[Endpoint, Profile, Emit], Prober]


class KeepingProberFor(Protocol):
    """Makes probers that hand out answers as they came."""

    def __call__(
        self, endpoint: Endpoint, profile: Profile, emit: Emit, *, keeper: StreamKeeper | None = None
    ) -> Prober: ...


def prober_for(
    endpoint: Endpoint, profile: Profile, emit: Emit, *, events: bool = True, keeper: StreamKeeper | None = None
) -> Prober:
    """The prober for an endpoint of the profile. Makes no connection yet. Without `events` it emits no `StreamRead`.
    `keeper` gets all answers as they came, where the profile says that any are kept."""
    keeper = keeper if profile.streams_kept != "none" else None
    if kind_of(endpoint.api) is Kind.WEBSOCKET:
        return WebSocketProber(endpoint, profile, emit, keeper=keeper)
    if endpoint.api in SOCKET_APIS:
        return MessagesProber(endpoint, profile, SOCKET_APIS[endpoint.api], emit, events=events, keeper=keeper)
    api = APIS[endpoint.api]
    if endpoint.turns:
        dialogue = dialogue_of(endpoint)
        return ConversationProber(endpoint, profile, api, dialogue, emit, events=events, keeper=keeper)
    return HTTPProber(endpoint, profile, api, emit, events=events, keeper=keeper)


def results_prober_for(
    endpoint: Endpoint, profile: Profile, emit: Emit, *, keeper: StreamKeeper | None = None
) -> Prober:
    """The same for results alone."""
    return prober_for(endpoint, profile, emit, events=False, keeper=keeper)


Probing: TypeAlias = Coroutine[Any, Any, Request | Ping]


async def _as_it_is(probing: Probing) -> Request | Ping:
    return await probing


ProbedTurn: TypeAlias = tuple[Request | Ping, tuple[StreamRead, ...]]
"""A result, and the reads of its stream."""


async def probe_once(
    endpoint: Endpoint, profile: Profile, marked: Callable[[Probing], Probing] = _as_it_is
) -> ProbedTurn:
    """Probe the endpoint now; of a conversation the turn that ended it. See `probe_turns`."""
    return (await probe_turns(endpoint, profile, marked))[-1]


async def probe_turns(
    endpoint: Endpoint, profile: Profile, marked: Callable[[Probing], Probing] = _as_it_is
) -> list[ProbedTurn]:
    """Probe the endpoint now, a conversation to its end. Returns each result and the reads of its stream, in order, as
    `KeptReads` keeps them. `marked` may change a result by how this program fared meanwhile.

    Cancelled, it returns what was seen until then; `CancelledError` goes on when nothing was begun.
    """
    probed: list[ProbedTurn] = []
    kept = KeptReads()
    cancelled: list[Request | Ping] = []

    def keep(record: Record) -> None:
        kept.keep(record)
        if isinstance(record, Request | Ping):
            cancelled.append(record)

    await make_ready(endpoint)
    async with prober_for(endpoint, profile, keep) as prober:
        while not probed or prober.goes_on():
            kept = KeptReads()
            try:
                result = await marked(prober.probe(len(probed) + 1, time.perf_counter_ns(), Trigger.TRIAL))
            except asyncio.CancelledError:
                if not cancelled:
                    raise
                return [*probed, (cancelled[0], kept.reads)]
            probed.append((result, kept.reads))
    return probed
