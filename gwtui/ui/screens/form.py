"""The endpoint form, beside the table: add, edit, try once, apply, save."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import ModalScreen
from textual.widgets import Button, Select, Static

from gwtui.apis import kind_of
from gwtui.config import Config, ConfigError, endpoint_from
from gwtui.config.errors import ConfigFault
from gwtui.config.paths import with_absolute_paths
from gwtui.model.commands import Command, Try
from gwtui.model.metrics import times_of
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.field_values import FieldError, endpoint_fields, texts_of
from gwtui.ui.fields import FIELDS, GROUPS, field_of
from gwtui.ui.formrow import FormRow
from gwtui.ui.keymap import KEYS_BY_PLACE, bindings, in_force, shown

WIDE = 66
"""The form's full width."""


class FormResult(NamedTuple):
    endpoint: Endpoint
    replaces: str | None
    save: bool


class EndpointForm(ModalScreen[FormResult | None]):
    """Edits one endpoint of a configuration. Returns what to apply or save, or None when it was left.

    `send` hands a trial to the engine; None where there is no engine yet. `last_trial` is the result of an earlier one,
    of whatever endpoint, that is not to be taken for that of this form's.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("form")]

    def __init__(
        self,
        config: Config,
        endpoint: Endpoint,
        replaces: str | None,
        profile: Profile,
        send: Callable[[Command], bool] | None,
        last_trial: Request | Ping | None = None,
    ) -> None:
        super().__init__()
        self._directory = config.path.absolute().parent
        self._endpoint = endpoint
        self._replaces = replaces
        self._profile = profile
        self._send = send
        self._texts = texts_of(endpoint, profile)
        self._trial = last_trial
        self._waiting = False
        self._leaving = False

    def compose(self) -> ComposeResult:
        with Vertical(id="form") as form:
            form.border_title = Content(f"Edit {self._replaces}" if self._replaces else "Add an endpoint")
            with VerticalScroll(id="fields", can_focus=False):
                group = ""
                for field in FIELDS:
                    if field.group != group:
                        group = field.group
                        yield Static(GROUPS[group], classes="group", markup=False)
                    yield FormRow(field, self._texts[field.name])
            yield Static("", id="hint", markup=False)
            yield Static("", id="result", markup=False)
            with Horizontal(id="buttons"):
                for key in KEYS_BY_PLACE["form"]:
                    if key.action != "try" or self._send is not None:
                        yield Button(key.label, id=key.action, tooltip=key.help, compact=True)

    def on_mount(self) -> None:
        self._show_fields()
        self._name_buttons()

    def on_resize(self) -> None:
        self._name_buttons()

    def _name_buttons(self) -> None:
        """Each with its key, where there is room."""
        keys = in_force(self) if self.size.width >= WIDE else {}
        for key in KEYS_BY_PLACE["form"]:
            for button in self.query(f"#{key.action}").results(Button):
                text = "  " + shown(keys[key.id]).replace("ctrl+", "^") if key.id in keys else ""
                button.label = Content.assemble(key.label, (text, "dim"))

    @property
    def _rows(self) -> Iterable[FormRow]:
        return self.query(FormRow).results()

    def _row(self, name: str) -> FormRow:
        return next(row for row in self._rows if row.field.name == name)

    @on(Select.Changed, "#edit-api")
    def _show_fields(self) -> None:
        """Only the fields that the chosen API has."""
        kind = kind_of(self._row("api").text)
        for row in self._rows:
            row.display = kind in row.field.kinds

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        row = next((node for node in event.widget.ancestors if isinstance(node, FormRow)), None)
        self.query_one("#hint", Static).update(Content(row.field.hint if row is not None else ""))

    def _read(self) -> dict[str, str]:
        return {row.field.name: row.text for row in self._rows}

    def _collect(self) -> Endpoint | None:
        """The endpoint as the form has it, or None after saying what is wrong and going there."""
        try:
            fields = endpoint_fields(self._read(), self._endpoint, self._profile)
            endpoint = with_absolute_paths(endpoint_from(fields), self._directory)
        except FieldError as error:
            self._refuse([error.name], str(error))
            return None
        except ConfigError as error:
            self._refuse([fault.key for fault in error.faults], "\n".join(_describe(fault) for fault in error.faults))
            return None
        if endpoint.name != self._replaces and self._profile.endpoint(endpoint.name) is not None:
            self._refuse(["name"], f"name: {endpoint.name!r} already exists")
            return None
        self._mark(())
        return endpoint

    def _refuse(self, keys: Iterable[str], text: str) -> None:
        fields = [field.name for key in keys if (field := field_of(key)) is not None]
        self._mark(fields)
        self._show_result(text, wrong=True)
        if fields:
            self._row(fields[0]).go()

    def _mark(self, names: Iterable[str]) -> None:
        for row in self._rows:
            row.set_class(row.field.name in names, "-wrong")

    def _show_result(self, text: str, *, wrong: bool = False) -> None:
        result = self.query_one("#result", Static)
        result.update(Content(text))
        result.set_class(wrong, "-wrong")

    @on(Button.Pressed, "#try")
    def action_try(self) -> None:
        endpoint = self._collect()
        if endpoint is None or self._send is None:
            return
        self._waiting = self._send(Try(endpoint=endpoint))
        self._show_result("Trying …" if self._waiting else "", wrong=False)

    @on(Button.Pressed, "#apply")
    def action_apply(self) -> None:
        self._finish(save=False)

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        self._finish(save=True)

    @on(Button.Pressed, "#leave")
    def action_leave(self) -> None:
        """Leave; with changes that would be lost, only when asked twice."""
        if self._read() == self._texts or self._leaving:
            self.dismiss(None)
        else:
            self._leaving = True
            self._show_result("Your changes are not applied. Press again to discard them.", wrong=True)

    def _finish(self, *, save: bool) -> None:
        endpoint = self._collect()
        if endpoint is not None:
            self.dismiss(FormResult(endpoint, self._replaces, save))

    def show(self, view: View) -> None:
        """Take the result of a trial out of the picture."""
        if view.trial is None or view.trial is self._trial:
            return
        self._trial = view.trial
        if self._waiting:
            self._waiting = False
            self._show_result(trial_text(view.trial), wrong=view.trial.outcome != "ok")


def trial_text(trial: Request | Ping) -> str:
    """`complete · TTFT 412 ms · 42 events`, or the verdict with its reason."""
    if trial.outcome != "ok":
        return f"✖ {trial.verdict}: {trial.reason}" if trial.reason else f"✖ {trial.verdict}"
    times = (f"{metric.label} {units.duration(value)}" for metric, value in times_of(trial) if metric.about.headline)
    events = [units.many(trial.events, "event")] if isinstance(trial, Request) and trial.events else []
    return " · ".join((f"✔ {trial.verdict}", *times, *events))


def _describe(fault: ConfigFault) -> str:
    field = field_of(fault.key)
    place = fault.key if field is None else field.label + fault.key.removeprefix(field.name).replace(".", " ", 1)
    text = f"{place}: {fault.message}" if place else fault.message
    return f"{text} ({fault.hint})" if fault.hint else text
