"""A captured stream, read by the same parser, readers and rules as live ones."""

from __future__ import annotations

from gwtui.decode.decode import Decoded, decode, masked
from gwtui.decode.exchanges import CaptureError, Exchange
from gwtui.decode.files import CaptureFile, opened

__all__ = ["CaptureError", "CaptureFile", "Decoded", "Exchange", "decode", "masked", "opened"]
