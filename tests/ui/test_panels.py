"""What the panels draw, kept as text.

`UPDATE_GOLDENS=1 pytest tests/ui/test_panels.py` renews the texts in `goldens/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import viewrows, views

from gwtui.health.sentence import ScopeNames
from gwtui.model.enums import EventKind, FindingName, Outcome, State
from gwtui.model.findings import entry_of
from gwtui.model.incidents import Change, Incident, IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint
from gwtui.model.query import Query
from gwtui.model.verdicts import Verdict
from gwtui.model.view import View
from gwtui.ui.panel import scrolled
from gwtui.ui.panels import endpoint_table, header, incident_list, latency, pings, stream, timeline_chart
from gwtui.ui.panels.stream import Mode, Scroll
from gwtui.ui.text_layout import Line, line_cells, plain

GOLDENS = Path(__file__).parent.parent / "goldens"

VIEWS: dict[str, Callable[[], View]] = {
    "calm": views.calm,
    "incident": views.incident,
    "empty": views.empty,
    "waiting": views.waiting,
    "hostile": views.hostile,
    "crowded": views.crowded,
}

Draw = Callable[[View, int, int], list[Line]]

DRAWS: dict[str, Draw] = {
    "header": header.draw,
    "endpoints": lambda view, width, height: endpoint_table.draw(
        view, width, height, endpoint_table.TableView(_selected(view), 0, True)
    ),
    "stream": lambda view, width, height: stream.draw(view, width, height, Mode.EVENTS, Scroll()),
    "stream-raw": lambda view, width, height: stream.draw(view, width, height, Mode.RAW, Scroll()),
    "stream-text": lambda view, width, height: stream.draw(view, width, height, Mode.TEXT, Scroll(False, 0)),
    "latency": latency.draw,
    "pings": pings.draw,
    "incidents": lambda view, width, height: listed(view, width, height, (3, 4)),
    "timeline": lambda view, width, height: timeline_chart.draw(
        view,
        timeline_chart.lanes(view, {views.CUT.scope}),
        width,
        height,
        timeline_chart.TimelineView(views.AT - 300, views.AT, 1, 0, views.AT - 70, True),
    ),
}


def listed(view: View, width: int, height: int, unfolded: Collection[int] = ()) -> list[Line]:
    """The list of incidents, with the cursor on its second row."""
    at = incident_list.ListView(1, 0, True, True)
    return incident_list.draw(view, incident_list.rows(view, unfolded), ScopeNames(view.fleet), width, height, at)


SIZES = {"80": (80, 76, 10), "140": (140, 66, 11), "200": (200, 96, 16)}
"""Per screen: its width, that of a panel's inside, and its height."""


def _selected(view: View) -> str:
    return view.selected.name if view.selected is not None else ""


def picture(view: View, whole: int, panel: int, height: int) -> str:
    """All panels of a view one below the other, as text with its right edge made visible."""
    parts: list[str] = []
    for name, draw in DRAWS.items():
        width = {"header": whole, "endpoints": whole - 2}.get(name, panel)
        lines = draw(view, width, header.rows(view, width) if name == "header" else height)
        parts += [f"== {name}", *(f"{plain(line)}|" for line in lines)]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", VIEWS)
def test_panels_look_as_they_did(name: str, size: str) -> None:
    drawn = picture(VIEWS[name](), *SIZES[size])
    golden = GOLDENS / f"panels-{name}-{size}.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")


@given(
    name=st.sampled_from(sorted(VIEWS)),
    panel=st.sampled_from(sorted(DRAWS)),
    width=st.integers(1, 220),
    height=st.integers(1, 70),
)
def test_every_panel_fills_its_rectangle_exactly(name: str, panel: str, width: int, height: int) -> None:
    lines = DRAWS[panel](VIEWS[name](), width, height)
    assert [line_cells(line) for line in lines] == [width] * height
    assert all(span.text.isprintable() for line in lines for span in line)


def test_at_80_columns_the_table_keeps_what_tells_sick_from_well() -> None:
    names = [placed.column.name for placed in endpoint_table.columns(views.incident(), 78)]
    assert names == ["mark", "endpoint", "state", "why", "last", "p50", "ratio"]


