"""What a reader is, to those who fuzz it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fuzz.dice import Dice

T = TypeVar("T")


@dataclass(frozen=True)
class Target(Generic[T]):
    """One reader: what it is fed, and what has to hold whatever that was."""

    name: str
    make: Callable[[Dice], T]
    read: Callable[[T], Any]
    """Raises what `refuses` names, AssertionError where something does not hold, and nothing else ever."""
    refuses: tuple[type[Exception], ...] = ()
    quotes_clean: bool = False
    """Whether the text of such a refusal is fit for a terminal as it is."""
    short: int = 60
    """How many inputs it is fed by the test suite."""

    def input(self, name: str) -> T:
        """The input of that name, always the same one."""
        return self.make(Dice(name))

    def play(self, name: str) -> None:
        """Feed it that input."""
        try:
            self.read(self.input(name))
        except self.refuses as error:
            if self.quotes_clean and not str(error).replace("\n", "").isprintable():
                raise AssertionError(f"a refusal that is not clean: {str(error)!r}") from error
