"""The recorder: a session's directory, a row per result on disk as it happens, whatever the disk does."""

from gwtui.recorder.disk import parts
from gwtui.recorder.ownership import refusal_of
from gwtui.recorder.recorder import Recorder
from gwtui.recorder.session_dirs import latest_session_dir, new_session_dir, session_dir, state_dir
from gwtui.recorder.session_metadata import profile_toml
from gwtui.recorder.session_writer import RecorderStatus

__all__ = [
    "Recorder",
    "RecorderStatus",
    "latest_session_dir",
    "new_session_dir",
    "parts",
    "profile_toml",
    "refusal_of",
    "session_dir",
    "state_dir",
]
