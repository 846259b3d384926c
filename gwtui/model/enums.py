"""The small vocabularies that code, screen, CSV and documents share, each word with its meaning."""

from __future__ import annotations

from enum import Enum, StrEnum
from weakref import WeakValueDictionary


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


BAD = (State.SLOW, State.DEGRADED, State.DOWN)
"""The states of a sick endpoint, from the mildest to the worst."""
_MARKS = {"up": "●", "slow": "▲", "degraded": "▲", "down": "✖", "paused": "‖", "unknown": "○"}


class Outcome(StrEnum):
    """Whether a result counts for or against the gateway. `cancelled` and `local` count for neither."""

    OK = "ok"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOCAL = "local"


class Clock(StrEnum):
    """Who took the arrival stamps: the kernel when the packet came, or gwtui right after the read."""

    KERNEL = "kernel"
    USER = "user"


class Trigger(StrEnum):
    """Why a probe ran. A trial tries an endpoint that is still being edited and counts in no statistics."""

    SCHEDULE = "schedule"
    BURST = "burst"
    ASKED = "asked"
    """The user asked for it, beside the schedule. It counts as a scheduled one does."""
    TRIAL = "trial"


class Unsent(StrEnum):
    """Why a request that was due was never sent."""

    NO_ROOM = "no room"
    """The maximum concurrency was used up until the time was over: the endpoint is slow."""
    OWN_LATENESS = "own lateness"
    """gwtui itself was too slow to send it in time."""
    GIVEN_UP = "given up"
    """Its endpoint was not to be dialled again before the time was over, or did not answer for a long time."""


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

    @property
    def is_progress(self) -> bool:
        """A step of the answer: what keeps `event_gap_s` from running out."""
        return self in _PROGRESS


_VISIBLE = (EventKind.TEXT, EventKind.TOOL)
_CONTENT = (*_VISIBLE, EventKind.REASONING)
_PROGRESS = frozenset({*_CONTENT, EventKind.START, EventKind.STOP, EventKind.ERROR})


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


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    """Worth knowing; users of the gateway are not affected."""
    WARNING = "warning"
    """Users or their clients notice it, or will soon."""

    @property
    def mark(self) -> str:
        """Its shape, one cell wide."""
        return "▲" if self is Severity.WARNING else "·"


class FindingName(Enum):
    """The name of a finding; `model.findings` says what each one means.

    It is no `str`, so that a type checker reports a comparison with a text, which could be misspelt. A name that
    another version of gwtui wrote is kept as it is.
    """

    BUFFERED = "buffered"
    AT_ONCE = "at_once"
    COMBED = "combed"
    COMPRESSED = "compressed"
    KEEPALIVES_ONLY = "keepalives_only"
    NO_DELTAS = "no_deltas"
    COLD = "cold"

    MODEL_DIFFERS = "model_differs"
    RETRIES = "retries"
    FALLBACKS = "fallbacks"
    FALLBACK = "fallback"
    MODEL_FAILED = "model_failed"
    MODEL_MISSING = "model_missing"
    COUNTS_DIFFER = "counts_differ"
    LIMIT_RENAMED = "limit_renamed"
    SEQUENTIAL = "sequential"

    PROVIDER_FALLBACK = "provider_fallback"
    BREAKER_OPEN = "breaker_open"
    METRICS_STAND_STILL = "metrics_stand_still"
    METRICS_RESTARTED = "metrics_restarted"
    COST_DIFFERS = "cost_differs"
    CACHED_ANSWER = "cached_answer"
    NEAR_LIMIT = "near_limit"

    UNTERMINATED = "unterminated"
    NO_STOP_REASON = "no_stop_reason"
    OPEN_AFTER_END = "open_after_end"
    BROKEN_AFTER_END = "broken_after_end"
    ERROR_AFTER_END = "error_after_end"
    EVENTS_AFTER_END = "events_after_end"

    BAD_JSON = "bad_json"
    DAMAGED = "damaged"
    IDS_DIFFER = "ids_differ"
    UNASKED_CHOICE = "unasked_choice"
    UNASKED_CANDIDATE = "unasked_candidate"
    UNNAMED_EVENTS = "unnamed_events"
    TOLERATED = "tolerated"
    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_FINISH_REASON = "unknown_finish_reason"
    NO_VISIBLE_OUTPUT = "no_visible_output"
    NOTHING_GENERATED = "nothing_generated"
    REFUSED = "refused"
    FILTERED = "filtered"
    TOOL_UNANNOUNCED = "tool_unannounced"
    FINISH_REPEATED = "finish_repeated"
    FINISH_ODD = "finish_odd"
    FOREIGN_CHUNK = "foreign_chunk"
    ROLE_REPEATED = "role_repeated"
    DONE_MARKER = "done_marker"
    NO_START = "no_start"
    ODD_MESSAGE_START = "odd_message_start"
    NO_SEQUENCE_NUMBERS = "no_sequence_numbers"
    SEQUENCE_NUMBERS = "sequence_numbers"
    DONE_DIFFERS = "done_differs"
    NO_OUTPUT_INDEX = "no_output_index"
    NO_ITEMS = "no_items"
    ITEM_INDEX_REUSED = "item_index_reused"
    ITEM_NOT_DONE = "item_not_done"
    NO_ALT_SSE = "no_alt_sse"
    ATTRIBUTION_ERROR = "attribution_error"
    NO_TOOL_CALL = "no_tool_call"
    CONVERSATION_STOPPED = "conversation_stopped"

    PARTIAL_CONTENT = "partial_content"
    TWO_LENGTHS = "two_lengths"
    TWO_CONTENT_TYPES = "two_content_types"
    BYTES_AFTER_ANSWER = "bytes_after_answer"
    CLOCK_SKEW = "clock_skew"
    REDIRECTED = "redirected"
    NO_SUBPROTOCOL = "no_subprotocol"

    ADDRESS_DOWN = "address_down"
    ADDRESS_FALLBACK = "address_fallback"
    ADDRESS_CHANGED = "address_changed"
    STALE_CONNECTION = "stale_connection"
    CERTIFICATE_EXPIRES = "certificate_expires"
    CLIENT_CERTIFICATE_EXPIRES = "client_certificate_expires"
    TLS_FILES_NOT_RELOADED = "tls_files_not_reloaded"

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def _missing_(cls, value: object) -> FindingName | None:
        if not isinstance(value, str):
            return None
        found = _STRANGE_NAMES.get(value)
        if found is None:
            found = object.__new__(cls)
            found._name_ = found._value_ = value
            _STRANGE_NAMES[value] = found
        return found


_STRANGE_NAMES: WeakValueDictionary[str, FindingName] = WeakValueDictionary()
"""Names from other versions, one object each for as long as it is in use."""
