"""Feeds: where records come from. A consumer cannot distinguish live, replayed and remote ones."""

from gwtui.feeds.feeds import ENGINE, EngineProcess, Feed, Recording, WantedStream, live, recalled, spawn_engine

__all__ = ["ENGINE", "EngineProcess", "Feed", "Recording", "WantedStream", "live", "recalled", "spawn_engine"]