def test_at_140_columns_the_table_has_every_figure_and_the_sparkline() -> None:
    names = [placed.column.name for placed in endpoint_table.columns(views.incident(), 138)]
    assert {"last", "p50", "ratio", "p95", "p99", "tokens", "fail", "sparkline"} <= set(names)


def test_further_columns_are_those_that_were_chosen() -> None:
    rows = (viewrows.row("it", mean_ns=402_000_000, total_ns=484_000_000_000, cost_usd=0.0042),)
    chosen = replace(views.calm(), endpoints=rows, query=Query(columns=("avg", "total", "cost")))
    lines = [plain(line) for line in DRAWS["endpoints"](chosen, 138, 8)]
    assert all(name in lines[0] for name in ("avg", "total", "cost"))
    assert all(text in lines[1] for text in ("402", "484.0", "$0.0042"))
    assert "cost" not in plain(DRAWS["endpoints"](replace(chosen, query=Query()), 138, 8)[0])


@pytest.mark.parametrize(("descending", "mark"), [(True, "p95▼"), (False, "p95▲")])
def test_the_column_that_orders_the_table_is_marked(descending: bool, mark: str) -> None:
    view = replace(views.calm(), query=Query(sort="p95", descending=descending))
    assert mark in plain(DRAWS["endpoints"](view, 138, 8)[0])


def test_a_filter_that_hides_everything_says_so() -> None:
    view = replace(views.empty(), query=Query(filter="state:down"), hidden=5)
    text = "\n".join(plain(line) for line in DRAWS["endpoints"](view, 100, 8))
    assert "No endpoint matches state:down" in text
    assert "5 endpoints are hidden" in text


def test_events_of_one_read_show_no_gap_between_them() -> None:
    drawn = [plain(line).split()[:2] for line in stream.draw(views.calm(), 68, 43, Mode.EVENTS, Scroll())]
    assert drawn[7][1] != "·"
    assert drawn[8] == drawn[9] == [drawn[7][0], "·"]


@pytest.mark.parametrize(("width", "wait"), [(78, " due 4m"), (98, " due 4m"), (138, " due 4m"), (198, " due 4m")])
def test_why_and_how_long_an_endpoint_is_left_alone_is_shown_at_every_width(width: int, wait: str) -> None:
    view = views.incident()
    asked = replace(
        view.endpoints[-1],
        name="a-gateway-with-a-name",
        verdict="rate_limited",
        why="rate_limited 5/24",
        held_ns=286_100_000_000,
    )
    view = replace(view, endpoints=(asked,))
    assert f"rate_limited{wait}" in plain(DRAWS["endpoints"](view, width, 8)[1])


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict.outcome is Outcome.FAILED])
def test_the_kind_of_sickness_is_legible_at_80_columns(verdict: Verdict) -> None:
    row = replace(views.incident().endpoints[-1], name="a-gateway-with-a-name", why=f"{verdict} 12/240")
    for held_ns, begins in ((None, 20), (286_100_000_000, 11)):
        view = replace(views.incident(), endpoints=(replace(row, held_ns=held_ns),))
        assert verdict.value[:begins] in plain(DRAWS["endpoints"](view, 78, 8)[1])


@pytest.mark.parametrize(
    ("comments", "says"),
    [
        (None, "waiting for the answer … 42.0 s"),
        (0, "waiting for the first event … 42.0 s · its headers came"),
        (41, "waiting for the first event … 42.0 s · alive, comments: 41"),
    ],
)
def test_a_stream_without_events_is_told_from_no_answer_at_all(comments: int | None, says: str) -> None:
    waiting = views.stream(lines=(), text="", request=None, in_flight=True, since_sent_ns=42_000_000_000)
    view = replace(views.calm(), stream=replace(waiting, comments=comments))
    assert says in plain(stream.draw(view, 70, 8, Mode.EVENTS, Scroll())[-1])


def test_pings_are_no_content() -> None:
    pinged = [line for line in views.stream_lines() if line.event.kind is EventKind.KEEPALIVE] * 3
    waiting = views.stream(lines=tuple(pinged), text="", request=None, in_flight=True, since_sent_ns=42_000_000_000)
    view = replace(views.calm(), stream=waiting)
    assert "waiting for content … 42.0 s · 3 events" in plain(stream.draw(view, 70, 8, Mode.EVENTS, Scroll())[-1])


