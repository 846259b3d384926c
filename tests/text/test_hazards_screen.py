"""A hostile gateway gets nothing but visible text on the screen, and nothing to be clicked.

Its texts are escape sequences, markup and formulas, wherever it can put them: in bodies, headers, reason phrases, close
reasons, names of models and events, errors, redirects, certificates. So are texts of the configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from support import story
from support.gateways import Gateway, serving
from support.hazards import ACTION, HAZARD, MARKUP, NAME, SCENARIO, SEQUENCES, Hostile, hazards_in, hostile_session
from support.monitor_stage import START_AT
from support.stage import Stage, on_stage
from support.tty import Tty, panel, taken_apart, terminal
from textual.content import Content

from gwtui.model.enums import EventKind, FindingName, Trigger
from gwtui.model.judged import LogEntry
from gwtui.model.records import FeedEnded, Finding, Heartbeat, Notice, Phases, Record, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict

OWN = {
    *(f"ESC[?{mode}{end}" for mode in (7, 25, 1000, 1003, 1004, 1006, 1015, 1049, 2004) for end in "hl"),
    *("ESC[m", "ESC[H", "ESC[t", "ESC[>25u", "ESC[<u", "ESC[?2026$p", "ESC[?2048$p"),
}
"""The control sequences that Textual and gwtui send: modes, colours, places, the title, the keyboard, two questions."""
OWN_STRING = re.compile(r"\x1b](?:22;[a-z-]*|2;[^\x07]*|9;[^\x07]*|777;notify;[^\x07]*)\x07")
"""The strings that they send: the mouse pointer's shape, the title, two forms of notifications."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


@pytest.fixture
def hostile(gateway: Gateway, tmp_path: Path) -> Iterator[Hostile]:
    with hostile_session(gateway, tmp_path) as hostile:
        yield hostile


PASTED = SEQUENCES["C1 CSI"] + SEQUENCES["reordered"] + SEQUENCES["invisible"] + MARKUP
"""What a terminal lets through when it is pasted."""
TRIED = {"error": "✖ error_in_stream: event", "pong": "✖ wrong_pong:"}
"""What the form says of a trial."""
HOME = "\x1b[H"
ISSUER = f"issuer ␛]0;hacked␇{ACTION}"
"""What the details of a request say of the certificate."""


def shown_panels(tty: Tty, hostile: Hostile) -> None:
    tty.press("2")
    for mode in ("[raw]", "[text]", "[events]"):
        tty.press("v", mode)
    tty.press("5", panel(5), hides=panel(2))
    tty.press("1", panel(1), hides=panel(5))
    tty.press("1", panel(2), panel(5))


def shown_requests(tty: Tty, hostile: Hostile) -> None:
    for name in hostile.names:
        tty.press("\r", f"{name} #", "Latest", ISSUER if name.endswith("cert") else "")
        tty.press("\x1b", panel(1), hides="Latest")
        tty.press("\x1b[B")
    assert MARKUP in taken_apart(tty.written).text


def shown_trials(tty: Tty, hostile: Hostile) -> None:
    for name in hostile.names:
        if tried := TRIED.get(name.removeprefix(NAME)):
            tty.press("e", f"Edit {name}")
            tty.press("\x14", tried)
            tty.press("\x1b", hides=f"Edit {name}")
        tty.press("\x1b[B")


def shown_dialogs(tty: Tty, hostile: Hostile) -> None:
    tty.press("/", "esc clears it")
    tty.press(f"\x1b[200~ttft>{PASTED}\x1b[201~", "needs a number")
    tty.press("\x1b", hides="needs a number")
    tty.press("m", "Mark")
    tty.press(f"\x1b[200~{PASTED}\x1b[201~\r", "  mark: ")
    tty.press("?", "under [ui.keys]")
    tty.press("\x1b", hides="under [ui.keys]")
    tty.press("c", "Compare")
    tty.press("\x1b", hides="Compare ·")
    tty.press("K", "Run the checks")
    tty.press("y", "Checks ·")
    tty.press("\x1b", hides="Checks ·")


