"""The rule about findings: an endpoint is `degraded` while they are found in most of its answers. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from gwtui.health.evidence import Onset
from gwtui.model.enums import FindingName
from gwtui.model.findings import entry_of
from gwtui.model.incidents import Cause, CauseKind
from gwtui.model.records import Finding, Ping, Request
from gwtui.stats.accuracy import sure_findings

RECENT = 5
"""The number of good results that are looked at, and of those without a finding that end it."""
MOST_OF_THEM = 3


class _DegradingFinding:
    """One finding of an endpoint: in which of its latest good results it was."""

    def __init__(self) -> None:
        self._latest: deque[Onset | None] = deque(maxlen=RECENT)
        self.without = 0
        self.finding: Finding | None = None
        self.onset: Onset | None = None
        """The first result with it of those that degrade; None while it does not."""

    def add(self, finding: Finding | None, seen: Onset) -> None:
        self._latest.append(seen if finding is not None else None)
        if finding is None:
            self.without += 1
            return
        self.without, self.finding = 0, finding
        having = [each for each in self._latest if each is not None]
        if self.onset is None and (finding.degrades or len(having) >= MOST_OF_THEM):
            self.onset = having[0]


class DegradingFindings:
    """Follows the findings that degrade: those which say so, at once, and those of the profile's `findings_degrade`
    where 3 of the last 5 good results have them. One is over after 5 without."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._found: dict[FindingName, _DegradingFinding] = {}
        self._last: Finding | None = None
        """The one that degrades, or that did until now."""

    def add(self, result: Request | Ping, seen: Onset) -> None:
        """Take a good result."""
        found = {each.name: each for each in sure_findings(result) if each.degrades or str(each.name) in self._names}
        for name in found:
            self._found.setdefault(name, _DegradingFinding())
        for name, each in list(self._found.items()):
            if name not in found and result.tainted and entry_of(name).timed:
                continue  # it might have been found in a calmer moment
            each.add(found.get(name), seen)
            if each.without >= RECENT:
                del self._found[name]
        if (worst := self._worst()) is not None:
            self._last = worst.finding

    @property
    def degraded(self) -> bool:
        return self._worst() is not None

    @property
    def cause(self) -> Cause | None:
        worst = self._worst()
        if worst is None or worst.finding is None:
            return None
        return Cause(CauseKind.FINDING, str(worst.finding.name))

    @property
    def onset(self) -> Onset | None:
        worst = self._worst()
        return None if worst is None else worst.onset

    def _worst(self) -> _DegradingFinding | None:
        """The first that began of those that degrade."""
        return next((each for each in self._found.values() if each.onset is not None), None)

    def text(self) -> str:
        """`buffered: all 40 content events came in one read`."""
        if self._last is None:
            return ""
        return f"{self._last.name}: {self._last.evidence if self.degraded else 'not found any more'}"
