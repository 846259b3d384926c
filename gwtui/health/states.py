"""What one endpoint is, judged from its results and from what is usual for it. Pure.

A state changes only at results, at a new usual, and when the endpoint is paused or edited: neither time nor heartbeats
move it, so records in any batches give the same. Each rule has a way in and a calmer way out:

- `down` (`failure_rules.Outage`): a number of failures in a row; ended by a number of good results in a row.
- `degraded` (`failure_rules.FailureShare`): more failures than usual, by a sequential test, or the share that the user
  set.
- `degraded`, too (`finding_rule.DegradingFindings`): findings in most of the latest answers.
- `slow` (`latency_rules.Slowness`): a latency against its usual, by a sequential test, and over the limit that the
  user set.

The worst rule that holds is the state.
"""

from __future__ import annotations

import msgspec

from gwtui.health.evidence import Onset
from gwtui.health.failure_rules import FailureShare, Outage
from gwtui.health.finding_rule import DegradingFindings
from gwtui.health.latency_rules import Slowness
from gwtui.model.enums import BAD, Outcome, State
from gwtui.model.incidents import Cause, CauseKind, Proof
from gwtui.model.judged import Usual
from gwtui.model.profile import Thresholds
from gwtui.model.records import Ping, Request
from gwtui.text.units import elapsed

LATE = "not judged: this machine was late"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint is since its last news."""

    state: State = State.UNKNOWN
    cause: Cause | None = None
    """Why it is `slow`, `degraded` or `down`; None in all other states."""
    onset: Onset | None = None
    """The first bad result of that cause: when it came, and which it was."""
    text: str = ""
    """What, with its evidence: `3 truncated in a row`. Empty where that is not worth an entry in the log, as of the
    first good result."""
    proof: Proof | None = None
    """The result that decided it; None where something else did."""
    judged: bool = True
    """False while this machine was too late for most results to be believed: the state is as it was before."""

    def is_news(self, since: Standing) -> bool:
        """Whether it is another state, or has a cause of another class."""
        return self.state is not since.state or _class_of(self.cause) != _class_of(since.cause)


class EndpointJudge:
    """Follows one endpoint, as seen from one place: its good and failed results, in the order of their time.

    Results that were cancelled, that failed on this machine, trials and turns within a conversation are not for it.
    `standing` is the same object until there is news.
    """

    def __init__(self, thresholds: Thresholds, *, paused: bool = False) -> None:
        self._sick_since_ns: int | None = None
        """When the first bad result came; it lasts through pauses and edits until a good state."""
        self._thresholds = thresholds
        self._usual: Usual | None = None
        self.standing = Standing(state=State.PAUSED if paused else State.UNKNOWN)
        self._begin_anew()

    def add(self, result: Request | Ping, at: float, where: str = "") -> Standing:
        """Take a result that ended at the wall time `at`. `where`: the address that all failures have in common, as
        part of what is said of them."""
        seen = Onset.of(result, at)
        self._take(result, seen)
        return self._judge(result.now_ns, seen.proof, where)

    def learn(self, usual: Usual) -> Standing:
        """Judge by what is usual from now on."""
        self._usual = usual
        self._shares.learn(usual, anew=usual.begins_anew)
        self._slowness.learn(usual, anew=usual.begins_anew)
        return self._judge(usual.now_ns, None)

    def pause(self, *, paused: bool) -> Standing:
        """What was before a pause says nothing of the time after it."""
        state, text = (State.PAUSED, "paused") if paused else (State.UNKNOWN, "resumed")
        self.standing = Standing(state=state, text=text)
        self._begin_anew()
        return self.standing

    def restart(self, thresholds: Thresholds, *, paused: bool = False, is_other: bool = True) -> Standing:
        """Judge by these rules from here on; `is_other`: another thing, of which nothing usual is known."""
        self._thresholds = thresholds
        self._usual = None if is_other else self._usual
        self.standing = Standing(state=State.PAUSED if paused else State.UNKNOWN)
        self._begin_anew()
        return self.standing

    def _begin_anew(self) -> None:
        self._outage = Outage(self._thresholds)
        self._shares = FailureShare(self._thresholds)
        self._found = DegradingFindings(self._thresholds.findings_degrade)
        self._slowness = Slowness(self._thresholds)
        self._seen_good = False
        if self._usual is not None:
            self._shares.learn(self._usual, anew=True)
            self._slowness.learn(self._usual, anew=True)

    def _take(self, result: Request | Ping, seen: Onset) -> None:
        was_down = self._outage.down
        self._outage.add(result, seen)
        if result.outcome is Outcome.OK:
            self._seen_good = True
            self._found.add(result, seen)
            self._slowness.add(result, seen)
        if not self._outage.down:
            self._shares.add(result, seen)
        elif was_down:
            self._shares.add_in_outage(result, seen)
        else:
            self._shares.begin_outage(result, seen, self._outage.failed_run)
            self._slowness.begin_outage()

    def _judge(self, now_ns: int, proof: Proof | None, where: str = "") -> Standing:
        before = self.standing
        if before.state is State.PAUSED:
            return before
        found = self._found_now(proof)
        if not found.is_news(before):
            if found.judged is before.judged:
                return before
            text = LATE if not found.judged else self._why(found.state, where) if found.state in BAD else ""
            self.standing = msgspec.structs.replace(found, text=text)
            return self.standing
        self.standing = msgspec.structs.replace(found, text=self._text(before, found, now_ns, where))
        if found.state is State.UP:
            self._sick_since_ns = None
        elif self._sick_since_ns is None and found.onset is not None:
            self._sick_since_ns = found.onset.now_ns
        return self.standing

    def _found_now(self, proof: Proof | None) -> Standing:
        """What the rules say now, the worst of them, without words."""
        state, rule = self._worst()
        return Standing(
            state=state,
            cause=rule.cause if rule is not None else None,
            onset=rule.onset if rule is not None else None,
            proof=proof,
            judged=self._slowness.judged,
        )

    def _worst(self) -> tuple[State, Outage | FailureShare | DegradingFindings | Slowness | None]:
        if self._outage.down:
            return State.DOWN, self._outage
        if self._shares.degraded:
            return State.DEGRADED, self._shares
        if self._found.degraded:
            return State.DEGRADED, self._found
        if self._slowness.slow:
            return State.SLOW, self._slowness
        return (State.UP if self._seen_good else State.UNKNOWN), None

    def _text(self, before: Standing, now: Standing, now_ns: int, where: str) -> str:
        if now.state in BAD:
            still = f"still {now.state}, now " if now.state is before.state else ""
            return still + self._why(now.state, where)
        if now.state is not State.UP or self._sick_since_ns is None:
            return ""
        return f"up again after {elapsed(now_ns - self._sick_since_ns)}, {self._why(before.state, where)}"

    def _why(self, state: State, where: str) -> str:
        """The facts of the rule that makes a state, or made it, as they are now."""
        if state is State.DEGRADED:
            by_finding = self._found.degraded or self._was_found()
            return self._found.text() if by_finding and not self._shares.degraded else self._shares.text(where)
        return self._slowness.text() if state is State.SLOW else self._outage.text()

    def _was_found(self) -> bool:
        cause = self.standing.cause
        return cause is not None and cause.kind is CauseKind.FINDING


def _class_of(cause: Cause | None) -> object:
    return None if cause is None else cause.joins_by