@pytest.mark.parametrize("use", [shown_panels, shown_requests, shown_trials, shown_dialogs])
def test_the_whole_program_in_a_terminal(use: Callable[[Tty, Hostile], None], hostile: Hostile) -> None:
    with terminal("-m", "gwtui", *hostile.options, "--interval", "2s", size=(170, 70)) as tty:
        tty.wait_for(*hostile.names, "wrong_pong", "model_differs", "last close 1013")
        tty.press("s", "sort: profile")
        tty.press(HOME)
        use(tty, hostile)
        tty.press("q")
        assert tty.end() == 0
    written = taken_apart(tty.written)
    assert written.controls <= OWN
    assert [string for string in written.strings if not OWN_STRING.fullmatch(string)] == []
    assert [string for string in written.strings if hazards_in(string[2:-1])] == []
    assert hazards_in(written.text.replace("\r\n", "\n")) == []
    assert "rows: " in written.text.splitlines()[-1]


def hostile_records() -> list[Record]:
    """A session in which everything that a gateway writes is markup."""
    marked = {"name": MARKUP, "text": MARKUP, "raw": MARKUP, "note": MARKUP}
    read = StreamRead(
        endpoint=ACTION,
        number=1,
        now_ns=story.at(1400),
        since_sent_ns=400_000_000,
        first_event=1,
        events=(StreamEvent(kind=EventKind.TEXT, **marked), StreamEvent(kind=EventKind.ERROR, **marked)),
    )
    request = replace(
        story.completed(1, 1000),
        endpoint=ACTION,
        verdict=Verdict.ERROR_IN_STREAM,
        model_served=MARKUP,
        reason=MARKUP,
        rule=MARKUP,
        event_number=2,
        findings=(Finding(name=FindingName(MARKUP), evidence=MARKUP, cause=MARKUP),),
        trace_id=MARKUP,
        request_id=MARKUP,
        headers={"server": MARKUP, "x-request-id": MARKUP},
        body_excerpt=MARKUP,
        text=MARKUP,
        phases=Phases(address=MARKUP, tls=MARKUP),
    )
    ping = replace(story.ping(1, 1000, Verdict.CLOSED), reason=MARKUP, close_reason=MARKUP, close_code=1013)
    incident = LogEntry(at=START_AT + 2, now_ns=story.at(2000), kind="finding", endpoint=ACTION, text=MARKUP, number=1)
    notice = Notice(now_ns=story.at(2000), text=MARKUP)
    beat = Heartbeat(at=START_AT + 2, now_ns=story.at(2100), recorder_error=MARKUP)
    return [read, request, replace(request, trigger=Trigger.TRIAL), ping, incident, notice, beat]


def clickable(stage: Stage) -> list[object]:
    """Actions and links that a click on the screen would follow because of a text."""
    styles = [segment.style for strip in stage.strips for segment in strip]
    known = [style for style in styles if style is not None]
    return [style for style in known if style.link or "quit" in str(style.meta.get("@click", ""))]


async def test_markup_is_text_on_every_screen(tmp_path: Path) -> None:
    endpoints = (replace(story.CLAUDE, name=ACTION, model=MARKUP, prompt=MARKUP), *story.ENDPOINTS[1:])
    async with on_stage(tmp_path / "config.toml", *endpoints, size=(150, 60), name=MARKUP) as stage:
        await stage.show(*hostile_records())
        for keys in ((), ("v",), ("v",), ("y",), ("enter",), ("escape", "e"), ("escape", "K", "y"), ("escape", "c")):
            await stage.press(*keys)
            assert clickable(stage) == []
            assert ACTION in stage.text, keys
            assert stage.notices or keys != ("y",)
        stage.feed.emit(FeedEnded(text=MARKUP, failed=True, detail=MARKUP))
        await stage.press("escape")
        await stage.drawn()
        assert clickable(stage) == []


async def test_the_last_gate_lets_no_widget_print_what_it_holds(tmp_path: Path) -> None:
    endpoint = replace(story.CLAUDE, model=HAZARD, prompt=HAZARD, headers={"X-Team": HAZARD.replace("\n", "")})
    async with on_stage(tmp_path / "config.toml", endpoint, size=(150, 60)) as stage:
        await stage.press("e")
        stage.app.notify(HAZARD, title=HAZARD, markup=False)
        stage.screen.query_one("#form").border_title = Content(HAZARD)
        await stage.press("tab")
        assert hazards_in(stage.text) == []
        assert "hacked" in stage.text
        assert {len(line) for line in stage.lines} <= set(range(151))
