"""Keys of derived endpoints: the endpoint's own way of sending it, and a made-up key in the same place. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from gwtui.apis import APIS
from gwtui.apis.base import AskError
from gwtui.apis.requests import AUTH_HEADERS
from gwtui.model.profile import Endpoint
from gwtui.secrets.references import references_in

MADE_UP_KEY = "invalid"
"""No real key looks like it, and none is ever changed to make one."""
_KEY_HEADERS = frozenset(name.lower() for name, _ in AUTH_HEADERS.values()) | {"cookie", "proxy-authorization"}


def with_made_up_key(endpoint: Endpoint) -> Endpoint:
    """The endpoint without any key or secret header of its own, and with the made-up key where its key would go."""
    kept = {name: value for name, value in endpoint.headers.items() if not _is_secret(name, value)}
    replaced = {name: _disguised(value) for name, value in endpoint.headers.items() if _is_secret(name, value)}
    if endpoint.key is not None or not replaced:
        replaced |= _key_header(endpoint)
    return replace(endpoint, key=None, headers=kept | replaced)


def with_own_auth(document: Endpoint, endpoint: Endpoint) -> Endpoint:
    """The document's endpoint sending its key in the way that the endpoint's API uses."""
    sent = _key_header(endpoint)
    ways = (auth for auth, (name, form) in AUTH_HEADERS.items() if sent.get(name) == form.format(MADE_UP_KEY))
    return replace(document, auth=endpoint.auth or next(ways, None))


def holds_key(endpoint: Endpoint) -> bool:
    """Whether the endpoint sends a key at all."""
    return endpoint.key is not None or any(_is_secret(*header) for header in endpoint.headers.items())


def _is_secret(name: str, value: str) -> bool:
    return name.lower() in _KEY_HEADERS or bool(references_in(value))


def _disguised(value: str) -> str:
    """`token ${env:NAME}` -> `token invalid`, `env:NAME` -> `invalid`."""
    scheme, space, rest = value.partition(" ")
    return f"{scheme} {MADE_UP_KEY}" if space and rest and not references_in(scheme) else MADE_UP_KEY


def _key_header(endpoint: Endpoint) -> dict[str, str]:
    """The header that carries the key in this endpoint's API, with the made-up one in it."""
    try:
        ask = APIS[endpoint.api].ask(replace(endpoint, key=None, headers={}), MADE_UP_KEY)
    except AskError:
        return {}
    return {name: value for name, value in ask.headers if value.rpartition(" ")[2] == MADE_UP_KEY}
