"""Every action is found by the words that people would type for it."""

from __future__ import annotations

import pytest

from gwtui.ui.command_palette import SYNONYMS, text_of, words_found
from gwtui.ui.keymap import KEYS

FIRST = 3
TYPED = {
    "app.help": "help keys shortcuts symbols",
    "app.manual": "manual documentation docs words glossary",
    "app.quit": "quit exit leave close",
    "app.theme": "theme colours colors dark colour",
    "app.themes": "themes colours theme",
    "endpoint.accept": "accept usual normal baseline",
    "endpoint.add": "add new create",
    "endpoint.duplicate": "duplicate clone copy",
    "endpoint.edit": "edit settings form",
    "endpoint.remove": "remove delete",
    "endpoint.undo": "undo revert",
    "engine.restart": "restart engine",
    "incident.acknowledge": "acknowledge ack silence mute note",
    "incident.mark": "mark annotate note comment deploy",
    "incident.next": "incident,next next",
    "incident.previous": "incident,previous previous",
    "incident.write_up": "export report write markdown postmortem",
    "page.checks": "checks test concurrency health fallback",
    "page.compare": "compare difference",
    "panel.endpoints": "endpoints table",
    "panel.incidents": "incidents timeline",
    "panel.latency": "latency chart",
    "panel.pings": "pings websocket",
    "panel.restore": "restore live newest",
    "panel.stream": "stream",
    "probe.ask": "ask probe retry refresh",
    "probe.ask_all": "ask,all retry",
    "probe.burst": "burst benchmark load stress",
    "probe.faster": "faster interval often",
    "probe.pause": "pause stop resume",
    "probe.pause_all": "pause,all resume",
    "probe.slower": "slower interval",
    "request.copy": "copy clipboard trace",
    "request.copy_menu": "copy clipboard curl csv export ticket",
    "request.inspect": "inspect details open headers",
    "request.newer": "newer",
    "request.older": "older request",
    "stream.mode": "mode raw text events",
    "time.back": "time back history replay rewind",
    "time.faster": "play speed faster",
    "time.forward": "forward history replay",
    "time.next": "jump,forward incident,forward",
    "time.previous": "rewind jump,back",
    "time.slower": "play speed slower",
    "time.utc": "utc timezone zone local clocks",
    "view.columns": "columns fields cost",
    "view.filter": "filter search find",
    "view.freeze": "freeze pause pause,screen hold play stop",
    "view.group": "group tag tags provider gateway",
    "view.log_scale": "log logarithmic scale axis",
    "view.metric": "metric ttft icl",
    "view.reverse": "reverse order descending",
    "view.sort": "sort order worst",
    "view.window_longer": "window zoom longer",
    "view.window_shorter": "window zoom shorter",
}
"""By the id of the action; a comma stands for a space."""
MOVES = {"panel.next", "panel.previous", "app.palette"}
"""Nobody looks these up."""


def test_the_table_names_every_action() -> None:
    assert TYPED.keys() == {key.id for key in KEYS} - MOVES
    assert SYNONYMS.keys() <= TYPED.keys()


@pytest.mark.parametrize("id_", TYPED)
def test_an_action_is_among_the_first_for_the_words_people_type(id_: str) -> None:
    for typed in TYPED[id_].split():
        query = typed.replace(",", " ")
        found = {key.id: words_found(query, key) for key in KEYS}
        first = sorted((each for each in found if found[each]), key=lambda each: -found[each])[:FIRST]
        assert id_ in first, f"{query}: {first}"


def test_what_is_said_of_an_action_begins_with_its_name_in_the_footer() -> None:
    for key in KEYS:
        if key.label and key.id != "panel.endpoints":
            assert key.label in text_of(key).partition("(")[0]


def test_words_that_are_nowhere_find_nothing() -> None:
    assert not any(words_found("frobnicate", key) for key in KEYS)
    assert not any(words_found("pause frobnicate", key) for key in KEYS)
    assert not any(words_found(" ", key) for key in KEYS)
