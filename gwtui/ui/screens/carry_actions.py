"""Keys of the monitor screen that carry something away: copies of the shown request, and write-ups."""

from __future__ import annotations

import asyncio
from abc import abstractmethod

from textual import work
from textual.screen import Screen

from gwtui.model.view import View
from gwtui.ui import navigation
from gwtui.ui.copying import copied, places, saved, write_up
from gwtui.ui.editing import Editing
from gwtui.ui.feed_controller import Watch
from gwtui.ui.messages import ShowMessage
from gwtui.ui.panels.incidents import IncidentsPanel


class CarryActions(Screen[None]):
    """A short action for every such key."""

    _watch: Watch
    _editing: Editing
    _message: ShowMessage

    @property
    @abstractmethod
    def _columns(self) -> int:
        """In how many shares charts cut their window."""

    @abstractmethod
    def _view_of_selection(self) -> View:
        """The picture of what the table has selected."""

    def action_copy(self) -> None:
        if (found := navigation.shown_trace_id(self._view_of_selection())) is None:
            self._message("There is no trace id yet")
            return
        number, trace_id = found
        self.app.copy_to_clipboard(trace_id)
        self._message(f"Copied the trace id of #{number}: {trace_id}")

    @work(exclusive=True, group="copy")
    async def action_copy_menu(self) -> None:
        """Let the user choose what of the shown request is copied. What is longer than a clipboard becomes a file."""
        from gwtui.report.copies import copies_of  # with all of the reports: not for a screen that only starts
        from gwtui.secrets.resolver import learn
        from gwtui.ui.screens.copy import CopyScreen

        self._view_of_selection()
        view = self._watch.ended_view(self._columns)
        learn(*view.fleet)  # so that their keys are masked
        if not (copies := copies_of(view, None)):
            self._message(navigation.why_no_request(view))
            return
        shown = view.stream or view.probed
        whose = f"{shown.endpoint} #{shown.number}" if shown is not None else ""
        if (chosen := await self.app.push_screen_wait(CopyScreen(whose, copies))) is None:
            return
        what = f"the {chosen.title} of {whose}"
        if copied(self.app, chosen.text):
            self._message(f"Copied {what}{f' ({chosen.about})' if chosen.about else ''}")
            return
        name = f"copy-{navigation.file_name(whose)}-{chosen.name}"
        try:
            path = await asyncio.to_thread(saved, places(view), name, chosen.suffix, chosen.text)
        except OSError as error:
            self._message(f"Not copied: {what} is longer than a clipboard, and not saved: {error}", severity="error")
        else:
            self._message(f"Saved {what}, which is longer than a terminal's clipboard, to {path}")

    @work(exclusive=True, group="write-up")
    async def action_write_up(self) -> None:
        """Write up the selected incident, else the open one, else 15 minutes: to a file and to the clipboard."""
        from gwtui.report.writeup.sources import SETTLE_S, KeptRows, NoIncidentError

        view = self._view_of_selection()
        if not view.header.at:
            self._message("There is nothing to write up yet")
            return
        incident = self.query_one(IncidentsPanel).incident or navigation.worst_incident(view)
        number = incident.number if incident is not None else None
        what = navigation.written_up(view, number)
        self._message(f"Writing up {what} ...")
        kept = KeptRows(
            profile=self._editing.profile,
            started_at=view.header.at - view.header.elapsed_ns / 1e9,
            ended_at=view.header.at,
            rows=self._watch.kept_rows(),
            incidents=view.incidents,
            lacks=f"{view.header.rows_lost} rows could not be written" if view.header.rows_lost else "",
        )
        settle_s = SETTLE_S if self._watch.running and not self._watch.refuses else 0.0
        name = f"writeup-{navigation.file_name(what)}"
        try:
            text = await asyncio.to_thread(write_up, view, kept, number, settle_s)
            path = await asyncio.to_thread(saved, places(view), name, "md", text)
        except (NoIncidentError, OSError) as error:
            self._message(f"Not written up: {error}", severity="error")
            return
        also = "and copied" if copied(self.app, text) else "not copied, as it is longer than a terminal's clipboard"
        self._message(f"Wrote up {what}: {path}, {also}")
