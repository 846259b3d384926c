"""What is known of one endpoint: its figures over time, its latest probes, its state, now and at any moment."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from gwtui.apis import api_named, kind_of
from gwtui.apis.costs import MOST_USD
from gwtui.apis.requests import models_asked
from gwtui.model.conversation import is_between
from gwtui.model.enums import Kind, Outcome, State
from gwtui.model.judged import Usual
from gwtui.model.metrics import LATENCIES, AnswerForm, Metric, form_of
from gwtui.model.profile import Endpoint
from gwtui.model.query import Window
from gwtui.model.records import Heartbeat, Ping, Request
from gwtui.monitor.kept_results import KeptResults
from gwtui.monitor.ping_stats import PingStats
from gwtui.monitor.series import Changes, Counted, EndpointFigures, LookedAt, Samples
from gwtui.monitor.stream_store import StreamStore
from gwtui.monitor.table_rows import held_note, note_of
from gwtui.stats import comparison
from gwtui.stats.accuracy import sure
from gwtui.stats.time_buckets import SECOND_NS
from gwtui.text.sanitize import clean

COST_UNIT = 1e-9
"""US dollars: a token of the cheapest models costs some ten of it."""
IMPOSSIBLE_SPEED = 1e9
"""Tokens per second from where on a division by nearly nothing is what was measured."""


@dataclass(frozen=True, slots=True)
class EndpointStanding:
    """How an endpoint stands at a moment, beside its figures."""

    state: State
    reason: str
    """What the judge said of the state."""
    usual: dict[Metric, int]
    """Medians, in ns."""
    last: int | None
    """Where its latest result is among the kept ones."""
    note: str
    in_flight: int
    missed: int
    held: int
    held_ns: int | None


class History:
    """Takes the records of one endpoint in."""

    def __init__(self, endpoint: Endpoint, start_ns: int) -> None:
        self.stream_store = StreamStore()
        self.kept_results = KeptResults()
        self.figures = EndpointFigures(start_ns)
        self.start_ns = start_ns
        self.endpoint = endpoint
        self.kind = _kind(endpoint)
        self.ping_stats = PingStats(self.figures) if self.kind is Kind.WEBSOCKET else None
        self.changes = 0
        """Goes up with every change beside the passing of time."""
        self._state = State.UNKNOWN
        self._reason = ""
        self._usual: Changes[dict[Metric, int]] = Changes({})
        self._paused = endpoint.paused
        self.states = Changes((self.state, ""))
        """Each with what the judge said of it."""
        self._left_out = Changes((0, 0))
        """Ticks that were missed and held."""
        self._hold: tuple[int, str] | None = None
        self._due_ns: int | None = None
        self._last: Request | Ping | None = None
        self._run = 0
        self._samples = Samples()

    @property
    def is_websocket(self) -> bool:
        return self.ping_stats is not None

    @property
    def form(self) -> AnswerForm:
        return form_of(self.kind, stream=self.endpoint.stream)

    @property
    def state(self) -> State:
        return State.PAUSED if self._paused else self._state

    @property
    def model(self) -> str:
        """The model it asks for; "" while that is not known."""
        asked = self._last.model if isinstance(self._last, Request) else ""
        return self.endpoint.model or asked

    @property
    def models_asked(self) -> tuple[str, ...]:
        """The models of each request, where several are asked at once."""
        api = api_named(self.endpoint.api)
        if api is None or not api.several_models:
            return ()
        return tuple(clean(model, 80) for model in models_asked(self.endpoint, api.default_model))

    def continues_as(self, endpoint: Endpoint) -> bool:
        """Take an edited endpoint over. False when it is another kind of thing, whose figures are not these."""
        if _kind(endpoint) is not self.kind:
            return False
        if endpoint != self.endpoint:
            self.endpoint = endpoint
            self.touch()
        return True

    def touch(self) -> None:
        """Something beside the figures changed, such as what is under way."""
        self.changes += 1

    def state_at(self, moment: LookedAt) -> State:
        return self.state if moment.is_now else self.states.at(moment.ns)[0]

    def enter(self, now_ns: int, state: State, was: State | None, reason: str) -> None:
        """Be in a state that was reported. `paused` lies over the state that the results give."""
        if State.PAUSED in (state, was):
            self._paused = state is State.PAUSED
        if state is not State.PAUSED:
            self._state, self._reason = state, reason
        self.touch()
        self.states.set(now_ns, (self.state, self._reason))

    def rest(self, now_ns: int) -> None:
        """Be probed no more: nothing is known of it until there is a result again."""
        self._state, self._reason, self._paused = State.UNKNOWN, "", False
        self._hold = self._due_ns = None
        self.stream_store.give_up()
        self.states.set(now_ns, (self.state, self._reason))

    def learn(self, usual: Usual) -> None:
        """Take what is usual from now on."""
        self._usual.set(usual.now_ns, {metric: latency.p50_ns for metric, latency in usual.latencies.items()})
        self.touch()

    def beat(self, beat: Heartbeat) -> None:
        """What the engine says of the endpoint once a second."""
        name, hold = self.endpoint.name, beat.holds.get(self.endpoint.name)
        self._due_ns = beat.due.get(name)
        left = (max(0, hold.until_ns - beat.now_ns), hold.why) if hold is not None else None
        paused, left_out = name in beat.paused, (beat.missed.get(name, 0), beat.held.get(name, 0))
        if (paused, left_out, left) != (self._paused, self._left_out.now, self._hold):
            self._paused, self._hold = paused, left
            self._left_out.set(beat.now_ns, left_out)
            self.states.set(beat.now_ns, (self.state, self._reason))
            self.touch()

    def add(self, result: Request | Ping) -> None:
        """Take a result that is not a trial."""
        self.touch()
        self.stream_store.end(msgspec.structs.replace(result, gaps=()) if isinstance(result, Request) else result)
        if isinstance(result, Request) and result.cost_usd is not None and 0 <= result.cost_usd < MOST_USD:
            self.figures.add(result.now_ns, Metric.COST, round(result.cost_usd / COST_UNIT))
        counts = result.outcome is not Outcome.CANCELLED
        decides = counts and not is_between(result)
        if decides:
            self._run = self._run + 1 if self._last is not None and self._last.verdict is result.verdict else 1
            self._last = result
        self.kept_results.add(result, self._run if decides else 0, note_of(result) if decides else "")
        if counts:
            self._count(result)

    def _count(self, result: Request | Ping) -> None:
        figures, now_ns = self.figures, result.now_ns
        figures.add_verdict(now_ns, result.verdict)
        if result.tainted:
            figures.add(now_ns, Counted.TAINTED)
        if result.findings:
            figures.add_findings(now_ns, (finding.name for finding in result.findings))
        if isinstance(result, Ping) and self.ping_stats is not None:
            self.ping_stats.add(result)
        if result.outcome is Outcome.FAILED:
            figures.add(now_ns, Counted.FAILED)
        elif result.outcome is Outcome.OK:
            if self._state is State.UNKNOWN:
                self._state = State.UP
                self.states.set(now_ns, (self.state, self._reason))
            figures.add(now_ns, Counted.GOOD)
            self._samples.add(result)
            self._measure(result)

    def _measure(self, result: Request | Ping) -> None:
        for metric in LATENCIES:
            if metric is not Metric.ICL and (value := sure(result, metric)) is not None:
                self.figures.add(result.now_ns, metric, value)
        if isinstance(result, Ping):
            return
        if result.gaps:
            self.figures.add_pairs(result.now_ns, Metric.ICL, result.gaps)
        speed = result.tokens_per_s if sure(result, Metric.TPOT) is not None else None
        if speed is not None and 0 <= speed < IMPOSSIBLE_SPEED:
            self.figures.add(result.now_ns, Metric.TOKENS_PER_S, round(speed * 1000))

    def standing(self, moment: LookedAt) -> EndpointStanding:
        """How it stands at that moment."""
        last = self.kept_results.last(moment.ns)
        state, reason = (self.state, self._reason) if moment.is_now else self.states.at(moment.ns)
        missed, held = self._left_out.now if moment.is_now else self._left_out.at(moment.ns)
        hold = self._hold if moment.is_now else None
        return EndpointStanding(
            state=state,
            reason=reason,
            usual=self.usual(moment),
            last=last,
            note=held_note(hold, "" if last is None else self.kept_results.note(last)),
            in_flight=self.stream_store.in_flight if moment.is_now else self._in_flight(moment.ns),
            missed=missed,
            held=held,
            held_ns=None if hold is None else hold[0],
        )

    def usual(self, moment: LookedAt) -> dict[Metric, int]:
        """The usual median of each latency that has one, in ns."""
        return self._usual.now if moment.is_now else self._usual.at(moment.ns)

    def due_ns(self, moment: LookedAt) -> int | None:
        """How long it is until its next probe, in full seconds; None where it is not known."""
        if not moment.is_now or self._due_ns is None or self._paused:
            return None
        return full_seconds(max(0, self._due_ns - moment.ns) + SECOND_NS - 1)

    def age_ns(self, moment: LookedAt) -> int | None:
        """How long ago its latest result came, in full seconds."""
        last = self.kept_results.last(moment.ns)
        return None if last is None else full_seconds(moment.ns - self.kept_results.ended_ns(last))

    def samples(self, now_ns: int) -> comparison.ComparedSeries:
        """Its newest values, to be compared with those of others."""
        good, failed = (self.figures.count(each, Window.ALL, now_ns) for each in (Counted.GOOD, Counted.FAILED))
        return self._samples.series(self.endpoint.name, good, good + failed, is_ping=self.is_websocket)

    def _in_flight(self, at_ns: int) -> int:
        """How many probes were under way at that moment, as far as they are kept."""
        whole = Metric.RTT if self.is_websocket else Metric.E2E
        return self.kept_results.under_way(whole, at_ns) + self.stream_store.begun_by(at_ns)


def _kind(endpoint: Endpoint) -> Kind:
    try:
        return kind_of(endpoint.api)
    except KeyError:  # a feed from another version may name an API that is not known here
        return Kind.COMPLETION


def full_seconds(ns: int) -> int:
    """As much of it as is full seconds."""
    return ns // SECOND_NS * SECOND_NS
