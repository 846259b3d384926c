"""What makes an endpoint the same one as in earlier sessions: where it is, and what it is asked. Pure."""

from __future__ import annotations

import hashlib
import json

import msgspec
from msgspec.structs import replace

from gwtui.apis import ASKED_APIS
from gwtui.apis.base import AskError
from gwtui.model.profile import Endpoint
from gwtui.secrets.patterns import public_address, without_secrets

HASH_DIGITS = 16


class EndpointIdentity(msgspec.Struct, frozen=True):
    """An endpoint as the history knows it. A change of any field begins another history."""

    profile: str
    name: str
    api: str
    url: str
    """Without secrets, as are the following."""
    path: str
    model: str
    vantage: str
    request: str
    """A hash of the request's body without its nonce."""


def identity_of(profile: str, endpoint: Endpoint, vantage: str = "") -> EndpointIdentity:
    """The identity of a profile's endpoint, as probed from that place."""
    return EndpointIdentity(
        profile=profile,
        name=endpoint.name,
        api=endpoint.api,
        url=without_secrets(public_address(endpoint.url)),
        path=without_secrets(public_address(endpoint.path or "")),
        model=without_secrets(endpoint.model or ""),
        vantage=vantage,
        request=_hash(endpoint),
    )


def _hash(endpoint: Endpoint) -> str:
    """Of the method and all that is sent in the body: a request that is refused has no body, but its own settings."""
    asked = replace(endpoint, key=None, headers={}, nonce=False)
    api = ASKED_APIS.get(endpoint.api)
    try:
        body = api.ask(asked, None).body if api is not None else b""
    except AskError:
        body = b""
    own = (endpoint.method, endpoint.stream, endpoint.turns, None if body else (endpoint.body, endpoint.messages))
    settings = json.dumps(msgspec.to_builtins(own), sort_keys=True)
    return hashlib.sha256(settings.encode() + b"\0" + body).hexdigest()[:HASH_DIGITS]
