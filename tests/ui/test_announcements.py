"""What the terminal is told beside the screen: each incident once, as text that ends no sequence."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from support import viewrows, views

from gwtui.config.file import UI
from gwtui.model.enums import State
from gwtui.model.incidents import Incident
from gwtui.model.profile import Endpoint
from gwtui.model.view import Header, View
from gwtui.ui.announcements import BELL, Announcements, title

XTERM = {"TERM": "xterm-256color"}
HEADING = "gwtui prod"


def seeing(*incidents: Incident, header: Header | None = None) -> View:
    calm = views.calm()
    return replace(calm, incidents=incidents, sentence="A sentence.", header=header or calm.header)


def with_states(*states: State) -> View:
    rows = tuple(viewrows.row(f"gw-{number}", state=state) for number, state in enumerate(states))
    return replace(views.calm(), header=views.header(rows))


def told(text: str) -> str:
    return f"\x1b]9;{HEADING}: {text}\a\x1b]777;notify;{HEADING};{text}\a"


OVER = msgspec.structs.replace(views.CUT, closed=views.CUT.opened + 72)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((State.DOWN, State.UP, State.DOWN), "✖2 gwtui prod"),
        ((State.SLOW, State.DOWN, State.DEGRADED), "✖1 ▲2 gwtui prod"),
        ((State.UP, State.PAUSED), "✔ gwtui prod"),
        ((State.UNKNOWN, State.PAUSED), "gwtui prod"),
    ],
)
def test_the_title_counts_the_sick_the_worst_first(states: tuple[State, ...], expected: str) -> None:
    assert title(with_states(*states)) == expected


def test_what_goes_down_is_told_once_and_so_is_its_end() -> None:
    announcements = Announcements(UI(), XTERM)
    cut, over = (views.CUT,), (OVER,)
    steps: list[tuple[Incident, ...]] = [(), (views.LATE,), cut, cut, over, over, cut, over]
    assert [announcements.news(seeing(*incidents), quiet=False) for incidents in steps] == [
        "",
        "",
        BELL + told("A sentence."),
        "",
        told("Over after 1m12s: answers cut (truncated): endpoint sourcegraph-claude"),
        "",
        "",
        "",
    ]


def test_a_gateway_is_called_as_on_the_screen() -> None:
    fleet = tuple(
        Endpoint(name=name, api="openai-chat", url=f"https://{name[:2]}.example.com")
        for name in ("eu-a", "eu-b", "us-a", "us-b")
    )
    announcements = Announcements(UI(), XTERM)
    refused = msgspec.structs.replace(views.CUT, scope="gateway https://eu.example.com")
    announcements.news(replace(seeing(refused), fleet=fleet), quiet=False)
    closed = msgspec.structs.replace(refused, closed=refused.opened + 72)
    over = announcements.news(replace(seeing(closed), fleet=fleet), quiet=False)
    assert over.startswith(f"\x1b]9;{HEADING}: Over after 1m12s: {refused.cause}: eu gateway · ")


def test_one_that_gets_worse_is_told_when_it_is_down() -> None:
    announcements = Announcements(UI(), XTERM)
    mild = msgspec.structs.replace(views.CUT, severity=State.DEGRADED)
    seen = [announcements.news(seeing(each), quiet=False).count(BELL) > 0 for each in (mild, views.CUT)]
    assert seen == [False, True]


@pytest.mark.parametrize("changes", [{"acknowledged": "known"}, {"merged_into": 2, "closed": views.AT}])
def test_what_is_known_already_is_not_told(changes: dict[str, object]) -> None:
    announcements = Announcements(UI(), XTERM)
    known = msgspec.structs.replace(views.CUT, **changes)
    assert announcements.news(seeing(known), quiet=False) == ""


def test_an_incident_that_takes_over_another_is_not_told_again() -> None:
    announcements = Announcements(UI(), XTERM)
    announcements.news(seeing(views.CUT), quiet=False)
    merged = msgspec.structs.replace(views.CUT, merged_into=5, closed=views.AT)
    wider = msgspec.structs.replace(views.CUT, number=5)
    assert announcements.news(seeing(merged, wider), quiet=False) == ""


def test_what_happens_while_another_time_is_looked_at_is_not_told_later() -> None:
    announcements = Announcements(UI(), XTERM)
    assert announcements.news(seeing(views.CUT), quiet=True) == ""
    assert announcements.news(seeing(views.CUT), quiet=False) == ""


def test_the_incidents_of_another_session_are_new() -> None:
    announcements = Announcements(UI(), XTERM)
    header = views.calm().header
    announcements.news(seeing(views.CUT), quiet=False)
    again = seeing(views.CUT, header=replace(header, session_dir="/tmp/other"))
    assert announcements.news(again, quiet=False).startswith(BELL)
    again = seeing(views.CUT, header=replace(header, session_dir="/tmp/other", elapsed_ns=0))
    assert announcements.news(again, quiet=False).startswith(BELL)


@pytest.mark.parametrize(
    ("ui", "expected"),
    [
        (UI(bell=False), told("A sentence.")),
        (UI(notify=False), BELL),
        (UI(bell=False, notify=False), ""),
    ],
)
def test_each_can_be_off(ui: UI, expected: str) -> None:
    assert Announcements(ui, XTERM).news(seeing(views.CUT), quiet=False) == expected
    assert Announcements(UI(title=False), XTERM).title(seeing()) == ""


@pytest.mark.parametrize(
    ("environment", "sequences"),
    [
        ({"TERM": "xterm-kitty"}, ["777"]),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, ["777"]),
        ({"TERM": "linux"}, []),
        ({}, ["9", "777"]),
    ],
)
def test_a_terminal_that_knows_both_notifies_once(environment: dict[str, str], sequences: list[str]) -> None:
    written = Announcements(UI(), environment).news(seeing(views.CUT), quiet=False)
    assert [part.partition(";")[0] for part in written.split("\x1b]")[1:]] == sequences


@pytest.mark.parametrize("nasty", ["\x1b]52;c;YQ==\a", "a\x9cb\x07c\nd", "one;two;three", "long " * 1000, "\u202e"])
def test_no_text_ends_a_sequence_or_a_field(nasty: str) -> None:
    header = replace(views.calm().header, profile=nasty)
    announcements = Announcements(UI(), XTERM)
    seen = seeing(views.CUT, header=header)
    heading = announcements.title(seen)
    assert (heading.isprintable(), len(heading) <= 80) == (True, True)
    first, second = announcements.news(replace(seen, sentence=nasty), quiet=False).split("\x1b]")[1:]
    assert first.removesuffix("\a").isprintable()
    assert second.removesuffix("\a").isprintable()
    assert (first.count(";"), second.count(";")) == (1, 3)
    assert len(first) + len(second) < 1000
