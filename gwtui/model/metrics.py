"""The catalogue of metrics: whatever is measured of a request or a ping, each with all that others need to know of it.

Files, tables, charts, filters, gates, comparisons, the form, the help and the README iterate over `Metric` and keep no
list of their own. To add a metric: write its descriptor here (new ones before `E2E`), measure it
(`probes.stream_timing` for streams) and test that. No `msgspec` here: the command line's help reads this.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cache
from typing import TYPE_CHECKING, Literal

from gwtui.model.enums import Kind

if TYPE_CHECKING:
    from gwtui.model.records import Ping, Request


class AnswerForm(StrEnum):
    """How an answer comes, which decides what can be measured of it."""

    STREAM = "stream"
    """A completion as a stream of events."""
    WHOLE = "whole answer"
    """A completion at once, or any other HTTP response."""
    PONG = "pong"
    """The answer to a ping over a WebSocket."""


class Unit(Enum):
    """What a metric is shown in. Durations are in ns inside the program, and in seconds where they leave it."""

    MILLISECONDS = "ms"
    TOKENS_PER_SECOND = "tok/s"
    US_DOLLARS = "USD"


UNRANKED = 9
"""The rank of metrics that tell little beside the others."""


class Basis(Enum):
    """What a metric is measured on."""

    SENT = "since the send"
    """From the moment the last byte of the request, or the ping, was handed to the socket: a place on the time axis,
    and part of the user's waiting time."""
    READS = "between reads"
    """From one read of a stream to another. Where the wait for gwtui puts it in doubt, it is left out."""
    TOKENS = "per token"
    """By the API's own count of the answer's tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """All that is known of one metric."""

    name: str
    """In filters, gates, thresholds and JSON."""
    label: str
    """For titles and tables, at most 7 characters."""
    words: str
    """For the details of one result: `first token`."""
    meaning: str
    """One plain sentence."""
    forms: tuple[AnswerForm, ...] = (AnswerForm.STREAM,)
    """Who has it."""
    basis: Basis = Basis.SENT
    column: str
    """In `requests.csv`, or `pings.csv` for a ping's."""
    prometheus: str
    otel: str
    """OpenTelemetry's name, where its semantic conventions have one, else one below `gwtui`."""
    unit: Unit = Unit.MILLISECONDS
    better: Literal["lower", "higher"] = "lower"
    field: str = ""
    """The record's own field for it; empty, as for every new metric: its entry in the record's `measured`."""
    column_after: str = ""
    """The column that its own follows; empty: it is at the right end, where every new one belongs."""
    rank: int = UNRANKED
    """Its place in the chart's choice and in comparisons: lower ones come first."""
    compared: bool = True
    """Part of comparisons, which keep and resample all values. False where another one says the same."""
    headline: bool = False
    """Told where there is room for little: the sentence of a comparison, the last line of a stream."""
    slow_floor_ns: int = 50_000_000
    """A latency that is longer than usual by less is not slow."""
    watched: tuple[AnswerForm, ...] = ()
    """The answers that are slow by it, unless the user chose another metric."""
    unless_same_as: str = ""
    """The metric that it is compared with: of one result it is shown only where it differs."""


_HTTP = (AnswerForm.STREAM, AnswerForm.WHOLE)


