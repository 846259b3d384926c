"""The endpoint form, beside the table: add, edit, try once, apply, save."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import ModalScreen
from textual.widget import Widget as TextualWidget
from textual.widgets import Button, Input, Label, Select, Static, Switch, TextArea

from gwtui import units
from gwtui.apis import api_names, kind_of
from gwtui.commands import Command, Try
from gwtui.config import ConfigError, endpoint_from
from gwtui.profile import Endpoint, Profile
from gwtui.records import Ping, Request
from gwtui.ui.fields import FIELDS, Field, FieldError, Widget, endpoint_fields, texts_of
from gwtui.view import View

_CHOICES = {"auth": ("bearer", "token", "x-api-key", "api-key", "x-goog-api-key")}
_GROUPS = {"what": "What to ask", "access": "Access", "pace": "Pace and deadlines", "state": "When it is called what"}


class FormResult(NamedTuple):
    endpoint: Endpoint
    replaces: str | None
    save: bool


class EndpointForm(ModalScreen[FormResult | None]):
    """Edits one endpoint. Returns what to apply or save, or None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave"),
        Binding("ctrl+t", "try", "Try once", id="form.try"),
        Binding("ctrl+a", "apply", "Apply", id="form.apply", priority=True),
        Binding("ctrl+s", "save", "Save", id="form.save"),
    ]

    def __init__(
        self, endpoint: Endpoint, replaces: str | None, profile: Profile, send: Callable[[Command], bool]
    ) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._replaces = replaces
        self._profile = profile
        self._send = send
        self._texts = texts_of(endpoint, profile)
        self._trial: Request | Ping | None = None
        self._waiting = False

    def compose(self) -> ComposeResult:
        with Vertical(id="form") as form:
            form.border_title = Content(f"Edit {self._replaces}" if self._replaces else "Add an endpoint")
            with VerticalScroll(id="fields", can_focus=False):
                group = ""
                for field in FIELDS:
                    if field.group != group:
                        group = field.group
                        yield Static(_GROUPS[group], classes="group", markup=False)
                    with Horizontal(id=_row_id(field), classes="field"):
                        yield Label(field.label, markup=False)
                        yield self._editor(field)
            yield Static("", id="hint", markup=False)
            yield Static("", id="result", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Try once  ^t", id="try", compact=True)
                yield Button("Apply  ^a", id="apply", compact=True)
                yield Button("Save  ^s", id="save", variant="primary", compact=True)
                yield Button("Leave  esc", id="leave", compact=True)

    def _editor(self, field: Field) -> TextualWidget:
        text = self._texts[field.name]
        match field.widget:
            case Widget.SWITCH:
                return Switch(text == "yes", animate=False, id=_editor_id(field))
            case Widget.AREA:
                return TextArea(text, id=_editor_id(field), compact=True)
            case Widget.CHOICE:
                names = api_names() if field.name == "api" else _CHOICES[field.name]
                chosen = text if text in names else Select.NULL
                options = [(name, name) for name in names]
                return Select(
                    options, value=chosen, allow_blank=field.name != "api", id=_editor_id(field), compact=True
                )
        return Input(text, placeholder=field.hint, id=_editor_id(field), compact=True)

    def on_mount(self) -> None:
        self._show_fields()

    @on(Select.Changed, "#edit-api")
    def _show_fields(self) -> None:
        """Only the fields that the chosen API has."""
        kind = kind_of(self._read()["api"])
        for field in FIELDS:
            self.query_one(f"#{_row_id(field)}").display = kind in field.kinds

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        hints = {_editor_id(field): field.hint for field in FIELDS}
        self.query_one("#hint", Static).update(Content(hints.get(event.widget.id or "", "")))

    def _read(self) -> dict[str, str]:
        texts = {}
        for field in FIELDS:
            editor = self.query_one(f"#{_editor_id(field)}")
            match editor:
                case Switch():
                    texts[field.name] = "yes" if editor.value else "no"
                case TextArea():
                    texts[field.name] = editor.text
                case Select():
                    texts[field.name] = "" if editor.value is Select.NULL else str(editor.value)
                case Input():
                    texts[field.name] = editor.value
        return texts

    def _collect(self) -> Endpoint | None:
        """The endpoint as the form has it, or None after saying what is wrong."""
        texts = self._read()
        try:
            fields = endpoint_fields(texts, kind_of(texts["api"]), self._endpoint, self._profile)
            endpoint = endpoint_from(fields)
        except (FieldError, ConfigError) as error:
            self._tell(str(error), wrong=True)
            return None
        other = self._profile.endpoint(endpoint.name)
        if other is not None and endpoint.name != self._replaces:
            self._tell(f"name: there is a {endpoint.name!r} already", wrong=True)
            return None
        return endpoint

    def _tell(self, text: str, *, wrong: bool = False) -> None:
        result = self.query_one("#result", Static)
        result.update(Content(text))
        result.set_class(wrong, "-wrong")

    @on(Button.Pressed, "#try")
    def action_try(self) -> None:
        endpoint = self._collect()
        if endpoint is not None and self._send(Try(endpoint=endpoint)):
            self._waiting = True
            self._tell("Trying …")

    @on(Button.Pressed, "#apply")
    def action_apply(self) -> None:
        self._finish(save=False)

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        self._finish(save=True)

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss(None)

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
            self._tell(trial_text(view.trial), wrong=view.trial.outcome != "ok")


def trial_text(trial: Request | Ping) -> str:
    """`complete · TTFT 412 ms · 42 events`, or the verdict with its reason."""
    if trial.outcome != "ok":
        return f"{trial.verdict}: {trial.reason}"
    if isinstance(trial, Ping):
        return f"{trial.verdict} · RTT {units.duration(trial.rtt_ns)}"
    parts = [trial.verdict, f"TTFT {units.duration(trial.ttft_ns)}" if trial.ttft_ns else ""]
    parts += [f"E2E {units.duration(trial.duration_ns)}", f"{trial.events} events" if trial.events else ""]
    return " · ".join(part for part in parts if part)


def _row_id(field: Field) -> str:
    return "row-" + field.name.replace(".", "-")


def _editor_id(field: Field) -> str:
    return "edit-" + field.name.replace(".", "-")
