"""The catalogue of metrics: each is whole, each is in every place, and no module keeps a list of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import benching, monitor_stage, views

from gwtui.bench.earlier import csv_in
from gwtui.bench.gates import thresholds
from gwtui.bench.report import table
from gwtui.bench.results import csv_out
from gwtui.bench.results.measured import Measured, empty, series_of
from gwtui.codec.csv_schema import ping_of, ping_row, request_of, request_row
from gwtui.config import loads
from gwtui.model.metrics import (
    BY_NAME,
    COMPARED,
    LATENCIES,
    WHOLE,
    AnswerForm,
    Basis,
    Metric,
    Unit,
    metrics_of,
    own_metric,
    times_of,
)
from gwtui.model.profile import Endpoint, Thresholds
from gwtui.model.query import Query
from gwtui.model.records import Ping, Request
from gwtui.monitor import filters
from gwtui.recorder.csvfile import csv_cells, csv_line
from gwtui.report import probe_json, probe_text
from gwtui.stats.accuracy import latency, sure
from gwtui.text import units
from gwtui.text.tables import TextStyle
from gwtui.ui.fields import CHOICES
from gwtui.ui.navigation import other_metric
from gwtui.ui.panels.details import draw_result

PACKAGE = Path(__file__).parents[1] / "gwtui"
STYLE = TextStyle()
VALUE = 123 * monitor_stage.MS
EVERY = pytest.mark.parametrize("metric", list(Metric))


def endpoint_of(metric: Metric) -> Endpoint:
    form = metric.about.forms[0]
    return monitor_stage.endpoint("it", api="websocket") if form is AnswerForm.PONG else monitor_stage.endpoint("it")


def result_with(metric: Metric) -> Request | Ping:
    """A good result that has this metric."""
    value = VALUE if metric.is_latency else 84.5
    fields: dict[str, Any] = {metric.about.field: value} if metric.about.field else {"measured": {metric: value}}
    if AnswerForm.PONG in metric.about.forms:
        return benching.ping("it", **fields)
    fields = {"gaps": ((VALUE, 1),), **fields} if metric is Metric.ICL else fields
    return benching.request("it", **fields, events=3, reads=3, output_tokens=9)


def text_of(metric: Metric) -> str:
    texts = {Unit.MILLISECONDS: units.duration(VALUE), Unit.TOKENS_PER_SECOND: "84.5 tok/s", Unit.US_DOLLARS: "$84.50"}
    return texts[metric.about.unit]


def measured_with(metric: Metric) -> Measured:
    each = empty([endpoint_of(metric)])["it"]
    each.take(result_with(metric))
    return each


# Each descriptor


@EVERY
def test_a_descriptor_is_whole(metric: Metric) -> None:
    about = metric.about
    assert re.fullmatch(r"[a-z][a-z0-9_]*", about.name), "a name that gates and filters can parse"
    assert 0 < len(about.label) <= 7, "a label that fits into tables"
    assert about.words
    assert about.meaning.endswith("."), "one sentence"
    assert about.meaning.count(". ") == 0, "one sentence"
    assert about.forms
    assert re.fullmatch(r"gwtui(_[a-z0-9]+)+_(seconds|per_second|usd)", about.prometheus)
    assert re.fullmatch(r"(gen_ai|gwtui)\.client(\.[a-z0-9_]+)+", about.otel)
    assert about.column.endswith("_ms") is metric.is_latency
    assert BY_NAME[about.name] is metric
    assert about.unless_same_as in ("", *BY_NAME)


@pytest.mark.parametrize("of", ["name", "label", "words", "meaning", "column", "prometheus", "otel"])
def test_no_two_share(of: str) -> None:
    every = [getattr(metric.about, of) for metric in Metric]
    assert len(set(every)) == len(every)


@EVERY
def test_it_is_read_from_a_field_of_the_records_that_have_it(metric: Metric) -> None:
    for form in metric.about.forms:
        record = Ping if form is AnswerForm.PONG else Request
        assert (metric.about.field or "measured") in record.__struct_fields__


@EVERY
def test_only_results_that_have_it_have_a_value(metric: Metric) -> None:
    result = result_with(metric)
    assert metric.of(result) is not None
    other = benching.ping() if isinstance(result, Request) else benching.request()
    assert metric.of(other) is None
    assert latency(result, metric) == (VALUE if metric.is_latency else None)


def test_every_form_has_an_own_metric_and_a_whole_one() -> None:
    for form in AnswerForm:
        assert own_metric(form) in metrics_of(form)
        assert len(set(WHOLE) & set(metrics_of(form))) == 1


def test_what_has_no_error_of_its_own_counts_by_the_largest_and_gaps_count_always() -> None:
    for metric in LATENCIES:
        doubtful = msgspec.structs.replace(result_with(metric), tainted=True, error_ns=VALUE)
        assert sure(doubtful, metric) == (VALUE if metric.about.basis is Basis.READS else None)


def test_a_time_is_left_out_where_it_is_the_same_as_another() -> None:
    request = benching.request(ttft_ms=10, ttfo_ms=10)
    assert Metric.TTFO not in dict(times_of(request))
    assert Metric.TTFO in dict(times_of(msgspec.structs.replace(request, ttfo_ns=11 * monitor_stage.MS)))


@EVERY
def test_a_row_of_a_version_that_did_not_have_it_is_read_as_not_measured(metric: Metric) -> None:
    result = result_with(metric)
    row = request_row(result) if isinstance(result, Request) else ping_row(result)
    cells = dict(zip(row, csv_cells(csv_line(row.values()).decode().strip()), strict=True))
    del cells[metric.about.column]
    assert metric.of(request_of(cells) if isinstance(result, Request) else ping_of(cells)) is None


# Every place has every metric

Place = Callable[[Metric], bool]


def _row(metric: Metric) -> bool:
    result = result_with(metric)
    row = request_row(result) if isinstance(result, Request) else ping_row(result)
    return row.get(metric.about.column) == (123.0 if metric.is_latency else 84.5)


def _row_reader(metric: Metric) -> bool:
    result = result_with(metric)
    row = request_row(result) if isinstance(result, Request) else ping_row(result)
    cells = dict(zip(row, csv_cells(csv_line(row.values()).decode().strip()), strict=True))
    back = request_of(cells) if isinstance(result, Request) else ping_of(cells)
    return metric.of(back) == metric.of(result)


def _details(metric: Metric) -> bool:
    result = result_with(metric)
    stream = views.stream(request=result) if isinstance(result, Request) else None
    view = replace(views.calm(), stream=stream, probed=result if isinstance(result, Ping) else None)
    lines = ("".join(span.text for span in line) for line in draw_result(view, 80))
    return any(line.startswith(metric.about.words) and text_of(metric) in line for line in lines)


def _probe_text(metric: Metric) -> bool:
    text = probe_text(endpoint_of(metric), result_with(metric), ())
    return f"{metric.about.words} {text_of(metric)}" in text


def _probe_json(metric: Metric) -> bool:
    return msgspec.json.decode(probe_json(result_with(metric), ())).get(metric.about.column) is not None


def _filter(metric: Metric) -> bool:
    filters.parse(f"{metric}>1")
    return True


def _screen(metric: Metric) -> bool:
    stage = monitor_stage.MonitorStage(endpoint_of(metric))
    for number in range(1, 10):
        stage.apply(msgspec.structs.replace(result_with(metric), number=number, now_ns=monitor_stage.ns(number)))
    view = stage.view(metric=metric, endpoint="it")
    assert view.latency is not None
    return (view.endpoints[0].metric, view.latency.metric, view.latency.n) == (metric, metric, 9)


def _chart_choice(metric: Metric) -> bool:
    query = Query()
    for _ in LATENCIES:
        if query.metric is metric:
            return True
        query = other_metric(query, 1)
    return False


def _gate(metric: Metric) -> bool:
    gate = thresholds.parse(f"p50_{metric}>1ms")
    return bool(thresholds.judge([gate], [measured_with(metric)]))


def _figures_csv(metric: Metric) -> bool:
    heading, row = (line.decode().strip().split(",") for line in csv_out.aggregate_lines([measured_with(metric)]))
    column = "median_ms" if metric in WHOLE else f"{metric}_median_ms"
    return float(dict(zip(heading, row, strict=True))[column]) == 123.0


def _bench_table(metric: Metric) -> bool:
    return any(re.search(rf"\| +{metric.label} \|", line) for line in table.details([measured_with(metric)], STYLE))


def _comparison(metric: Metric) -> bool:
    compared = Metric.E2E if metric is Metric.RTT else metric
    return not metric.about.compared or (compared in COMPARED and compared in series_of(measured_with(metric)).samples)


def _compared_csv(metric: Metric) -> bool:
    read = {column for layout in csv_in.LAYOUTS for column in layout.metrics.values()}
    return not metric.about.compared or metric.about.column in read


def _form(metric: Metric) -> bool:
    return metric.value in CHOICES["thresholds.slow_metric"]


def _config(metric: Metric) -> bool:
    text = f'[profiles.a.thresholds]\nslow_metric = "{metric}"\n[[profiles.a.endpoints]]\nname = "x"\napi = "http"\n'
    profile = loads(f'{text}url = "http://h"\n', Path("x.toml")).profile("a")
    return profile.thresholds == Thresholds(slow_metric=metric)


OF_EVERY_METRIC: dict[str, Place] = {
    "the CSV files and JSON lines": _row,
    "the row reader": _row_reader,
    "the details of a request": _details,
    "gwtui probe": _probe_text,
    "gwtui probe --json": _probe_json,
    "the filter": _filter,
}
OF_EVERY_LATENCY: dict[str, Place] = {
    "the table, the chart and the latest results": _screen,
    "the chart's choice": _chart_choice,
    "--fail-if": _gate,
    "the figures of a benchmark as CSV": _figures_csv,
    "the table of a benchmark": _bench_table,
    "comparisons": _comparison,
    "comparisons of files": _compared_csv,
    "the form": _form,
    "slow_metric": _config,
}


@EVERY
@pytest.mark.parametrize("place", OF_EVERY_METRIC)
def test_every_place_has_every_metric(place: str, metric: Metric) -> None:
    assert OF_EVERY_METRIC[place](metric), f"{metric.label} is not in {place}"


@pytest.mark.parametrize("metric", LATENCIES)
@pytest.mark.parametrize("place", OF_EVERY_LATENCY)
def test_every_place_has_every_latency(place: str, metric: Metric) -> None:
    assert OF_EVERY_LATENCY[place](metric), f"{metric.label} is not in {place}"


# No list beside the catalogue

MEASURED_IN = ("model/metrics.py", "model/records.py", "probes/stream_timing.py", "probes/probe_result.py")
"""Where metrics are defined, held and measured, and so named one by one."""
STRANGERS = ("gateway/", "selftest/", "checks/")
"""What the embedded gateways play, and the evidence of single checks."""

_WORDS = {name: metric for metric in Metric for name in (metric.value, metric.about.column, metric.about.field) if name}
_LABELS = re.compile("|".join(rf"\b{re.escape(metric.label)}\b" for metric in Metric))
_ANY = re.compile(rf"{_LABELS.pattern}|Metric\.[A-Z0-9_]+|\b(?:{'|'.join(map(re.escape, _WORDS))})\b")
_LISTS = ast.Tuple | ast.List | ast.Set | ast.Dict | ast.JoinedStr


def metrics_named(node: ast.AST) -> Iterator[str]:
    """The metrics that a piece of code names: as members, fields, columns or labels."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "Metric":
            yield each.attr.lower()
        elif isinstance(each, ast.Attribute) and each.attr in _WORDS:
            yield _WORDS[each.attr]
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            if each.value in _WORDS:
                yield _WORDS[each.value]
            yield from (found.lower().replace(" ", "_") for found in _LABELS.findall(each.value))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def listed_by_hand(source: str) -> list[str]:
    """Each list, tuple, set or mapping that names two metrics or more, and each text that does, but for docstrings.

    The two that stand for a whole result belong together and are no beginning of a list.
    """
    if len(set(_ANY.findall(source))) < 2:
        return []
    tree = ast.parse(source)
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr) or not (isinstance(node, _LISTS) or _is_text(node)) or id(node) in prose:
            continue
        names = set(metrics_named(node))
        if len(names) > 1 and not names <= set(WHOLE):
            found.append(f"line {node.lineno}: {', '.join(sorted(names))}")
    return found


