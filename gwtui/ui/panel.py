"""A panel: a rectangle that draws a view line by line, and redraws only the lines that changed.

A subclass says what its lines are (`draw`); everything a panel knows about the world is the view it was shown.
"""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from gwtui.model.query import Window
from gwtui.model.view import View
from gwtui.ui.styles import Palette, is_ours
from gwtui.ui.text_layout import Line, faded, printable


class BorderOption(NamedTuple):
    """A text in a border; a click on it does an action of the screen, where it has one."""

    text: str
    action: str = ""


class Panel(Widget, can_focus=True):
    """Shows views and draws them."""

    NUMBER: ClassVar[int] = 0
    """The digit in its title; 0: none."""
    FADES: ClassVar[bool] = False
    """Whether it shows the current state, and so is faint while measuring has stopped."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Panel {
        border: round $border-blurred;
        padding: 0 1;
        &.-foreign-theme { border: round $foreground 25%; }
        &:focus {
            border: round $border;
            border-title-style: bold;
        }
    }
    App:nocolor Panel:focus, App:ansi Panel:focus { border: heavy $border; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._view: View | None = None
        self._lines: list[Line] = []
        self._strips: list[Strip | None] = []
        self._palette: Palette | None = None
        self._titles: tuple[str, str, tuple[BorderOption, ...]] = ("", "", ())

    @abstractmethod
    def draw(self, view: View, width: int, height: int) -> list[Line]:
        """Exactly `height` lines of exactly `width` cells."""

    def title(self, view: View) -> str:
        """The text in the upper border."""
        return ""

    def subtitle(self, view: View) -> str:
        """The text in the lower border."""
        return ""

    def options(self, view: View) -> tuple[BorderOption, ...]:
        """What stands behind the title, to be clicked."""
        return ()

    @property
    def view(self) -> View | None:
        return self._view

    def show(self, view: View) -> None:
        """Draw this view from now on."""
        self._view = view
        self.redraw()

    def redraw(self) -> None:
        """Draw again what may have changed; costs the terminal nothing where it did not."""
        view = self._view
        width, height = self.size
        if view is None or width <= 0 or height <= 0:
            return
        lines = self.draw(view, width, height)
        if self.FADES and view.header.silent:
            lines = [faded(line) for line in lines]
        self._set_titles(view)
        if len(lines) != len(self._lines):
            self._lines, self._strips = lines, [None] * len(lines)
            self.refresh()
            return
        changed = [y for y, line in enumerate(lines) if line != self._lines[y]]
        self._lines = lines
        for y in changed:
            self._strips[y] = None
        if changed:
            self.refresh(*(Region(0, start, width, end - start) for start, end in _runs(changed)))

    def _set_titles(self, view: View) -> None:
        """Set the border's texts; as `Content`, because a plain text would be parsed as markup."""
        number = f"{self.NUMBER} " if self.NUMBER else ""
        titles = (number + printable(self.title(view)), printable(self.subtitle(view)), self.options(view))
        if titles != self._titles:
            self._titles = titles
            upper, lower, options = titles
            self.border_title, self.border_subtitle = Content.assemble(upper, *map(_clickable, options)), Content(lower)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        strip = self._strips[y]
        if strip is None:
            strip = self._strips[y] = self._strip(self._lines[y])
        return strip

    def _strip(self, line: Line) -> Strip:
        if self._palette is None:
            self._palette = Palette(
                self.app.theme_variables, self.background_colors[1], self.rich_style, no_color=self.app.no_color
            )
        style = self._palette.style
        return Strip([Segment(span.text, style(span.style)) for span in line], self.size.width)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self._strips = [None] * len(self._lines)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._restyle())
        self._restyle()

    def _restyle(self) -> None:
        self.set_class(not is_ours(self.app.theme_variables), "-foreign-theme")
        self.notify_style_update()
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()


class MovingPanel(Panel):
    """A panel that the arrows, the page keys and the wheel move in. A subclass says what a move is."""

    WHEEL: ClassVar[int] = 1
    """Lines per turn of the mouse wheel."""

    @abstractmethod
    def action_move(self, lines: int) -> None:
        """Go that many lines down, as far as there are any; up where negative."""

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 2))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(self.WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-self.WHEEL)


def parted(*options: BorderOption) -> tuple[BorderOption, ...]:
    """The options with something between them, and before the first one."""
    return tuple(each for option in options for each in (BorderOption(" · "), option))


def window_options(window: Window) -> tuple[BorderOption, ...]:
    """A shorter window, which one it is, a longer one."""
    return (*parted(BorderOption("-", "window(-1)")), BorderOption(f" {window} "), BorderOption("+", "window(1)"))


def _clickable(option: BorderOption) -> Content:
    text = Content(printable(option.text))
    return text.stylize(Style.from_meta({"@click": f"screen.{option.action}"})) if option.action else text


def scrolled(top: int, index: int, visible: int, count: int) -> int:
    """The first visible row of a list, moved as little as needed to show row `index` among the `visible` ones."""
    if visible <= 0:
        return index
    top = min(max(top, index - visible + 1), index)
    return max(0, min(top, count - visible))


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Rising numbers as ranges (first, last + 1)."""
    cuts = [0, *(index for index, (one, two) in enumerate(pairwise(numbers), 1) if two != one + 1), len(numbers)]
    return [(numbers[start], numbers[end - 1] + 1) for start, end in pairwise(cuts)]