@pytest.mark.parametrize(("waiting", "says"), [(None, ""), ((42, 7_900_000_000), "waiting 7 s for #42")])
def test_a_ping_that_waits_is_told(waiting: tuple[int, int] | None, says: str) -> None:
    view = replace(views.calm(), ping=views.ping(waiting=waiting))
    text = "\n".join(plain(line) for line in pings.draw(view, 60, 8))
    assert ("waiting" in text) is bool(says)
    assert says in text


def test_an_answer_that_is_no_stream_is_shown_by_its_beginning() -> None:
    failed = views.request(
        Verdict.NOT_A_STREAM, status=502, content_type="text/html", events=0, body_excerpt="<h1>Bad Gateway</h1>"
    )
    view = replace(views.calm(), stream=views.stream(lines=(), text="", request=failed))
    text = "\n".join(plain(line) for line in stream.draw(view, 70, 8, Mode.EVENTS, Scroll()))
    assert all(part in text for part in ("502", "text/html", "<h1>Bad Gateway</h1>", "✖ not_a_stream"))


def test_a_websocket_shows_its_latest_pings_where_others_show_a_stream() -> None:
    chosen = Endpoint(name="gateway-ws", api="websocket", url="ws://localhost")
    view = replace(views.calm(), stream=None, selected=chosen)
    text = "\n".join(plain(line) for line in stream.draw(view, 70, 8, Mode.EVENTS, Scroll()))
    assert text.split()[:5] == ["#184", "14:03:20", "412", "ms", "✔"]


@pytest.mark.parametrize(
    ("top", "index", "visible", "count", "expected"),
    [(0, 0, 5, 20, 0), (0, 4, 5, 20, 0), (0, 5, 5, 20, 1), (9, 3, 5, 20, 3), (9, 19, 30, 20, 0), (18, 18, 5, 20, 15)],
)
def test_a_list_scrolls_no_further_than_needed(top: int, index: int, visible: int, count: int, expected: int) -> None:
    assert scrolled(top, index, visible, count) == expected


@pytest.mark.parametrize(("behind_ns", "end"), [(0, "now"), (1, "")])
def test_the_time_axis_has_clock_times_and_says_where_it_is_now(behind_ns: int, end: str) -> None:
    view = replace(views.calm(), header=replace(views.calm().header, behind_ns=behind_ns))
    axis = plain(latency.draw(view, 68, 12)[-3])
    assert ("┴14:01:30─" in axis, axis.rpartition("─")[2].strip()) == (True, end)


@pytest.mark.parametrize(("height", "lines"), [(4, 1), (6, 1), (8, 2), (12, 2), (2, 2)])
def test_the_chart_stays_where_there_are_few_lines(height: int, lines: int) -> None:
    drawn = [plain(line) for line in latency.draw(views.calm(), 66, height)]
    assert len(drawn) == height
    assert sum("│" not in line and "┤" not in line and "└" not in line for line in drawn) == lines


@pytest.mark.parametrize(("tainted", "why"), [(0, "no TTFT in this window"), (7, "no TTFT that counts in this window")])
def test_an_empty_chart_says_why(tainted: int, why: str) -> None:
    view = replace(views.calm(), latency=replace(views.latency(tainted=tainted), n=0, dots=()))
    assert why in "\n".join(plain(line) for line in latency.draw(view, 80, 14))


@pytest.mark.parametrize("tainted", [0, 7])
def test_figures_say_how_many_results_are_in_doubt(tainted: int) -> None:
    view = replace(views.calm(), latency=views.latency(tainted=tainted))
    drawn = "\n".join(plain(line) for line in latency.draw(view, 68, 12))
    assert ("tainted 7" in drawn) is bool(tainted)


@pytest.mark.parametrize(("metric", "said"), [(Metric.TTFT, False), (Metric.ICL, True)])
def test_gaps_are_counted_one_by_one_and_drawn_as_a_mean_per_request(metric: Metric, said: bool) -> None:
    view = replace(views.calm(), latency=views.latency(metric=metric))
    drawn = "\n".join(plain(line) for line in latency.draw(view, 68, 14))
    assert ("1,204 gaps" in drawn, "chart mean per request" in drawn) == (said, said)


