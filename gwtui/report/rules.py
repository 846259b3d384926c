"""By which rules endpoints are judged, in plain lines: what `gwtui config check` explains."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.apis import kind_of
from gwtui.health.failure_rules import LEAST_FAILURES
from gwtui.health.finding_rule import MOST_OF_THEM, RECENT
from gwtui.model.enums import Kind
from gwtui.model.metrics import Metric, form_of, watched_metrics
from gwtui.model.profile import Endpoint, Maintenance, Profile, Thresholds
from gwtui.model.usual import UsualSource
from gwtui.stats.change import KNOWN_FROM, LEAST_RATIO, UNKNOWN_RATIO
from gwtui.text import units
from gwtui.text.sanitize import clean
from gwtui.text.tables import TextColumn, table

_LABEL = TextColumn(14)


def rule_lines(profile: Profile) -> list[str]:
    """Per set of rules the endpoints that have it, and its rules, a line each."""
    having: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for endpoint in profile.endpoints:
        having.setdefault(tuple(_rules(endpoint, profile)), []).append(endpoint.name)
    lines = ["", f"{profile.name}: {_kept(profile)}"]
    for rules, names in having.items():
        lines += ["", f"{profile.name}: {clean(', '.join(names), 4000)}"]
        lines += [f"  {line}" for line in table(list(rules), (_LABEL, TextColumn()))]
    return lines


def _kept(profile: Profile) -> str:
    """Which streams a session keeps."""
    if profile.streams_kept == "none":
        return "no streams are kept (record_streams)"
    bad = "failed streams and those with findings that degrade or warn"
    kept = {"bad": bad, "sample": f"{bad}, and a good one per endpoint and 10 minutes", "all": "all streams"}
    return f"{kept[profile.streams_kept]} are kept, up to {profile.streams_mb:g} MB (record_streams, streams_mb)"


def _rules(endpoint: Endpoint, profile: Profile) -> Iterator[tuple[str, str]]:
    thresholds = profile.thresholds_of(endpoint)
    paused = ", paused at the start" if endpoint.paused else ""
    yield "probed", f"every {profile.interval_of(endpoint):g} s{paused}"
    yield (
        "down",
        f"after {units.many(thresholds.down_after, 'failure')} in a row, until "
        f"{units.many(thresholds.up_after, 'good result')} in a row",
    )
    yield "degraded", _failing(thresholds)
    if kind_of(endpoint.api) is Kind.COMPLETION and thresholds.findings_degrade:
        yield "", f"or where {MOST_OF_THEM} of {RECENT} answers are {_either(thresholds.findings_degrade)}"
    yield from _slow(endpoint, thresholds)
    yield "usual", f"{', else '.join(each.value for each in _SOURCES)}, of good results outside of incidents"
    yield "", f"a change that lasts {thresholds.relearn_after} becomes what is usual (relearn_after)"
    for window in profile.maintenance:
        if not window.endpoints or endpoint.name in window.endpoints:
            yield "no incidents", window_text(window)


_SOURCES = (UsualSource.HOUR, UsualSource.DAY, UsualSource.SESSION)


def _failing(thresholds: Thresholds) -> str:
    least = thresholds.degraded_min_failures
    if thresholds.degraded_fail_share is None:
        return "when more fails than usual" + (
            f", from {units.many(least, 'failure')} in the window on" if least else ""
        )
    share = f"{thresholds.degraded_fail_share * 100:g} %"
    failures = least or LEAST_FAILURES
    return f"when {share} of {thresholds.window_s:g} s fail and at least {failures}, until it is half of that"


def _slow(endpoint: Endpoint, thresholds: Thresholds) -> Iterator[tuple[str, str]]:
    form = form_of(kind_of(endpoint.api), stream=endpoint.stream)
    metrics = watched_metrics(form, thresholds.slow_metric)
    floors = _either([f"{metric.label} by {units.duration(metric.about.slow_floor_ns)}" for metric in metrics])
    yield "slow", f"when the median is {LEAST_RATIO:g}x its usual or more, {floors} at least"
    yield "", f"while fewer than {KNOWN_FROM} results say what is usual: {UNKNOWN_RATIO:g}x or more"
    if thresholds.slow_over_ms is not None and metrics:
        yield "", f"or {_limit(metrics[0], thresholds, thresholds.slow_over_ms)}"


def _limit(metric: Metric, thresholds: Thresholds, limit_ms: float) -> str:
    limit = units.duration(round(limit_ms * 1e6))
    percentile = f"p{thresholds.slow_percentile:g} {metric.label} of {thresholds.window_s:g} s"
    return f"when {percentile} is over {limit} for {thresholds.slow_for_s:g} s"


def window_text(window: Maintenance) -> str:
    """A maintenance window in words: `0 2 * * sun for 2h (UTC): backups`."""
    when = f"{window.cron} for {window.lasts}" if window.cron is not None else f"{window.start} to {window.end}"
    zone = window.zone or "this machine's time"
    return clean(f"{when} ({zone})" + (f": {window.note}" if window.note else ""), 400)


def _either(words: tuple[str, ...] | list[str]) -> str:
    *most, last = words or ("",)
    return f"{', '.join(most)} or {last}" if most else last
