"""The write-up of an incident: its figures, the same in Markdown, HTML and JSON, and texts that no format believes.

`UPDATE_GOLDENS=1 pytest tests/report/test_writeup.py` renews the text in `goldens/`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterable
from datetime import timedelta, timezone
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace
from support import reported
from support.reported import BEGAN, ENDPOINTS, MS, PROFILE, request
from support.texts import texts_of
from textual.color import Color

from gwtui.health.incident_log import IncidentLog
from gwtui.model.enums import State, Trigger
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.report.writeup import (
    Collector,
    Provenance,
    Writeup,
    masked_writeup,
    period_between,
    period_of,
    writeup_html,
    writeup_json,
    writeup_markdown,
)
from gwtui.report.writeup.period import MOST_BUCKETS
from gwtui.report.writeup.tallies import Thinned
from gwtui.ui.styles import contrast

GOLDENS = Path(__file__).parent.parent / "goldens"
CET = timezone(timedelta(hours=1), "CET")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PROVENANCE = Provenance(
    profile="prod", session="one", session_at=BEGAN, made_at=BEGAN + 9_000, version="0.1.0", unread="Not read: line 7"
)
EVIL = "<script>alert(1)</script><img src=x onerror=y> `a` ``b | [c](https://e.example) @all #12 **d** &amp; \"'\u202e"


def written(requests: Iterable[Request], log: list[LogEntry], lasts_s: float, number: int | None = 1) -> Writeup:
    """What is written up of these rows; without a number their last minute."""
    known = IncidentLog()
    for each in log:
        known.apply(each)
    session = (BEGAN, BEGAN + lasts_s)
    incident = known.incident(number) if number is not None else None
    period = (
        period_of(incident, known.incidents, session)
        if incident is not None
        else period_between(BEGAN + lasts_s - 60, BEGAN + lasts_s, known.incidents, session)
    )
    collector = Collector(PROFILE, period)
    collector.add(reported.usual(), BEGAN)
    for entry in log:
        collector.add(entry, entry.at)
    for result in requests:
        collector.add(result, result.started_at + (result.duration_ns or 0) / 1e9)
        known.apply(result)
    return collector.writeup(PROVENANCE, known.incident(number) if number is not None else None)


@pytest.fixture(scope="module")
def short() -> Writeup:
    """Half a minute without keys, in half an hour."""
    return written(reported.results(900, 930, 1800), reported.incident(900, 930, 12), 1800)


@pytest.fixture(scope="module")
def long() -> Writeup:
    """Two hours."""
    return written(reported.results(5400, 12_600, 18_000), reported.incident(5400, 12_600, 2880), 18_000)


@pytest.fixture(scope="module")
def hostile() -> Writeup:
    """All texts that come from elsewhere are meant to be something else."""
    evil = replace(
        request(ENDPOINTS[0], 3, 1000, None),
        reason=EVIL,
        trace_id=EVIL,
        request_id=EVIL,
        rule=EVIL,
        headers={EVIL: EVIL},
    )
    stranger = replace(evil, endpoint=EVIL, vantage=EVIL)
    log = [
        reported.mark(990, EVIL),
        replace(reported.entry(1000, IncidentEvent.OPENED, EVIL, since=BEGAN + 999), cause=EVIL, scope=EVIL),
        replace(reported.entry(1001, IncidentEvent.WIDER, EVIL, since=BEGAN + 999), endpoint=EVIL, vantage=EVIL),
        reported.entry(1002, IncidentEvent.ACKNOWLEDGED, EVIL, acknowledged=EVIL),
    ]
    made = written([evil, stranger], log, 1060)
    return replace(made, provenance=replace(PROVENANCE, profile=EVIL, session=EVIL, unread=EVIL))


def test_markdown_says_what_when_who_and_how_many(short: Writeup) -> None:
    text = writeup_markdown(short, CET)
    golden = GOLDENS / "writeup.md"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_each_result_counts_in_one_phase_and_in_one_share_of_the_time(long: Writeup) -> None:
    for part in long.endpoints:
        phases = (part.before, part.during, part.after)
        assert sum(each.results for each in phases) == sum(each.results for each in part.buckets)
        assert sum(each.results for each in phases) in (4 * 720, 4 * 720 + 1)
        assert [each.failed for each in phases] == [0, 1440, 0]
        assert len(part.dots) + part.dots_left_out == sum(each.measured for each in phases)
        assert len(part.failed_at) + part.failed_left_out == 1440
    assert sum(sum(bars.counts) for bars in long.verdicts) == long.measured.results - 4 * 720
    assert (long.others.endpoints, long.others.results, long.others.failed) == (1, 1440, 0)


def test_percentiles_are_there_where_the_number_of_values_bears_them(short: Writeup, long: Writeup) -> None:
    during = {part.name: part.during for part in short.endpoints}
    assert {name: figures.p50_ns for name, figures in during.items()} == {"eu-claude": None, "eu-gpt": None}
    assert all(part.before.p50_ns is not None and part.before.p90_ns is not None for part in long.endpoints)
    assert not any(bucket.p90_ns for part in short.endpoints for bucket in part.buckets)
    assert any(bucket.p90_ns for part in long.endpoints for bucket in part.buckets)


def test_what_is_usual_the_states_and_the_marks_are_told(short: Writeup) -> None:
    claude = next(part for part in short.endpoints if part.name == "eu-claude")
    assert claude.usual_ns == 330 * MS
    assert [span.state for span in claude.states] == [State.UP, State.DOWN, State.UP]
    assert claude.states[0].from_at == short.shown_from_at
    assert claude.states[-1].to_at == short.shown_to_at
    assert [each.text for each in short.marks] == ["CHG-4711 rotates the keys"]
    assert [each.kind for each in short.timeline] == ["mark", *["incident"] * 5]


def test_evidence_is_of_each_endpoint_and_of_the_end_too(long: Writeup) -> None:
    assert len(long.evidence) == 5
    assert {each.endpoint for each in long.evidence} == {"eu-claude", "eu-gpt"}
    assert {each.verdict for each in long.evidence} == {Verdict.AUTH}
    assert long.evidence[-1].at > long.ended_at - 10
    assert long.evidence[0].headers["server"] == "envoy"


def test_a_slowdown_is_shown_by_its_slowest_results() -> None:
    log = [
        reported.entry(
            300, IncidentEvent.OPENED, "slow", cause="slow (ttft: 8x its usual 330 ms)", severity=State.SLOW,
            scope="endpoint us-claude", endpoint="us-claude", since=BEGAN + 300,
        )
    ]  # fmt: skip
    good = [request(ENDPOINTS[2], number, number * 5, number * 10 * MS) for number in range(1, 121)]
    made = written(good, log, 600)
    assert [each.number for each in made.evidence] == [115, 116, 117, 118, 119]
    (part,) = made.endpoints
    assert part.during.p50_ns is not None
    assert part.before.p50_ns is not None
    assert part.during.p50_ns > part.before.p50_ns
    assert made.incident is not None
    assert made.incident.closed_at is None
    assert "still open" in writeup_markdown(made, CET)


def test_trials_and_what_failed_here_count_nowhere() -> None:
    base = request(ENDPOINTS[0], 1, 30)
    rows = [base, replace(base, trigger=Trigger.TRIAL), replace(base, verdict=Verdict.LOCAL)]
    made = written(rows, [], 60, number=None)
    assert made.during.results == 1
    assert (made.measured.results, made.measured.not_counted) == (1, 1)


def test_a_time_without_results_is_written_up_in_all_formats() -> None:
    made = written([], [], 60, number=None)
    for text in (writeup_markdown(made, CET), writeup_html(made, CET), writeup_json(made, CET)):
        assert "1m00s of a session" in text


def test_json_is_the_same_data(long: Writeup) -> None:
    told = json.loads(writeup_json(long, CET))
    assert told["incident"]["number"] == 1
    assert (told["began_at"], told["began_local"]) == ("2026-11-30T13:30:00.000Z", "2026-11-30T14:30:00.000+01:00")
    for part, other in zip(long.endpoints, told["endpoints"], strict=True):
        assert other["name"] == part.name
        assert other["before"]["p50_ms"] == pytest.approx((part.before.p50_ns or 0) / 1e6, abs=0.001)
        assert other["during"]["verdicts"] == [[verdict.value, count] for verdict, count in part.during.verdicts]
        assert len(other["dots"]) == len(part.dots)
        assert len(other["buckets"]) == len(part.buckets)
    assert [each["trace_id"] for each in told["evidence"]] == [each.trace_id for each in long.evidence]
    assert not any(key.endswith("_ns") for key in texts_of(told))


class Page(HTMLParser):
    """The elements of a page, which have to be nested well."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.said = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def test_html_is_one_file_without_scripts_that_fetches_nothing(short: Writeup, long: Writeup) -> None:
    for writeup in (short, long):
        text = writeup_html(writeup, CET)
        page = Page(text)
        assert not {"script", "img", "link", "iframe", "a", "image", "use", "foreignobject"} & set(page.tags)
        assert not {"src", "href", "xlink:href", "onload", "style"} & page.attributes.keys()
        assert not [each for each in ("url(", "@import") if each in text]
        assert "default-src 'none'; style-src 'unsafe-inline'" in page.attributes["content"]
        assert "@media print" in text
        assert "prefers-color-scheme: dark" in text
        assert page.attributes["aria-label"] == [
            "States over time",
            "TTFT of eu-gpt over time",
            "TTFT of eu-claude over time",
            "Verdicts per minute",
        ]
        kinds = page.attributes["class"]
        assert kinds.count("failed") == len(writeup.endpoints)
        assert ("band" in kinds) is (writeup is long)
        assert "Incident 1: keys refused (auth 401)" in page.said
        assert "(14:30:00" in page.said or "13:15:00" in page.said


