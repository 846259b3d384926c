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


class End(StrEnum):
    """How the transport ended."""

    CLEAN = "clean"
    """The body's own end: the last chunk, the promised length, or a close where nothing else was promised."""
    LEFT = "left"
    """gwtui hung up after the API's terminator, because the gateway kept the stream open."""
    RESET = "reset"
    """The connection was reset or closed where an answer or the rest of it was due."""
    INCOMPLETE = "incomplete"
    """The connection was closed inside a chunked body or short of its promised length."""
    NOT_HTTP = "not_http"
    """The bytes break the rules of HTTP."""
    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    PROXY = "proxy"
    """A proxy on the way failed or refused."""
    TLS = "tls"
    NO_FIRST_BYTE = "no_first_byte"
    NO_FIRST_EVENT = "no_first_event"
    NO_FIRST_TOKEN = "no_first_token"  # noqa: S105 - a token of text, not a secret
    EVENT_GAP = "event_gap"
    """Bytes may come, but no event did for `event_gap_s`."""
    IDLE = "idle"
    """Nothing was read for `idle_s`."""
    TOTAL = "total"
    """`total_s` ran out."""
    TOO_LARGE = "too_large"
    DECODE_ERROR = "decode_error"
    NO_KEY = "no_key"
    TLS_FILE = "tls_file"
    """A file of the TLS settings cannot be used."""
    CANCELLED = "cancelled"
    LOCAL = "local"
