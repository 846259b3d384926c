"""Rows of a session become a write-up: they go by once, and only aggregates of them are kept. Pure."""

from __future__ import annotations

from collections import Counter, deque

from gwtui.apis import kind_of
from gwtui.health.sentence import scope_text
from gwtui.model.enums import Outcome, State
from gwtui.model.incidents import Incident
from gwtui.model.judged import LogEntry, ProbedEndpoint, Usual
from gwtui.model.metrics import Metric, form_of, own_metric
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.report.writeup.document import (
    EndpointPart,
    IncidentFacts,
    Others,
    Provenance,
    StateSpan,
    TimelineEntry,
    VerdictBars,
    Writeup,
)
from gwtui.report.writeup.period import Period
from gwtui.report.writeup.tallies import Accuracy, EndpointTally, EvidencePicker, Tally
from gwtui.secrets.patterns import public_address
from gwtui.stats.accuracy import form_of_result
from gwtui.text.sanitize import clean

MOST_LISTED = 20
"""Endpoints that are listed one by one."""
MOST_FOLLOWED = 200
"""Endpoints whose figures are kept while rows go by."""
MOST_STATES = 500
"""Changes of state of one endpoint, the newest."""
MOST_MOMENTS = 100
"""Of the beginning, and as many of the end."""
SLACK_S = 0.05
"""A row's end follows from its beginning and its durations, and so may be a little before the stamp in the log."""
_CONTEXT = ("mark", "engine", "finding")
"""Kinds of entries that are listed beside an incident's own."""


