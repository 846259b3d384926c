"""All readers."""

from __future__ import annotations

from typing import Any

from fuzz import sockets, streams, texts
from fuzz.target import Target

TARGETS: tuple[Target[Any], ...] = (*streams.TARGETS, *texts.TARGETS, *sockets.TARGETS)
