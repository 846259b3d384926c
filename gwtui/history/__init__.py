"""The history: what endpoints did in earlier sessions, and what is usual for them."""

from gwtui.history.memory import Memory
from gwtui.history.store import HISTORY

__all__ = ["HISTORY", "Memory"]