def test_the_text_of_the_page_has_contrast_on_the_screen_in_light_and_dark_and_on_paper(short: Writeup) -> None:
    schemes = re.findall(r":root \{([^}]*)\}", writeup_html(short, CET))
    assert len(schemes) == 3
    for scheme in schemes:
        colours = {name: Color.parse(value) for name, value in re.findall(r"--(\w+): (#\w{6});", scheme)}
        for name in ("ink", "soft", "mark"):
            assert contrast(colours[name], colours["paper"]) >= 4.5
        assert contrast(colours["on"], colours["down"]) >= 4.5
        for name in ("slow", "degraded"):
            assert contrast(Color.parse("#14171b"), colours[name]) >= 4.5


def test_no_format_believes_what_a_gateway_says(hostile: Writeup) -> None:
    seen = EVIL.replace("\u202e", "\\u202e")
    page = Page(writeup_html(hostile, CET))
    assert not {"script", "img", "a", "b"} & set(page.tags)
    assert not {"onerror", "src", "href"} & page.attributes.keys()
    assert page.said.count(seen) > 8
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(writeup_markdown(hostile, CET))
    inner = [child for token in tokens for child in token.children or ()]
    assert not {"html_block", "html_inline", "link_open", "image", "em_open"} & {
        each.type for each in (*tokens, *inner)
    }
    bold = [inner[at + 1].content for at, each in enumerate(inner) if each.type == "strong_open"]
    assert "d" not in bold
    assert "@all" not in "".join(each.content for each in inner if each.type == "text")
    assert sum(seen in each.content for each in inner if each.type == "code_inline") > 8
    told = json.loads(writeup_json(hostile, CET))
    assert seen in texts_of(told)


