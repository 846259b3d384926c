"""How a report gets its colours: through a function that whoever prints it passes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gwtui.model.enums import Outcome, State

Paint: TypeAlias = Callable[[str, State | Outcome], str]
"""The text in the colour of a state or an outcome. The text says the same without it."""


def plain(text: str, _tone: State | Outcome) -> str:
    """No colour."""
    return text
