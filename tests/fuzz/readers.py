"""All readers."""

from __future__ import annotations

from typing import Any

from fuzz import judges, sockets, streams, texts
from fuzz.target import Target

TARGETS: tuple[Target[Any], ...] = (*streams.TARGETS, *texts.TARGETS, *judges.TARGETS, *sockets.TARGETS)
