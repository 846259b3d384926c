"""Every key of the monitor, typed into the whole program in a terminal, and what the screen then shows."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.gateways import Gateway, serving
from support.tty import Tty, panel, taken_apart, terminal
from textual.keys import REPLACED_KEYS, key_to_character

from gwtui.ui.keymap import KEYS

SCENARIO = """
default = { tokens = 6, gap_ms = 2, ttft_ms = 2 }

[[rule]]
model = "out"
from_s = 1
status = 503

[[rule]]
model = "cut"
from_s = 1
every_nth = 2
cut_after = 3
"""
"""Two endpoints that are sick once the gateway's clock is put forward: one refuses, one cuts every other stream."""
CONFIG = """
[profiles.default]
interval_s = 0.4
endpoints = [
  {{ name = "chat", api = "openai-chat", url = "{url}" }},
  {{ name = "cut", api = "openai-chat", url = "{url}", model = "cut" }},
  {{ name = "out", api = "anthropic-messages", url = "{url}", model = "out" }},
  {{ name = "pings", api = "websocket", url = "{url}", path = "/v2/websocket" }},
]
"""
TYPED = {
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "enter": "\r",
    "escape": "\x1b",
    "home": "\x1b[H",
    "delete": "\x1b[3~",
    "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C",
    "f1": "\x1bOP",
    "ctrl+r": "\x12",
    "ctrl+p": "\x10",
}
"""What a terminal sends for the keys that have no character."""


MOMENT, REQUEST = r"\d\d:\d\d:\d\dZ? · (?=\S+ ago)", r"Stream · \w+ #\d+ "
"""What tells which moment is looked at, and which request."""


class Press(NamedTuple):
    """A key by its name in the table of keys, or a text, and what is to be seen then."""

    key: str
    shows: tuple[str, ...] = ()
    hides: str = ""
    times: int = 1
    moves: str = ""
    """What is another than before; where there was none, it is the moment that is shown."""

    def do(self, tty: Tty) -> None:
        typed = TYPED.get(self.key) or key_to_character(REPLACED_KEYS.get(self.key, self.key)) or self.key
        before = re.search(self.moves, str(tty.screen)) if self.moves else None
        shows = (" ago",) if self.moves and before is None else self.shows
        hides = before[0] if before is not None else self.hides
        tty.press(typed * self.times, *shows, hides=hides)


def press(key: str, *shows: str, hides: str = "") -> Press:
    return Press(key, shows, hides)


def walk(key: str, times: int = 1, what: str = MOMENT) -> Press:
    return Press(key, times=times, moves=what)


