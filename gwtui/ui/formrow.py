"""One row of the endpoint form: a label, and what edits its field."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget as TextualWidget
from textual.widgets import Checkbox, Input, Label, Select, TextArea

from gwtui.apis import api_names
from gwtui.ui.fields import API_DECIDES, CHOICES, Field, Widget


class _Tick(Checkbox):
    """Without colours a tick that is only dimmed would look like one that is set."""

    def render(self) -> Content:
        self.BUTTON_INNER = "✔" if self.value else " "
        return super().render()


class FormRow(Horizontal):
    """`text` is the field's text as the user has it by now."""

    def __init__(self, field: Field, text: str) -> None:
        super().__init__(classes="field")
        self.field = field
        self._start = text
        self._first = text
        """What the editor made of it."""

    def compose(self) -> ComposeResult:
        yield Label(self.field.label, markup=False)
        yield self._editor()

    def _editor(self) -> TextualWidget:
        field, text = self.field, self._start
        id_ = "edit-" + field.name.replace(".", "-")
        match field.widget:
            case Widget.SWITCH:
                return _Tick(text, text == "yes", id=id_, compact=True)
            case Widget.AREA:
                return TextArea(text, id=id_, compact=True, tab_behavior="focus", highlight_cursor_line=False)
            case Widget.CHOICE:
                names = CHOICES.get(field.name, api_names())
                chosen = text if text in names else Select.NULL
                return Select(
                    [(name, name) for name in names],
                    value=chosen,
                    prompt="as the API does",
                    allow_blank=field.name in API_DECIDES,
                    id=id_,
                    compact=True,
                )
        return Input(text, placeholder=field.hint, id=id_, compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        self._first = self._edited

    @property
    def text(self) -> str:
        """An editor may hold a text in another form than it was given, such as with other line ends."""
        return self._start if self._edited == self._first else self._edited

    @property
    def _edited(self) -> str:
        match self.children[-1]:
            case Checkbox() as box:
                return "yes" if box.value else "no"
            case TextArea() as area:
                return area.text
            case Select() as select:
                return "" if select.value is Select.NULL else str(select.value)
            case Input() as line:
                return line.value
        return self._start

    def on_descendant_focus(self) -> None:
        self.add_class("-here")

    def on_descendant_blur(self) -> None:
        self.remove_class("-here")

    @on(Checkbox.Changed)
    def _name_it(self, event: Checkbox.Changed) -> None:
        event.checkbox.label = "yes" if event.value else "no"

    def go(self) -> None:
        """Put the cursor here."""
        self.children[-1].focus()