class Collector:
    """Takes the rows of a session in their order, with the wall time of each."""

    def __init__(self, profile: Profile, period: Period) -> None:
        self._profile = profile
        self._period = period
        self._members = period.members()
        self._tallies: dict[ProbedEndpoint, EndpointTally] = {}
        self._others: dict[ProbedEndpoint, Tally] = {}
        self._usuals: dict[ProbedEndpoint, Usual] = {}
        self._states: dict[ProbedEndpoint, deque[tuple[float, State]]] = {}
        self._begin: list[TimelineEntry] = []
        self._end: deque[TimelineEntry] = deque(maxlen=MOST_MOMENTS)
        self._moments = 0
        self._marks: list[TimelineEntry] = []
        self._samples = EvidencePicker()
        self._accuracy = Accuracy()

    def add(self, row: Request | Ping | LogEntry | Usual, at: float) -> None:
        """Take a row that was known at that time."""
        period = self._period
        if isinstance(row, LogEntry):
            self._log(row)
        elif isinstance(row, Usual):
            if row.at <= period.began_at or (row.vantage, row.endpoint) not in self._usuals:
                self._usuals[row.vantage, row.endpoint] = row
        elif period.shown_from_at <= (ended_at := self._ended(row, at)) <= period.shown_to_at + SLACK_S:
            self._result(row, ended_at)

    def writeup(self, provenance: Provenance, incident: Incident | None) -> Writeup:
        """All that was collected. `incident`: the one in question, as it was at the end."""
        period = self._period
        told = sorted(self._tallies, key=self._rank)
        left = told[MOST_LISTED:]
        told = told[:MOST_LISTED]
        endpoints = tuple(self._part(key) for key in told)
        others = [self._tallies[key].during for key in left] + list(self._others.values())
        slow = period.metric is not None or not any(each.during.failed for each in endpoints)
        return Writeup(
            provenance=provenance,
            began_at=period.began_at,
            ended_at=period.ended_at,
            shown_from_at=period.shown_from_at,
            shown_to_at=period.shown_to_at,
            incident=self._facts(incident) if incident is not None else None,
            further=tuple(self._facts(each) for each in period.further),
            endpoints=endpoints,
            others=Others(
                endpoints=len(others),
                results=sum(each.good + each.failed for each in others),
                failed=sum(each.failed for each in others),
            ),
            bucket_s=period.bucket_s,
            verdicts=self._bars(told),
            timeline=(*self._begin, *self._end),
            timeline_left_out=self._moments - len(self._begin) - len(self._end),
            marks=tuple(self._marks),
            evidence=self._samples.chosen(slow=slow),
            measured=self._accuracy.measured(tuple(sorted({s for key in told if (s := self._interval_s(key))}))),
        )

    # Results

    def _ended(self, result: Request | Ping, at: float) -> float:
        """When it ended. Rows do not say how long a connection was tried: until its deadline."""
        endpoint = self._profile.endpoint(result.endpoint)
        if result.verdict is Verdict.CONNECT_TIMEOUT and endpoint is not None and at - result.started_at < SLACK_S:
            return at + self._profile.deadlines_of(endpoint).connect_s
        return at

    def _result(self, result: Request | Ping, at: float) -> None:
        if not self._accuracy.add(result):
            return
        key, period = (result.vantage, result.endpoint), self._period
        is_during = period.began_at - SLACK_S <= at <= period.ended_at + SLACK_S
        tally = self._tally_of(key, result)
        if tally is None:
            if is_during:
                self._others.setdefault(key if len(self._others) < MOST_FOLLOWED else ("", ""), Tally()).add(
                    result.verdict, None
                )
            return
        phase = tally.during if is_during else tally.before if at < period.began_at else tally.after
        tally.add(result, at, phase, period.bucket_of(at))
        if is_during:
            self._samples.add(result, tally.metric)

    def _tally_of(self, key: ProbedEndpoint, result: Request | Ping) -> EndpointTally | None:
        """That of an endpoint which is listed; None for others."""
        tally = self._tallies.get(key)
        if tally is not None:
            return tally
        if (self._members and key not in self._members) or len(self._tallies) >= MOST_FOLLOWED:
            return None
        tally = self._tallies[key] = EndpointTally(self._metric_of(result))
        return tally

    def _metric_of(self, result: Request | Ping) -> Metric:
        """The latency that the incident is about where the endpoint has it, else the one that it is judged by."""
        endpoint = self._profile.endpoint(result.endpoint)
        form = (
            form_of(kind_of(endpoint.api), stream=endpoint.stream) if endpoint is not None else form_of_result(result)
        )
        chosen = self._profile.thresholds_of(endpoint).slow_metric if endpoint is not None else None
        for metric in (self._period.metric, chosen):
            if metric is not None and form in metric.about.forms:
                return metric
        return own_metric(form)

    # The log

    def _log(self, entry: LogEntry) -> None:
        period = self._period
        if entry.kind == "state" and entry.state is not None:
            states = self._states.setdefault((entry.vantage, entry.endpoint), deque(maxlen=MOST_STATES))
            if entry.at <= period.shown_from_at:
                states.clear()
            elif not states and entry.was is not None:
                states.append((period.shown_from_at, entry.was))
            if entry.at <= period.shown_to_at:
                states.append((entry.at, entry.state))
        if not self._is_listed(entry):
            return
        moment = _moment(entry)
        self._moments += 1
        if len(self._begin) < MOST_MOMENTS:
            self._begin.append(moment)
        else:
            self._end.append(moment)
        if entry.kind == "mark" and len(self._marks) < MOST_MOMENTS:
            self._marks.append(moment)

    def _is_listed(self, entry: LogEntry) -> bool:
        period = self._period
        if entry.kind == "mark":
            return period.shown_from_at <= entry.at <= period.shown_to_at
        is_within = period.began_at - SLACK_S <= entry.at <= period.ended_at + SLACK_S
        if period.incident is None:
            return is_within and (entry.kind != "state" or entry.incident is None)
        if entry.kind == "incident":
            return entry.incident == period.incident.number
        is_ours = not entry.endpoint or (entry.vantage, entry.endpoint) in self._members
        return is_within and is_ours and entry.kind in _CONTEXT

    # The end

    def _rank(self, key: ProbedEndpoint) -> tuple[float, float, str]:
        """The worst first: by the share that failed, then by how much slower it was."""
        tally = self._tallies[key]
        during, before = tally.during, tally.before
        total = during.good + during.failed
        (now_ns, _), (then_ns, _) = during.percentiles(), before.percentiles()
        return (-during.failed / total if total else 0.0, -(now_ns or 0) / max(then_ns or now_ns or 1, 1), str(key))

    def _part(self, key: ProbedEndpoint) -> EndpointPart:
        vantage, name = key
        tally, endpoint = self._tallies[key], self._profile.endpoint(name)
        usual = self._usuals.get(key)
        latency = usual.latencies.get(tally.metric) if usual is not None else None
        sick_at, well_at = self._members.get(key, (None, None))
        first_at, width_s = self._period.first_bucket_at, self._period.bucket_s
        return EndpointPart(
            name=clean(name),
            vantage=clean(vantage),
            api=endpoint.api if endpoint is not None else "",
            address=clean(_address(endpoint)) if endpoint is not None else "",
            model=clean(endpoint.model or "") if endpoint is not None else "",
            interval_s=self._interval_s(key),
            sick_at=sick_at,
            well_at=well_at,
            metric=tally.metric.label,
            usual_ns=latency.p50_ns if latency is not None else None,
            before=tally.before.figures(),
            during=tally.during.figures(),
            after=tally.after.figures(),
            buckets=tuple(each.bucket(first_at + at * width_s) for at, each in sorted(tally.buckets.items())),
            dots=tuple(tally.dots.items),
            dots_left_out=tally.dots.left_out,
            failed_at=tuple(tally.failed_at.items),
            failed_left_out=tally.failed_at.left_out,
            states=self._spans(key),
        )

    def _facts(self, incident: Incident) -> IncidentFacts:
        return IncidentFacts(
            number=incident.number,
            scope=clean(incident.scope),
            where=clean(scope_text(incident, self._profile.endpoints)),
            cause=clean(incident.cause),
            severity=incident.severity,
            opened_at=incident.opened,
            closed_at=incident.closed,
            failures=incident.failures,
            endpoints=len(incident.members),
            acknowledged=clean(incident.acknowledged),
        )

    def _interval_s(self, key: ProbedEndpoint) -> float | None:
        endpoint = self._profile.endpoint(key[1])
        return self._profile.interval_of(endpoint) if endpoint is not None else None

    def _spans(self, key: ProbedEndpoint) -> tuple[StateSpan, ...]:
        """The states of an endpoint, one after the other; before the first that is known it is `unknown`."""
        period = self._period
        changes = [(max(at, period.shown_from_at), state) for at, state in self._states.get(key, ())]
        if not changes:
            return ()
        if changes[0][0] > period.shown_from_at:
            changes.insert(0, (period.shown_from_at, State.UNKNOWN))
        ends = [at for at, _ in changes[1:]] + [period.shown_to_at]
        spans = zip(changes, ends, strict=True)
        return tuple(StateSpan(state=state, from_at=at, to_at=end) for (at, state), end in spans if end > at)

    def _bars(self, told: list[ProbedEndpoint]) -> tuple[VerdictBars, ...]:
        """The verdicts of the endpoints that are listed: good ones first, then the most frequent."""
        total: Counter[Verdict] = Counter()
        shares = [Counter[Verdict]() for _ in range(self._period.buckets)]
        for key in told:
            for at, tally in self._tallies[key].buckets.items():
                shares[min(at, len(shares) - 1)].update(tally.verdicts)
                total.update(tally.verdicts)
        ordered = sorted(total, key=lambda each: (each.outcome is not Outcome.OK, -total[each], each))
        return tuple(VerdictBars(verdict=each, counts=tuple(share[each] for share in shares)) for each in ordered)


def _address(endpoint: Endpoint) -> str:
    return public_address(endpoint.url.rstrip("/") + (endpoint.path or ""))


def _moment(entry: LogEntry) -> TimelineEntry:
    event = entry.event.value if entry.event is not None else entry.state.value if entry.state is not None else ""
    about = f"{entry.endpoint}: " if entry.endpoint and entry.kind in ("state", "finding") else ""
    return TimelineEntry(
        at=entry.at,
        kind=clean(entry.kind),
        event=event,
        text=clean(f"{about}{entry.text}", 1_000),
        incident=entry.incident,
        number=entry.number,
        trace_id=clean(entry.trace_id),
    )
