"""The engine: probes on schedule, in one TaskGroup, every result told as it comes."""

from gwtui.engine.engine import Engine, Figures

__all__ = ["Engine", "Figures"]
