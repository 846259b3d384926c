"""A session: an engine with its recorder, in this process or as a child process on a pipe."""

from gwtui.session.session import hosted, main

__all__ = ["hosted", "main"]
