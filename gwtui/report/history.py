"""What endpoints did over days: a table for people, objects for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gwtui.history.batch import Episode
from gwtui.history.identity import EndpointIdentity
from gwtui.history.periods import Chronicle, PeriodLength, PeriodResults
from gwtui.model.enums import State
from gwtui.model.metrics import BY_RANK, Metric
from gwtui.report.lines import Styler, plain, toned
from gwtui.stats.histogram import supported
from gwtui.text import units
from gwtui.text.sanitize import clean
from gwtui.text.tables import Row, TextColumn, table

_QUANTILES = (0.5, 0.95)
_HEADINGS = ("avail%", "n", "failed", "", "p50", "p95", "", "p50", "p95", "incidents", "failures")
_NUMBER = TextColumn(6, right=True)
_COLUMNS = (
    TextColumn(8),
    _NUMBER,
    TextColumn(7, right=True),
    _NUMBER,
    *(TextColumn(4), _NUMBER, _NUMBER) * 2,
    TextColumn(9, right=True),
    TextColumn(),
)


def history_text(found: Sequence[Chronicle], days: float, *, apart: PeriodLength | None, styled: Styler = plain) -> str:
    """A line per endpoint or, where it is taken `apart`, one per day or hour of each, and its incidents."""
    names = _names(found)
    lines: list[str] = []
    for profile in dict.fromkeys(each.identity.profile for each in found):
        these = [each for each in found if each.identity.profile == profile]
        lines += ["", clean(f"{profile}  the last {days:g} days" if days != 1 else f"{profile}  the last day")]
        if apart is None:
            lines += table(
                [("endpoint", *_HEADINGS), *(_row(names[each.identity], each.whole, each.episodes) for each in these)],
                _COLUMNS,
                "  ",
            )
        for each in these if apart is not None else ():
            lines += _apart(each, names[each.identity], apart or PeriodLength.DAY, styled)
    return "\n".join(
        (*lines[1:], "", "Times are UTC, latencies in ms. -(n): n results are too few for that percentile.")
    )


def _apart(chronicle: Chronicle, name: str, span: PeriodLength, styled: Styler) -> list[str]:
    rows: list[Row] = [(span.value, *_HEADINGS)]
    length_s = span.hours * 3600
    for part in chronicle.parts:
        within = [each for each in chronicle.episodes if part.began <= each.began < part.began + length_s]
        rows.append(_row(_label(part.began, span), part, within))
    rows.append(_row("all", chronicle.whole, chronicle.episodes))
    lines = ["", f"  {name}  {_where(chronicle.identity)}", *table(rows, _COLUMNS, "  ")]
    if chronicle.episodes:
        lines += ["", *table([_episode_row(each, styled) for each in chronicle.episodes], _EPISODE_COLUMNS, "  ")]
    return lines


_EPISODE_COLUMNS = (TextColumn(1), TextColumn(20), TextColumn(8, right=True), TextColumn(8), TextColumn())


def _episode_row(episode: Episode, styled: Styler) -> Row:
    state = State(episode.state)
    lasted = units.span(round((episode.until - episode.began) * 1e9))
    text = clean(f"{episode.text} (goes on)" if episode.goes_on else episode.text)
    return toned(state.mark, state, styled), _second(episode.began), lasted, toned(state, state, styled), text


def _row(label: str, period: PeriodResults, episodes: Sequence[Episode]) -> Row:
    failures = ", ".join(f"{verdict} {units.count(n)}" for verdict, n in period.failures)
    counts = units.count(period.good + period.failed), units.count(period.failed)
    return label, _availability(period), *counts, *_latencies(period), str(len(episodes) or ""), failures


def _availability(period: PeriodResults) -> str:
    """Rounded down, so that 100 means all of them."""
    share = period.availability
    return units.MISSING if share is None else f"{int(share * 1e5) / 1e3:.2f}" if share < 1 else "100"


def _latencies(period: PeriodResults) -> list[str]:
    cells: list[str] = []
    for metric in told_of(period)[:2]:
        cells += [metric.label, *(units.quantile(*_quantile(period, metric, q)) for q in _QUANTILES)]
    return [*cells, *[""] * (6 - len(cells))]


def _quantile(period: PeriodResults, metric: Metric, q: float) -> tuple[int | None, int]:
    """The percentile, or None where the results do not support it, and the number of results."""
    histogram = period.latencies[metric].histogram
    return (histogram.quantile(q) if supported(q, histogram.n) else None), histogram.n


def told_of(period: PeriodResults) -> list[Metric]:
    """The latencies that tell most of these answers, the first most of all."""
    known = [metric for metric in BY_RANK if metric.about.watched and metric in period.latencies]
    return [metric for metric in known if set(metric.about.watched) & set(known[0].about.watched)]


def _names(found: Iterable[Chronicle]) -> dict[EndpointIdentity, str]:
    """The endpoints' names, with what tells those apart that have the same one."""
    identities = [each.identity for each in found]
    same = Counter((each.profile, each.name) for each in identities)
    return {
        each: clean(each.name if same[each.profile, each.name] == 1 else f"{each.name} {_difference(each, identities)}")
        for each in identities
    }


