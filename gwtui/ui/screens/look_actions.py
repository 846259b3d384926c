"""Keys and clicks of the monitor screen that change what is looked at: each makes the next query."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from textual import on
from textual.screen import Screen

from gwtui.config import Config
from gwtui.model.query import AS_IN_PROFILE, WORST_FIRST, Query
from gwtui.model.view import View
from gwtui.ui import navigation
from gwtui.ui.feed_controller import Watch
from gwtui.ui.filterbar import FilterBar
from gwtui.ui.messages import ShowMessage
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.latency import LatencyPanel
from gwtui.ui.panels.stream import StreamPanel
from gwtui.ui.panels.timeline import TimelinePanel
from gwtui.ui.panels.timestrip import TimeStrip
from gwtui.ui.screens.columns import ColumnsScreen


class LookActions(Screen[None]):
    """A short action for every such key."""

    _config: Config
    _watch: Watch
    _message: ShowMessage

    @property
    @abstractmethod
    def view(self) -> View:
        """The picture that is shown."""

    @abstractmethod
    def _view_of_selection(self) -> View:
        """The picture of what the table has selected."""

    @abstractmethod
    def _look(self, query: Query) -> None:
        """Show what this query asks for."""

    def action_window(self, step: int) -> None:
        self._look(navigation.other_window(self._watch.query, step))

    def action_metric(self, step: int) -> None:
        self._look(navigation.other_metric(self._watch.query, step))

    def action_sort(self) -> None:
        self._look(navigation.next_order(self._watch.query))

    def action_reverse(self) -> None:
        query = self._watch.query
        if query.sort in (WORST_FIRST, AS_IN_PROFILE):
            self._message("Only a column can be reversed: sort by one first")
        else:
            self._look(replace(query, descending=not query.descending))

    def action_group(self) -> None:
        self._look(navigation.next_grouping(self._watch.query, self.view.fleet))

    @on(EndpointsPanel.GroupFolded)
    def _fold(self, event: EndpointsPanel.GroupFolded) -> None:
        self._look(navigation.with_fold(self._watch.query, event.name))

    def action_columns(self) -> None:
        chooser = ColumnsScreen(self.view.query.columns, self._config.path)
        self.app.push_screen(chooser, lambda shown: self._look(replace(self._watch.query, columns=shown or ())))

    def action_incident(self, step: int) -> None:
        if not self.query_one(IncidentsPanel).step(step):
            self._message("No incident in this session")

    @on(IncidentsPanel.IncidentSelected)
    def _look_at_incident(self, event: IncidentsPanel.IncidentSelected) -> None:
        self.query_one(TimelinePanel).reveal(event.incident)
        if event.endpoint:
            self._look(replace(self._watch.query, endpoint=event.endpoint, request=None))

    @on(TimelinePanel.MomentChosen)
    def _look_at_moment(self, event: TimelinePanel.MomentChosen) -> None:
        self._look_at(self.view.stamp(event.at))

    def action_moment(self, step: int) -> None:
        """A bucket of the time strip earlier or later."""
        view = self.view
        if view.strip is not None:
            self._look_at(view.strip.moment(view.strip.index(view.now_ns) + step))

    def action_edge(self, step: int) -> None:
        """To where an incident began or ended."""
        view = self.view
        if view.strip is not None:
            self._look_at(view.strip.edge(view.now_ns, step))

    def action_freeze(self) -> None:
        self._watch.freeze()
        self._look(self._watch.query)

    def action_speed(self, step: int) -> None:
        """Play a recording faster or slower; of what goes on another request."""
        if not self._watch.change_speed(step):
            self.action_request(step)

    def _look_at(self, at_ns: int | None) -> None:
        self._watch.look_at(at_ns)
        self._look(self._watch.query)

    @on(TimeStrip.MomentMoved)
    def _move(self, event: TimeStrip.MomentMoved) -> None:
        self._look_at(event.at_ns)

    def action_utc(self) -> None:
        """Change between local time and UTC, in every clock."""
        self._look(replace(self._watch.query, utc=not self._watch.query.utc))

    def action_stream_mode(self) -> None:
        self.query_one(StreamPanel).cycle_mode()

    def action_log_scale(self) -> None:
        self.query_one(LatencyPanel).toggle_scale()

    def action_request(self, step: int) -> None:
        self._look(navigation.other_request(self._view_of_selection(), step))

    def action_see(self, number: int) -> None:
        """Look at that probe of the selected endpoint."""
        self._look(replace(self._watch.query, request=number))

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    @on(FilterBar.Typed)
    def _filter(self, event: FilterBar.Typed) -> None:
        self._look(replace(self._watch.query, filter=event.text.strip()))

    @on(EndpointsPanel.Sort)
    def _sort(self, event: EndpointsPanel.Sort) -> None:
        self._look(navigation.ordered_by(self._watch.query, event.column))

    @on(StreamPanel.Held)
    def _hold(self, event: StreamPanel.Held) -> None:
        self._look(replace(self._watch.query, request=event.number))

    @on(LatencyPanel.MetricChosen)
    def _choose_metric(self, event: LatencyPanel.MetricChosen) -> None:
        self.action_metric(event.step)

    @on(LatencyPanel.WindowChosen)
    def _choose_window(self, event: LatencyPanel.WindowChosen) -> None:
        self.action_window(event.step)
