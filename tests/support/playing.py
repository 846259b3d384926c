"""A fleet that is played: every endpoint asked on its schedule, with the faults that a test sets, as records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from math import exp
from random import Random
from typing import TypeAlias

from msgspec.structs import replace

from gwtui.health.health import Health
from gwtui.health.incident_log import IncidentLog
from gwtui.model.enums import FindingName
from gwtui.model.incidents import Incident
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.records import Finding, Heartbeat, Ping, Record, Request, SessionStarted
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict
from gwtui.stats.histogram import compress

from .judged import START_AT, S

MS = 1_000_000
BEGIN_NS = 1000 * S
TTFT_MS, TPOT_MS, RTT_MS, SPREAD = 330, 20, 12, 0.3
Result: TypeAlias = Request | Ping
Change: TypeAlias = Callable[[Result, Random], Result]


@dataclass(frozen=True)
class Fault:
    """What becomes of the results of some endpoints from one second until another."""

    from_s: float
    to_s: float
    change: Change
    names: Collection[str] | None = None
    """Of endpoints; None: all."""
    places: Collection[str] | None = None

    def hits(self, at_s: float, name: str, place: str) -> bool:
        named = (self.names is None or name in self.names) and (self.places is None or place in self.places)
        return named and self.from_s <= at_s < self.to_s


def failing(verdict: Verdict, status: int | None = None, share: float = 1.0) -> Change:
    """That share of the results fails so."""

    def change(result: Result, rng: Random) -> Result:
        if rng.random() >= share:
            return result
        if isinstance(result, Ping):
            return replace(result, verdict=verdict, rtt_ns=None)
        return replace(result, verdict=verdict, status=status, ttft_ns=None, tpot_ns=None)

    return change


def slower(times: float) -> Change:
    def change(result: Result, rng: Random) -> Result:
        if isinstance(result, Ping) or result.ttft_ns is None or result.duration_ns is None:
            return result
        more_ns = int(result.ttft_ns * (times - 1))
        return replace(
            result,
            started_at=result.started_at - more_ns / S,
            ttft_ns=result.ttft_ns + more_ns,
            duration_ns=result.duration_ns + more_ns,
        )

    return change


def finding(name: FindingName) -> Change:
    return lambda result, rng: replace(result, findings=(Finding(name=name, evidence="42 events in one read"),))


def late(result: Result, rng: Random) -> Result:
    """What this machine's own overload makes of it: later, and in doubt by as much."""
    late_ns = int(rng.uniform(200, 4000) * MS)
    if isinstance(result, Ping):
        return replace(result, rtt_ns=(result.rtt_ns or 0) + late_ns, tainted=True, error_ns=late_ns)
    assert result.ttft_ns is not None
    if rng.random() < 0.1:
        local = failing(Verdict.LOCAL)(result, rng)
        return replace(local, rule="engine.stood-still", tainted=True)
    tainted = replace(result, ttft_ns=result.ttft_ns + late_ns, tainted=True, error_ns=late_ns)
    return replace(tainted, findings=(Finding(name=FindingName.BUFFERED, evidence="9 events in one read"),))


class Play:
    """What was played, what it meant, and the incidents of it."""

    def __init__(
        self,
        profile: Profile,
        faults: Sequence[Fault] = (),
        *,
        seconds: int = 600,
        places: Sequence[str] = ("",),
        lag_s: Callable[[float], float] = lambda at_s: 0.0,
        seed: int = 1,
    ) -> None:
        self.records = list(played(profile, faults, seconds, places, lag_s, seed))
        self.entries: list[LogEntry] = []
        health, log = Health(profile), IncidentLog()
        for record in self.records:
            log.apply(record)
            for entry in health.apply(record):
                self.entries.append(entry)
                log.apply(entry)
        self.log = log

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Those that are not part of another one."""
        return tuple(incident for incident in self.log.incidents if incident.merged_into is None)

    def of(self, kind: str) -> list[LogEntry]:
        return [entry for entry in self.entries if entry.kind == kind]


def played(
    profile: Profile,
    faults: Sequence[Fault],
    seconds: int,
    places: Sequence[str],
    lag_s: Callable[[float], float],
    seed: int,
) -> Iterator[Record]:
    """The records of all places, in the order of their time."""
    rng = Random(seed)
    yield SessionStarted(started_at=START_AT, now_ns=BEGIN_NS, profile=profile)
    usual = {name: _latency(rng, center) for name, center in ((Metric.TTFT, TTFT_MS), (Metric.TPOT, TPOT_MS))}
    ping = {Metric.RTT: _latency(rng, RTT_MS)}
    for place in places:
        for endpoint in profile.endpoints:
            latencies = ping if endpoint.api == "websocket" else usual
            yield Usual(
                endpoint=endpoint.name, vantage=place, at=START_AT, now_ns=BEGIN_NS, latencies=latencies, good=600
            )
    timed: list[tuple[float, str, Record]] = []
    for place in places:
        for second in range(1, seconds):
            at, now_ns, lag_ns = START_AT + second, BEGIN_NS + second * S, int(lag_s(second) * S)
            timed.append((second, place, Heartbeat(at=at, now_ns=now_ns, vantage=place, lag_ns=lag_ns)))
        for index, endpoint in enumerate(profile.endpoints):
            interval_s = profile.interval_of(endpoint)
            at_s, number = interval_s * (index + 1) / (len(profile.endpoints) + 1), 0
            while at_s < seconds:
                number += 1
                is_ping = endpoint.api == "websocket"
                result = _good(endpoint.name, endpoint.api, place, number, at_s, rng, is_ping=is_ping)
                for fault in faults:
                    if fault.hits(at_s, endpoint.name, place):
                        result = fault.change(result, rng)
                timed.append((at_s, place, result))
                at_s += interval_s
    timed.sort(key=lambda each: each[:2])
    for _, _, record in timed:
        yield record


def _good(name: str, api: str, place: str, number: int, at_s: float, rng: Random, *, is_ping: bool) -> Result:
    now_ns = BEGIN_NS + int(at_s * 1000) * MS
    if is_ping:
        return Ping(
            endpoint=name,
            vantage=place,
            number=number,
            started_at=START_AT + at_s - 0.05,
            now_ns=now_ns,
            verdict=Verdict.PONG,
            rule="x",
            rtt_ns=_value(rng, RTT_MS),
        )
    ttft_ns, tpot_ns = _value(rng, TTFT_MS), _value(rng, TPOT_MS)
    took_ns = ttft_ns + 20 * tpot_ns
    return Request(
        endpoint=name,
        vantage=place,
        number=number,
        started_at=START_AT + at_s - took_ns / 1e9,
        now_ns=now_ns,
        api=api,
        verdict=Verdict.COMPLETE,
        rule="x",
        status=200,
        ttft_ns=ttft_ns,
        tpot_ns=tpot_ns,
        duration_ns=took_ns,
        trace_id=f"trace-{name}-{number}",
    )


def _value(rng: Random, center_ms: float) -> int:
    return int(center_ms * exp(rng.gauss(0, SPREAD)) * MS)


def _latency(rng: Random, center_ms: float) -> UsualLatency:
    values = sorted(_value(rng, center_ms) for _ in range(600))
    return UsualLatency(source=UsualSource.DAY, n=600, p50_ns=values[300], values=compress(values))
