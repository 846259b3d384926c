"""The page of checks: what it draws while they run and afterwards, and what its keys do.

`UPDATE_GOLDENS=1 pytest tests/ui/test_checks_page.py` renews the texts in `goldens/`.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed
from support import pages, story, views
from support.monitor_stage import START_AT
from support.stage import on_stage

from gwtui.checks.request_sets import parse_models
from gwtui.model.check_results import CheckOutcome
from gwtui.model.commands import RunChecks
from gwtui.model.view import ChecksView, View
from gwtui.ui.panels.checks import body, head, report
from gwtui.ui.screens.checks import ChecksScreen
from gwtui.ui.text_layout import Line, line_cells, plain, sheet

GOLDENS = Path(__file__).parent.parent / "goldens"
NAME = "gateway-claude"


def shown(count: int, **run: object) -> View:
    """The view of a run with `count` results."""
    checks = ChecksView(pages.checks_begun(NAME, **run), tuple(pages.checks_ended(NAME, count)))
    return replace(views.calm(), checks=checks)


VIEWS = {
    "running": shown(3),
    "ended": shown(6, ended=True),
    "waiting": shown(0, waits_for="gateway-gpt"),
    "broken": shown(2, ended=True, trouble="this hour's budget of 40 requests is spent"),
}


def drawn(view: View, width: int) -> list[Line]:
    assert view.checks is not None
    lines = [*head(view, view.checks, width), *(line for line, _ in body(view.checks, width))]
    return sheet(lines, width, len(lines))


@pytest.mark.parametrize("width", [76, 132])
def test_the_page_looks_as_it_did(width: int) -> None:
    parts = []
    for name, view in VIEWS.items():
        parts += [f"== {name}", *(f"{plain(line)}|" for line in drawn(view, width))]
    text = "\n".join(parts) + "\n"
    golden = GOLDENS / f"checks-{width}.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@given(name=st.sampled_from(sorted(VIEWS)), width=st.integers(1, 220))
def test_every_line_is_as_wide_as_the_panel(name: str, width: int) -> None:
    assert {line_cells(line) for line in drawn(VIEWS[name], width)} == {width}


def test_text_of_the_network_is_made_visible() -> None:
    nasty = "".join(views.HOSTILE)
    result = changed(
        pages.checks_ended(NAME)[2], evidence=nasty, cause=nasty, remedy=nasty, title=nasty, details=(nasty,)
    )
    view = replace(views.calm(), checks=ChecksView(pages.checks_begun(NAME, trouble=nasty), (result,)))
    assert all(span.text.isprintable() for line in drawn(view, 100) for span in line)


def test_the_same_reason_is_printed_once() -> None:
    results = tuple(
        changed(result, outcome=CheckOutcome.NOT_APPLICABLE, evidence="the gateway cannot be reached")
        for result in pages.checks_ended(NAME)[:3]
    )
    lines = [plain(line) for line, _ in body(ChecksView(pages.checks_begun(NAME), results), 132)]
    assert sum("the gateway cannot be reached" in line for line in lines) == 1
    assert sum("as above" in line for line in lines) == 2


def test_an_engine_that_died_leaves_no_check_running() -> None:
    view = shown(3)
    assert view.checks is not None
    dead = replace(view, header=replace(view.header, ended=True))
    assert "the engine has stopped" in "\n".join(map(plain, head(dead, view.checks, 100)))


@pytest.mark.parametrize(
    ("text", "models"),
    [("", ()), (" a , b,a,, ", ("a", "b")), (",".join("abcdefghi"), tuple("abcdefghi"))],
)
def test_models_are_written_with_commas(text: str, models: tuple[str, ...]) -> None:
    assert parse_models(text) == models


def test_ten_models_are_too_many() -> None:
    with pytest.raises(ValueError, match="10 models; the maximum is 9"):
        parse_models(",".join("abcdefghij"))


def test_the_report_can_be_pasted() -> None:
    checks = VIEWS["ended"].checks
    assert checks is not None
    assert report(checks).splitlines()[:4] == [
        "Checks of gateway-claude, 2025-12-31T14:03:22.000Z",
        "✔ pass: The gateway and its provider are healthy: status is 'healthy', provider anthropic is true",
        "▲ warn: The metrics count the requests just sent: "
        "after 2 requests with 126 tokens: requests +12, tokens +735, cost +0 USD",
        "  to do: Complete the gateway's metrics and price list.",
    ]


# In the whole program


async def test_the_key_runs_the_checks_of_the_selected_endpoint_once_and_shows_them_again(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", story.CLAUDE, story.GPT) as stage:
        await stage.press("down", "K", "y")
        assert isinstance(stage.screen, ChecksScreen)
        assert stage.feed.sent == [RunChecks(endpoint=story.GPT.name)]
        assert "Not checked yet" in stage.text
        await stage.show(pages.checks_begun(story.GPT.name), *pages.checks_ended(story.GPT.name, 2))
        assert "✔ 1 pass  ▲ 1 warn" in stage.text
        assert "◌ now   A streaming request gets a complete" in stage.text
        await stage.press("escape", "K")
        assert "◌ now   A streaming request gets a complete" in stage.text
        assert stage.feed.sent == [RunChecks(endpoint=story.GPT.name)]
        await stage.press("r")
        assert stage.feed.sent == [RunChecks(endpoint=story.GPT.name)] * 2
        await stage.press("escape", "up", "K", "enter")
        assert stage.feed.sent[-1] == RunChecks(endpoint=story.CLAUDE.name)


async def test_the_page_follows_what_runs_until_the_user_scrolls(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", story.CLAUDE, size=(80, 16)) as stage:
        await stage.press("K", "y")
        await stage.show(pages.checks_begun(NAME), *pages.checks_ended(NAME, 3))
        assert "◌ now   Events are not held back" in stage.text
        await stage.press("home")
        await stage.show(*pages.checks_ended(NAME, 5))
        assert "The gateway and its provider" in stage.text
        await stage.press("end")
        assert "The circuit breaker" in stage.text
        await stage.show(pages.checks_begun(NAME, started_at=START_AT + 60))
        assert "◌ now   The gateway and its provider" in stage.text


async def test_checks_fill_in_while_the_picture_is_frozen(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", story.CLAUDE) as stage:
        await stage.press("space", "K", "y")
        await stage.show(pages.checks_begun(NAME), *pages.checks_ended(NAME, 1))
        assert "✔ 1 pass" in stage.text


async def test_an_endpoint_without_checks_is_asked_nothing_and_the_screen_says_why(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", changed(story.GPT, api="openai-realtime")) as stage:
        await stage.press("K")
        assert "No checks: openai-realtime is asked over a WebSocket" in str(stage.notices)
        assert (stage.screen, stage.feed.sent) == (stage.monitor, [])


@pytest.mark.parametrize("key", ["n", "escape", "q"])
async def test_nothing_is_sent_before_the_question_is_answered_with_yes(tmp_path: Path, key: str) -> None:
    async with on_stage(tmp_path / "config.toml", story.CLAUDE) as stage:
        await stage.press("K")
        assert f"Run the checks of {NAME}?" in stage.text
        assert re.search(r"[1-9]\d+ checks, up to [1-9]\d+ requests", stage.text)
        await stage.press(key)
        assert stage.screen is stage.monitor
        assert stage.feed.sent == []


async def test_models_are_asked_for(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", story.CLAUDE) as stage:
        await stage.press("K", "y", "m", *"a,b", "enter")
        assert stage.feed.sent[-1] == RunChecks(endpoint=NAME, models=("a", "b"))
        await stage.press("m", "escape")
        assert len(stage.feed.sent) == 2
