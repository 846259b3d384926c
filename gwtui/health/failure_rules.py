"""The rules about failures: in a row they make an endpoint `down`, and more of them than usual `degraded`. Pure."""

from __future__ import annotations

from collections import Counter, deque
from copy import deepcopy
from itertools import islice
from typing import NamedTuple

from gwtui.health.evidence import Onset, counted, in_a_row, of_all, said
from gwtui.health.windows import LEAST, MOST, Outcomes
from gwtui.model.enums import Outcome
from gwtui.model.incidents import Cause, CauseKind, cause_kind_of
from gwtui.model.judged import Usual
from gwtui.model.profile import Thresholds
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.stats.change import FailureWatch
from gwtui.text.units import share

OTHERS = 3
"""Failures in a row of another class of causes that change the cause."""
FLAPS = 20
"""Results after an outage within which another one belongs to it."""
FLAPPING = 3
"""From this number of outages that belong together it is flapping: failures count against the endpoint afterwards.
After fewer it is up as soon as results are good."""
REMEMBERED = 256
"""Results that a new usual share of failures is tried on."""
LEAST_FAILURES = 2
"""The default of `degraded_min_failures` beside a share that the user set."""
LEAST_SHARE = 0.0005
"""What would be shown as 0.0 %."""
ERROR_STATUS = 400


class FailureCounts:
    """Failures with what is said of them: their verdicts, the newest status of each, and the first."""

    def __init__(self) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.first: Onset | None = None
        self._statuses: dict[Verdict, int] = {}

    def add(self, result: Request | Ping, seen: Onset) -> None:
        self.verdicts[result.verdict] += 1
        self.first = self.first or seen
        if result.status is not None and result.status >= ERROR_STATUS:
            self._statuses[result.verdict] = result.status

    @property
    def kind(self) -> CauseKind | None:
        """The class of most of them; None without any."""
        return _kind_of_most(self.verdicts)

    def cause(self, among: Counter[Verdict] | None = None) -> Cause:
        """The class of most of them, or of those `among` them, and its most frequent verdict."""
        verdicts = among or self.verdicts
        kind = _kind_of_most(verdicts)
        verdict = next(each for each, _ in verdicts.most_common() if cause_kind_of(each) is kind)
        status = self._statuses.get(verdict)
        return Cause(cause_kind_of(verdict), verdict.value, "" if status is None else str(status))


