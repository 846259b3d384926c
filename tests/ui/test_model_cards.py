"""Several models of one stream, side by side: how many columns, what each card says, and what scrolls."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import views
from textual.app import App, ComposeResult

from gwtui.model.concurrency import Concurrency, ModelTimeline, Together
from gwtui.model.stream_view import ModelCard, ModelState
from gwtui.model.view import View
from gwtui.ui.panels import stream
from gwtui.ui.panels.model_cards import columns, draw_cards
from gwtui.ui.panels.stream import Mode, Scroll, StreamPanel, modes_of
from gwtui.ui.text_layout import line_cells, plain

MS = 1_000_000
NAMES = ("alpha", "beta-13b", "gamma", "delta", "epsilon", "zeta", "eta", "theta-with-a-very-long-name", "iota")


def card(name: str, state: ModelState = ModelState.DONE, text: str = "one two three") -> ModelCard:
    error = "no such model" if state is ModelState.FAILED else ""
    timeline = ModelTimeline(
        model=name, start_ns=MS, first_ns=151 * MS, end_ns=960 * MS, chunks=len(text.split()), error=error
    )
    return ModelCard(ModelTimeline(model=name) if state is ModelState.WAITING else timeline, state, text)


def of(*cards: ModelCard) -> View:
    return replace(views.calm(), stream=views.stream(models=cards))


def drawn(*cards: ModelCard, width: int = 66, visible: int = 12, top: int = 0) -> list[str]:
    return [plain(line) for line in draw_cards(cards, width, visible, top)]


@pytest.mark.parametrize(
    ("count", "width", "expected"),
    [(2, 66, 2), (3, 66, 3), (4, 66, 2), (9, 76, 3), (9, 136, 5), (9, 196, 5), (6, 76, 3), (2, 30, 1), (1, 5, 1)],
)
def test_as_many_columns_as_fit_spread_over_even_rows(count: int, width: int, expected: int) -> None:
    assert columns(count, width) == expected


def test_a_card_has_a_name_a_state_its_times_and_its_text() -> None:
    lines = drawn(card("alpha"), card("beta-13b", ModelState.FAILED, ""), card("gamma", ModelState.WAITING, ""))
    names = [" ".join(part.split()) for part in lines[0].split("│")]
    assert names == ["✔ alpha done", "✖ beta-13b error", "◌ gamma waiting"]
    assert [part.strip() for part in lines[1].split("│")] == ["+0.151 3 chunks", "no chunk", ""]
    assert [part.strip() for part in lines[2].split("│")] == ["one two three", "no such model", ""]
    assert "first +0.151 · 3 chunks · end +0.960" in drawn(card("alpha"))[1]


def test_the_newest_text_is_seen_and_that_there_is_more() -> None:
    lines = drawn(card("alpha", ModelState.RUNNING, " ".join(f"word{at}" for at in range(90))), width=30, visible=5)
    assert "word89" in lines[-1]
    assert lines[2].startswith("…")


def test_a_recording_without_texts_says_so() -> None:
    known = ModelCard(replace_chunks(card("alpha").timeline, 16), ModelState.DONE, "")
    assert "its text is not kept" in drawn(known)[2]


def replace_chunks(timeline: ModelTimeline, chunks: int) -> ModelTimeline:
    return ModelTimeline(
        model=timeline.model, start_ns=timeline.start_ns, first_ns=1, end_ns=timeline.end_ns, chunks=chunks
    )


@given(st.integers(1, 12), st.integers(1, 220), st.integers(1, 60), st.integers(0, 40))
def test_cards_fill_their_rectangle_exactly(count: int, width: int, height: int, top: int) -> None:
    cards = [card(NAMES[at % 9], list(ModelState)[at % 4], "寿司 and 🍣 " * at) for at in range(count)]
    lines = stream.draw(of(*cards), width, height, Mode.MODELS, Scroll(follow=False, top=top))
    assert [line_cells(line) for line in lines] == [width] * height
    assert all(span.text.isprintable() for line in lines for span in line)


def test_only_a_stream_of_several_models_has_them_side_by_side() -> None:
    assert modes_of(views.stream()) == (Mode.EVENTS, Mode.RAW, Mode.TEXT)
    assert modes_of(views.stream(models=(card("alpha"),))) == (Mode.EVENTS, Mode.RAW, Mode.TEXT)
    assert modes_of(views.stream(models=(card("alpha"), card("beta")))) == tuple(Mode)


def test_the_last_line_tells_how_they_answered() -> None:
    found = Concurrency(models=(ModelTimeline(model="a"),), verdict=Together.SEQUENTIAL, speed_up=0.93)
    view = of(card("alpha"), card("beta"))
    assert view.stream is not None
    view = replace(view, stream=replace(view.stream, request=views.request(concurrency=found)))
    assert "SEQUENTIAL, 0.9 times as fast" in plain(stream.draw(view, 100, 8, Mode.MODELS, Scroll())[-1])


class Panels(App[None]):
    """The stream panel alone."""

    CSS = "Panel { width: 78; height: 10; }"

    def __init__(self, view: View) -> None:
        super().__init__()
        self.panel, self.first = StreamPanel(), view

    def compose(self) -> ComposeResult:
        yield self.panel

    def on_mount(self) -> None:
        self.panel.focus()
        self.panel.show(self.first)


def text_of(panel: StreamPanel) -> str:
    return "\n".join(panel.render_line(y).text for y in range(panel.size.height))


async def test_nine_models_scroll_and_are_counted_and_v_leads_to_the_events() -> None:
    app = Panels(of(*(card(name) for name in NAMES)))
    async with app.run_test(size=(80, 12)) as pilot:
        panel = app.panel
        assert "alpha" in text_of(panel)
        assert "iota" not in text_of(panel)
        assert panel.subtitle(app.first) == "1-6 of 9 · [models] events raw text"
        await pilot.press("end")
        assert "iota" in text_of(panel)
        assert panel.subtitle(app.first).startswith("4-9 of 9")
        panel.cycle_mode()
        assert (panel.mode, "message_stop" in text_of(panel)) == (Mode.EVENTS, True)
        panel.show(replace(views.calm(), stream=views.stream(number=185)))
        modes = [panel.mode]
        for _ in range(3):
            panel.cycle_mode()
            modes.append(panel.mode)
        assert modes == [Mode.EVENTS, Mode.RAW, Mode.TEXT, Mode.EVENTS]
