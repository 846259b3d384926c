"""The engine: probes on schedule, in one TaskGroup, and what their results mean for the state of each endpoint."""

from gwtui.engine.engine import Engine, Figures

__all__ = ["Engine", "Figures"]
