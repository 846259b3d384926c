"""A captured stream, read after the fact by the same parser, readers and rules that live ones are read by."""

from __future__ import annotations

from gwtui.decode.capture import CaptureError
from gwtui.decode.decode import Decoded, decode, masked

__all__ = ["CaptureError", "Decoded", "decode", "masked"]
