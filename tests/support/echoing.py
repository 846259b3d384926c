"""Gateways that give a canary key back in every way they can, and how its pieces are found in a text."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from support.certificates import pair
from support.listening import listening
from support.pinging import TEXT, accept, close, frame
from support.scripted import free_port

from gwtui.model.profile import TLS, Deadlines, Endpoint, Profile

CANARY = "sk-q7Zx+W9/vB3=kTpL0mYc8HdRfN2uJs5E"
PIECE = 8
"""The number of its characters in a row that are a leak."""


def forms(secret: str) -> set[str]:
    """How a secret can look in a text."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in ("", "x", "xy", "user:"):
            found.add(encode(f"{before}{secret}".encode()).decode())
    return found


def pieces() -> set[str]:
    """All that must not be in any output."""
    found = set()
    for form in forms(CANARY):
        text = form.strip('"')
        found |= {text[at : at + PIECE] for at in range(len(text) - PIECE + 1)}
    # What base64 makes of the text before the secret is no secret.
    return {piece for piece in found if not any(piece in encoded for encoded in _harmless())}


def _harmless() -> set[str]:
    return {base64.b64encode(before.encode()).decode() for before in ("user:", "xy", "x")}


PIECES = pieces()


def leaks(text: str) -> set[str]:
    return {piece for piece in PIECES if piece in text}


def where(text: str) -> list[str]:
    """The text around the first leaks, for the failure message."""
    return [text[max(0, text.index(piece) - 60) : text.index(piece) + 60] for piece in sorted(leaks(text))[:3]]


# Gateways that give the key back. Each takes what it was sent as the key, and answers in bytes.


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    return (
        "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body
    )


def stream(*lines: str) -> bytes:
    """A stream that ends with its connection."""
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "", *lines, ""]).encode()


def everywhere(secret: str) -> str:
    return " ".join(sorted(forms(secret)))


def escaped(secret: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in secret)


ERROR = '{{"error": {{"message": {0}, "type": {0}, "code": {0}, "param": {0}}}}}'


def error_json(secret: str) -> str:
    return ERROR.format(json.dumps(everywhere(secret)))


HEADERS = (
    *("x-request-id", "x-trace", "server-timing", "cf-ray", "via", "server", "x-cody-resolved-model", "retry-after"),
    *("x-ratelimit-limit-requests", "openai-version", "content-type", "x-litellm-model-id", "traceparent", "date"),
)

ECHOES: dict[str, Callable[[str], bytes]] = {
    "json-401": lambda key: answer("401 Unauthorized", "Content-Type: application/json", body=error_json(key).encode()),
    "text-429": lambda key: answer("429 Slow Down", f"Retry-After: {key}", body=f"wait, {everywhere(key)}".encode()),
    "html-502": lambda key: answer(
        "502 Bad Gateway",
        "Content-Type: text/html",
        body=f"<html><title>{key}</title><body>{everywhere(key)}</body>".encode(),
    ),
    "at-the-cut": lambda key: answer("500 Oops", body=b"x" * 190 + key.encode() + b"y" * 400),
    "at-another-cut": lambda key: answer("500 Oops", body=b"x" * 230 + key.encode() + b"y" * 400),
    "headers": lambda key: answer("200 OK", *[f"{name}: {key}" for name in HEADERS], body=b"pong"),
    "long-headers": lambda key: answer(
        "200 OK", *[f"{name}: {'z' * 240}{key}" for name in HEADERS], body=b"not what was expected"
    ),
    "reason": lambda key: answer(f"599 {key}", body=b""),
    "redirect": lambda key: answer(
        "307 Temporary Redirect", f"Location: https://u:{quote(key)}@elsewhere.example/{quote(key)}?key={quote(key)}"
    ),
    "redirect-host": lambda key: answer("302 Found", f"Location: https://{key}.example/"),
    "banner": lambda key: f"SSH-2.0-{key}\r\n{'x' * 300}".encode(),
    "banner-at-the-cut": lambda key: f"{'S' * 240}{key}\r\n".encode(),
    "status-line": lambda key: f"HTTP/1.1 {key} OK\r\n\r\n".encode(),
    "header-line": lambda key: f"HTTP/1.1 200 OK\r\n{key}\r\n\r\n".encode(),
    "chunk-size": lambda key: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{key}\r\n".encode(),
    "encoding": lambda key: answer("200 OK", f"Content-Encoding: {key}", body=b"pong"),
    "events": lambda key: stream(
        f"event: {key}",
        "data: " + json.dumps({"model": key, "choices": [{"index": 0, "delta": {"content": everywhere(key)}}]}),
        "",
        f'data: {{"choices": [{{"index": 0, "delta": {{}}, "finish_reason": {json.dumps(key)}}}]}}',
        "",
        "data: [DONE]",
        "",
    ),
    "error-event": lambda key: stream(f"event: {'e' * 50}{key}", f"data: {error_json(key)}", ""),
    "junk-events": lambda key: stream(f"data: {everywhere(key)}", "", f": {key}", f"{key}: {key}", ""),
    "escaped": lambda key: stream(
        f'data: {{"choices": [{{"index": 0, "delta": {{"content": "{escaped(key)}"}}}}]}}', ""
    ),
    "escaped-error": lambda key: answer("400 Bad", body=f'{{"error": {{"message": "{escaped(key)}"}}}}'.encode()),
    "stray-lines": lambda key: stream(error_json(key)),
}


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve every gateway of `ECHOES` under its name, and a WebSocket for every way one can end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        name = head.split(b" ", 2)[1].decode().strip("/")
        found = re.search(rb"(?im)^(?:authorization: (?:bearer |token )?|x-api-key: )(.*?)\r?$", head)
        key = found[1].decode() if found else ""
        assert key == CANARY, "the canary has to arrive, or nothing is proved"
        if name in ECHOES:
            writer.write(ECHOES[name](key))
        else:
            writer.write(accept(head, f"x-request-id: {key}", f"x-trace: {key}"))
            await reader.readexactly(6 + len(b"ping"))
            writer.write(
                {
                    "ws-answer": frame(TEXT, (everywhere(key) + "x" * 100).encode()),
                    "ws-short-answer": frame(TEXT, b"x" * 70 + key.encode()),
                    "ws-reason": close(1008, key.encode()[:123]),
                    "ws-garbage": b"\xff" + key.encode() * 3,
                }[name]
            )
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