@pytest.mark.parametrize(
    ("finding", "mark"), [(FindingName.BUFFERED, "▲"), (FindingName.COLD, "·"), (FindingName.MODEL_DIFFERS, "▲")]
)
def test_a_finding_among_the_incidents_has_the_mark_of_its_severity(finding: FindingName, mark: str) -> None:
    incident = LogEntry(at=views.AT, now_ns=1, kind="finding", endpoint="gw", text=f"{finding}: x", finding=finding)
    view = replace(views.view(()), log=(incident,))
    (first, *_) = listed(view, 80, 4)
    assert plain(first).split() == [mark, "14:03:22", "gw", f"{finding}:", "x"]
    assert mark == entry_of(finding).severity.mark


def header_line(view: View, width: int) -> str:
    return plain(header.draw(view, width, 1)[0])


ROOM = replace(views.calm(), incidents=(views.CUT,), sentence="Answers cut by a (truncated) for 1m01s. b is fine.")


@pytest.mark.parametrize("width", [200, 100])
def test_the_first_line_says_what_is_wrong_where_there_is_room_for_all_of_it(width: int) -> None:
    assert header.rows(ROOM, width) == 1
    line = header_line(ROOM, width)
    assert len(line) == width
    assert "● 4 up   Answers cut by a (truncated) for 1m01s. b is fine.   " in line
    assert line.rstrip().endswith("14:03:22Z")


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (80, "Answers cut by a (truncated) for 1m01s. b is fine."),
        (60, "Answers cut by a (truncated) for 1m01s. b is fine."),
        (44, "Answers cut by a (truncated) for 1m01s."),
        (40, "Answers cut by a for 1m01s."),
        (20, "Answers cut by a …"),
    ],
)
def test_elsewhere_it_is_said_on_a_line_of_its_own(width: int, said: str) -> None:
    assert header.rows(ROOM, width) == 2
    first, second = (plain(line) for line in header.draw(ROOM, width, 2))
    assert len(first) == len(second) == width
    assert "Answers" not in first
    assert second.strip() == said


def test_the_sentence_has_the_colour_of_the_worst_state_until_it_is_acknowledged() -> None:
    def style(*incidents: Incident) -> str:
        line = header.draw(replace(ROOM, incidents=incidents), 200, 1)[0]
        return next(span.style for span in line if span.text.startswith("Answers"))

    assert style(views.ERRORS, views.CUT, views.CLOSED) == "down"
    assert style(views.ERRORS, msgspec.structs.replace(views.CUT, acknowledged="known")) == "degraded"
    assert style(views.LATE) == "muted"


def test_endpoints_that_are_paused_at_once_are_one_line() -> None:
    log = tuple(
        LogEntry(at=views.AT + at_s, now_ns=1, kind="state", endpoint=name, state=state, text=said)
        for at_s, state, said in ((9, State.UNKNOWN, "resumed"), (3, State.PAUSED, "paused"))
        for name in ("a", "b", "c")
    )
    alone = LogEntry(at=views.AT, now_ns=1, kind="state", endpoint="d", state=State.PAUSED, text="paused")
    drawn = [plain(line).strip() for line in listed(replace(views.view(()), log=(*log, alone)), 80, 4)]
    assert [line.partition("  ")[2] for line in drawn] == [
        "unknown: resumed: 3 endpoints",
        "paused: 3 endpoints",
        "d paused",
        "",
    ]


def test_a_finding_of_several_endpoints_in_a_row_is_one_line() -> None:
    def found(endpoint: str, finding: FindingName, at_s: int) -> LogEntry:
        text = f"{finding}: 2 of 3"
        return LogEntry(
            at=views.AT + at_s, now_ns=1, kind="finding", endpoint=endpoint, finding=finding, text=text, trace_id="t"
        )

    stale = [found(endpoint, FindingName.STALE_CONNECTION, 40 - 9 * n) for n, endpoint in enumerate("abc")]
    log = (*stale, found("d", FindingName.BUFFERED, 2), found("d", FindingName.BUFFERED, 1))
    drawn = [plain(line).strip() for line in listed(replace(views.view(()), log=log), 120, 4)]
    assert [line.partition("  ")[2] for line in drawn[:1]] == ["stale_connection: 3 endpoints"]
    assert [line.partition("  ")[2].split()[0] for line in drawn[1:3]] == ["d", "d"], "nothing of one endpoint is lost"


