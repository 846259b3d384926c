"""A probe in full: what is drawn of each kind, and the screen that holds it while others come in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import story, views
from support.monitor_stage import START_AT
from support.stage import on_stage
from textual.geometry import Offset

from gwtui.model.concurrency import Concurrency, ModelTimeline
from gwtui.model.enums import EventKind
from gwtui.model.gateway_figures import GatewayComparison, GatewayCounts, GatewayFigures, NamedCounts
from gwtui.model.judged import LogEntry
from gwtui.model.records import Phases, Request, StreamEvent
from gwtui.model.stream_view import ModelCard, ModelState, StreamLine
from gwtui.model.verdicts import Verdict
from gwtui.model.view import RequestRow, View
from gwtui.stats.concurrency import analyse
from gwtui.ui.panels import recent
from gwtui.ui.panels.details import DetailsPanel, draw_events, draw_result, draw_text
from gwtui.ui.panels.recent import RecentPanel
from gwtui.ui.panels.stream import Mode, Scroll, draw
from gwtui.ui.panels.waterfall import Phase, phases, waterfall
from gwtui.ui.screens.details import DetailsScreen
from gwtui.ui.screens.monitor import MonitorScreen
from gwtui.ui.text_layout import Line, line_cells, plain
from gwtui.verdict.concurrency import sequential

MS = 1_000_000


def text_of(lines: list[Line]) -> str:
    return "\n".join(plain(line).rstrip() for line in lines)


def view_of(request: Request) -> View:
    return replace(views.calm(), stream=views.stream(request=request))


def test_a_failure_says_its_reason_and_its_likely_cause_first() -> None:
    reason = "the stream ended after event 31 without message_stop"
    request = views.request(Verdict.TRUNCATED, reason=reason, event_number=31, rule="anthropic.no_message_stop")
    lines = text_of(draw_result(view_of(request), 200)).splitlines()
    assert lines[0].startswith("✖ truncated  ")
    assert lines[1] == reason
    assert lines[2].startswith("Likely cause: ")
    assert lines[3].startswith("To do: ")
    assert lines[4] == "rule anthropic.no_message_stop, event 31"


FIGURES = GatewayFigures(
    requests=55,
    input_tokens=1100,
    output_tokens=660,
    cache_read_tokens=7,
    cost_usd=0.00596,
    avg_latency_ms=253.0,
    by_provider=tuple(NamedCounts(name=f"provider-{number}", requests=number) for number in range(20, 0, -1)),
    grown_ns=2000 * MS,
    grown=GatewayCounts(requests=2, input_tokens=40, output_tokens=24, cost_usd=0.0004),
    comparison=GatewayComparison(span_ns=30_000 * MS, counted=8, own=6, doubtful=2),
)


def test_a_gateways_counters_have_a_section() -> None:
    request = views.request(stream=False, events=0, gateway=FIGURES, provider="anthropic", answer_id="msg_1")
    drawn = text_of(draw_result(view_of(request), 120))
    assert [" ".join(line.split()) for line in drawn[drawn.index("The gateway's counters") :].splitlines()[1:7]] == [
        "requests 55, average latency 253 ms",
        "cost $0.0060 ($0.0034 per 1,000 tokens)",
        "tokens 1,100 in, 660 out, 7 read from cache",
        "new +2 requests, +64 tokens, +$0.00040 in 2.00 s",
        "compared 8 counted in 30.0 s, gwtui sent 6 to 8",
        "provider provider-20: 20 requests",
    ]
    assert "and 12 more" in drawn
    assert drawn.count("provider  ") == 2, "once for all of them, and once for the one that answered"
    assert "provider anthropic" in [" ".join(line.split()) for line in drawn.splitlines()]
    assert "msg_1" in drawn


def test_the_event_that_broke_a_stream_stands_among_those_around_it() -> None:
    request = views.request(Verdict.ERROR_IN_STREAM, event_number=31)
    lines = tuple(replace(line, decided=line.number == 31) for line in views.stream_lines())
    drawn = draw_result(replace(views.calm(), stream=views.stream(request=request, lines=lines)), 100)
    first = text_of(drawn).splitlines().index("Where it broke") + 1
    around = drawn[first : first + 8]
    assert [plain(line)[:10].split()[0] for line in around[:3]] == [
        plain(line)[:10].split()[0]
        for line, number in draw_events(views.stream(request=request, lines=lines), 100, None)
        if number in (28, 29, 30)
    ]
    assert plain(around[3]).startswith("◆")
    assert all("selection" in span.style for span in around[3])
    assert around[3][0].style == "bad selection"
    assert plain(around[4]).strip() == lines[30].event.raw


@pytest.mark.parametrize(
    ("verdict", "expected"), [(Verdict.TRUNCATED, True), (Verdict.COMPLETE, False), (Verdict.CANCELLED, False)]
)
def test_without_a_deciding_event_the_last_ones_are_shown_of_what_failed(verdict: Verdict, expected: bool) -> None:
    lines = tuple(replace(line, decided=False) for line in views.stream_lines())
    stream = views.stream(request=views.request(verdict), lines=lines)
    text = text_of(draw_result(replace(views.calm(), stream=stream), 100))
    assert ("Its last events" in text) is expected
    assert "Where it broke" not in text


def test_what_is_not_known_is_left_out() -> None:
    bare = views.request(Verdict.REFUSED, status=None, content_type="", events=0, reads=0, output_tokens=None,
                         tokens_per_s=None, duration_ns=None, ttfb_ns=None, ttft_ns=None, trace_id="")  # fmt: skip
    text = text_of(draw_result(view_of(bare), 100))
    assert "Ids" not in text
    assert "tokens" not in text
    assert "first byte" not in text
    assert "None" not in text


def test_tokens_that_were_not_counted_are_no_zero() -> None:
    assert "n/a in, 96 out" in text_of(draw_result(view_of(views.request()), 100))


def test_a_ping_has_facts_of_its_own() -> None:
    lost = msgspec.structs.replace(
        story.ping(1, 0, Verdict.CLOSED), close_code=1012, close_reason="restart", reason="closed: 1012"
    )
    text = text_of(draw_result(replace(views.calm(), stream=None, probed=lost), 100))
    assert text.startswith("✖ closed")
    for fact in ("connect", "31.0 ms", "1, dialled for this ping", "1012 restart", "101", story.trace(301), "edge-7"):
        assert fact in text


def test_an_opened_event_shows_its_data() -> None:
    stream = views.stream()
    closed, opened = draw_events(stream, 60, None), draw_events(stream, 60, 1)
    assert len(closed) == len(stream.lines) + 2
    assert text_of([line for line, number in opened if number == 1]).splitlines()[1:] == [
        '    {"type":"message_start","message":{"id":"msg_01","model"',
        '    :"claude-3-haiku"}}',
    ]


@given(
    width=st.integers(1, 200),
    verdict=st.sampled_from(Verdict),
    times=st.lists(st.none() | st.integers(0, 10**13), min_size=8, max_size=8),
)
def test_any_request_is_drawn_at_any_width(width: int, verdict: Verdict, times: list[int | None]) -> None:
    dns, connect, tls, send, ttfb, ttft, ttfo, duration = times
    request = msgspec.structs.replace(
        views.request(verdict, reason="why " * 9, body_excerpt="<html>" * 30),
        phases=Phases(dns_ns=dns, connect_ns=connect, tls_ns=tls, send_ns=send),
        ttfb_ns=ttfb,
        ttft_ns=ttft,
        ttfo_ns=ttfo,
        duration_ns=duration,
    )
    view = view_of(request)
    stream = view.stream
    assert stream is not None
    lines = [*draw_result(view, width), *draw_text(stream, width)]
    assert all(span.text.isprintable() for line in lines for span in line)
    assert all(line_cells(line) == width for line, number in draw_events(stream, width, None) if number is not None)


def test_phases_follow_one_another() -> None:
    request = story.completed(1, 0)
    drawn = phases(request)
    assert [phase.name for phase in drawn] == ["DNS", "connect", "TLS", "send", "first byte", "first token", "end"]
    assert [phase.start_ns for phase in drawn[1:]] == [phase.end_ns for phase in drawn[:-1]]
    assert drawn[-1] == Phase("end", 1113 * MS, (29 + 410) * MS + 80_000, (29 + 1113) * MS + 80_000, "good")


def test_output_that_came_after_reasoning_has_a_phase() -> None:
    request = msgspec.structs.replace(story.completed(1, 0), ttfo_ns=900 * MS)
    assert [phase.name for phase in phases(request)][-3:] == ["first token", "first visible", "end"]


def test_bars_lie_side_by_side() -> None:
    request = views.request(phases=Phases(), ttfb_ns=50 * MS, ttft_ns=50 * MS, duration_ns=100 * MS)
    bars = [plain(line)[28:] for line in waterfall(request, 48)]
    assert bars == ["━" * 10 + " " * 10, " " * 10 + "╸" + " " * 9, " " * 10 + "━" * 10]
    assert plain(waterfall(request, 30)[0]).split() == ["first", "byte", "50.0", "ms"]


def test_a_probe_under_way_stands_above_those_that_ended() -> None:
    done = RequestRow(183, views.AT - 4, "truncated", None, "")
    running = views.stream(request=None, in_flight=True)
    view = replace(views.calm(), stream=running, recent=(done,))
    drawn = [plain(line) for line in recent.draw(view, 44, 3, recent.RecentView(184, 0, True))]
    assert drawn == [
        "▌#184   14:03:20   1.55 s  ● under way      ",
        " #183   14:03:18        -  ✖ truncated      ",
        " " * 44,
    ]


async def test_what_was_measured_while_the_engine_was_late_is_marked_wherever_it_is_shown(tmp_path: Path) -> None:
    late = msgspec.structs.replace(story.completed(10, 20_000), tainted=True, error_ns=70_000_000)
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        assert "tainted" not in stage.text
        await stage.show(late)
        (standing,) = [line for line in stage.lines if "complete  tainted" in line]
        assert "TTFT" in standing
        await stage.press("enter")
        assert [line.split("#")[-1][:2] for line in stage.lines if "≈" in line] == ["10"], "in the list of the latest"
        assert "times may be off by up to 70.0 ms" in stage.text


@pytest.mark.parametrize("name", ["gateway-claude", "gateway-gpt", "gateway-http", "gateway-ws"])
async def test_the_inspected_probe_stays_while_others_come(name: str, tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), story.completed(10, 20_000))
        for _ in range([endpoint.name for endpoint in story.ENDPOINTS].index(name)):
            await stage.press("down")
        await stage.press("enter")
        before = str(stage.screen.query_one(DetailsPanel).border_title)
        assert before.startswith(f"{name} #")
        await stage.show(
            *story.stream(11, 22_000), story.completed(11, 22_000), story.unavailable(9, 23_000),
            story.healthy(30, 23_000), story.ping(30, 23_000),
        )  # fmt: skip
        assert str(stage.screen.query_one(DetailsPanel).border_title) == before
        await stage.press("escape")
        assert isinstance(stage.screen, MonitorScreen)
        assert stage.query.request is None


async def test_a_stream_goes_on_in_the_details(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("enter")
        assert "under way" in stage.text
        await stage.show(story.completed(10, 20_000))
        assert "✔ complete" in stage.lines[2]
        await stage.press("end")
        assert "def bubble_sort(arr):" in stage.text


async def test_walking_leads_past_the_newest_to_following(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), story.completed(10, 20_000))
        await stage.press("enter", "left_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "gateway-claude #10 · newest" in stage.text
        await stage.show(*story.stream(11, 22_000), story.completed(11, 22_000))
        assert "gateway-claude #11 · newest" in stage.text


async def test_mouse_on_the_list_and_on_events(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), story.completed(10, 20_000))
        await stage.press("enter")
        await stage.pilot.click(RecentPanel, offset=Offset(5, 3))
        await stage.pilot.pause()
        panel = stage.screen.query_one(DetailsPanel)
        assert "#8" in str(panel.border_title)
        await stage.press("shift+tab", "end")
        y = next(y for y, line in enumerate(stage.lines) if "message_stop  " in line)
        await stage.pilot.click(panel, offset=Offset(10, y - panel.region.y))
        await stage.pilot.pause()
        assert '    {"type":"message_stop"}' in stage.lines[y + 1]
        await stage.pilot.click(panel, offset=Offset(10, y - panel.region.y))
        await stage.pilot.pause()
        assert '    {"type":"message_stop"}' not in stage.lines[y + 1]


async def test_a_click_on_an_event_of_the_stream_opens_it(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("left_square_bracket")
        await stage.pilot.click("#stream", offset=Offset(10, 3))
        await stage.pilot.pause()
        assert isinstance(stage.screen, DetailsScreen)
        panel = stage.screen.query_one(DetailsPanel)
        y = next(y for y, line in enumerate(stage.lines) if '    {"type":"content_block_delta"}' in line)
        assert "content_block_delta" in stage.lines[y - 1]
        assert panel._opened == 11


async def test_narrow_screens_leave_the_list_out(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(80, 24)) as stage:
        await stage.show(*story.session())
        await stage.press("enter")
        assert not stage.screen.query_one(RecentPanel).display
        assert "[ older" in stage.text


async def test_before_the_first_request_there_is_nothing_to_inspect(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("enter")
        assert stage.notices == ["There is no request yet"]
        await stage.press("y")
        assert stage.notices == ["There is no trace id yet"]


def decided(endpoint: str, number: int) -> LogEntry:
    return LogEntry(at=START_AT + 30, now_ns=story.at(30_000), kind="state", endpoint=endpoint, number=number)


async def test_an_incident_whose_request_is_gone_says_where_it_is(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        later = [
            record
            for number in range(10, 130)
            for record in (story.unavailable(number, 30_000), decided(story.GPT.name, number))
        ]
        await stage.show(*story.session(), *later)
        await stage.press("shift+tab", "end", "enter")
        assert stage.notices == ["gateway-gpt #3 is no longer kept; its row is in the session's CSV"]


def test_the_models_of_a_request_have_a_table() -> None:
    models = (
        ModelTimeline(model="alpha", start_ns=MS, first_ns=151 * MS, end_ns=951 * MS, chunks=16),
        ModelTimeline(model="gone", error="no such model"),
    )
    found = Concurrency(models=models, undecided="1 of 2 models answered")
    lines = text_of(draw_result(view_of(views.request(concurrency=found)), 100)).splitlines()
    at = lines.index("Models")
    assert lines[at + 1] == "no verdict: 1 of 2 models answered"
    assert lines[at + 3].split()[:3] == ["alpha", "+0.001", "+0.151"]
    assert lines[at + 4].split()[:3] == ["gone", "✖", "no"]
    assert "Models" not in text_of(draw_result(view_of(views.request()), 100)).splitlines()


def test_why_models_are_sequential_is_said_once() -> None:
    models = [
        ModelTimeline(model=name, start_ns=at * MS, first_ns=(at + 50) * MS, end_ns=(at + 400) * MS, chunks=9)
        for name, at in (("alpha", 10), ("beta", 410))
    ]
    found = analyse(models, ["alpha", "beta"], one_stream=True)
    request = views.request(concurrency=found, findings=tuple(sequential(found)))
    assert text_of(draw_result(view_of(request), 300)).count("2 models start") == 1
    tolerated = views.request(concurrency=found)
    assert text_of(draw_result(view_of(tolerated), 300)).count("SEQUENTIAL: 2 models start") == 1


def test_events_of_several_models_say_whose_they_are() -> None:
    spoken = StreamEvent(name="chunk", kind=EventKind.TEXT, text="hi", model="gpt-4o-mini")
    several = views.stream(lines=(StreamLine(1, 388 * MS, None, spoken),))
    (drawn,) = (text_of([line]) for line, number in draw_events(several, 100, None) if number == 1)
    assert " ".join(drawn.split()) == '+0.388 chunk gpt-4o-mini "hi"'
    assert 'chunk gpt-4o-mini  "hi"' in text_of(
        draw(replace(views.calm(), stream=several), 60, 9, Mode.EVENTS, Scroll(False, 0))
    )


def test_the_texts_of_several_models_stand_one_after_another() -> None:
    cards = tuple(
        ModelCard(ModelTimeline(model=name), ModelState.DONE, text)
        for name, text in (("alpha", "one two"), ("beta", ""), ("gamma", "three"))
    )
    several = views.stream(text="one three two", models=cards)
    texts = ["alpha", "one two", "", "beta", "", "gamma", "three"]
    assert text_of(draw_text(several, 60)).splitlines() == ["", "Text", *texts]
    shown = draw(replace(views.calm(), stream=several), 60, len(texts) + 1, Mode.TEXT, Scroll(False, 0))
    assert text_of(shown).splitlines()[:-1] == texts
