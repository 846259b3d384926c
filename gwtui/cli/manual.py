"""`gwtui manual` and `gwtui help`: the manual's pages, the help of a command, and what to type for commands of earlier
tools."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli import completion
from gwtui.cli.console import Refusal, in_colour, is_screen, say, width
from gwtui.text.manual import page_of, topics

if TYPE_CHECKING:
    from gwtui.text.manual import ManualPage

WIDEST = 100
"""Columns of running text."""

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
@click.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]", shell_complete=completion.commands_and_topics)
@click.pass_context
def help_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show help for a COMMAND, or a page of the manual (`gwtui manual` lists them).

    \b
      gwtui help bench
      gwtui help gateways
    """
    if len(words) == 1 and words[0] in topics() and words[0] not in _commands(ctx):
        show(page_of(words[0]))
        return
    say(_help_of(ctx, words))


@click.command("manual", short_help="Read the manual: short pages, by topic.")
@click.argument("topic", required=False, shell_complete=completion.topics)
@click.option("--markdown", is_flag=True, help="Print the page as it is written, in Markdown.")
def command(topic: str | None, markdown: bool) -> None:
    """Read the manual: a short page for each TOPIC. Without one, list them.

    \b
      gwtui manual verdicts
      gwtui manual cookbook --markdown > cookbook.md
    """
    if topic is None:
        say("\n".join(_contents()))
        return
    if topic not in topics():
        raise Refusal(f"the manual has no page {topic!r}; it has: {', '.join(topics())}")
    if markdown:
        say(page_of(topic).text)
    else:
        show(page_of(topic))


def show(page: ManualPage) -> None:
    """Print it; on a terminal that is too short for it, in the user's pager."""
    from gwtui.text.markdown import lines_of

    text = lines_of(page.text, min(width(), WIDEST), styled=in_colour())
    if is_screen(sys.stdout) and text.count("\n") + 2 > shutil.get_terminal_size().lines:
        click.echo_via_pager(text, color=in_colour())
    else:
        say(text)


def _contents() -> list[str]:
    pages = [page_of(topic) for topic in topics()]
    longest = max(len(page.topic) for page in pages)
    lines = [
        line
        for page in pages
        for line in wrap(
            page.about,
            min(width(), WIDEST),
            initial_indent=f"  {page.topic:<{longest}}  ",
            subsequent_indent=" " * (longest + 4),
        )
    ]
    return ["The manual's pages, each shown by `gwtui manual TOPIC`:", "", *lines]


def _commands(ctx: click.Context) -> Mapping[str, click.Command]:
    root = ctx.find_root().command
    return root.commands if isinstance(root, click.Group) else {}


def _help_of(ctx: click.Context, words: tuple[str, ...]) -> str:
    """The help of the program or of one of its commands. Raises a Refusal for one that is not there."""
    found, at = ctx.find_root().command, ctx.find_root()
    for word in words:
        inner = found.get_command(at, word) if isinstance(found, click.Group) else None
        if inner is None:
            known = "`gwtui help` lists the commands, and `gwtui manual` the topics"
            raise Refusal(f"there is no help for {' '.join(words)}: {known}")
        found, at = inner, click.Context(inner, at, word, **_settings(at))
    return found.get_help(at)


def _settings(ctx: click.Context) -> dict[str, Any]:
    return {"help_option_names": ctx.help_option_names, "max_content_width": ctx.max_content_width}
