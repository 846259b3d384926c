"""An endpoint that is left alone for a while."""

from __future__ import annotations

import msgspec


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Why an endpoint is left alone for a while."""

    until_ns: int
    """When its next probe is due."""
    why: str
    """Such as `by Retry-After` or `after 12 failures in a row`."""
