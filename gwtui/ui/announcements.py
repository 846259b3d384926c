"""What the terminal gets beside the screen: its title, and a bell and a notification when something goes down.

Terminals leave out the sequences (OSC 2, 9 and 777) that they do not know.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from gwtui.config.file import UI
from gwtui.health.sentence import scope_text
from gwtui.model.enums import BAD, State
from gwtui.model.incidents import OVER, Incident
from gwtui.model.view import View
from gwtui.text.sanitize import clean
from gwtui.text.units import span

BELL = "\a"
LONGEST = 200
"""Characters of a notification."""
LONGEST_TITLE = 80

SILENT_TERMINALS = ("linux", "dumb")
"""`TERM` of those that may print what they do not know."""
KNOW_BOTH = ("xterm-kitty", "foot", "foot-extra", "xterm-ghostty", "wezterm")
"""`TERM` of those that notify by OSC 9 and by OSC 777: told both ways they would notify twice."""
KNOW_BOTH_PROGRAMS = ("WezTerm", "ghostty")
"""The same in `TERM_PROGRAM`."""


def title(view: View) -> str:
    """`✖2 ▲1 gwtui prod`: what is sick, the worst first; a tick when all is well, and nothing while that is unknown."""
    counts = dict(view.header.states)
    marks: dict[str, int] = {}
    for state in reversed(BAD):
        if counts.get(state):
            marks[state.mark] = marks.get(state.mark, 0) + counts[state]
    sick = "".join(f"{mark}{count} " for mark, count in marks.items())
    well = f"{OVER} " if not sick and counts.get(State.UP) else ""
    return clean(f"{sick or well}gwtui {view.header.profile}".strip(), LONGEST_TITLE)


class Announcements:
    """Follows the views of now and says what to write to the terminal; each incident is announced once."""

    def __init__(self, ui: UI, environment: Mapping[str, str] = os.environ) -> None:
        self._ui = ui
        self._is_silent = environment.get("TERM", "") in SILENT_TERMINALS
        self._knows_both = (
            environment.get("TERM", "") in KNOW_BOTH or environment.get("TERM_PROGRAM", "") in KNOW_BOTH_PROGRAMS
        )
        self._session = ("", "", 0)
        self._down: set[int] = set()
        """Numbers of the incidents in which something went down, and of those of them that are over."""
        self._over: set[int] = set()

    def title(self, view: View) -> str:
        """The title of the terminal; "" where it is to have none."""
        return title(view) if self._ui.title and not self._is_silent else ""

    def news(self, view: View, *, quiet: bool) -> str:
        """The bytes for what went down and what is over; "" when `quiet`, and it is not announced later either."""
        self._follow(view)
        closed = [each for each in view.incidents if each.number in self._down - self._over and not each.is_open]
        self._over |= {each.number for each in closed}
        self._down |= {each.merged_into for each in closed if each.merged_into is not None}
        opened = [each for each in view.open_incidents if each.severity is State.DOWN and each.number not in self._down]
        self._down |= {each.number for each in opened}
        if quiet:
            return ""
        loud = [each for each in opened if not each.acknowledged]
        written = BELL if loud and self._ui.bell else ""
        if loud:
            written += self._notification(view, view.sentence or _course(loud[-1], view))
        elif over := [each for each in closed if not each.acknowledged and each.merged_into is None]:
            written += self._notification(view, _course(over[-1], view))
        return written

    def _follow(self, view: View) -> None:
        """Begin anew with a new session, whose incidents are numbered from 1 again."""
        header = view.header
        *known, elapsed_ns = self._session
        if known != [header.profile, header.session_dir] or header.elapsed_ns < elapsed_ns:
            self._down, self._over = set(), set()
        self._session = (header.profile, header.session_dir, header.elapsed_ns)

    def _notification(self, view: View, text: str) -> str:
        if not self._ui.notify or self._is_silent:
            return ""
        heading, text = (_field(each) for each in (f"gwtui {view.header.profile}", text))
        titled = f"\x1b]777;notify;{heading};{text}\a"
        return titled if self._knows_both else f"\x1b]9;{heading}: {text}\a{titled}"


def _course(incident: Incident, view: View) -> str:
    """An incident in a line: what, where, and how long it lasted if it is over."""
    told = f"{incident.cause}: {scope_text(incident, view.fleet)}"
    if incident.closed is None:
        return told
    return f"Over after {span(round((incident.closed - incident.opened) * 1e9))}: {told}"


def _field(text: str) -> str:
    """A text that ends no sequence and no field of one."""
    return clean(text, LONGEST).replace(";", ",")
