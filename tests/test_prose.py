"""What a person reads is plain present-day English: these phrases are in no text and no docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import gwtui
from gwtui.text.manual import PAGES

ROOT = Path(__file__).parent.parent
PACKAGE = Path(gwtui.__file__).parent
STORIES = PACKAGE / "gateway" / "texts.py"
"""What the embedded gateway answers: stories, which may use any word."""

PHRASES = re.compile(
    r"\b(?:so many|at hand|how-manieth|take it over|seldom|told as|whoever|nobody|somebody|of its own accord"
    r"|h[eo]ld against|stands? for|(?:is|are|was|were|be) told|is none|are none|thrice|unasked)\b",
    re.IGNORECASE,
)
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "config.example.toml",
    ROOT / ".github/CONTRIBUTING.md",
    *sorted(PAGES.iterdir()),
)


def found_in(text: str) -> list[str]:
    return [match[0] for match in PHRASES.finditer(" ".join(text.split()).replace("None", "null"))]


@pytest.mark.parametrize("room", sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()))
def test_texts_and_docstrings_are_plain(room: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {phrase}"
        for path in (PACKAGE / room).rglob("*.py")
        if path != STORIES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for phrase in found_in(node.value)
    ]
    assert not found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_are_plain(document: Path) -> None:
    assert not found_in(document.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", ["Wait for so\n    many bytes.", "Nobody reads it.", "What is told as one."])
def test_a_phrase_is_found_across_lines_and_in_any_case(text: str) -> None:
    assert found_in(text)