class Metric(StrEnum):
    """What is measured, in the order of tables."""

    about: Descriptor

    def __new__(cls, about: Descriptor) -> Metric:
        metric = str.__new__(cls, about.name)
        metric._value_ = about.name
        metric.about = about
        return metric

    @property
    def label(self) -> str:
        return self.about.label

    @property
    def is_latency(self) -> bool:
        """A duration, in ns: what charts, percentiles, gates and comparisons are of."""
        return self.about.unit is Unit.MILLISECONDS

    def of(self, result: Request | Ping) -> int | float | None:
        """As measured, wherever the record holds it: ns, tokens per second, or dollars. None where that result has
        none; of ICL, which is many, the mean."""
        field = self.about.field
        value: int | float | None = getattr(result, field, None) if field else result.measured.get(self)
        return value

    TTFB = Descriptor(
        name="ttfb",
        label="TTFB",
        words="first byte",
        meaning="Time to first byte: last request byte sent to first response byte.",
        forms=_HTTP,
        field="ttfb_ns",
        column="ttfb_ms",
        column_after="reason",
        prometheus="gwtui_time_to_first_byte_seconds",
        otel="gwtui.client.time_to_first_byte",
        compared=False,
    )
    TTFT = Descriptor(
        name="ttft",
        label="TTFT",
        words="first token",
        meaning="Time to first token: last request byte sent to first generated content, reasoning included.",
        field="ttft_ns",
        column="ttft_ms",
        watched=(AnswerForm.STREAM,),
        column_after="ttfb_ms",
        prometheus="gwtui_time_to_first_token_seconds",
        otel="gen_ai.client.operation.time_to_first_chunk",
        rank=1,
        headline=True,
    )
    TTFO = Descriptor(
        name="ttfo",
        label="TTFO",
        words="first visible",
        meaning="Time to first output: last request byte sent to first visible content, reasoning left out.",
        field="ttfo_ns",
        column="ttfo_ms",
        column_after="ttft_ms",
        prometheus="gwtui_time_to_first_output_seconds",
        otel="gwtui.client.time_to_first_output",
        compared=False,
        unless_same_as="ttft",
    )
    ICL = Descriptor(
        name="icl",
        label="ICL",
        words="mean gap",
        meaning="Inter-chunk latency: each gap between consecutive reads with content; of one stream the mean.",
        basis=Basis.READS,
        field="mean_icl_ns",
        column="mean_icl_ms",
        slow_floor_ns=3_000_000,
        column_after="ttfo_ms",
        prometheus="gwtui_inter_chunk_latency_seconds",
        otel="gen_ai.client.operation.time_per_output_chunk",
        rank=3,
    )
    MAX_GAP = Descriptor(
        name="max_gap",
        label="MAX GAP",
        words="longest gap",
        meaning="The longest gap between two consecutive reads with content of one stream.",
        basis=Basis.READS,
        field="max_gap_ns",
        column="max_gap_ms",
        column_after="mean_icl_ms",
        prometheus="gwtui_max_gap_seconds",
        otel="gwtui.client.max_gap",
        compared=False,
    )
    TOKENS_PER_S = Descriptor(
        name="tokens_per_s",
        label="TOK/S",
        words="speed",
        meaning="Output tokens after the first per second, by the API's own usage; hidden reasoning is left out.",
        basis=Basis.TOKENS,
        unit=Unit.TOKENS_PER_SECOND,
        better="higher",
        field="tokens_per_s",
        column="tokens_per_s",
        column_after="max_gap_ms",
        prometheus="gwtui_output_tokens_per_second",
        otel="gwtui.client.output_tokens_per_second",
    )
    TPOT = Descriptor(
        name="tpot",
        label="TPOT",
        words="TPOT",
        meaning="Time per output token after the first, by the API's own usage; hidden reasoning is left out.",
        basis=Basis.TOKENS,
        field="tpot_ns",
        column="tpot_ms",
        watched=(AnswerForm.STREAM,),
        slow_floor_ns=3_000_000,
        column_after="max_gap_ms",
        prometheus="gwtui_time_per_output_token_seconds",
        otel="gwtui.client.time_per_output_token",
        rank=4,
    )
    TTLT = Descriptor(
        name="ttlt",
        label="TTLT",
        words="last token",
        meaning="Time to last token: last request byte sent to last generated content.",
        column="ttlt_ms",
        prometheus="gwtui_time_to_last_token_seconds",
        otel="gwtui.client.time_to_last_token",
    )
    TAIL_GAP = Descriptor(
        name="tail_gap",
        label="TAIL",
        words="tail gap",
        meaning="From the last content of a stream to its end.",
        basis=Basis.READS,
        column="tail_gap_ms",
        prometheus="gwtui_tail_gap_seconds",
        otel="gwtui.client.tail_gap",
    )
    COST = Descriptor(
        name="cost",
        label="COST",
        words="cost",
        meaning="US dollars: what the answer says that it cost, else its tokens at the endpoint's `price`.",
        forms=_HTTP,
        basis=Basis.TOKENS,
        unit=Unit.US_DOLLARS,
        field="cost_usd",
        column="cost_usd",
        prometheus="gwtui_request_cost_usd",
        otel="gwtui.client.request.cost",
    )
    E2E = Descriptor(
        name="e2e",
        label="E2E",
        words="end",
        meaning="End to end: last request byte sent to the end of the response.",
        forms=_HTTP,
        field="duration_ns",
        column="duration_ms",
        watched=(AnswerForm.WHOLE,),
        column_after="request_number",
        prometheus="gwtui_request_duration_seconds",
        otel="gen_ai.client.operation.duration",
        rank=2,
        headline=True,
    )
    RTT = Descriptor(
        name="rtt",
        label="RTT",
        words="RTT",
        meaning="Round trip time: a ping sent to its pong.",
        forms=(AnswerForm.PONG,),
        field="rtt_ns",
        column="rtt_ms",
        watched=(AnswerForm.PONG,),
        slow_floor_ns=5_000_000,
        column_after="ping_number",
        prometheus="gwtui_ping_round_trip_seconds",
        otel="gwtui.client.ping_round_trip",
        headline=True,
    )


