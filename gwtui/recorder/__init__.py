"""The recorder: a session's directory, a row per result on disk as it happens, whatever the disk does."""

from gwtui.recorder.recorder import Recorder, RecorderStatus, new_session_dir, profile_toml, state_dir

__all__ = ["Recorder", "RecorderStatus", "new_session_dir", "profile_toml", "state_dir"]
