"""The monitor screen: the panels over one watch, and a short action for every key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import DescendantFocus
from textual.message import Message
from textual.widgets import Static

from gwtui.config import Config
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.query import Query
from gwtui.model.view import View
from gwtui.ui import navigation
from gwtui.ui.actions import Orders
from gwtui.ui.editing import Editing
from gwtui.ui.feed_controller import Watch
from gwtui.ui.filterbar import FilterBar
from gwtui.ui.keymap import bindings, shown_key
from gwtui.ui.layout import PanelArea
from gwtui.ui.messages import LatestMessage
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.header import HeaderLine
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.keyline import KeyLine
from gwtui.ui.panels.stream import StreamPanel
from gwtui.ui.panels.timeline import TimelinePanel
from gwtui.ui.panels.timestrip import TimeStrip
from gwtui.ui.screens.carry_actions import CarryActions
from gwtui.ui.screens.checks import ChecksScreen, has_none
from gwtui.ui.screens.compare import CompareScreen
from gwtui.ui.screens.details import DetailsScreen
from gwtui.ui.screens.form import EndpointForm
from gwtui.ui.screens.look_actions import LookActions
from gwtui.ui.screens.order_actions import OrderActions
from gwtui.ui.screens.questions import Questions

FRAMES_PER_S = 10
MINIMUM = (40, 12)
STRIP_FROM = 22
"""Rows from which on there is room for the time strip."""
ANSWERS = (EndpointForm, ChecksScreen)
"""Screens that show the answer to a question: always what is known by now."""
TOO_SMALL = f"gwtui needs {MINIMUM[0]} columns\nand {MINIMUM[1]} rows.\n\nProbing continues."


class MonitorScreen(LookActions, CarryActions, OrderActions):
    """Everything at a glance. Draws at most ten times a second, and only when something changed."""

    class Live(Message):
        """What is sick now, or which incidents there are, has changed; `quiet`: the user looks at another time."""

        def __init__(self, view: View, *, quiet: bool) -> None:
            super().__init__()
            self.view = view
            self.quiet = quiet

    AUTO_FOCUS = "EndpointsPanel"  # from the start: a key that is pressed early is not typed into the filter
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(self, config: Config, profile: Profile, watch: Watch) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall"), (45, "-high")]
        self._config = config
        self._watch = watch
        watch.query = replace(watch.query, columns=config.ui.columns, utc=config.ui.utc)
        self._editing = Editing(config, profile)
        self._message = LatestMessage(self).show
        self._restart = shown_key("engine.restart", config.keys)
        self._orders = Orders(watch, self._editing, self._message, self._restart)
        self._questions = Questions(self, self._orders)
        self._view: View | None = None
        self._told: object = None

    def compose(self) -> ComposeResult:
        yield Static(Content(TOO_SMALL), id="too-small")
        yield HeaderLine(self._restart, id="header")
        yield TimeStrip(id="timestrip")
        yield FilterBar()
        yield PanelArea()
        yield KeyLine(self.remapped)

    def on_mount(self) -> None:
        self.set_interval(1 / FRAMES_PER_S, self._follow_selection)
        self.set_interval(1.0, self._tell)
        self._follow()
        self.query_one(EndpointsPanel).focus()

    @work(exclusive=True, group="feed")
    async def _follow(self) -> None:
        """An engine that ends well had its time, as with `--for`; one that fails stays on screen to be seen."""
        if await self._watch.follow(self._editing.profile, self._message):
            self.app.exit(0)

    def _frame(self) -> None:
        if not self.app.is_running:  # its screens are being taken down
            return
        self._watch.tick(asyncio.get_running_loop().time())
        view = self._watch.changed_view(self._columns)
        if view is not None:
            self._show(view)
            if not self._is_past:
                self._tell()
        self.query_one(HeaderLine).play(self._watch.playing)
        self.query_one(KeyLine).offer(is_recording=bool(self._watch.refuses))
        screen = self.app.screen
        if (view is not None or self._watch.is_past) and isinstance(screen, ANSWERS) and screen.is_mounted:
            screen.show(self._live_view())

    @property
    def _is_past(self) -> bool:
        """Whether something else is shown than what happens now."""
        return self._watch.is_past or bool(self._watch.refuses)

    def _tell(self) -> None:
        """Tell the program of what is sick now, even while another time is shown."""
        view = self._live_view()
        told = (view.header.states, view.incidents, view.header.session_dir)
        if told != self._told:
            self._told = told
            self.post_message(self.Live(view, quiet=self._is_past))

    @property
    def _columns(self) -> int:
        return navigation.columns(self.size.width)

    def _show(self, view: View) -> None:
        self._view = view
        self.query_one(HeaderLine).show(view)
        self.query_one(TimeStrip).show(view)
        self.query_one(PanelArea).show(view)
        self.query_one(KeyLine).show(view)
        screen = self.app.screen
        if isinstance(screen, DetailsScreen | CompareScreen) and screen.is_mounted:
            screen.show(view)

    def on_resize(self) -> None:
        self.set_class(self.size.height < STRIP_FROM, "-low")
        self.set_class(self.size.width < MINIMUM[0] or self.size.height < MINIMUM[1], "-too-small")
        self._watch.redraw()
        self.call_after_refresh(self._keep_focus)

    def _keep_focus(self) -> None:
        """A panel that another layout hides loses the focus, and the arrows would lead nowhere."""
        if self.focused is None and not self.has_class("-too-small"):
            self.query_one(EndpointsPanel).focus()

    @property
    def view(self) -> View:
        """The picture that is shown, or the first one."""
        return self._view if self._view is not None else self._watch.view(self._columns)

    def _live_view(self) -> View:
        """The picture of now, with the endpoint that is selected in the shown one."""
        selected = self.view.selected
        return self._watch.live_view(self._columns, selected.name if selected is not None else None)

    def _view_of_selection(self) -> View:
        """Follow the table's selection and return the picture: a key can come before the table's message does."""
        self.query_one(EndpointsPanel).use()
        self._follow_selection()
        return self.view

    def _selected(self) -> Endpoint | None:
        """The endpoint that the table has selected, from the profile as it was edited."""
        selected = self._view_of_selection().selected
        return self._editing.endpoint(selected.name) if selected is not None else None

    def _look(self, query: Query) -> None:
        self._watch.query = query
        self._frame()

    def action_panel(self, name: str) -> None:
        self.query_one(PanelArea).pick(name)

    def action_restore(self) -> None:
        """One step back: no selection, then all panels, then no filter, then now."""
        if any((self.query_one(TimelinePanel).follow(), self.query_one(IncidentsPanel).follow())):
            return
        if self._watch.query.request is not None:
            self._look(replace(self._watch.query, request=None))
        elif self.query_one(PanelArea).restore():
            return
        elif self._watch.query.filter:
            self.query_one(FilterBar).action_clear()
        elif self._watch.is_past:
            self._look_at(None)

    @on(FilterBar.Left)
    def _leave_filter(self) -> None:
        self.query_one(EndpointsPanel).focus()

    @on(EndpointsPanel.Selected)
    def _follow_selection(self) -> None:
        """Show what is new of the endpoint that the table has selected."""
        shown = self._view.selected if self._view is not None else None
        if shown is not None and (name := self.query_one(EndpointsPanel).selected) != shown.name:
            self._watch.query = replace(self._watch.query, endpoint=name, request=None)
        self._frame()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.query_one(KeyLine).follow(event.widget.id or "")

    @on(KeyLine.Clicked)
    def _click_key(self, event: KeyLine.Clicked) -> None:
        self.act(event.action)

    @on(EndpointsPanel.Opened)
    def action_inspect(self) -> None:
        self._inspect(navigation.shown_number(self._view_of_selection()))

    @on(StreamPanel.EventChosen)
    def _inspect_event(self, event: StreamPanel.EventChosen) -> None:
        self._inspect(event.request, event.number)

    @on(IncidentsPanel.EventOpened)
    @work(exclusive=True, group="incident")
    async def _inspect_incident(self, event: IncidentsPanel.EventOpened) -> None:
        """Open its request, read back where it is no longer in memory; where that fails too, go to its moment."""
        query = self._watch.query
        if event.endpoint:
            query = replace(query, endpoint=event.endpoint, request=event.number)
            self._look(query)
            await self._watch.read_back(self._columns)
            self._frame()
        if event.number is not None and navigation.shown_number(self.view) == event.number:
            self._inspect(event.number)
            return
        if event.number is not None:
            self._message(f"{event.endpoint} #{event.number} is no longer kept; its row is in the session's CSV")
        self._watch.query = replace(query, request=None)
        self._look_at(self.view.stamp(event.at))

    @work(exclusive=True, group="inspect")
    async def _inspect(self, number: int | None, event: int | None = None) -> None:
        """Show a probe in full and keep it in view meanwhile, whatever comes in."""
        selected = self.view.selected
        if number is None or selected is None:
            self._message(navigation.why_no_request(self.view))
            return
        before = self._watch.query.request
        self._look(replace(self._watch.query, endpoint=selected.name, request=number))
        await self.app.push_screen_wait(DetailsScreen(self.view, self.act, event))
        self._look(replace(self._watch.query, request=before))

    def action_compare(self) -> None:
        if (endpoint := self._selected()) is not None:
            watch, orders = self._watch, self._orders
            self.app.push_screen(CompareScreen(self.view, endpoint.name, watch.samples, orders.burst, self.act))

    @work
    async def action_checks(self) -> None:
        """Show the checks of the selected endpoint. Where none were run, ask whether to run them now."""
        if (endpoint := self._selected()) is None or self._orders.refused() or has_none(self.app, endpoint):
            return
        known = self._live_view().checks is not None
        if not known and not await self._questions.check(endpoint, self._editing.profile):
            return
        self.app.push_screen(ChecksScreen(self._live_view(), self._orders.check))

    @property
    def remapped(self) -> Mapping[str, str]:
        """The user's own keys by the ids of the table."""
        return self._config.keys

    def action_help(self) -> None:
        from gwtui.ui.screens.help import HelpScreen  # not for a screen that only starts

        self.app.push_screen(HelpScreen(self.remapped))

    def action_manual(self) -> None:
        from gwtui.ui.screens.manual import ManualScreen  # Markdown takes time to load

        self.app.push_screen(ManualScreen())

    def action_quit(self) -> None:
        self.app.exit(0)

    def act(self, action: str) -> None:
        """Do what a key of the table does."""
        self.call_later(self.run_action, action)
