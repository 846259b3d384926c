"""A captured stream, read by the same parser, readers and rules as live ones."""

from __future__ import annotations

from gwtui.decode.capture import CaptureError
from gwtui.decode.decode import Decoded, decode, masked

__all__ = ["CaptureError", "Decoded", "decode", "masked"]
