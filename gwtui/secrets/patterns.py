"""Values that look like secrets, by name or by value, without being declared as such."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from gwtui.secrets.prefixes import PUBLIC_PREFIXES
from gwtui.secrets.redaction import MASK
from gwtui.secrets.references import references_in, without_references

_NAME = re.compile(
    r"(?:^|[-_])(?:authorization|cookie|token|secret|password|passwd|credentials?|signature|sig|apikey)(?:$|[-_])"
    r"|(?:api|access|auth|subscription)[-_]?key|^key$|^code$",
    re.IGNORECASE,
)
_KNOWN = "|".join(map(re.escape, PUBLIC_PREFIXES))
_VALUE = re.compile(
    r"^(?i:bearer|basic|token)\s+\S{8}\S*"
    r"|(?<!\w)(?:(?:sk-|sk_|sg[a-z]_|slk_|gh[a-z]_|github_pat_|xox[a-z]-|AIza|AKIA|eyJ)[\w-]{8}"
    rf"|(?:{_KNOWN})[\w-]{{16}})[\w.-]*"
)
"""Beginnings that mean nothing else need 8 characters behind them; all known ones, some of which begin words as well
(`hf_transfer`), need 16, as few as keys of any maker have."""


def names_secret(name: str) -> bool:
    """Whether values of a header, query field or table key of that name are secrets."""
    return _NAME.search(name) is not None


def looks_secret(text: str) -> bool:
    """Whether the text holds what looks like a credential, whatever its name."""
    return _VALUE.search(text) is not None


def tells_secret(name: str, value: str) -> bool:
    """Whether a query field holds a literal secret; a reference is not one."""
    if references_in(value):
        return looks_secret(without_references(value))
    return names_secret(name) or looks_secret(value)


def without_secrets(text: str) -> str:
    """The text with everything masked that looks like a credential."""
    return _VALUE.sub(MASK, text)


def public_address(text: str) -> str:
    """A URL or path without user, password and secrets in its query."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return without_secrets(text)
    fields = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in fields if not tells_secret(name, value)]
    query = parts.query if kept == fields else urlencode(kept, safe="${}:/")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query).geturl()
