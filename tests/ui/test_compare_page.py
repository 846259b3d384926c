"""The page that holds endpoints against each other: what it draws, and what its keys do.

`UPDATE_GOLDENS=1 pytest tests/ui/test_compare_page.py` renews the texts in `goldens/`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import pages, story, views
from support.stage import Stage, on_stage

from gwtui.model.commands import Burst
from gwtui.model.metrics import Metric
from gwtui.stats.comparison import ComparedSeries
from gwtui.ui.panels.compare import OthersPanel, Picture, draw_others, draw_pairs, sentences
from gwtui.ui.screens.compare import LEAST_PAUSE_S, PAUSE_TIMES, CompareScreen, Throttle
from gwtui.ui.text_layout import Line, line_cells, plain, sheet

GOLDENS = Path(__file__).parent.parent / "goldens"
EVERYBODY = tuple(other.name for other in pages.OTHERS)


def drawn(picture: Picture, width: int, height: int) -> list[Line]:
    view = views.calm()
    pairs = draw_pairs(view, picture, width)
    return [
        *draw_others(view, picture, width, len(picture.others), 0, focused=True),
        *sheet(pairs, width, max(height, len(pairs))),
    ]


def keep_or_compare(golden: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [76, 132, 196])
def test_the_page_looks_as_it_did(width: int) -> None:
    text = "\n".join(f"{plain(line)}|" for line in drawn(pages.picture(*EVERYBODY), width, 1)) + "\n"
    keep_or_compare(GOLDENS / f"compare-{width}.txt", text)


@given(width=st.integers(1, 220), chosen=st.sets(st.sampled_from(EVERYBODY)), working=st.booleans())
def test_every_line_is_as_wide_as_the_panel(width: int, chosen: set[str], working: bool) -> None:
    lines = drawn(replace(pages.picture(*EVERYBODY), chosen=frozenset(chosen), working=working), width, 1)
    assert {line_cells(line) for line in lines} == {width}


def test_names_that_would_take_the_terminal_over_are_made_visible() -> None:
    nasty = [pages.series(name, 400, seed=number) for number, name in enumerate(views.HOSTILE)]
    picture = Picture(nasty[0], tuple(nasty[1:]), frozenset(one.name for one in nasty), nasty[1].name)
    lines = drawn(picture, 80, 30)
    assert all(span.text.isprintable() for line in lines for span in line)


@pytest.mark.parametrize(
    ("chosen", "metric", "expected"),
    [
        (
            ("gateway-gpt",),
            Metric.TTFT,
            ["gateway-claude 386 ms, gateway-gpt 513 ms: gateway-gpt takes 33 % more (gateway-claude 25 % less); TTFT"],
        ),
        (
            ("gateway-gpt",),
            Metric.E2E,
            ["gateway-claude 1.18 s, gateway-gpt 1.52 s: gateway-gpt takes 29 % more (gateway-claude 22 % less); E2E"],
        ),
        (
            ("gateway-gpt",),
            Metric.RTT,
            ["gateway-claude 386 ms, gateway-gpt 513 ms: gateway-gpt takes 33 % more (gateway-claude 25 % less); TTFT"],
        ),
        (("gateway-gpt",), Metric.TPOT, ["no evidence of a difference between gateway-claude and gat"]),
        (
            ("sourcegraph-claude",),
            Metric.TTFT,
            ["failures: gateway-claude ", "too few results to compare the TTFT of gateway-claude "],
        ),
        (
            ("gateway-gpt", "gateway-claude-eu"),
            Metric.TTFT,
            ["gateway-claude 386 ms, gateway-gpt 513 ms: ", "no evidence of a difference between gateway-claude"],
        ),
        (("staging",), Metric.TTFT, []),
        ((), Metric.TTFT, []),
    ],
)
def test_a_sentence_for_every_pair_that_can_be_compared(
    chosen: tuple[str, ...], metric: Metric, expected: list[str]
) -> None:
    found = sentences(pages.picture(*chosen), metric)
    assert [sentence[: len(begin)] for sentence, begin in zip(found, expected, strict=True)] == expected


def test_work_is_due_when_its_subject_changes_and_else_when_it_is_time() -> None:
    pace = Throttle()
    assert pace.due("a", 1, 100.0)
    pace.began("a", 1, 100.0)
    assert not pace.due("b", 1, 200.0), "while work runs"
    pace.ended(101.0)
    assert not pace.due("a", 1, 1000.0), "nothing changed"
    assert pace.due("b", 1, 101.0)
    assert not pace.due("a", 2, 101.0 + PAUSE_TIMES - 0.1)
    assert pace.due("a", 2, 101.0 + PAUSE_TIMES)
    pace.began("a", 2, 200.0)
    pace.ended(200.0)
    assert not pace.due("a", 3, 200.0 + LEAST_PAUSE_S - 0.1)
    assert pace.due("a", 3, 200.0 + LEAST_PAUSE_S)


# In the whole program


async def compared(stage: Stage) -> CompareScreen:
    """The page, once it has nothing left to compare."""
    screen = stage.screen
    assert isinstance(screen, CompareScreen)
    while comparing := [worker for worker in stage.app.workers if worker.group == "compare"]:
        await stage.app.workers.wait_for_complete(comparing)
        await stage.pilot.pause()
    return screen


async def test_the_page_compares_adds_removes_and_copies(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("c")
        await compared(stage)
        assert "gateway-gpt has no good result yet" in stage.text
        await stage.press("y")
        sentence = "failures: gateway-claude 0 % (0 of 9), gateway-gpt 100 % (4 of 4): Fisher's exact p 0.0014"
        assert stage.notices == [f"Copied: {sentence}"]
        await stage.press("down", "space")
        await compared(stage)
        assert "gateway-gpt has no good result yet" in stage.text
        assert (
            "gateway-http 5.00 ms, gateway-claude 1.11 s: gateway-claude takes 223 times as long; E2E p50, "
            in stage.text
        )
        await stage.press("y")
        assert stage.app.clipboard.startswith("failures: gateway-claude 0 % (0 of 9), gateway-gpt 100 % (4 of 4): ")
        assert stage.app.clipboard.splitlines()[1].startswith("gateway-http 5.00 ms, ")
        await stage.press("l")
        assert stage.query.metric is Metric.E2E
        await stage.press("space", "up", "space")
        assert "No endpoint is chosen" in stage.text


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
async def test_the_screen_looks_as_it_did(size: tuple[int, int], tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=size) as stage:
        await stage.show(*story.session())
        await stage.press("c", "down", "space")
        await compared(stage)
        text = "\n".join(f"{line:<{size[0]}}|" for line in stage.lines) + "\n"
    keep_or_compare(GOLDENS / f"screen-compare-{size[0]}x{size[1]}.txt", text)


async def test_a_burst_goes_to_all_that_are_compared(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("c", "down", "space", "b", "enter")
        names = (story.GPT.name, story.HEALTH.name)
        assert stage.feed.sent == [Burst(endpoint=story.CLAUDE.name, requests=30, concurrency=1, others=names)]


async def test_new_results_are_compared_while_the_page_is_open(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("c", "space", "down", "space")
        await compared(stage)
        stage.screen._throttle._next_s = 0.0  # type: ignore[attr-defined]  # as if two seconds had gone by
        await stage.show(*(story.healthy(number, 21_000 + 10.0 * number) for number in range(19, 60)))
        await compared(stage)
        assert "n 9 and 59" in stage.text


async def test_a_click_adds_an_endpoint(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("c")
        await stage.pilot.click(OthersPanel, offset=(4, 3))
        await stage.pilot.pause()
        assert stage.screen.query_one(OthersPanel)._picture == replace(
            stage.screen.query_one(OthersPanel)._picture or Picture(ComparedSeries("", {}, 0)),
            chosen=frozenset({story.GPT.name, story.SOCKET.name}),
            cursor=story.SOCKET.name,
        )
