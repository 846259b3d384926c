"""What a session's directory says of itself: the profile that was run, and the schema of its rows. Pure text.

Nothing secret is in either: a profile holds references, and what looks like a secret all the same is left out.
"""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec
import tomli_w
from msgspec.structs import replace

from gwtui.codec.csv_schema import SCHEMA
from gwtui.model.profile import TLS, Endpoint, Profile
from gwtui.secrets.patterns import looks_secret, names_secret, public_address, without_secrets
from gwtui.secrets.redaction import MASK
from gwtui.secrets.references import is_reference, references_in, without_references
from gwtui.text.units import timestamp
from gwtui.transport.proxy_urls import DIRECT, ProxyURLError, parse_proxy

LEFT_OUT = "env:REDACTED"
"""Replaces a literal secret: a reference, so that the copy is a valid profile."""


def session_toml(started_at: float) -> str:
    """The schema of the rows, and when the session began."""
    return tomli_w.dumps({"schema": SCHEMA, "started_at": timestamp(started_at)})


def schema_in(text: str) -> int | None:
    """The schema that a directory's `session.toml` names; None when it names none."""
    try:
        schema = tomllib.loads(text).get("schema")
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, int) and not isinstance(schema, bool) else None


def profile_toml(profile: Profile) -> str:
    """The profile as a file of its own that `--config` takes. Keys are in it as references, as they are in it."""
    table = msgspec.to_builtins(replace(profile, endpoints=tuple(map(_guarded, profile.endpoints))))
    table.pop("name", None)
    return _escaped(tomli_w.dumps({"profiles": {profile.name: _plain(table)}}))


def endpoint_table(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint as it is in that file."""
    table: dict[str, Any] = _plain(msgspec.to_builtins(_guarded(endpoint)))
    return table


def is_whole(endpoint: Endpoint) -> bool:
    """Whether the endpoint is in that file as it is, and not without a secret that it spells out."""
    whole: dict[str, Any] = _without_none(msgspec.to_builtins(endpoint))
    return endpoint_table(endpoint) == whole


def _escaped(text: str) -> str:
    """The TOML with its invisible characters as escapes, which mean the same: it may be printed on a terminal."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else f"\\U{ord(char):08X}" for char in text)


def _guarded(endpoint: Endpoint) -> Endpoint:
    key, path = endpoint.key, endpoint.path
    return replace(
        endpoint,
        url=public_address(endpoint.url),
        path=path if path is None else public_address(path),
        key=key if key is None or _is_safe(key) else LEFT_OUT,
        headers={name: _header(name, value) for name, value in endpoint.headers.items()},
        body=_masked(endpoint.body),
        tls=_guarded_tls(endpoint.tls),
        proxy=_guarded_proxy(endpoint.proxy),
    )


def _guarded_proxy(proxy: str | None) -> str | None:
    """A proxy without a login that is written out."""
    if proxy is None or proxy == DIRECT or _is_safe(proxy):
        return proxy
    try:
        url = parse_proxy(proxy)
    except ProxyURLError:
        return LEFT_OUT
    is_written_out = without_references(f"{url.user}{url.password or ''}")
    return f"{url.scheme}://{url.host}:{url.port}" if is_written_out else proxy


def _guarded_tls(tls: TLS | None) -> TLS | None:
    if tls is None or tls.client_key_password is None or _is_safe(tls.client_key_password):
        return tls
    return replace(tls, client_key_password=LEFT_OUT)


def _is_safe(key: str) -> bool:
    """Whether it is a reference, and no command with a secret among its words."""
    return is_reference(key) and not (key.startswith("cmd:") and looks_secret(key))


def _header(name: str, value: str) -> str:
    literal = without_references(value)
    return LEFT_OUT if looks_secret(literal) or (literal == value and value and names_secret(name)) else value


def _masked(value: Any, name: str = "") -> Any:
    """A body without the texts that are secrets by their names."""
    if isinstance(value, dict):
        return {key: _masked(item, key) for key, item in value.items()}
    return MASK if isinstance(value, str) and names_secret(name) else value


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value if item is not None] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """TOML has no null, so None is left out; values that look like secrets are masked."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value if item is not None]
    return without_secrets(value) if isinstance(value, str) and not references_in(value) else value