REFUSED_WEBSOCKETS = ("json-401", "text-429", "headers", "reason", "at-the-cut", "banner", "redirect", "status-line")
WEBSOCKETS = ("ws-answer", "ws-short-answer", "ws-reason", "ws-garbage", *REFUSED_WEBSOCKETS)


@dataclass(frozen=True)
class Site:
    """Echoing gateways on loopback, plain and with TLS, and a port where nothing listens."""

    plain: str
    secure: str
    refused: str
    ca_file: str

    def profile(self) -> Profile:
        """One endpoint per way to give a key back."""
        bearer: dict[str, Any] = {"key": "env:CANARY", "auth": "bearer"}
        header: dict[str, Any] = {"headers": {"x-api-key": "${env:CANARY}"}}
        spoilt: dict[str, Any] = {"headers": {"X": "${env:CANARY}${env:NEWLINE}"}}
        missing: dict[str, Any] = {**header, "key": "env:NOT_THERE"}
        plain, secure, refused = self.plain, self.secure, self.refused
        trusted = TLS(ca_file=self.ca_file)
        endpoints = [
            *(Endpoint(name=f"http {n}", api="http", url=plain, path=n, method="GET", **bearer) for n in ECHOES),
            *(Endpoint(name=f"chat {n}", api="openai-chat", url=plain, path=n, **header) for n in ECHOES),
            *(Endpoint(name=f"messages {n}", api="anthropic-messages", url=plain, path=n, **bearer) for n in ECHOES),
            *(Endpoint(name=f"ws {n}", api="websocket", url=plain, path=n, **header) for n in WEBSOCKETS),
            Endpoint(name="refused", api="openai-chat", url=refused, **bearer),
            Endpoint(name="refused ws", api="websocket", url=refused, **bearer),
            Endpoint(name="unknown authority", api="openai-chat", url=secure, **bearer),
            Endpoint(name="tls", api="http", url=secure, path="json-401", tls=trusted, **bearer),
            Endpoint(name="tls to plain", api="http", url=plain.replace("http", "https"), **bearer),
            Endpoint(name="bad header", api="http", url=plain, **spoilt),
            Endpoint(name="no key", api="http", url=plain, **missing),
        ]
        deadlines = Deadlines(connect_s=3, first_byte_s=20, first_token_s=20, idle_s=20, total_s=20)
        return Profile(
            name="canary", interval_s=3600, record_text=True, deadlines=deadlines, endpoints=tuple(endpoints)
        )


@asynccontextmanager
async def site(directory: Path) -> AsyncIterator[Site]:
    good = pair("good", directory)
    async with (
        listening(echo) as plain,
        listening(echo, good.server) as secure,
    ):
        yield Site(
            plain=f"http://127.0.0.1:{plain}",
            secure=f"https://127.0.0.1:{secure}",
            refused=f"http://127.0.0.1:{free_port()}",
            ca_file=good.ca_file,
        )
