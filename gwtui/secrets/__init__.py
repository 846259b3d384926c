"""Keys by reference: a profile says where a key is, and it is read when it is used.

`env:NAME`, `file:PATH`, `cmd:COMMAND` (a password manager's) or `keyring:SERVICE/USER`. No error here repeats a value.
"""

from gwtui.secrets.patterns import looks_secret, names_secret, tells_secret, without_secrets
from gwtui.secrets.redaction import MASK, Redactor, RunningRedactor
from gwtui.secrets.references import (
    SCHEMES,
    KeyReferenceError,
    NoRoomError,
    begins_reference,
    is_reference,
    is_sendable,
    references_in,
    without_references,
)
from gwtui.secrets.resolver import (
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
from gwtui.secrets.sources import MAX_FILE_BYTES

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