class Outage:
    """Whether an endpoint is `down`: a number of failures in a row, ended by a number of good results in a row."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self.down = False
        self.cause: Cause | None = None
        self.onset: Onset | None = None
        self._good_run = 0
        self._run = FailureCounts()
        self._alike = FailureCounts()
        """The newest failures in a row that are of one class."""
        self._before: Counter[Verdict] = Counter()
        """Those of the outage before the class of its causes changed; empty while it has not."""
        self._all: Counter[Verdict] = Counter()
        """All failures of the outage that is on, or of the last one."""
        self._said = ""

    @property
    def failed_run(self) -> int:
        """The number of failures in a row up to now."""
        return self._run.verdicts.total()

    def add(self, result: Request | Ping, seen: Onset) -> None:
        """Take a good or a failed result."""
        if result.outcome is Outcome.OK:
            self._good_run += 1
            self._run, self._alike = FailureCounts(), FailureCounts()
            self.down = self.down and self._good_run < self._thresholds.up_after
            return
        self._good_run = 0
        self._said = said(result)
        self._run.add(result, seen)
        if self._alike.kind is not cause_kind_of(result.verdict):
            self._alike = FailureCounts()
        self._alike.add(result, seen)
        if self.down:
            self._all[result.verdict] += 1
            self._follow_cause()
        elif self.failed_run >= self._thresholds.down_after:
            self.down = True
            self._all = self._run.verdicts.copy()
            self._before = Counter()
            self.cause, self.onset = self._run.cause(), self._run.first

    def _follow_cause(self) -> None:
        """The cause changes when as many failures in a row speak for another as make an endpoint `down`."""
        is_other = self.cause is None or self._alike.kind is not self.cause.kind
        if is_other and self._alike.verdicts.total() >= self._thresholds.down_after:
            self._before = self._all - self._alike.verdicts
            self.cause, self.onset = self._alike.cause(), self._alike.first

    def text(self) -> str:
        """`3 truncated in a row`; of an outage that is over `2 good in a row after 6 truncated`."""
        if not self._run.verdicts:
            return f"{self._good_run} good in a row" + (f" after {counted(self._all)}" if self._all else "")
        if self._before:
            return f"{in_a_row(self._alike.verdicts)}; before {counted(self._before)}{self._said}"
        return in_a_row(self._run.verdicts) + self._said


_ANSWERED = frozenset(
    {
        CauseKind.KEYS_REFUSED,
        CauseKind.QUOTA,
        CauseKind.RATE_LIMITED,
        CauseKind.OVERLOADED,
        CauseKind.SERVER_ERRORS,
        CauseKind.REQUESTS_REFUSED,
    }
)
"""What a gateway says itself: an outage with another cause before or after one of these does not belong to it."""


class _Counted(NamedTuple):
    """A result that the watch was given."""

    number: int
    """Counted from 1 over all results, those of outages included."""
    failed: bool
    seen: Onset


class FailureShare:
    """Whether an endpoint is `degraded` by its failures: more than usual, or more than the share that the user set.

    Those of an outage count only as part of what is said, so that a time after it is not `degraded`, unless it is
    flapping: down again and again.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._limit = thresholds.degraded_fail_share
        self._least = thresholds.degraded_min_failures or (0 if self._limit is None else LEAST_FAILURES)
        self._span_ns = int(thresholds.window_s * 1e9)
        self._window = Outcomes(self._span_ns)
        self._said_of = Outcomes(self._span_ns)
        """The same with those of outages."""
        self._all: deque[Verdict | None] = deque(maxlen=MOST)
        """The same, however old."""
        self._failures = FailureCounts()
        self._latest: deque[tuple[CauseKind, Onset]] = deque(maxlen=OTHERS)
        self._counted: deque[_Counted] = deque(maxlen=REMEMBERED)
        self._usual: Usual | None = None
        self._share: float | None = None
        """Of failures, as is usual; None while that is not known."""
        self._watch = self._before_run = FailureWatch()
        self._since_outage = FLAPS
        self._outages = 0
        """Those that belong together, up to the last one."""
        self._outage_kind: CauseKind | None = None
        """The class of the last outage's cause."""
        self._n = self._onset_n = 0
        self._said = ""
        self.degraded = False
        self.cause: Cause | None = None
        self.onset: Onset | None = None

    def learn(self, usual: Usual, *, anew: bool) -> None:
        """Judge by another usual share of failures; `anew`: what was before it does not count any more. One that is
        `degraded` stays so until it is well by what was usual before."""
        self._usual = usual
        if anew:
            self._counted.clear()
        if anew or not self.degraded:
            self._apply_usual()
            self._judge()

    def _apply_usual(self) -> None:
        """Begin again with the usual share of now, and with what came since it was degraded last."""
        usual = self._usual
        good, failed = (usual.good, usual.failed) if usual is not None else (0, 0)
        self._share = failed / (good + failed) if good + failed else None
        self._watch = FailureWatch(failed, good)
        for each in self._counted:
            self._watch.add(failed=each.failed)
        self._before_run = deepcopy(self._watch)

    def add(self, result: Request | Ping, seen: Onset) -> None:
        """Take a good or a failed result that is not part of an outage, or not known to be."""
        failure = None if result.outcome is Outcome.OK else result.verdict
        if failure is not None and not (self._counted and self._counted[-1].failed):
            self._before_run = deepcopy(self._watch)
        self._note(result, seen)
        self._since_outage += 1
        self._window.add(seen.now_ns, failure)
        self._counted.append(_Counted(self._n, failure is not None, seen))
        self._watch.add(failed=failure is not None)
        self._judge()

    def begin_outage(self, result: Request | Ping, seen: Onset, run: int) -> None:
        """Take the result that made it `down`, as the last of that number of failures in a row."""
        kind, before = cause_kind_of(result.verdict), self._outage_kind
        self._outage_kind = kind
        is_again = kind is before or not {kind, before} & _ANSWERED
        self._outages = self._outages + 1 if is_again and self._since_outage < FLAPS + run - 1 else 1
        if self._outages >= FLAPPING:
            self.add(result, seen)
        else:
            self._note(result, seen)
            self._watch = self._before_run
            self._window.forget(run - 1)
            for _ in range(min(run - 1, len(self._counted))):
                self._counted.pop()
            self.degraded = self.degraded and self._is_degraded()
        self._since_outage = 0

    def add_in_outage(self, result: Request | Ping, seen: Onset) -> None:
        """Take a result while it is `down`."""
        self._note(result, seen)

    def _note(self, result: Request | Ping, seen: Onset) -> None:
        self._n += 1
        failure = None if result.outcome is Outcome.OK else result.verdict
        self._all.append(failure)
        self._said_of.add(seen.now_ns, failure)
        if failure is not None:
            self._said = said(result)
            self._failures.add(result, seen)
            self._latest.append((cause_kind_of(failure), seen))

    def _judge(self) -> None:
        was, self.degraded = self.degraded, self._is_degraded()
        if was and not self.degraded:
            self._counted.clear()
            self._apply_usual()
        if not self.degraded:
            return
        if not was:
            self.onset = self._began()
            self.cause = self._failures.cause(self._lately()[0])
        else:
            self._follow_cause()

    def _is_degraded(self) -> bool:
        n, failed = len(self._window), self._window.failed
        if self._limit is None:
            return self._watch.degraded and (self.degraded or failed >= self._least)
        if self.degraded:
            return failed > 0 and failed >= self._limit / 2 * n
        return n >= LEAST and failed >= max(self._least, self._limit * n)

    def _began(self) -> Onset:
        """The first failure of those that make it degraded."""
        counted = list(self._counted)
        if self._limit is None:
            since = counted[-self._watch.run :]
        else:
            since_ns = counted[-1].seen.now_ns - self._span_ns
            since = [each for each in counted if each.seen.now_ns >= since_ns]
        first = next((each for each in since if each.failed), counted[-1])
        self._onset_n = first.number - 1
        return first.seen

    def _follow_cause(self) -> None:
        kinds = {kind for kind, _ in self._latest}
        if self.cause is None or len(self._latest) < OTHERS or len(kinds) > 1 or self.cause.kind in kinds:
            return
        if _kind_of_most(self._said_of.failures) in kinds:
            self.cause = self._failures.cause(self._said_of.failures)
            self.onset = self._latest[0][1]
            self._onset_n = self._n

    def _lately(self) -> tuple[Counter[Verdict], int]:
        """The failures, and the number of results: since more fail than usual, or else of the window."""
        since = self._n - self._onset_n if self.degraded and self._limit is None else 0
        n = min(since or len(self._said_of), len(self._all))
        return Counter(each for each in islice(reversed(self._all), n) if each is not None), n

    def text(self, where: str = "") -> str:
        """`3 of 12 truncated (25.0 %), usually 0.1 %`; `where`: the address at which they all failed."""
        failures, n = self._lately()
        usual = ""
        if self.degraded and self._limit is None and self._share is not None:
            usual = f", usually {share(self._share)} %" if self._share >= LEAST_SHARE else ", usually none"
        return of_all(failures, n) + usual + where + self._said * bool(failures)


def _kind_of_most(verdicts: Counter[Verdict]) -> CauseKind | None:
    kinds: Counter[CauseKind] = Counter()
    for verdict, times in verdicts.items():
        kinds[cause_kind_of(verdict)] += times
    return max(kinds, key=lambda kind: kinds[kind], default=None)
