"""The small vocabularies that code, screen, CSV and documents share, each word with its meaning."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What an endpoint is, judged from its recent results and the thresholds of its profile."""

    UP = "up"
    SLOW = "slow"
    DEGRADED = "degraded"
    DOWN = "down"
    PAUSED = "paused"
    UNKNOWN = "unknown"

    @property
    def mark(self) -> str:
        """Its shape, one cell wide: a state is never told by colour alone."""
        return _MARKS[self.value]


_MARKS = {"up": "●", "slow": "▲", "degraded": "▲", "down": "✖", "paused": "‖", "unknown": "○"}


class Outcome(StrEnum):
    """Whether a result counts for or against the gateway. `cancelled` and `local` count for neither."""

    OK = "ok"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOCAL = "local"


class Metric(StrEnum):
    """A latency that is measured. All start when the last byte of the request was handed to the socket."""

    TTFB = "ttfb"
    TTFT = "ttft"
    TTFO = "ttfo"
    ICL = "icl"
    TPOT = "tpot"
    E2E = "e2e"
    RTT = "rtt"

    @property
    def label(self) -> str:
        return self.value.upper()


class Clock(StrEnum):
    """Who took the arrival stamps: the kernel when the packet came, or gwtui right after the read."""

    KERNEL = "kernel"
    USER = "user"


class Trigger(StrEnum):
    """Why a probe ran. A trial tries an endpoint that is still being edited and counts in no statistics."""

    SCHEDULE = "schedule"
    BURST = "burst"
    TRIAL = "trial"


class Kind(StrEnum):
    """What shape a measurement has, and so which panel and which file it belongs to."""

    COMPLETION = "completion"
    HTTP = "http"
    WEBSOCKET = "websocket"


class EventKind(StrEnum):
    """What an event of a stream carried. Only the first three are generated content."""

    TEXT = "text"
    REASONING = "reasoning"
    TOOL = "tool"
    START = "start"
    STOP = "stop"
    USAGE = "usage"
    KEEPALIVE = "keepalive"
    ERROR = "error"
    OTHER = "other"

    @property
    def is_content(self) -> bool:
        """Generated content: what TTFT, ICL and TPOT are measured on."""
        return self in _CONTENT

    @property
    def is_visible(self) -> bool:
        """Content a user would see at once: what TTFO is measured on."""
        return self in _VISIBLE


_VISIBLE = (EventKind.TEXT, EventKind.TOOL)
_CONTENT = (*_VISIBLE, EventKind.REASONING)
