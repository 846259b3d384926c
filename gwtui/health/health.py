"""What the results mean: the state of every endpoint, and the incidents worth an entry in the log. Pure.

Records go in, incidents come out; time is what the records say it is, and heartbeats move it while nothing else comes.
Trials count for nothing, and of a conversation only the request that ends it. Results that were cancelled or that
failed on this machine count neither way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from gwtui.health.addresses import Addresses
from gwtui.health.states import EndpointJudge, Standing
from gwtui.model.conversation import is_between
from gwtui.model.enums import FindingName, Outcome, State, Trigger
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Finding, Heartbeat, Ping, ProfileChanged, Record, Request, SessionStarted
from gwtui.stats.accuracy import sure_findings
from gwtui.text.units import duration, elapsed
from gwtui.verdict.successive import ColdStart

QUIET_NS = 60_000_000_000
"""Trouble of this machine is over when none was seen for this time; the next is reported again."""
LOCAL_AFTER = 3
"""The number of local failures that is reported as this machine's trouble."""
LAG_NS = 500_000_000
"""An engine that is late by this time is reported, once while it lasts."""
GAP_NS = 5_000_000_000
"""A standstill of this time is reported each time: it is a gap in the measurement."""
QUIET_RESULTS = 5
"""The number of good results without a finding after which it has ended."""


class Health:
    """Judges records as they come, in their order."""

    def __init__(self, profile: Profile) -> None:
        self._watches: dict[str, _Watch] = {}
        self._follow(profile)
        self._now_ns = 0
        self._wall_offset_s = 0.0
        self._local = _Repeats()
        self._lag = _Repeats()

    def state(self, name: str) -> State:
        """The state of the endpoint of that name."""
        watch = self._watches.get(name)
        return watch.judge.standing.state if watch else State.UNKNOWN

    def apply(self, record: Record) -> tuple[LogEntry, ...]:
        """Take the next record. Gives the incidents that it makes, in order."""
        if isinstance(record, SessionStarted):
            self._report_time(record.now_ns, record.started_at)
            self._follow(record.profile)
        elif isinstance(record, ProfileChanged):
            self._now_ns = max(self._now_ns, record.now_ns)
            self._follow(record.profile)
        elif isinstance(record, Heartbeat):
            self._report_time(record.now_ns, record.at)
            return self._heartbeat(record)
        elif isinstance(record, Request | Ping):
            self._now_ns = max(self._now_ns, record.now_ns)
            return self._result(record)
        elif isinstance(record, Usual):
            return self._usual(record)
        return ()

    def _report_time(self, now_ns: int, at: float) -> None:
        self._now_ns = max(self._now_ns, now_ns)
        self._wall_offset_s = at - now_ns / 1e9

    def _follow(self, profile: Profile) -> None:
        """Watch exactly the profile's endpoints. Those that are probed or judged as before keep their state."""
        before, self._watches = self._watches, {}
        for endpoint in profile.endpoints:
            watch = before.get(endpoint.name)
            if watch is None:
                watch = _Watch(endpoint, profile)
            else:
                watch.follow(endpoint, profile)
            self._watches[endpoint.name] = watch

    def _heartbeat(self, beat: Heartbeat) -> tuple[LogEntry, ...]:
        incidents = [self._incident("engine", text) for text in self._gaps(beat)]
        for name, watch in self._watches.items():
            if watch.paused is not (name in beat.paused):
                incidents += self._pause(name, watch)
        return tuple(incidents)

    def _gaps(self, beat: Heartbeat) -> Iterator[str]:
        """Incidents for time that was not measured, or that the clocks disagree about."""
        seen = self._lag.seen(self._now_ns) if beat.lag_ns >= LAG_NS else 0
        if beat.lag_ns >= GAP_NS:
            yield f"gwtui was stopped for {duration(beat.lag_ns)}: a gap; affected times are marked"
        elif seen == 1:
            yield f"this machine delayed gwtui by {duration(beat.lag_ns)}: affected times are marked"
        if beat.slept_ns:
            yield f"this machine slept for {_seconds(beat.slept_ns / 1e9)}: nothing was measured"
        if beat.wall_step_s:
            way, step = "forward" if beat.wall_step_s > 0 else "back", _seconds(abs(beat.wall_step_s))
            yield f"the wall clock was set {way} by {step}: times of day jump here, latencies do not"

    def _result(self, record: Request | Ping) -> tuple[LogEntry, ...]:
        watch = self._watches.get(record.endpoint)
        if watch is None or watch.paused or record.trigger is Trigger.TRIAL or record.outcome is Outcome.CANCELLED:
            return ()
        if is_between(record):
            return ()
        if record.outcome is Outcome.LOCAL:
            return self._local_failure(record)
        left = watch.addresses.follow(self._now_ns, record) if watch.addresses is not None else []
        found = [(FindingName.ADDRESS_DOWN, text) for text in left]
        where = watch.addresses.blamed(self._now_ns) if watch.addresses is not None else ""
        before = watch.judge.standing
        at = self._wall_offset_s + record.now_ns / 1e9
        incidents = self._news(record.endpoint, before, watch.judge.add(record, at, where), record)
        told = frozenset(incident.text for incident in incidents)
        incidents += [
            self._incident("finding", text, record=record, finding=name)
            for name, text in (*found, *watch.findings.follow(self._now_ns, record, told))
            if str(name) not in watch.tolerated
        ]
        return tuple(incidents)

    def _usual(self, record: Usual) -> tuple[LogEntry, ...]:
        watch = self._watches.get(record.endpoint)
        if watch is None or record.vantage:
            return ()
        self._now_ns = max(self._now_ns, record.now_ns)
        before = watch.judge.standing
        return tuple(self._news(record.endpoint, before, watch.judge.learn(record)))

    def _news(self, name: str, before: Standing, now: Standing, record: Request | Ping | None = None) -> list[LogEntry]:
        if now is before or not now.is_news(before) or not now.text:
            return []
        return [self._incident("state", now.text, name=name, state=now.state, was=before.state, record=record)]

    def _pause(self, name: str, watch: _Watch) -> list[LogEntry]:
        before, watch.paused = watch.judge.standing, not watch.paused
        watch.begin_anew()
        return self._news(name, before, watch.judge.pause(paused=watch.paused))

    def _local_failure(self, record: Request | Ping) -> tuple[LogEntry, ...]:
        if self._local.seen(self._now_ns) != LOCAL_AFTER:
            return ()
        text = f"{LOCAL_AFTER} probes failed on this machine, not at a gateway: {record.reason or record.rule}"
        return (self._incident("engine", text, record=record),)

    def _incident(
        self,
        kind: str,
        text: str,
        *,
        name: str = "",
        state: State | None = None,
        was: State | None = None,
        record: Request | Ping | None = None,
        finding: FindingName | None = None,
    ) -> LogEntry:
        return LogEntry(
            at=self._wall_offset_s + self._now_ns / 1e9,
            now_ns=self._now_ns,
            kind=kind,
            endpoint=record.endpoint if record else name,
            state=state,
            was=was,
            text=text,
            number=record.number if record else None,
            trace_id=record.trace_id if record else "",
            finding=finding,
        )


