"""Records folded into pictures: what is known of every endpoint, over every window, in bounded memory."""

from gwtui.monitor.monitor import Monitor

__all__ = ["Monitor"]
