"""Feeds: where records come from. Whoever watches one cannot tell what is behind it."""

from gwtui.feeds.feeds import ENGINE, EngineProcess, Feed, live, spawn_engine

__all__ = ["ENGINE", "EngineProcess", "Feed", "live", "spawn_engine"]