class _Watch:
    """What is known of one endpoint."""

    def __init__(self, endpoint: Endpoint, profile: Profile) -> None:
        self.paused = endpoint.paused
        self.judge = EndpointJudge(profile.thresholds_of(endpoint), paused=self.paused)
        self._judged: Endpoint | None = None
        self.follow(endpoint, profile)

    def follow(self, endpoint: Endpoint, profile: Profile) -> None:
        judged, before = _judged(endpoint, profile), self._judged
        if judged == before:
            return
        self._judged, self._thresholds = judged, profile.thresholds_of(endpoint)
        self._each = endpoint.addresses == "each"
        self.tolerated = endpoint.tolerate
        is_other = before is None or msgspec.structs.replace(before, thresholds=judged.thresholds) != judged
        self.judge.restart(self._thresholds, paused=self.paused, is_other=is_other)
        self.begin_anew()

    def begin_anew(self) -> None:
        """What was found before says nothing of what comes."""
        self.findings = _Findings(int(self._thresholds.window_s * 1e9))
        self.addresses = Addresses(self._thresholds) if self._each else None


def _judged(endpoint: Endpoint, profile: Profile) -> Endpoint:
    """The endpoint with all that decides its state, and nothing that only says when it is probed."""
    return msgspec.structs.replace(
        endpoint, interval_s=None, overlap=1, paused=False, price=None, thresholds=profile.thresholds_of(endpoint)
    )


class _Findings:
    """The findings of one endpoint: each is reported when it begins and when it has ended, not per request."""

    def __init__(self, quiet_ns: int) -> None:
        self._quiet_ns = quiet_ns
        self._last: dict[FindingName, tuple[int, int]] = {}
        """Per finding that is on: when it was last seen, and how many good results since had none of it."""
        self._as_state: set[FindingName] = set()
        """Those of which the change of a state told, as it will of their end."""
        self._cold = ColdStart()

    def follow(self, now_ns: int, result: Request | Ping, told: Collection[str]) -> list[tuple[FindingName, str]]:
        """Take a result; returns what is to be reported, and of which finding. `told`: what the change of the state
        has said already."""
        found = {finding.name: finding for finding in sure_findings(result)}
        began = {name: _began(finding) for name, finding in found.items() if name not in self._last}
        self._as_state |= {name for name, text in began.items() if text in told}
        news = [(name, text) for name, text in began.items() if text not in told]
        for name, (seen_ns, without) in list(self._last.items()):
            if name in found or result.outcome is not Outcome.OK:
                continue
            if without + 1 >= QUIET_RESULTS and now_ns - seen_ns >= self._quiet_ns:
                del self._last[name]
                if name in self._as_state:
                    self._as_state.remove(name)
                    continue
                news.append((name, f"{name} ended: not seen for {elapsed(now_ns - seen_ns)}, {without + 1} results"))
            else:
                self._last[name] = (seen_ns, without + 1)
        self._last.update(dict.fromkeys(found, (now_ns, 0)))
        if isinstance(result, Request) and (cold := self._cold.follow(result)) is not None:
            news.append((cold.name, _began(cold)))
        return news


def _seconds(seconds: float) -> str:
    """A long time to the nearest second."""
    return elapsed(round(seconds) * 1_000_000_000)


def _began(finding: Finding) -> str:
    return f"{finding.name}: {finding.evidence}"


class _Repeats:
    """Counts how often something happened since it was last quiet."""

    def __init__(self) -> None:
        self._count = 0
        self._last_ns = 0

    def seen(self, now_ns: int) -> int:
        """It happened again: how often, this time included."""
        if now_ns - self._last_ns > QUIET_NS:
            self._count = 0
        self._count += 1
        self._last_ns = now_ns
        return self._count
