"""The request that an endpoint's profile makes, with references in place of keys; and the same as a curl command. Pure.

What each request has of its own (`traceparent`, `x-request-id`, the time of a signature) is not in it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
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
from gwtui.secrets.patterns import names_secret, public_address, without_secrets
from gwtui.secrets.redaction import MASK
from gwtui.secrets.references import is_reference, references_in, split
from gwtui.secrets.resolver import references_of

_OWN_OF_CURL = ("host", "content-length")
_HANDSHAKE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("User-Agent", "gwtui"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "Z3d0dWktaGFuZHNoYWtlIQ=="),
)
"""RFC 6455 4.1; the key is 16 bytes of any value."""
_CONTROLS = re.compile(r"([\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]+)")
"""What a terminal might obey when a command is pasted into it; line feeds and tabs are as any text within quotes."""


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


def asked_request(endpoint: Endpoint, result: Request | Ping | None = None) -> AskedRequest:
    """The request as it is made by the profile now. `result`: what came of the one that is meant, which tells more of
    it. Raises `AskError` where the endpoint cannot be asked."""
    from gwtui.probes.prepared_request import overlaid  # with all of the transport: not for a screen that only starts
    from gwtui.transport.request import HEADERS

    api = api_named(endpoint.api)
    further = [(name, _public(name, value)) for name, value in endpoint.headers.items()]
    if api is None:
        return _handshake(endpoint, overlaid(_HANDSHAKE, WEBSOCKET.headers(endpoint, _key_of(endpoint)), further))
    as_asked = _as_asked(endpoint, api, result)
    ask = api.ask(as_asked, _key_of(endpoint))
    body, number = numbered(ask.body, as_asked, api)
    is_fresh = endpoint.connection == "fresh"
    headers = overlaid(HEADERS, (("Connection", "close"),) if is_fresh else (), ask.headers, further)
    return AskedRequest(
        method=ask.method,
        url=public_address(ask.url),
        headers=tuple(headers),
        body=without_secrets(body.decode("utf-8", "replace")).encode(),
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
    if references_in(value):
        return without_secrets(value)
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


def _handshake(endpoint: Endpoint, headers: Iterable[tuple[str, str]]) -> AskedRequest:
    offered = WEBSOCKET.subprotocols(endpoint, tuple(endpoint.headers.items()))
    own = [(name, value) for name, value in headers if name.lower() != SUBPROTOCOLS]
    frame = WEBSOCKET.frame(endpoint)
    return AskedRequest(
        method="GET",
        url=public_address(WEBSOCKET.url(endpoint)),
        headers=(*own, ("Sec-WebSocket-Protocol", ", ".join(offered))) if offered else tuple(own),
        body=(frame or (endpoint.body if isinstance(endpoint.body, str) else "")).encode("utf-8", "replace"),
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


# curl


def curl_command(asked: AskedRequest) -> str:
    """A command for a POSIX shell that sends the same. Keys are variables or commands in it, as in the profile.

    Of a WebSocket it is the handshake: curl has no messages for it everywhere.
    """
    url = asked.url.replace("ws", "http", 1) if asked.url.startswith("ws") else asked.url
    parts = [f"curl -isSN --http1.1 {_method(asked)}".rstrip()]
    parts += _way(asked.endpoint)
    if asked.signature is not None:
        parts += _signing(asked.signature)
    for name, value in asked.headers:
        if name.lower() not in _OWN_OF_CURL and (name.lower(), value) != ("connection", "keep-alive"):
            parts.append(f"-H {_word(f'{name}: {value}' if value else f'{name};', asked)}")
    if asked.body and not asked.switches:
        if not any(name.lower() == "content-type" for name, _ in asked.headers):
            parts.append("-H 'Content-Type:'")
        parts.append(f"--data-raw {_quoted(asked.body.decode('utf-8', 'replace'))}")
    parts.append(f"{'-g ' if re.search('[][{}]', url) else ''}{_word(url, asked)}")
    return " \\\n  ".join(parts)


def _method(asked: AskedRequest) -> str:
    if asked.method == "HEAD":
        return "--head"
    is_usual = asked.method == ("POST" if asked.body and not asked.switches else "GET")
    return "" if is_usual else f"-X {shlex.quote(asked.method)}"


def _way(endpoint: Endpoint) -> Iterator[str]:
    """How curl gets there as the endpoint says."""
    if endpoint.connect_to is not None:
        yield f"--connect-to {shlex.quote(f'::{endpoint.connect_to}')}"
    if endpoint.unix is not None:
        yield f"--unix-socket {_path(endpoint.unix)}"
    if endpoint.proxy == "direct":
        yield "--noproxy '*'"
    elif endpoint.proxy is not None:
        references = references_in(endpoint.proxy)
        url = f"${{{endpoint.proxy}}}" if is_reference(endpoint.proxy) else endpoint.proxy
        yield f"--proxy {_pieces(url if references else public_address(url), references)}"
    if endpoint.follow_redirects:
        yield "--location"
    if (tls := endpoint.tls) is not None:
        files = (("--cacert", tls.ca_file), ("--cert", tls.client_cert), ("--key", tls.client_key))
        yield from (f"{option} {_path(path)}" for option, path in files if path is not None)
        if tls.client_key_password is not None:
            yield f"--pass {_shell(tls.client_key_password)}"
        if tls.insecure:
            yield "--insecure"


def _signing(signature: Signature) -> tuple[str, ...]:
    return (
        f"--aws-sigv4 {shlex.quote(f'aws:amz:{signature.region}:{signature.service}')}",
        '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
        '-H "x-amz-security-token: $AWS_SESSION_TOKEN"',
    )


def _word(text: str, asked: AskedRequest) -> str:
    return _pieces(text, tuple(references_of(asked.endpoint)))


def _pieces(text: str, references: tuple[str, ...]) -> str:
    """One word for a shell, in which each reference is what gives its value, and all else is as it stands."""
    known = "|".join(re.escape(f"${{{each}}}") for each in sorted(references, key=len, reverse=True))
    if not known:
        return _quoted(text)
    pieces = re.split(f"({known})", text)
    return "".join(_shell(piece[2:-1]) if at % 2 else _quoted(piece) for at, piece in enumerate(pieces) if piece)


def _shell(reference: str) -> str:
    """What gives the value of a reference in a shell, quoted."""
    scheme, place = split(reference)
    if scheme == "env":
        return f'"${place}"'
    if scheme == "file":
        return f'"$(cat {_path(place)})"'
    if scheme == "cmd":
        return f'"$({place})"'
    if scheme == "keyring":
        service, _, user = place.rpartition("/")
        return f'"$(keyring get {shlex.quote(service)} {shlex.quote(user)})"'
    return '"$KEY"'


def _path(path: str) -> str:
    """A path whose `~` stays what it is for a shell."""
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") else shlex.quote(path)


def _quoted(text: str) -> str:
    """The text for a shell. What a terminal might obey is written in octal digits."""
    if not _CONTROLS.search(text):
        return shlex.quote(text)
    pieces = enumerate(_CONTROLS.split(text))
    return "".join(_printed(piece) if at % 2 else shlex.quote(piece) for at, piece in pieces if piece)


def _printed(controls: str) -> str:
    digits = "".join(f"\\{byte:03o}" for byte in controls.encode())
    return f"\"$(printf '{digits}')\""
