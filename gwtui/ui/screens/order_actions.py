"""Keys of the monitor screen that give orders: to the engine, about incidents, and to change the profile."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from textual.screen import Screen

from gwtui.config import Config
from gwtui.model.enums import BAD
from gwtui.model.profile import Endpoint
from gwtui.model.query import Query
from gwtui.model.view import View
from gwtui.ui.actions import Orders
from gwtui.ui.editing import Editing
from gwtui.ui.feed_controller import Watch
from gwtui.ui.fields import duplicate
from gwtui.ui.messages import ShowMessage
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.screens.form import EndpointForm, FormResult
from gwtui.ui.screens.questions import Questions


class OrderActions(Screen[None]):
    """A short action for every such key; what is asked before an order is given is asked by `Questions`."""

    _config: Config
    _watch: Watch
    _editing: Editing
    _orders: Orders
    _questions: Questions
    _message: ShowMessage

    @property
    @abstractmethod
    def view(self) -> View:
        """The picture that is shown."""

    @abstractmethod
    def _view_of_selection(self) -> View:
        """The picture of what the table has selected."""

    @abstractmethod
    def _live_view(self) -> View:
        """The picture of now, whatever moment is shown: orders act on what is."""

    @abstractmethod
    def _selected(self) -> Endpoint | None:
        """The selected endpoint, from the profile as it was edited."""

    @abstractmethod
    def _look(self, query: Query) -> None:
        """Show what this query asks for."""

    @abstractmethod
    def _follow(self) -> object:
        """Start the engine."""

    def action_pause(self) -> None:
        self._view_of_selection()
        self._orders.pause(self._live_view())

    def action_pause_all(self) -> None:
        self._orders.pause_all(self._live_view())

    def action_interval(self, factor: float) -> None:
        if (endpoint := self._selected()) is not None:
            self._orders.interval(endpoint.name, factor)

    def action_ask(self) -> None:
        if (endpoint := self._selected()) is not None:
            self._orders.ask(endpoint.name)

    def action_ask_all(self) -> None:
        self._orders.ask_all(self._live_view())

    def action_burst(self) -> None:
        if (endpoint := self._selected()) is not None:
            row = next((row for row in self._live_view().endpoints if row.name == endpoint.name), None)
            self.run_worker(self._questions.burst(endpoint, is_sick=row is not None and row.state in BAD))

    def action_mark(self) -> None:
        self.run_worker(self._questions.mark())

    def action_acknowledge(self) -> None:
        self.run_worker(self._questions.acknowledge(self._live_view(), self.query_one(IncidentsPanel).incident))

    def action_accept(self) -> None:
        if (endpoint := self._selected()) is not None:
            self.run_worker(self._questions.accept(endpoint))

    def action_restart(self) -> None:
        if not self._watch.running:
            self._follow()
            self._message("A new session; the previous one is summarised when you leave")
        elif not self._orders.refused():
            self._message("The engine is running")

    def action_edit(self) -> None:
        if (endpoint := self._selected()) is not None:
            self._edit(endpoint, endpoint.name)

    def action_add(self) -> None:
        if not self._orders.refused():
            self.run_worker(self._add())

    async def _add(self) -> None:
        """Begin with a ready-made endpoint; the form follows."""
        from gwtui.ui.screens.ready_made import ReadyMadeScreen  # all APIs, which the first frame does not need

        if (chosen := await self.app.push_screen_wait(ReadyMadeScreen(self._editing.profile))) is not None:
            self._edit(chosen, None)

    def action_duplicate(self) -> None:
        if (endpoint := self._selected()) is not None:
            self._edit(duplicate(endpoint, self._editing.profile), None)

    def _edit(self, endpoint: Endpoint, replaces: str | None) -> None:
        if self._orders.refused():
            return
        trial = self._live_view().trial
        form = EndpointForm(self._config, endpoint, replaces, self._editing.profile, self._orders.send, trial)
        self.app.push_screen(form, self._edited)

    def _edited(self, result: FormResult | None) -> None:
        if result is None:
            return
        if self._orders.put(result.endpoint, result.replaces, save=result.save):
            self._look(replace(self._watch.query, endpoint=result.endpoint.name, request=None))
        else:
            self._edit(result.endpoint, result.replaces)

    def action_remove(self) -> None:
        if (endpoint := self._selected()) is not None:
            self._orders.remove(endpoint.name)

    def action_undo(self) -> None:
        self._orders.undo()
