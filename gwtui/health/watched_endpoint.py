"""One endpoint as it is watched from one place: its judge, its addresses and its findings. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

import msgspec

from gwtui.health.addresses import Addresses
from gwtui.health.attributes import Attributes, attributes_of
from gwtui.health.finding_rule import MOST_OF_THEM, RECENT
from gwtui.health.states import EndpointJudge
from gwtui.model.enums import FindingName, Outcome
from gwtui.model.incidents import CauseKind
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Finding, Ping, Request
from gwtui.stats.accuracy import sure_findings
from gwtui.text.units import elapsed
from gwtui.verdict.successive import ColdStart

QUIET_RESULTS = 5
"""The number of good results without a finding after which it has ended."""


class WatchedEndpoint:
    """What is known of an endpoint."""

    def __init__(self, endpoint: Endpoint, profile: Profile, vantage: str) -> None:
        self.paused = endpoint.paused
        self.judge = EndpointJudge(profile.thresholds_of(endpoint), paused=self.paused)
        self._vantage = vantage
        self._judged: Endpoint | None = None
        self.follow(endpoint, profile)

    def follow(self, endpoint: Endpoint, profile: Profile) -> bool:
        """Go on with these settings. Gives whether it is judged anew by them."""
        self.attributes: Attributes = attributes_of(endpoint, profile.interval_of(endpoint), self._vantage)
        judged, before = profile.judged(endpoint), self._judged
        if judged == before:
            return False
        self._judged, self._thresholds = judged, profile.thresholds_of(endpoint)
        self._each = endpoint.addresses == "each"
        self._tolerated = endpoint.tolerate
        is_other = before is None or msgspec.structs.replace(before, thresholds=judged.thresholds) != judged
        self.judge.restart(self._thresholds, paused=self.paused, is_other=is_other)
        self.begin_anew()
        return before is not None

    def begin_anew(self) -> None:
        """What was found before says nothing of what comes."""
        self._findings = _Findings(int(self._thresholds.window_s * 1e9))
        self._addresses = Addresses(self._thresholds) if self._each else None
        self._incidents: dict[str, int] = {}
        """Per finding the incident that it was the cause of."""

    def where(self, now_ns: int, result: Request | Ping) -> tuple[str, list[tuple[FindingName, str]]]:
        """The address that is to blame for all failures, as words or "", and what a result says of the addresses."""
        if self._addresses is None:
            return "", []
        news = [(FindingName.ADDRESS_DOWN, text) for text in self._addresses.follow(now_ns, result)]
        return self._addresses.blamed(now_ns), news

    def found(self, now_ns: int, result: Request | Ping, told: Collection[str]) -> list[tuple[FindingName, str]]:
        """The findings that begin or end with a result. `told`: what a new state has said already."""
        return self._findings.follow(now_ns, result, told)

    def note_incident(self, number: int | None) -> None:
        """Follow which incident it is in. A finding that is its cause is part of it until the finding has ended."""
        cause = self.judge.standing.cause
        self._incidents = {name: each for name, each in self._incidents.items() if self._findings.has(name)}
        if number is not None and cause is not None and cause.kind is CauseKind.FINDING:
            self._incidents[cause.name] = number

    def incident_of(self, name: FindingName) -> int | None:
        """The incident that the finding is, or was, part of; its end belongs to it too."""
        return self._incidents.get(str(name))

    def tolerates(self, name: FindingName) -> bool:
        """Whether the finding is known of it and fine."""
        return str(name) in self._tolerated


class _Findings:
    """The findings of one endpoint: each is reported when it begins and when it has ended, not per request.

    One that is seen in times begins when most of the latest good answers have it, as for the state: one answer alone
    may have been held up anywhere.
    """

    def __init__(self, quiet_ns: int) -> None:
        self._quiet_ns = quiet_ns
        self._last: dict[FindingName, tuple[int, int]] = {}
        """Per finding that is on: when it was last seen, and how many good results since had none of it."""
        self._lately: dict[FindingName, deque[bool]] = {}
        """Of each that is seen in times whether the latest good answers have it."""
        self._as_state: set[FindingName] = set()
        """Those of which the change of a state told, as it will of their end."""
        self._cold = ColdStart()

    def has(self, name: str) -> bool:
        """Whether the finding of that name has begun, and not ended."""
        return any(str(each) == name for each in self._last)

    def follow(self, now_ns: int, result: Request | Ping, told: Collection[str]) -> list[tuple[FindingName, str]]:
        """Take a result; returns what is to be reported, and of which finding. `told`: what the change of the state
        has said already."""
        found = {finding.name: finding for finding in sure_findings(result)}
        begin = self._sustained(found, result) - self._last.keys()
        began = {name: _began(finding) for name, finding in found.items() if name in begin}
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
        self._last.update(dict.fromkeys(found.keys() & (self._last.keys() | begin), (now_ns, 0)))
        if isinstance(result, Request) and (cold := self._cold.follow(result)) is not None:
            news.append((cold.name, _began(cold)))
        return news

    def _sustained(self, found: Mapping[FindingName, Finding], result: Request | Ping) -> set[FindingName]:
        """Those of a result's findings that more than a moment tells of."""
        timed = {name for name, finding in found.items() if finding.entry.timed and not finding.degrades}
        if result.outcome is Outcome.OK:
            for name in timed | self._lately.keys():
                if name in timed or not result.tainted:
                    self._lately.setdefault(name, deque(maxlen=RECENT)).append(name in timed)
            self._lately = {name: latest for name, latest in self._lately.items() if any(latest)}
        return {name for name in found if name not in timed or sum(self._lately.get(name, ())) >= MOST_OF_THEM}


def _began(finding: Finding) -> str:
    return f"{finding.name}: {finding.evidence}"
