"""What can be wrong with the text of one setting of an endpoint, and what to write instead.

No complaint repeats a value that could be a secret.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from gwtui.apis import api_names
from gwtui.config.errors import did_you_mean
from gwtui.secrets.patterns import looks_secret, names_secret, tells_secret
from gwtui.secrets.references import (
    SCHEMES,
    begins_reference,
    is_reference,
    is_sendable,
    references_in,
    without_references,
)
from gwtui.text.untrusted_files import expanded
from gwtui.transport.connection_policy import host_and_port
from gwtui.transport.proxy_urls import DIRECT, ProxyURLError, parse_proxy

Complaint: TypeAlias = tuple[str, str]
"""What is wrong and what to do."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 5.6.2: what a method or a header name may be."""
_SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103
"""`sun_path` of the system, without its last zero: unix(7)."""
_SET_BY_GWTUI = frozenset(
    {
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
    }
)
_MISPLACED = ("holds a reference outside of its query", "references are allowed only in keys, headers and queries")
_USE_KEY = f"use key = {SCHEMES}"
USE_REFERENCE = f"say where it is: {SCHEMES}, in a text ${{env:NAME}}"


def name_complaint(name: str) -> Complaint | None:
    """Names are shown, filed and typed: nothing invisible in them."""
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        return "holds control or invisible characters", "use letters, digits, spaces and signs"
    if name != name.strip():
        return "begins or ends with a space", ""
    return None


def _api_complaint(api: str) -> Complaint | None:
    return None if api in api_names() else ("unknown API", did_you_mean(api, api_names()))


def _url_complaint(url: str) -> Complaint | None:
    if references_in(url.partition("?")[0]):
        return _MISPLACED
    if _has_blanks(without_references(url)):
        return "holds spaces or control characters", "write them as %20 and the like"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has an impossible host or port", "https://gateway.example.com:8443"
    if parts.scheme not in {"http", "https", "ws", "wss"}:
        return "must begin with http://, https://, ws:// or wss://", ""
    if not host:
        return "has no host", "https://gateway.example.com"
    if "@" in parts.netloc:
        return "holds a user name or password", _USE_KEY
    return _query_complaint(parts.query, parts.fragment)


def _path_complaint(path: str) -> Complaint | None:
    if references_in(path.partition("?")[0]):
        return _MISPLACED
    if _has_blanks(without_references(path)):
        return "holds spaces or control characters", "write them as %20 and the like"
    if re.match(r"[A-Za-z]+://", path):
        return "is a whole URL", "put scheme and host into url"
    query, _, fragment = path.partition("?")[2].partition("#")
    return _query_complaint(query, fragment)


def _query_complaint(query: str, fragment: str) -> Complaint | None:
    if fragment:
        return "has a fragment (#...), which is never sent", ""
    if begins_reference(without_references(query)):
        return "holds an unfinished reference", "write ${env:NAME} or ${file:PATH}"
    if any(tells_secret(name, value) for name, value in parse_qsl(query, keep_blank_values=True)):
        return "holds a key in its query", f"{_USE_KEY}, sent as a header, or ${{env:NAME}} in the query"
    return None


def _connect_to_complaint(text: str) -> Complaint | None:
    try:
        host_and_port(text)
    except ValueError:
        return "must be HOST:PORT", "10.0.0.7:8443, gateway-2.internal:443 or [::1]:8443"
    return None


def _proxy_complaint(text: str) -> Complaint | None:
    if text == DIRECT or is_reference(text):
        return _key_complaint(text) if text != DIRECT else None
    try:
        url = parse_proxy(text)
    except ProxyURLError as error:
        return str(error), "such as socks5h://${env:LOGIN}@proxy.example.com:1080, or direct"
    for part, is_secret in ((url.user, False), (url.password or "", True)):
        literal = without_references(part)
        if begins_reference(literal):
            return "holds an unfinished reference", "write ${env:NAME} or ${file:PATH}"
        if literal and (is_secret or looks_secret(literal)):
            return "holds a password", "say where it is: socks5h://me:${env:NAME}@proxy.example.com:1080"
    return None


def _unix_complaint(text: str) -> Complaint | None:
    if not text.startswith(("/", "~/")):
        return "must be an absolute path", "begin with / or ~/"
    if "\0" in text:
        return "contains a character that paths cannot contain", ""
    if len(os.fsencode(expanded(text))) > _SOCKET_PATH_BYTES:
        return (
            f"is longer than a socket's path can be ({_SOCKET_PATH_BYTES} bytes)",
            "use a shorter path or a link",
        )
    return None


def _key_complaint(key: str) -> Complaint | None:
    if key.startswith("cmd:") and looks_secret(key):
        return "looks like a secret written out in a command", "let the command find it"
    if is_reference(key):
        return None
    return "must say where the key is, not what it is", SCHEMES


def _method_complaint(method: str) -> Complaint | None:
    return None if _TOKEN.fullmatch(method) else ("is not an HTTP method", "GET, POST, HEAD, ...")


def header_complaint(name: str, value: str) -> Complaint | None:
    if not _TOKEN.fullmatch(name):
        return "is not a header name", "letters, digits and -"
    if name.lower() in _SET_BY_GWTUI:
        return "is set by gwtui itself", "leave it out"
    held = references_in(value)
    literal = without_references(value)
    if begins_reference(literal):
        return "holds an unfinished reference", "write ${env:NAME} or ${file:PATH}"
    if not is_sendable(literal):
        return "holds line breaks or characters that no HTTP header can carry", ""
    if not held and value and (names_secret(name) or looks_secret(value)):
        return "looks like a secret written out", USE_REFERENCE
    return None


def _has_blanks(text: str) -> bool:
    return any(char.isspace() or unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in text)


COMPLAINTS: dict[str, Callable[[str], Complaint | None]] = {
    "name": name_complaint,
    "api": _api_complaint,
    "url": _url_complaint,
    "path": _path_complaint,
    "connect_to": _connect_to_complaint,
    "unix": _unix_complaint,
    "proxy": _proxy_complaint,
    "key": _key_complaint,
    "method": _method_complaint,
}
