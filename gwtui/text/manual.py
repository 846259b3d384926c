"""The manual: short pages in Markdown that come with the program. The shell and the screen show the same ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parent.parent / "resources" / "manual"
"""A file per page; its name is the topic."""
SUFFIX = ".md"

_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)
"""Marks around tables that are generated."""
_LINK = re.compile(r"\[([^\]]+)\]\((\w+)\.md\)")
"""A link to another page."""
_ROW = re.compile(r"^\| +(.*?) +\| +`(gwtui .*?)` +\|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ManualPage:
    """One topic."""

    topic: str
    title: str
    about: str
    """What it is about, in a sentence."""
    text: str
    """The whole page in Markdown, without what only a browser needs."""


def topics() -> tuple[str, ...]:
    """All topics, by name."""
    return tuple(sorted(path.stem for path in PAGES.glob(f"*{SUFFIX}")))


def page_of(topic: str) -> ManualPage:
    """The page of one of the `topics`. Raises OSError for another one."""
    written = (PAGES / f"{topic}{SUFFIX}").read_text(encoding="utf-8").rstrip("\n")
    text = _LINK.sub(r"\1 (`gwtui manual \2`)", _COMMENT.sub("", written))
    heading, _, body = text.partition("\n\n")
    first = " ".join(body.partition("\n\n")[0].split())
    return ManualPage(topic, heading.removeprefix("# "), _first_sentence(first), text)


def rows_of(text: str) -> list[tuple[str, str]]:
    """The rows of all tables of earlier tools: what was before, and the line to type."""
    return [(before, now) for before, now in _ROW.findall(text)]


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.:]) (?=[A-Z`*])", text, maxsplit=1)[0].rstrip(":")