def _difference(identity: EndpointIdentity, identities: Sequence[EndpointIdentity]) -> str:
    alike = [each for each in identities if (each.profile, each.name) == (identity.profile, identity.name)]
    differing = [field for field in identity.__struct_fields__ if len({getattr(each, field) for each in alike}) > 1]
    told = [field for field in differing if field != "request"] or differing
    return "(" + ", ".join(f"{field} {getattr(identity, field) or _NOTHING[field]}" for field in told) + ")"


_NOTHING = {"vantage": "here", "path": "of the API", "model": "of the API"}
"""What an empty field of an identity means."""


def _where(identity: EndpointIdentity) -> str:
    told = (
        identity.api,
        identity.model,
        identity.url + identity.path,
        f"from {identity.vantage}" if identity.vantage else "",
    )
    return clean(" · ".join(filter(None, told)))


def _label(at: float, span: PeriodLength) -> str:
    text = units.timestamp(at)
    return text[:10] if span is PeriodLength.DAY else f"{text[:10]} {text[11:16]}"


def _second(at: float) -> str:
    return units.timestamp(at)[:19] + "Z"


def history_object(chronicle: Chronicle, *, by: PeriodLength | None) -> dict[str, Any]:
    """All that is known of an endpoint, with a list of its days or hours where that is wanted."""
    identity = msgspec.structs.asdict(chronicle.identity)
    endpoint = {"profile": identity.pop("profile"), "endpoint": identity.pop("name")} | identity
    parts = (
        {} if by is None else {f"{by}s": [{"from": _second(each.began)} | _figures(each) for each in chronicle.parts]}
    )
    incidents = [
        {
            "since": units.timestamp(each.began),
            "until": None if each.goes_on else units.timestamp(each.until),
            "open": each.goes_on,
            "state": each.state,
            "text": each.text,
        }
        for each in chronicle.episodes
    ]
    return (
        endpoint
        | {"since": _second(chronicle.whole.began)}
        | _figures(chronicle.whole)
        | parts
        | {"incidents": incidents}
    )


def _figures(period: PeriodResults) -> dict[str, Any]:
    availability = period.availability
    return {
        "results": period.good + period.failed,
        "failed": period.failed,
        "availability": None if availability is None else round(availability, 6),
        "failures": dict(period.failures),
        "latencies": {metric.value: _latency(period, metric) for metric in Metric if metric in period.latencies},
    }


def _latency(period: PeriodResults, metric: Metric) -> dict[str, Any]:
    found = {f"p{q * 100:g}_ms": units.milliseconds(_quantile(period, metric, q)[0]) for q in _QUANTILES}
    return {"n": period.latencies[metric].n} | found
