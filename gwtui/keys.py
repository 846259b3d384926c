"""Keys by reference: a profile says where a key is, `env:NAME` or `file:PATH`, and it is read when it is used.

Header values may be a reference, or hold some: `token ${env:SRC_ACCESS_TOKEN}`. No error here repeats a value.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

from gwtui.profile import Endpoint

MAX_FILE_BYTES = 64 * 1024
MASK = "•••"

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\0\r\n]+")
_IN_TEXT = re.compile(r"\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^\0\r\n}]+)\}")
_SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 5.5: a field value is visible characters, spaces and tabs; more than Latin-1 has no bytes on the wire."""
_SHORTEST_SECRET = 4
"""Anything shorter would mask half of every text."""


class KeyReferenceError(ValueError):
    """A reference cannot be resolved. The text names the variable or file and the remedy, never a value."""


def is_reference(text: str) -> bool:
    """Whether the whole text is `env:NAME` or `file:PATH`."""
    return _REFERENCE.fullmatch(text) is not None


def references_in(text: str) -> tuple[str, ...]:
    """The references that a header value is or holds."""
    return (text,) if is_reference(text) else tuple(_IN_TEXT.findall(text))


def without_references(text: str) -> str:
    """What a header value holds besides its references."""
    return "" if is_reference(text) else _IN_TEXT.sub("", text)


def is_sendable(text: str) -> bool:
    """Whether a header value can carry the text."""
    return _SENDABLE.fullmatch(text) is not None


def resolve(reference: str) -> str:
    """The key itself, without surrounding white space. Raises KeyReferenceError."""
    if not is_reference(reference):
        raise KeyReferenceError("a key is given as env:NAME or file:PATH")
    scheme, _, place = reference.partition(":")
    value = (_from_environment(place) if scheme == "env" else _from_file(place)).strip()
    if not value:
        raise KeyReferenceError(f"{reference} is empty")
    if not is_sendable(value):
        raise KeyReferenceError(f"{reference} holds line breaks or characters that no HTTP header can carry")
    return value


def resolve_headers(endpoint: Endpoint) -> list[tuple[str, str]]:
    """The endpoint's further headers, references replaced by what they refer to. Raises KeyReferenceError."""
    return [(name, _resolve_in(name, value)) for name, value in endpoint.headers.items()]


def secrets_of(endpoint: Endpoint) -> tuple[str, ...]:
    """All values that the endpoint's references have now, for masking; those that cannot be resolved are left out."""
    texts = [*([endpoint.key] if endpoint.key else []), *endpoint.headers.values()]
    found: list[str] = []
    for reference in dict.fromkeys(reference for text in texts for reference in references_in(text)):
        try:
            found.append(resolve(reference))
        except KeyReferenceError:
            continue
    return tuple(found)


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret masked, in the forms it may come back in: as it is, in a URL, in JSON, in base64."""
    return redactor(secrets)(text)


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """`redact` for many texts and the same secrets."""
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST_SECRET}
    if not forms:
        return str
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda text: pattern.sub(MASK, text)


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise KeyReferenceError(f"the environment variable {name} is not set: export {name}=... and start gwtui again")
    return value


def _from_file(place: str) -> str:
    try:
        path = Path(place).expanduser()
    except RuntimeError as error:
        raise KeyReferenceError(f"there is no home directory for {place}") from error
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            _refuse_unsafe(os.fstat(file.fileno()), path)
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyReferenceError(f"the key file {path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise KeyReferenceError(f"the key file {path} is larger than {MAX_FILE_BYTES // 1024} KiB: the wrong one?")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise KeyReferenceError(f"the key file {path} is not UTF-8 text") from error


def _open_at_once(path: str, flags: int) -> int:
    """Does not wait for the writer of a FIFO, which is refused anyway."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_unsafe(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyReferenceError(f"the key file {path} is not a regular file")
    if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyReferenceError(f"the key file {path} is open to other users: chmod 600 {path}")


def _resolve_in(name: str, value: str) -> str:
    if is_reference(value):
        return resolve(value)
    text = _IN_TEXT.sub(lambda found: resolve(found[1]), value)
    if not is_sendable(text):
        raise KeyReferenceError(f"the header {name} holds line breaks or characters that no HTTP header can carry")
    return text


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    data = secret.encode("utf-8", "replace")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode()
        for before in range(3):
            # Inside a longer text the secret starts at any of three positions of base64's groups; the characters at
            # both ends also depend on its neighbours, so those between them are what can be recognised.
            first = -(-before * 8 // 6)
            last = (before + len(data)) * 8 // 6
            inner = encode(b"\0" * before + data).decode()[first:last]
            if len(inner) >= 2 * _SHORTEST_SECRET:
                yield inner