WHILE_SICK = (
    press("home"),
    press("w", "Wrote up incident "),
    press("n", "▏✖ open"),
    press("n", "▏▲ open"),
    press("N", "▏✖ open"),
    press("escape", hides="▏✖ open"),
    press("x", "Acknowledge #"),
    press("mine\r", "Acknowledged #"),
    press("R", "Asked 2 endpoints that are not up"),
)
ON_A_SCREEN = (
    press("question_mark", "answers as it should"),
    press("escape", hides="answers as it should"),
    press("f1", "cookbook"),
    press("escape", hides="cookbook"),
    press("e", "Edit out"),
    press("escape", hides="Edit out"),
    press("a", "Add an endpoint"),
    press("escape", hides="Add an endpoint"),
    press("D", "out-copy"),
    press("escape", hides="out-copy"),
    press("c", "Compare · out"),
    press("escape", hides="Compare · out"),
    press("K", "Run the checks of out?"),
    press("escape", hides="Run the checks"),
    press("C", "average of the shown latency"),
    press("escape", hides="average of the shown latency"),
    press("b", "Burst to out"),
    press("escape", hides="Burst to out"),
    press("X", "Take what out does now as usual?"),
    press("escape", hides="as usual?"),
    press("T", "gwtui-colorblind"),
    press("escape", hides="gwtui-colorblind"),
    press("ctrl+p", "write up the incident"),
    press("escape", hides="write up the incident"),
    press("enter", "─ Latest ─"),
    press("escape", hides="─ Latest ─"),
)
IN_PLACE = (
    press("1", panel(1), hides=panel(2)),
    press("1", panel(2)),
    press("2", panel(2), hides=panel(3)),
    press("2", panel(3)),
    press("3", panel(3), hides=panel(4)),
    press("3", panel(4)),
    press("4", panel(4), hides=panel(5)),
    press("4", panel(5)),
    press("5", panel(5), "over time", hides=panel(1)),
    press("escape", panel(1), hides="over time"),
    press("tab", "⏎ inspect  n N incident"),
    press("shift+tab", "x acknowledge"),
    press("tab", "⏎ inspect  n N incident"),
    press("plus", "last 10 min"),
    press("equals_sign", "last 1 h"),
    press("minus", "last 10 min"),
    press("minus", "last 2 min"),
    press("l", "· E2E ·"),
    press("L", "· log", hides="· linear"),
    press("L", "· linear", hides="· log"),
    press("s", "sort: profile"),
    press("s", "endpoint▲"),
    press("S", "endpoint▼"),
    press("o", "group: gateway"),
    press("v", "[raw]"),
    press("z", "Z\n"),
    press("z", hides="Z\n"),
    press("slash", "state:down"),
    press("name:chat", "1 of 4"),
    press("escape", hides="1 of 4"),
    press("p", "‖ out"),
    press("p", hides="‖ out"),
    press("P", "‖ 4 paused"),
    press("P", hides="‖ 4 paused"),
    press("r", "out: asked now"),
    press("right_curly_bracket", "out: every 0.2 s"),
    press("left_curly_bracket", "out: every 0.4 s"),
    press("m", "a line for the incident log"),
    press("CHG-1\r", "mark: CHG-1"),
    press("ctrl+r", "The engine is running"),
    press("t", "gwtui-"),
    press("y", "Copied the trace id of #"),
    press("Y", "Copy of out #"),
    press("c", "Copied the curl command of out #"),
)
THROUGH_TIME = (
    walk("space"),
    walk("left_square_bracket", what=REQUEST),
    walk("left_parenthesis", what=REQUEST),
    walk("right_parenthesis", what=REQUEST),
    walk("right_square_bracket", what=REQUEST),
    walk("left_square_bracket", what=REQUEST),
    walk("escape", what=REQUEST),
    press("space", hides=" ago"),
    walk("comma"),
    walk("shift+left", 20),
    walk("less_than_sign", 4),
    walk("greater_than_sign", 2),
    walk("full_stop", 12),
    walk("shift+right", 12),
    press("escape", hides=" ago"),
    press("delete", "Removed out"),
    press("u", "Undid"),
)
PRESSES = (*WHILE_SICK, *ON_A_SCREEN, *IN_PLACE, *THROUGH_TIME, Press("q"))
WRITTEN_UP = ("**What**", "**When**", "### Before, during and after", "### Timeline", "### Evidence", "trace id", "503")
"""What a write-up of the incident that is open has."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


def test_no_key_is_left_out() -> None:
    keys = {name for key in KEYS for name in key.keys.split(",")}
    assert keys - {press.key for press in PRESSES} == set()


@pytest.mark.timeout(120)
def test_every_key_of_the_monitor_is_pressed_and_seen(gateway: Gateway, tmp_path: Path) -> None:
    config, rows = tmp_path / "gwtui.toml", tmp_path / "rows"
    config.write_text(CONFIG.format(url=gateway.url))
    with terminal("-m", "gwtui", "--config", str(config), "--session-dir", str(rows), size=(120, 32)) as tty:
        tty.wait_for("● 4 up", hides="00:00:00")
        tty.wait_for(hides="00:00:01")
        with gateway.at(2):
            tty.wait_for("1 down", "1 degraded")
            for step in (*WHILE_SICK, *ON_A_SCREEN):
                step.do(tty)
        tty.wait_for("● 4 up")
        for step in (*IN_PLACE, *THROUGH_TIME):
            step.do(tty)
        tty.press("q")
        assert tty.end() == 0
    written_up = [path.read_text() for path in rows.glob("writeup-*.md")]
    copied = [
        base64.b64decode(string.split(";")[2].rstrip("\x07\x1b\\")).decode()
        for string in taken_apart(tty.written).strings
        if string.startswith("\x1b]52;")
    ]
    assert len(written_up) == 1
    assert [part for part in WRITTEN_UP if part not in written_up[0]] == []
    assert copied[0] == written_up[0]
    assert re.fullmatch("[0-9a-f]{32}", copied[1])
    assert copied[2].startswith("curl ")
