"""A fleet whose endpoints get well and sick by word, and the incidents that come of it."""

from __future__ import annotations

from typing import Any

from support.judged import START_AT, S

from gwtui.health.attributes import Attributes, attributes_of
from gwtui.health.cases import Instant
from gwtui.health.evidence import Onset
from gwtui.health.incident_log import IncidentLog
from gwtui.health.incidents import Incidents
from gwtui.health.states import Standing
from gwtui.model.enums import State
from gwtui.model.incidents import Cause, CauseKind, Proof, cause_kind_of
from gwtui.model.judged import Acknowledged, LogEntry, ProbedEndpoint
from gwtui.model.profile import Endpoint
from gwtui.model.records import Record, Request
from gwtui.model.verdicts import Verdict

EU, US = "https://eu.example.com", "https://us.example.com"
REFUSED = Cause(CauseKind.KEYS_REFUSED, "auth", "401")
OVERLOADED = Cause(CauseKind.OVERLOADED, "overloaded", "529")
NO_NAME = Cause(CauseKind.UNREACHABLE, "dns")
LOST = Cause(CauseKind.CUT, "reset")
SLOW = Cause(CauseKind.SLOW, "ttft", "8x its usual 330 ms")
VERDICTS = {
    CauseKind.KEYS_REFUSED: Verdict.AUTH,
    CauseKind.OVERLOADED: Verdict.OVERLOADED,
    CauseKind.UNREACHABLE: Verdict.DNS,
    CauseKind.CUT: Verdict.RESET,
}


def claude(name: str, url: str, **fields: Any) -> Endpoint:
    return Endpoint(name=name, api="anthropic-messages", url=url, model=fields.pop("model", "claude-x"), **fields)


def gpt(name: str, url: str, **fields: Any) -> Endpoint:
    return Endpoint(name=name, api="openai-chat", url=url, model=fields.pop("model", "gpt-x"), **fields)


TWO_GATEWAYS = (
    claude("eu-claude", EU, key="env:EU"),
    gpt("eu-gpt", EU, key="env:EU"),
    gpt("eu-mini", EU, key="env:EU", model="gpt-mini"),
    claude("us-claude", US, key="env:US"),
    gpt("us-gpt", US, key="env:US"),
)


class Fleet:
    """Endpoints that are asked every 5 s. Names are `endpoint` or `place/endpoint`."""

    def __init__(self, *endpoints: Endpoint, places: tuple[str, ...] = ("",)) -> None:
        self.incidents, self.log = Incidents(), IncidentLog()
        self.now_ns, self.number = 1000 * S, 0
        self.entries: list[LogEntry] = []
        self.records: list[Record] = []
        """Results and entries, in order."""
        self.attributes: dict[ProbedEndpoint, Attributes] = {}
        self._since: dict[ProbedEndpoint, int] = {}
        self._causes: dict[ProbedEndpoint, Cause] = {}
        for place in places:
            for endpoint in endpoints or TWO_GATEWAYS:
                attributes = attributes_of(endpoint, 5, place)
                self.attributes[place, endpoint.name] = attributes
                self.incidents.watch(attributes)

    def now(self) -> Instant:
        return Instant(self.now_ns, START_AT + (self.now_ns - 1000 * S) / S)

    def well(self, *names: str, times: int = 1) -> None:
        """Those endpoints (else: all that are not sick) give a good result each, and 5 s pass."""
        for _ in range(times):
            for key in [_key(name) for name in names] or [key for key in self.attributes if key not in self._since]:
                self._since.pop(key, None)
                self._result(key, Verdict.COMPLETE, Standing(state=State.UP, text="up again"))
            self.now_ns += 5 * S

    def sick(self, *names: str, cause: Cause = REFUSED, state: State = State.DOWN, excused: bool = False) -> None:
        """Those endpoints give a bad result each, and 5 s pass."""
        for key in map(_key, names):
            verdict = VERDICTS.get(cause.kind, Verdict.COMPLETE)
            if self._causes.setdefault(key, cause).joins_by != cause.joins_by:
                self._since.pop(key, None)
            self._causes[key] = cause
            since_ns = self._since.setdefault(key, self.now_ns)
            onset = Onset(since_ns, 0, Proof(key[1], 1))
            judged = Standing(state=state, cause=cause, onset=onset, text=f"3 {cause.name} in a row")
            self._result(key, verdict, judged, excused=excused)
        self.now_ns += 5 * S

    def failing(self, *names: str, verdict: Verdict = Verdict.AUTH) -> None:
        """Those fail, and it is too soon to say that they are sick."""
        for key in map(_key, names):
            self._since.setdefault(key, self.now_ns)
            self._result(key, verdict, Standing(state=State.UP))
        self.now_ns += 5 * S

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * S)

    def acknowledge(self, number: int, note: str = "") -> None:
        record = Acknowledged(at=self.now().at, now_ns=self.now_ns, incident=number, note=note)
        self._take(self.incidents.acknowledge(record, self.now()))

    def leave(self, name: str, why: str) -> None:
        self._take(self.incidents.leave(_key(name), why, self.now(), state=State.PAUSED))

    def events(self) -> list[str]:
        """Such as `1 opened endpoint a`."""
        return [f"{entry.incident} {entry.event} {entry.scope}" for entry in self.entries]

    def _result(self, key: ProbedEndpoint, verdict: Verdict, judged: Standing, *, excused: bool = False) -> None:
        self.number += 1
        place, name = key
        good = verdict is Verdict.COMPLETE
        result = Request(
            endpoint=name,
            vantage=place,
            number=self.number,
            started_at=0,
            now_ns=self.now_ns,
            api="openai-chat",
            verdict=verdict,
            rule="x",
            duration_ns=S,
            ttft_ns=(4 if judged.cause is SLOW else 1) * S // 10 if good else None,
            trace_id=f"trace-{self.number}",
        )
        assert good or cause_kind_of(verdict)
        self.see(result)
        self._take(self.incidents.judged(key, judged, self.now(), result, excused=lambda _: excused))

    def _take(self, entries: list[LogEntry]) -> None:
        self.entries += entries
        for entry in entries:
            self.see(entry)

    def see(self, record: Record) -> None:
        self.records.append(record)
        self.log.apply(record)


def _key(name: str) -> ProbedEndpoint:
    place, slash, endpoint = name.partition("/")
    return (place, endpoint) if slash else ("", place)