def test_an_incident_that_is_acknowledged_is_dimmed() -> None:
    lines = listed(replace(views.incident(), log=()), 130, 4)
    styles = [{span.style.removesuffix(" selection") for span in line[1:] if span.text.strip()} for line in lines]
    assert [plain(line)[1:3] for line in lines] == ["✖ ", "▲ ", "▲ ", "✔ "]
    assert styles[0] == {"down", "text", "muted"}
    assert styles[2] == {"faint"}
    assert styles[3] == {"up", "muted"}


def test_open_incidents_come_first_and_all_else_in_the_order_of_time() -> None:
    found = incident_list.rows(views.incident())
    assert [each.incident.number for each in found[:3] if each.incident is not None] == [4, 2, 3]
    assert [each.event.kind if isinstance(each.event, LogEntry) else "over" for each in found[3:]] == [
        "finding",
        "mark",
        "over",
        "engine",
    ]
    assert incident_list.rows(replace(views.incident(), incidents=()))[0].event == views.incidents()[0], (
        "an event is not lost with its incident"
    )


def test_an_unfolded_incident_shows_its_events_with_the_newest_of_several_steps() -> None:
    def change(at: float, event: IncidentEvent) -> Change:
        return Change(at=views.AT + at, event=event, text=f"text {at:.0f}", endpoint="e", scope="endpoint e", cause="x")

    events = IncidentEvent
    changes = (change(-9, events.OPENED), change(-8, events.WIDER), change(-7, events.WIDER), change(-6, events.WORSE))
    view = replace(views.incident(), incidents=(msgspec.structs.replace(views.CUT, changes=changes),), log=())
    found = incident_list.rows(view, {views.CUT.number})
    assert [each.event for each in found] == [None, changes[3], changes[2], changes[0]]
    drawn = [plain(line) for line in incident_list.draw(view, found, ScopeNames(()), 100, 4, incident_list.ListView())]
    assert "14:03:16" in drawn[1]
    assert "worse: text -6" in drawn[1]


def test_a_bar_follows_the_severity_and_has_the_gap_in_which_it_was_over() -> None:
    def change(at: float, event: IncidentEvent, severity: State) -> Change:
        return Change(at=views.AT + at, event=event, text="", severity=severity)

    story = (
        change(-90, IncidentEvent.OPENED, State.SLOW),
        change(-80, IncidentEvent.WIDER, State.SLOW),
        change(-70, IncidentEvent.WORSE, State.DOWN),
        change(-60, IncidentEvent.CLOSED, State.DOWN),
        change(-50, IncidentEvent.REOPENED, State.DEGRADED),
    )
    incident = msgspec.structs.replace(views.CUT, opened=views.AT - 95, changes=story)
    found = [(bar.start - views.AT, bar.end and bar.end - views.AT, bar.state) for bar in timeline_chart.bars(incident)]
    assert found == [(-95, -70, State.SLOW), (-70, -60, State.DOWN), (-50, None, State.DEGRADED)]
    over = msgspec.structs.replace(incident, changes=(), closed=views.AT - 1)
    assert [(bar.start, bar.end) for bar in timeline_chart.bars(over)] == [(views.AT - 95, views.AT - 1)]


@given(
    start=st.floats(0, 2e9),
    length=st.floats(10, 4e7),
    width=st.integers(30, 220),
)
def test_the_axis_of_any_length_has_clocks_that_do_not_touch(start: float, length: float, width: int) -> None:
    at = timeline_chart.TimelineView(start, start + length)
    view = views.incident()
    clocks = plain(timeline_chart.draw(view, timeline_chart.lanes(view), width, 9, at)[-1])
    assert re.fullmatch(r"( +(\d\d:\d\d(:\d\d)?|\d\d-\d\d))* *", clocks)
    assert clocks.strip() or width < 40
