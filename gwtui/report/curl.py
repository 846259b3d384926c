"""A request as a curl command. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from gwtui.apis.base import Signature
from gwtui.model.profile import Endpoint
from gwtui.probes.asked_request import AskedRequest
from gwtui.secrets.patterns import public_address
from gwtui.secrets.references import is_reference, references_in, split
from gwtui.secrets.resolver import references_of

_OWN_OF_CURL = ("host", "content-length")
_CONTROLS = re.compile(r"([\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]+)")
"""What a terminal might obey when a command is pasted into it; line feeds and tabs are as any text within quotes."""


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
