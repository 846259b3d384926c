"""The history: what endpoints did in earlier sessions, and what is usual for them."""

from gwtui.history.session_history import SessionHistory
from gwtui.history.store import HISTORY

__all__ = ["HISTORY", "SessionHistory"]
