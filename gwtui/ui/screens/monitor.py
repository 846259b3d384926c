"""The monitor screen: five panels over one watch, and the keys that act on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from gwtui.commands import Burst, Command, Mark, Pause, Resume, SetInterval
from gwtui.config import Config, ConfigError
from gwtui.feeds import Feed
from gwtui.filters import FilterError, parse
from gwtui.profile import Endpoint, Profile
from gwtui.ui.bursts import parse_burst
from gwtui.ui.editing import Editing
from gwtui.ui.fields import duplicate, new_endpoint
from gwtui.ui.keys import bindings
from gwtui.ui.panel import Panel
from gwtui.ui.panels.endpoints import COLUMNS as SORTABLE
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.header import HeaderLine
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.latency import LatencyPanel
from gwtui.ui.panels.pings import PingsPanel
from gwtui.ui.panels.stream import StreamPanel
from gwtui.ui.panels.tabs import TabStrip
from gwtui.ui.screens.ask import AskScreen
from gwtui.ui.screens.details import DetailsScreen
from gwtui.ui.screens.form import EndpointForm, FormResult
from gwtui.ui.screens.help import HelpScreen
from gwtui.ui.watch import Watch
from gwtui.view import View, Window
from gwtui.words import Metric, State

FRAMES_PER_S = 10
PANELS = ("endpoints", "stream", "latency", "pings", "incidents")
SHORTEST_S, LONGEST_S = 0.1, 3600.0
MINIMUM = (40, 12)
TOO_SMALL = f"gwtui needs {MINIMUM[0]} columns and {MINIMUM[1]} rows.\nMeasuring goes on."
METRICS = (Metric.TTFT, Metric.E2E, Metric.ICL, Metric.TPOT, Metric.TTFB, Metric.TTFO, Metric.RTT)
WINDOWS = tuple(Window)


class MonitorScreen(Screen[None]):
    """Everything at a glance. Draws at most ten times a second, and only when something changed."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(self, config: Config, profile: Profile, open_feed: Callable[[Profile], Feed]) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
        self._config = config
        self._watch = Watch(open_feed)
        self._editing = Editing(config, profile)
        self._alone: str | None = None
        self._tab = "stream"
        self._view: View | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content(TOO_SMALL), id="too-small")
        yield HeaderLine(id="header")
        yield Input(id="filter", placeholder="words, state:down, verdict:truncated, ttft>500 …", compact=True)
        with Container(id="panels"):
            yield EndpointsPanel(id="endpoints")
            yield TabStrip(id="tabs")
            with Container(id="lower"):
                with Vertical(id="left"):
                    yield StreamPanel(id="stream")
                    yield PingsPanel(id="pings")
                with Vertical(id="right"):
                    yield LatencyPanel(id="latency")
                    yield IncidentsPanel(id="incidents")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._place()
        self.set_interval(1 / FRAMES_PER_S, self._frame)
        self._follow()
        self.query_one(EndpointsPanel).focus()

    @work(exclusive=True, group="feed")
    async def _follow(self) -> None:
        await self._watch.follow(self._editing.profile)

    # What is shown

    def _frame(self) -> None:
        view = self._watch.changed_view(self._columns)
        if view is not None:
            self._show(view)

    @property
    def _columns(self) -> int:
        """In how many shares charts cut their window: few enough that a share holds several results."""
        return max(16, min(self.size.width // 5, 40))

    def _show(self, view: View) -> None:
        self._view = view
        self._arrange(view)
        for widget in self.query(", ".join(f"#{name}" for name in ("header", "tabs", *PANELS))):
            if isinstance(widget, Panel):
                widget.show(view)
        if isinstance(self.app.screen, DetailsScreen | EndpointForm):
            self.app.screen.show(view)

    def _arrange(self, view: View) -> None:
        """Give the table the height of its rows, up to two fifths of the screen."""
        rows = max(len(view.endpoints), 2) + 3
        self.query_one(EndpointsPanel).styles.height = max(5, min(rows, self.size.height * 2 // 5))

    def on_resize(self) -> None:
        self.set_class(self.size.width < MINIMUM[0] or self.size.height < MINIMUM[1], "-too-small")
        self._watch.redraw()

    @property
    def view(self) -> View:
        """The picture that is shown, or the first one."""
        return self._view if self._view is not None else self._watch.view(self._columns)

    @property
    def _selected(self) -> str | None:
        selected = self.view.selected
        return selected.name if selected is not None else None

    def _look(self, **changes: Any) -> None:
        """Look at something else. A frozen picture is drawn anew from what is known by now: the user asked to see."""
        self._watch.look(**changes)
        self._show(self._watch.view(self._columns))

    # What the user looks at

    def action_panel(self, name: str) -> None:
        """Narrow screens show one lower panel at a time: there a digit picks it, and once more maximises it."""
        if self._compact and name not in ("endpoints", self._tab):
            self._tab, self._alone = name, None
        else:
            self._alone = None if self._alone == name else name
        self._place()
        self.query_one(f"#{name}").focus()

    @property
    def _compact(self) -> bool:
        return self.has_class("-narrow") or self.has_class("-short")

    def _place(self) -> None:
        for name in PANELS:
            self.set_class(self._alone == name, f"-alone-{name}")
            self.set_class(self._tab == name, f"-tab-{name}")
        self.set_class(self._alone is not None, "-alone")
        self.query_one(TabStrip).choose(self._tab)

    def action_restore(self) -> None:
        if self._alone is not None:
            self._alone = None
            self._place()
        elif self._watch.query.request is not None:
            self._look(request=None)
        elif self._watch.query.filter:
            self.query_one("#filter", Input).value = ""

    def action_freeze(self) -> None:
        self._watch.frozen = not self._watch.frozen
        self.set_class(self._watch.frozen, "-frozen")
        self._watch.redraw()

    def action_window(self, step: int) -> None:
        place = WINDOWS.index(self._watch.query.window) + step
        self._look(window=WINDOWS[max(0, min(place, len(WINDOWS) - 1))])

    def action_metric(self, step: int) -> None:
        self._look(metric=METRICS[(METRICS.index(self._watch.query.metric) + step) % len(METRICS)])

    def action_sort(self, step: int) -> None:
        columns = ("", *SORTABLE)
        place = columns.index(self._watch.query.sort) if self._watch.query.sort in columns else 0
        self._look(sort=columns[(place + step) % len(columns)])

    def action_reverse(self) -> None:
        self._look(descending=not self._watch.query.descending)

    def action_stream_mode(self) -> None:
        self.query_one(StreamPanel).cycle_mode()

    def action_request(self, step: int) -> None:
        """Walk through the endpoint's latest requests; past the newest it follows again."""
        numbers = sorted(row.number for row in self.view.recent)
        shown = self.view.stream.number if self.view.stream is not None else None
        if not numbers:
            return
        place = (numbers.index(shown) if shown in numbers else len(numbers)) + step
        self._look(request=numbers[max(0, place)] if place < len(numbers) else None)

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.add_class("-open")
        field.focus()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        try:
            parse(event.value)
        except FilterError as error:
            event.input.add_class("-invalid")
            event.input.tooltip = Content(str(error))
            return
        event.input.remove_class("-invalid")
        self._look(filter=event.value)

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.input.set_class(bool(event.value), "-open")
        self.query_one(EndpointsPanel).focus()

    @on(EndpointsPanel.Selected)
    def _select(self, event: EndpointsPanel.Selected) -> None:
        self._look(endpoint=event.name, request=None)

    @on(EndpointsPanel.Sort)
    def _sort(self, event: EndpointsPanel.Sort) -> None:
        same = self._watch.query.sort == event.column
        self._look(sort=event.column, descending=not self._watch.query.descending if same else True)

    @on(EndpointsPanel.Opened)
    def action_inspect(self) -> None:
        if self.view.stream is not None:
            self.app.push_screen(DetailsScreen(self.view, self.act))

    @on(IncidentsPanel.Opened)
    def _open_incident(self, event: IncidentsPanel.Opened) -> None:
        self._look(endpoint=event.endpoint, request=event.number)
        self.action_inspect()

    @on(StreamPanel.Held)
    def _hold(self, event: StreamPanel.Held) -> None:
        self._look(request=event.number)

    @on(TabStrip.Chosen)
    def _choose_tab(self, event: TabStrip.Chosen) -> None:
        self.action_panel(event.panel)

    @on(LatencyPanel.MetricChosen)
    def _choose_metric(self, event: LatencyPanel.MetricChosen) -> None:
        self.action_metric(event.step)

    @on(LatencyPanel.WindowChosen)
    def _choose_window(self, event: LatencyPanel.WindowChosen) -> None:
        self.action_window(event.step)

    def action_copy(self) -> None:
        request = self.view.stream.request if self.view.stream is not None else None
        trace_id = request.trace_id if request is not None else next((row.trace_id for row in self.view.recent), "")
        if trace_id:
            self.app.copy_to_clipboard(trace_id)
            self._say(f"Copied {trace_id}")
        else:
            self._say("There is no trace id yet")

    # What the engine is asked to do

    def _send(self, command: Command) -> bool:
        sent = self._watch.send(command)
        if not sent:
            self._say("The engine is not running: r starts it", severity="warning")
        return sent

    def action_pause(self) -> None:
        row = next((row for row in self.view.endpoints if row.name == self._selected), None)
        if row is not None:
            self._send((Resume if row.state is State.PAUSED else Pause)(endpoint=row.name))

    def action_pause_all(self) -> None:
        all_paused = all(row.state is State.PAUSED for row in self.view.endpoints)
        self._send((Resume if all_paused else Pause)())

    @work
    async def action_burst(self) -> None:
        name = self._selected
        if name is None:
            return
        answer = await self.app.push_screen_wait(
            AskScreen(f"Burst to {name}", "requests, or requests x concurrency", "20x5", check=parse_burst)
        )
        if answer is not None:
            requests, concurrency = parse_burst(answer)
            self._send(Burst(endpoint=name, requests=requests, concurrency=concurrency))

    def action_interval(self, factor: float) -> None:
        endpoint = self.view.selected
        if endpoint is not None:
            seconds = max(SHORTEST_S, min(self._editing.profile.interval_of(endpoint) * factor, LONGEST_S))
            if self._send(SetInterval(endpoint=endpoint.name, interval_s=seconds)):
                self._say(f"{endpoint.name}: every {seconds:g} s")

    @work
    async def action_mark(self) -> None:
        text = await self.app.push_screen_wait(AskScreen("Mark", "a line for the incident log", ""))
        if text:
            self._send(Mark(text=text))

    def action_restart(self) -> None:
        if self._watch.running:
            self._say("The engine is running")
        else:
            self._follow()

    # The profile

    def _edit(self, endpoint: Endpoint, replaces: str | None) -> None:
        form = EndpointForm(endpoint, replaces, self._editing.profile, self._send)
        self.app.push_screen(form, self._edited)

    def action_edit(self) -> None:
        endpoint = self._editing.endpoint(self._selected)
        if endpoint is not None:
            self._edit(endpoint, endpoint.name)

    def action_add(self) -> None:
        self._edit(new_endpoint(self._editing.profile), None)

    def action_duplicate(self) -> None:
        endpoint = self._editing.endpoint(self._selected)
        if endpoint is not None:
            self._edit(duplicate(endpoint, self._editing.profile), None)

    def _edited(self, result: FormResult | None) -> None:
        if result is None:
            return
        try:
            command = self._editing.put(result.endpoint, result.replaces, save=result.save)
        except (ConfigError, OSError) as error:
            self._say(f"Not saved: {error}", severity="error")
            return
        self._send(command)
        self._look(endpoint=result.endpoint.name)
        self._say(f"{result.endpoint.name}: " + (f"saved to {self._editing.path}" if result.save else "applied"))

    def action_remove(self) -> None:
        endpoint = self._editing.endpoint(self._selected)
        if endpoint is None:
            return
        try:
            command = self._editing.remove(endpoint)
        except (ConfigError, OSError) as error:
            self._say(f"Not removed: {error}", severity="error")
            return
        self._send(command)
        self._say(f"Removed {endpoint.name}: u brings it back")

    def action_undo(self) -> None:
        try:
            undone = self._editing.undo()
        except OSError as error:
            self._say(f"Not undone: {error}", severity="error")
            return
        if undone is None:
            self._say("Nothing to undo")
        else:
            label, command = undone
            self._send(command)
            self._say(f"Undid {label}")

    # The program

    def action_theme(self) -> None:
        names = [name for name in self.app.available_themes if name.startswith("gwtui-")]
        place = names.index(self.app.theme) + 1 if self.app.theme in names else 0
        self.app.theme = names[place % len(names)]
        self._say(self.app.theme)

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self._config.keys))

    def action_quit(self) -> None:
        self.app.exit(0)

    def act(self, action: str) -> None:
        """Do what a key of the table does."""
        self.call_later(self.run_action, action)

    def _say(self, text: str, severity: SeverityLevel = "information") -> None:
        self.app.notify(text, severity=severity, markup=False)
