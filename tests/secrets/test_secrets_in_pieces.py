"""A gateway gives a key back in pieces, a few characters in each event of a stream, or cut off by its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.probing import Probing, endpoint
from support.scripted import Close, Receive, ScriptedServer, Send, http

from gwtui.model.enums import Trigger
from gwtui.model.records import Request, StreamEvent, StreamRead
from gwtui.probes.prober import Prober

CANARY = "sk-q7Zx+W9/vB3=kTpL0mYc8HdRfN2uJs5E"
TELLING = 8
"""So much of it may be seen before it is known for a key, less one character."""


@pytest.fixture(autouse=True)
def _canary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", CANARY)


def leaks(text: str) -> list[str]:
    return [piece for at in range(len(CANARY) - TELLING + 1) if (piece := CANARY[at : at + TELLING]) in text]


def events(*payloads: dict[str, Any]) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(payload).encode() for payload in payloads)


def chat(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


def pieces(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


async def streamed(body: bytes) -> tuple[Request, list[StreamEvent]]:
    """What is recorded of a stream, and its events."""
    answer = http("200 OK", "Content-Type: text/event-stream", body=body, length=False)
    async with ScriptedServer((Receive(), Send(answer), Close())) as server:
        probing = Probing(endpoint("openai-chat", server.url, key="env:CANARY"))
        prober: Prober = probing.prober
        async with prober:
            record = await probing.once(Trigger.TRIAL)
    assert CANARY.encode() in server.requests[0]
    reads = [each for each in probing.emitted if isinstance(each, StreamRead)]
    return record, [event for read in reads for event in read.events]


@pytest.mark.parametrize("size", [1, 3, 7, 20])
@pytest.mark.parametrize("field", ["content", "reasoning"])
async def test_a_key_in_pieces_is_masked_as_soon_as_it_is_known(field: str, size: int) -> None:
    text = f"Your key is {CANARY}, is it not?"
    body = events(*(chat({field: piece}) for piece in pieces(text, size)), chat({}, "stop"))
    record, received = await streamed(body + b"data: [DONE]\n\n")
    shown = "".join(event.text for event in received)
    assert shown.startswith("Your key is ")
    assert shown.endswith(", is it not?")
    assert leaks(shown) == []
    assert (
        leaks("".join(json.loads(event.raw)["choices"][0]["delta"].get(field, "") for event in unmasked(received)))
        == []
    )
    assert record.text == ("Your key is •••, is it not?" if field == "content" else "")


def unmasked(expected: list[StreamEvent]) -> Iterator[StreamEvent]:
    return (event for event in expected if event.raw.startswith("{"))


async def test_pieces_of_two_texts_in_turns_are_masked() -> None:
    payloads = (chat({field: piece}) for piece in pieces(CANARY, 3) for field in ("content", "reasoning"))
    _, received = await streamed(events(*payloads))
    for kind in {event.kind for event in received}:
        assert leaks("".join(event.text for event in received if event.kind is kind)) == []


@pytest.mark.parametrize("seen", [12, 30])
async def test_a_key_that_the_end_of_a_stream_cuts_is_masked(seen: int) -> None:
    record, received = await streamed(events(*(chat({"content": piece}) for piece in pieces(CANARY[:seen], 4))))
    assert record.text == "•••"
    assert leaks("".join(event.text for event in received)) == []


async def test_a_key_that_the_end_of_a_body_cuts_is_masked() -> None:
    body = f"wrong key: {CANARY[:20]}".encode()
    answer = http("401 Unauthorized", "Content-Length: 1000", body=body, length=False)
    async with ScriptedServer((Receive(), Send(answer), Close())) as server:
        probing = Probing(endpoint("openai-chat", server.url, key="env:CANARY"))
        async with probing.prober:
            record = await probing.once()
    assert record.body_excerpt == "wrong key: •••"
    assert leaks(record.reason) == []


async def test_a_key_that_another_endpoint_sent_is_masked() -> None:
    """A gateway that remembers whom it spoke with tells everybody."""
    answer = http("500 Oops", body=f"seen: {CANARY}".encode())
    async with ScriptedServer((Receive(), Send(answer), Close())) as server:
        for fields in ({"key": "env:CANARY"}, {}):
            probing = Probing(endpoint("openai-chat", server.url, **fields))
            async with probing.prober:
                record = await probing.once()
            assert record.reason == "HTTP 500: seen: •••"
    assert CANARY.encode() not in server.requests[1]


async def test_what_is_no_key_is_shown_as_it_came() -> None:
    text = "sk-q7Z is how many keys begin; this one does not."
    body = events(*(chat({"content": piece}) for piece in pieces(text, 5)), chat({}, "stop"))
    record, received = await streamed(body + b"data: [DONE]\n\n")
    assert "".join(event.text for event in received) == record.text == text