@pytest.mark.parametrize(
    ("source", "finds"),
    [
        ("A = (Metric.TTFT, Metric.ICL)", True),
        ("A = {Metric.TTFT: 1, Metric.E2E: 2}", True),
        ("A = [('first byte', r.ttfb_ns), ('first token', r.ttft_ns)]", True),
        ("A = ['ttfb', 'ttft']", True),
        ("A = Literal['ttfb_ms', 'ttft_ms']", True),
        ("help = 'one of TTFT, E2E and others'", True),
        ("A = f'TTFT {r.ttft_ns}, E2E {r.duration_ns}'", True),
        ("A = (Metric.TTFT, 1)", False),
        ("A = {Metric.E2E: Metric.RTT}", False),
        ("if metric is Metric.RTT or other is Metric.E2E: pass", False),
        ('def f():\n    """What TTFT and E2E are."""', False),
        ("A = tuple(metric for metric in Metric)", False),
    ],
)
def test_a_list_by_hand_is_found(source: str, finds: bool) -> None:
    assert bool(listed_by_hand(source)) is finds


def test_no_module_keeps_a_list_of_metrics() -> None:
    kept = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name not in MEASURED_IN and not name.startswith(STRANGERS):
            kept[name] = listed_by_hand(path.read_text(encoding="utf-8"))
    assert {name: lists for name, lists in kept.items() if lists} == {}, "iterate over gwtui.model.metrics instead"
