"""`gwtui help`: the help of a command, the manual's pages, and what to type for commands of earlier tools."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gwtui.cli.console import Refusal, say, width

WIDEST = 100
"""Columns of running text."""
MANUAL = Path(__file__).parent.parent / "manual"
TOPICS = ("gateways",)
"""The manual's pages."""

_ROW = re.compile(r"^\| +(.*?) +\| +`(gwtui .*?)` +\|$", re.MULTILINE)

INSTEAD = {
    "benchmark": "gwtui bench ENDPOINT --requests 200; with the flags of `src`: gwtui gateway benchmark --gateway URL",
    "benchmark-stream": "gwtui gateway benchmark-stream --gateway URL --sgd env:SGD",
    "concurrency": "gwtui check ENDPOINT --only concurrency,concurrent-streams; by URL: gwtui check --tool compare URL",
    "fallback": "gwtui check --tool fallback URL --provoke MODEL",
    "health": "gwtui check ENDPOINT --only health",
    "metrics": "gwtui check ENDPOINT --only metrics,audit",
    "test": "gwtui check ENDPOINT; by URL: gwtui check --tool llm-gateway URL",
    "tests": "gwtui check ENDPOINT; by URL: gwtui check --tool llm-gateway URL",
}
"""What people who know other tools type, and the line that does it here."""


class Helpful(click.Group):
    """Names the line to type for a command that other tools have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in INSTEAD:
            line, more = INSTEAD[args[0]], "`gwtui help gateways` has the lines for all that earlier tools did"
            raise Refusal(f"{args[0]} is no command of gwtui. Type: {line}\n       {more}")
        return super().resolve_command(ctx, args)


@click.command("help", short_help="Show help for a command, or a page of the manual.")
@click.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]")
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show help for a COMMAND, or a page of the manual.

    \b
    Topics:
      gateways  earlier tools: each command, script and test with its new line
    """
    if len(words) == 1 and words[0] in TOPICS:
        say("\n".join(page(words[0], width())))
        return
    say(_help_of(ctx, words))


def _help_of(ctx: click.Context, words: tuple[str, ...]) -> str:
    """The help of the program or of one of its commands. Raises a Refusal for one that is not there."""
    found, at = ctx.find_root().command, ctx.find_root()
    for word in words:
        inner = found.get_command(at, word) if isinstance(found, click.Group) else None
        if inner is None:
            known = f"`gwtui help` lists the commands; topics: {', '.join(TOPICS)}"
            raise Refusal(f"there is no help for {' '.join(words)}: {known}")
        found, at = inner, click.Context(inner, at, word, **_settings(at))
    return found.get_help(at)


def _settings(ctx: click.Context) -> dict[str, Any]:
    return {"help_option_names": ctx.help_option_names, "max_content_width": ctx.max_content_width}


def page(topic: str, columns: int) -> list[str]:
    """A page as lines for a terminal: of each row of a table what was before, and under it the line to type."""
    return list(_lines(text_of(topic), columns))[:-1]


def text_of(topic: str) -> str:
    """The page as it is written, in Markdown."""
    return (MANUAL / f"{topic}.md").read_text(encoding="utf-8").rstrip("\n")


def rows_of(text: str) -> list[tuple[str, str]]:
    """The rows of all tables: what was before, and the line to type."""
    return [(before, now) for before, now in _ROW.findall(text)]


def _lines(text: str, columns: int) -> Iterator[str]:
    for block in text.split("\n\n"):
        if rows := rows_of(block):
            yield from (line for before, now in rows for line in (f"  {before.replace('`', '')}", f"      {now}"))
        else:
            words = " ".join(block.replace("`", "").split())
            yield from textwrap.wrap(words, min(columns, WIDEST), break_on_hyphens=False)
        yield ""
