"""The request of an endpoint as it is shown and kept: with references in place of what they refer to."""

from __future__ import annotations

from gwtui.apis import APIS, SOCKET_APIS
from gwtui.apis.base import Ask, AskError
from gwtui.apis.websocket import WEBSOCKET
from gwtui.model.profile import Endpoint


def shown_request(endpoint: Endpoint) -> Ask | None:
    """What is sent, but for what each request has of its own (ids, a nonce's number) and for a signature. A key stands
    in it as `${env:NAME}`. None where the endpoint cannot be asked."""
    key = None if endpoint.key is None or endpoint.key.startswith("aws:") else f"${{{endpoint.key}}}"
    further = tuple((name, _held(value)) for name, value in endpoint.headers.items())
    names = {name.lower() for name, _ in further}
    try:
        ask = _asked(endpoint, key)
    except AskError:
        return None
    own = (header for header in ask.headers if header[0].lower() not in names)
    return Ask(ask.method, ask.url, (*own, *further), ask.body)


def _asked(endpoint: Endpoint, key: str | None) -> Ask:
    if endpoint.api == WEBSOCKET.name:
        frame = (WEBSOCKET.frame(endpoint) or "").encode("utf-8", "replace")
        return Ask("GET", WEBSOCKET.url(endpoint), WEBSOCKET.headers(endpoint, key), frame)
    return (SOCKET_APIS.get(endpoint.api) or APIS[endpoint.api]).ask(endpoint, key)


def _held(value: str) -> str:
    """A header's value, in which a reference is written as within a text."""
    is_whole = "${" not in value and value.partition(":")[0] in ("env", "file", "cmd", "keyring")
    return f"${{{value}}}" if is_whole else value
