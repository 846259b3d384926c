"""Keys by reference: a profile says where a key is, and it is read when it is used.

`env:NAME`, `file:PATH`, `cmd:COMMAND` (a password manager's) or `keyring:SERVICE/USER`. No error here repeats a value.
"""

from gwtui.keys.looks import looks_secret, names_secret, tells_secret, without_secrets
from gwtui.keys.places import MAX_FILE_BYTES
from gwtui.keys.redaction import MASK, Redactor, RunningRedactor
from gwtui.keys.references import (
    SCHEMES,
    KeyReferenceError,
    NoRoomError,
    begins_reference,
    is_reference,
    is_sendable,
    references_in,
    without_references,
)
from gwtui.keys.resolving import (
    learn,
    make_ready,
    masked,
    read,
    redactor,
    references_of,
    remember,
    resolve,
    resolve_headers,
    resolve_url,
    resolve_within,
)

__all__ = [
    "MASK",
    "MAX_FILE_BYTES",
    "SCHEMES",
    "KeyReferenceError",
    "NoRoomError",
    "Redactor",
    "RunningRedactor",
    "begins_reference",
    "is_reference",
    "is_sendable",
    "learn",
    "looks_secret",
    "make_ready",
    "masked",
    "names_secret",
    "read",
    "redactor",
    "references_in",
    "references_of",
    "remember",
    "resolve",
    "resolve_headers",
    "resolve_url",
    "resolve_within",
    "tells_secret",
    "without_references",
    "without_secrets",
]
