"""The request that an endpoint's profile makes, with references in place of keys.

What each request has of its own (`traceparent`, `x-request-id`, the time of a signature) is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gwtui.apis import api_named, dialogue_of
from gwtui.apis.base import API, Ask, Signature
from gwtui.apis.dialogue import opened, turn_of
from gwtui.apis.nonce import numbered
from gwtui.apis.token_limit import with_limit_in
from gwtui.apis.websocket import SUBPROTOCOLS, WEBSOCKET
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request
from gwtui.probes.prepared_request import overlaid
from gwtui.secrets.patterns import looks_secret, names_secret, public_address, without_secrets
from gwtui.secrets.redaction import MASK
from gwtui.secrets.references import is_reference, references_in, without_references
from gwtui.transport.request import HEADERS

_HANDSHAKE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("User-Agent", "gwtui"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "Z3d0dWktaGFuZHNoYWtlIQ=="),
)
"""RFC 6455 4.1; the key is 16 bytes of any value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRequest:
    """References to keys stand in `url` and `headers` as `${env:NAME}`."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    endpoint: Endpoint
    signature: Signature | None = None
    switches: bool = False
    """It opens a WebSocket; `body` is what is sent over that."""
    notes: tuple[str, ...] = ()
    """How what was sent may differ from this."""


def asked_request(
    endpoint: Endpoint, result: Request | Ping | None = None, redact: Callable[[str], str] = str
) -> AskedRequest:
    """The request as the profile makes it, without anything that looks like a key.

    `result`: what came of the request that is meant, which tells more of it. `redact` takes known keys out of texts.
    Raises `AskError` where the endpoint cannot be asked.
    """
    api = api_named(endpoint.api)
    further = [(redact(name), _public(name, redact(value))) for name, value in endpoint.headers.items()]
    if api is None:
        layers = (_HANDSHAKE, WEBSOCKET.headers(endpoint, _key_of(endpoint)), further)
        return _handshake(endpoint, overlaid(*layers), redact)
    as_asked = _as_asked(endpoint, api, result)
    ask = api.ask(as_asked, _key_of(endpoint))
    body, number = numbered(ask.body, as_asked, api)
    is_fresh = endpoint.connection == "fresh"
    headers = overlaid(HEADERS, (("Connection", "close"),) if is_fresh else (), ask.headers, further)
    return AskedRequest(
        method=ask.method,
        url=public_address(redact(ask.url)),
        headers=tuple(headers),
        body=without_secrets(redact(body.decode("utf-8", "replace"))).encode(),
        endpoint=endpoint,
        signature=ask.signature,
        switches=ask.switches,
        notes=tuple(_notes(ask, number, result)),
    )


def _key_of(endpoint: Endpoint) -> str | None:
    return f"${{{endpoint.key}}}" if endpoint.key is not None else None


def _public(name: str, value: str) -> str:
    """The value of a further header with its references as within a text, and without a literal secret."""
    if is_reference(value):
        return f"${{{value}}}"
    literal = without_references(value)
    if literal != value:
        return MASK if looks_secret(literal) else value
    return MASK if names_secret(name) else without_secrets(value)


def _as_asked(endpoint: Endpoint, api: API, result: Request | Ping | None) -> Endpoint:
    """With the first turn of a conversation, and with the name of the token limit that refusals have taught."""
    if endpoint.turns:
        endpoint = turn_of(endpoint, dialogue_of(endpoint), opened(endpoint), endpoint.turns[0])
    for finding in result.findings if result is not None else ():
        if finding.name is FindingName.LIMIT_RENAMED:
            said = finding.evidence.replace(":", " ").split()
            name = next((word for word in said if word in api.limit_fields), "")
            endpoint = with_limit_in(endpoint, api.limit_fields, name) if name else endpoint
    return endpoint


def _handshake(endpoint: Endpoint, headers: Iterable[tuple[str, str]], redact: Callable[[str], str]) -> AskedRequest:
    offered = WEBSOCKET.subprotocols(endpoint, tuple(endpoint.headers.items()))
    own = [(name, value) for name, value in headers if name.lower() != SUBPROTOCOLS]
    frame = WEBSOCKET.frame(endpoint)
    sent = frame if frame is not None else endpoint.body if isinstance(endpoint.body, str) else ""
    return AskedRequest(
        method="GET",
        url=public_address(redact(WEBSOCKET.url(endpoint))),
        headers=(*own, ("Sec-WebSocket-Protocol", ", ".join(offered))) if offered else tuple(own),
        body=without_secrets(redact(sent)).encode("utf-8", "replace"),
        endpoint=endpoint,
        switches=True,
        notes=("Sec-WebSocket-Key is another one each time", *(() if frame is not None else ("a protocol ping",))),
    )


def _notes(ask: Ask, number: bytes, result: Request | Ping | None) -> Iterator[str]:
    if number:
        yield "each request has a fresh number in front of its question"
    if ask.signature is not None:
        yield "signed when it is sent (AWS Signature Version 4)"
    if references_in(ask.url):
        yield "what the references of the URL give is percent-encoded"
    if isinstance(result, Request) and (result.turn or 1) > 1:
        yield f"turn {result.turn} carried the answers before it, which are not kept: this is turn 1"
