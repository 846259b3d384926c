"""What all records have in common."""

from __future__ import annotations

from typing import Self

import msgspec


class BaseRecord(msgspec.Struct, frozen=True, tag_field="record", omit_defaults=True):
    def __deepcopy__(self, memo: object) -> Self:
        """Itself: what is kept of a session is copied for a moment that is looked at, and records never change."""
        return self
