"""Markdown on a terminal: Rich's, but for tables, which are lists there: a line to type is never cut into cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.padding import Padding
from rich.text import Text
from rich.theme import Theme

_THEME = Theme({"markdown.code": "bold", "markdown.item.bullet": "dim", "markdown.link": "none"})
"""Weights, no colours: they suit every background."""
INDENT = 6
"""Columns before what belongs to the first cell of a row."""


class _FlatHeading(Heading):
    """At the left edge, without a box."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        self.text.stylize("bold")
        yield self.text


class _PlainCode(CodeBlock):
    """Indented and not wrapped, so that a line can be copied whole."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in str(self.text).rstrip().split("\n"):
            yield _whole(Text(line), 4)


class _RowsAsList(TableElement):
    """The first cell of each row, and under it the others; a cell that is empty or only a sign is left out."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = [cell.content.plain for cell in self.header.row.cells] if self.header and self.header.row else []
        for row in self.body.rows if self.body else ():
            first, *others = [cell.content for cell in row.cells]
            yield Padding(first, (0, 0, 0, 2))
            for name, cell in zip(names[1:], others, strict=False):
                yield from _cell(name, cell, several=len(others) > 1)


def _cell(name: str, cell: Text, *, several: bool) -> Iterator[Padding | Text]:
    if cell.plain.startswith("gwtui "):
        yield _whole(cell, INDENT)
    elif cell.plain:
        labelled = Text.assemble((f"{name}: ", "dim"), cell) if several and name else cell
        yield Padding(labelled, (0, 0, 0, INDENT))


def _whole(line: Text, indent: int) -> Text:
    """A line that is neither wrapped nor cut, however long it is."""
    return Text.assemble(" " * indent, line, no_wrap=True, overflow="ignore")


class _TerminalMarkdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _FlatHeading,
        "code_block": _PlainCode,
        "fence": _PlainCode,
        "table_open": _RowsAsList,
    }


def lines_of(markdown: str, columns: int, *, styled: bool) -> str:
    """The text in lines of at most that width, but for lines of code; `styled`: bold and dim as escape sequences."""
    console = Console(
        width=columns, theme=_THEME, force_terminal=styled, no_color=True, color_system="standard" if styled else None
    )
    with console.capture() as captured:
        console.print(_TerminalMarkdown(markdown, hyperlinks=False), crop=False)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").split("\n"))