BY_NAME = {metric.value: metric for metric in Metric}
LATENCIES = tuple(metric for metric in Metric if metric.is_latency)
SINCE_SENT = tuple(metric for metric in LATENCIES if metric.about.basis is Basis.SENT)
"""Moments of one result, in the order of the time axis."""
BY_RANK = tuple(sorted(LATENCIES, key=lambda metric: metric.about.rank))
"""Latencies, the most telling first: the chart's choice."""
HEADLINES = tuple(metric for metric in Metric if metric.about.headline)
"""The most telling latency of each form of answer."""
COMPARED = tuple(metric for metric in BY_RANK if metric.about.compared and metric is not Metric.RTT)
"""What is compared, the most telling first. A ping's round trip counts as E2E there."""
FIRST_FIGURES = (Metric.TTFB, Metric.TTFT, Metric.ICL, Metric.TPOT)
"""Those whose percentiles stand in the middle of a benchmark's CSV; those of all others follow on the right."""

WHOLE = (Metric.E2E, Metric.RTT)
"""The latency of a whole request or ping: every good one has it."""

_OWN = {AnswerForm.STREAM: Metric.TTFT, AnswerForm.WHOLE: Metric.E2E, AnswerForm.PONG: Metric.RTT}


def form_of(kind: Kind, *, stream: bool) -> AnswerForm:
    """The form of an endpoint's answers; `stream`: whether it asks for streams."""
    if kind is Kind.WEBSOCKET:
        return AnswerForm.PONG
    return AnswerForm.STREAM if kind is Kind.COMPLETION and stream else AnswerForm.WHOLE


@cache
def metrics_of(*forms: AnswerForm) -> tuple[Metric, ...]:
    """What can be measured of answers in any of these forms, in the order of tables."""
    return tuple(metric for metric in Metric if set(forms) & set(metric.about.forms))


def own_metric(form: AnswerForm) -> Metric:
    """The latency that tells most of such answers, and that every good one may be expected to have."""
    return _OWN[form]


@cache
def watched_metrics(form: AnswerForm, only: Metric | None = None) -> tuple[Metric, ...]:
    """The latencies that can make such answers slow, the most telling first. `only`: the one that the user chose."""
    if only is not None:
        return (only,)
    return tuple(metric for metric in Metric if form in metric.about.watched)


def times_of(result: Request | Ping) -> list[tuple[Metric, int]]:
    """What one result has measured since the send, in the order of the time axis, in ns."""
    found = []
    for metric in SINCE_SENT:
        value = metric.of(result)
        same = BY_NAME.get(metric.about.unless_same_as)
        if value is not None and (same is None or value != same.of(result)):
            found.append((metric, int(value)))
    return found
