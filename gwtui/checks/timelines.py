"""The timelines of models that were asked together, each in a stream of its own, from their records. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gwtui.checks.check import describe
from gwtui.checks.evidence import Probed
from gwtui.model.concurrency import Alone, Concurrency, ModelTimeline
from gwtui.model.enums import Outcome
from gwtui.stats.concurrency import analyse


def analyse_streams(probed: Sequence[Probed], alone: Mapping[str, Alone] | None = None) -> Concurrency:
    """One stream per model. `alone`: what the models, by the names asked for, take by themselves."""
    names = labels([each.request.model for each in probed])
    alone = alone or {}
    timelines = [_timeline(each, name, alone.get(each.request.model)) for each, name in zip(probed, names, strict=True)]
    spoken = [
        (read.now_ns, name)
        for each, name in zip(probed, names, strict=True)
        for read in each.reads
        for event in read.events
        if event.kind.is_content
    ]
    return analyse(timelines, [name for _, name in sorted(spoken, key=lambda pair: pair[0])])


def alone_of(probed: Iterable[Probed]) -> dict[str, Alone]:
    """What models take that were asked one after another, as far as their streams went well."""
    return {
        each.request.model: Alone(start_ns=each.reads[0].since_sent_ns, duration_ns=each.request.duration_ns)
        for each in probed
        if each.ok and each.reads and each.request.duration_ns is not None
    }


def labels(models: Sequence[str]) -> list[str]:
    """The names, told apart by a number where one comes more than once."""
    counts, seen = Counter(models), Counter[str]()
    named = []
    for model in models:
        seen[model] += 1
        named.append(f"{model or 'model'} #{seen[model]}" if counts[model] > 1 else model)
    return named


def _timeline(probed: Probed, name: str, alone: Alone | None) -> ModelTimeline:
    request, reads = probed.request, probed.reads
    if not reads or request.outcome is not Outcome.OK:
        why = describe(request) if request.outcome is not Outcome.OK else "it did not stream"
        return ModelTimeline(model=name, sent_ns=0, error=why)
    sent_ns = reads[0].now_ns - reads[0].since_sent_ns
    return ModelTimeline(
        model=name,
        sent_ns=sent_ns,
        start_ns=reads[0].now_ns,
        first_ns=sent_ns + request.pace.first_ns if request.pace is not None else None,
        end_ns=sent_ns + (request.duration_ns or 0),
        chunks=request.pace.events if request.pace is not None else 0,
        alone=alone,
    )
