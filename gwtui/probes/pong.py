"""Which of what comes over a WebSocket is the answer to a ping, and what is said when none is."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from gwtui.apis.base import AskError
from gwtui.apis.expect import Expectation, Mismatch
from gwtui.apis.websocket import WEBSOCKET
from gwtui.model.profile import Deadlines, Endpoint
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.probes.handshake import PingFailedError, ping_failed
from gwtui.probes.inbox import ReceivedFrame
from gwtui.stats.histogram import rank
from gwtui.text.sanitize import clean, excerpt

LEAST_S = 5.0
"""The minimum time for an answer to a ping, unless a deadline is shorter."""
USUAL_TIMES = 10
"""A ping is given up after this multiple of the 99th percentile of earlier pings."""
GRACE_S = 0.25
"""The minimum time that the answer has to follow another message, which may be an unsolicited one."""


class PingQuestion:
    """One ping: what is sent, and what came instead of its answer. Raises `PingFailedError` where it cannot be sent."""

    def __init__(self, endpoint: Endpoint) -> None:
        try:
            text = WEBSOCKET.frame(endpoint)
            self._expected: Expectation = WEBSOCKET.expected(endpoint)
        except AskError as error:
            raise ping_failed(Verdict.LOCAL, "cannot-be-made", str(error), redial_later=False) from error
        self.text = text if endpoint.ping == "text" else None
        """The message; None: it is a protocol ping."""
        self.payload = secrets.token_bytes(4) if text is None else text.encode("utf-8", "replace")
        """Of the protocol ping."""
        self.sent_ns: int | None = None
        """When its last byte was sent. What came before is no answer to it."""
        self.others = 0
        """Messages, or pongs to a protocol ping, that came and were not the answer."""
        self.heard_earlier = False
        """Whether something came that was sent before the ping was."""
        self._last: str | bytes = ""
        self._mismatch: Mismatch | None = None

    def is_answered_by(self, arrival: ReceivedFrame) -> bool:
        """Whether this is the answer, or cannot be distinguished from it."""
        if arrival.is_pong is not (self.text is None):
            return False
        if self.sent_ns is not None and arrival.stamp_ns < self.sent_ns:
            self.heard_earlier = True
            return False
        mismatch = self._mismatch_of(arrival.data)
        if mismatch is None:
            self._mismatch = None
            return True
        self.others += 1
        self._last, self._mismatch = arrival.data, mismatch
        return mismatch.undecided

    def _mismatch_of(self, data: str | bytes) -> Mismatch | None:
        if self.text is not None:
            return self._expected.mismatch(data)
        return None if data == self.payload else Mismatch("a pong with the ping's own payload is expected")

    def check(self) -> None:
        """Raises `PingFailedError` if the answer could not be distinguished from others."""
        if self._mismatch is not None:
            raise ping_failed(Verdict.LOCAL, "expect", self._mismatch.reason, redial_later=False)

    def judged(self, frames: Iterable[ReceivedFrame], within_s: float) -> tuple[Judgement, int | None]:
        """What these messages are as its answer, and the round-trip time in ns. Their stamps count from the ping."""
        self.sent_ns = 0
        answer = next(filter(self.is_answered_by, frames), None)
        if answer is None:
            return self.unanswered(within_s).judgement, None
        return Judgement(verdict=Verdict.PONG, rule="websocket.pong"), answer.stamp_ns

    def unanswered(self, within_s: float) -> PingFailedError:
        """No answer came in this time."""
        if self._mismatch is None:
            return ping_failed(Verdict.NO_PONG, "no-answer", f"no answer within {within_s:.3g} s")
        which = "this came" if self.others == 1 else f"the last of {self.others:,} that came was"
        reason = f"{self._mismatch.reason}, and within {within_s:.3g} s {which}: {_quoted(self._last)}"
        return ping_failed(Verdict.WRONG_PONG, "wrong-answer", reason)


def answer_within_s(times: Iterable[int], deadlines: Deadlines, spent_ns: int) -> float:
    """How long the answer to a ping, or to its handshake, may take: what is left of the deadlines, but not more than
    many times what it usually takes. `times`: what those before took, in ns. `spent_ns`: since the start of the
    probe."""
    left_s = deadlines.total_s - spent_ns / 1e9
    return min(left_s, deadlines.first_byte_s, max(LEAST_S, _many_times_usual_s(times)))


def grace_s(times: Iterable[int]) -> float:
    """How long the answer may follow the first message that is not the answer. `times`: as of `answer_within_s`."""
    return max(GRACE_S, _many_times_usual_s(times))


def _many_times_usual_s(times: Iterable[int]) -> float:
    ordered = sorted(times)
    return USUAL_TIMES * ordered[rank(0.99, len(ordered)) - 1] / 1e9 if ordered else 0.0


def _quoted(data: str | bytes) -> str:
    if isinstance(data, str):
        return repr(clean(data, 80))
    return f"{len(data):,} bytes, {excerpt(data)!r}"
