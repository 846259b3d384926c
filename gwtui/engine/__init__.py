"""The engine: probes on schedule, in one TaskGroup, every result reported as it comes."""

from gwtui.engine.engine import Engine, Figures

__all__ = ["Engine", "Figures"]