def test_a_table_of_markdown_keeps_its_columns_whatever_is_in_its_cells(hostile: Writeup) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(writeup_markdown(hostile, CET))
    rows: list[int] = []
    for token in tokens:
        rows += [0] if token.type == "tr_open" else []
        if token.type in ("td_open", "th_open"):
            rows[-1] += 1
    assert set(rows) == {9, 3}


def test_keys_are_masked_in_every_text_but_words_of_the_program_stay(hostile: Writeup) -> None:
    masked = masked_writeup(hostile, lambda text: text.replace("alert", "****").replace("auth", "****"))
    assert not any("alert" in text for text in texts_of(json.loads(writeup_json(masked, CET))))
    assert masked.evidence[0].verdict is Verdict.AUTH


@given(st.floats(-1e11, 1e12), st.floats(0, 1e8), st.floats(0, 1e8), st.floats(0, 1e8))
def test_a_time_has_few_shares_and_each_moment_has_one(start: float, skip: float, lasts: float, rest: float) -> None:
    session = (start, start + skip + lasts + rest)
    period = period_between(start + skip, start + skip + lasts, (), session)
    assert 1 <= period.buckets <= MOST_BUCKETS + 2
    for at in (period.shown_from_at, period.began_at, period.ended_at, period.shown_to_at, session[0], session[1]):
        assert 0 <= period.bucket_of(at) < period.buckets
    made = Collector(PROFILE, period).writeup(PROVENANCE, None)
    assert writeup_markdown(made, CET)
    assert writeup_html(made, CET)
    assert writeup_json(made, CET)


@given(st.integers(0, 500), st.integers(2, 40))
def test_items_are_thinned_evenly(count: int, limit: int) -> None:
    thinned: Thinned[int] = Thinned(limit)
    for number in range(count):
        thinned.add(number)
    kept = thinned.items
    assert len(kept) <= limit
    assert len(kept) + thinned.left_out == count
    assert len({after - before for before, after in pairwise(kept)}) <= 1


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: the page was not looked at in a browser")
@pytest.mark.timeout(120)
def test_a_browser_draws_the_page_and_complains_of_nothing(short: Writeup, tmp_path: Path) -> None:
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(writeup_html(short, CET), encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'browser'}", "--enable-logging=stderr", "--window-size=1040,1400",
        f"--screenshot={picture}", page.as_uri(),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert "CONSOLE" not in run.stderr
    width, height, shades = size_and_shades(picture.read_bytes())
    assert (width, height) == (1040, 1400)
    assert shades > 40


def size_and_shades(png: bytes) -> tuple[int, int, int]:
    """The size of a picture, and how many different values its bytes have: a blank one has one or two."""
    data, at = b"", 8
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big"), len(set(zlib.decompress(data)))
