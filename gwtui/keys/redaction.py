"""Secrets are masked by their value, in whatever form it comes back."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

MASK = "•••"

_SHORTEST_SECRET = 4
"""Anything shorter would mask half of every text."""


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


def redacted(data: bytes, redact: Callable[[str], str]) -> bytes:
    """Bytes that may be text, masked by a redactor."""
    return redact(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


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
