"""Whole probes over loopback: whatever bytes a gateway answers, a probe ends with a row, never with an exception."""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import suppress
from typing import Any

import msgspec
from fuzz.dice import Dice
from fuzz.material import HEADERS, RESPONSES
from fuzz.streams import events, fed
from fuzz.target import Target
from support.listening import listening
from support.pinging import TEXT, accept, frame
from support.probing import soon
from support.texts import texts_of

from gwtui.codec.csv_schema import ping_row, request_row
from gwtui.framing.messages import MessageParser
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.prober import probe_once
from gwtui.recorder.csvfile import csv_line

SOON = soon(first_byte_s=0.05, first_token_s=0.05, idle_s=0.05, total_s=0.2)
"""A gateway here answers at once or never."""
FRAMES = (b"\x81\x04pong", b"\x82\x04pong", b"\x88\x02\x03\xe8", b"\x88\x05\x04\xadbye", b"\x89\x00", b"\x01\x02po")


def a_response(dice: Dice) -> list[bytes]:
    data = dice.choice(RESPONSES)
    head, blank, body = data.partition(b"\r\n\r\n")
    if dice.one_in(2):
        name, value = dice.choice(HEADERS)
        head += f"\r\n{name}: {value}".encode("latin-1")
    if not dice.one_in(4):
        head = dice.spoiled(head)
    return dice.cut(head + blank + (dice.spoiled(body) if dice.one_in(2) else body))


def read_response(pieces: list[bytes]) -> None:
    _probed("openai-chat", pieces, shakes_hands=False)


def some_frames(dice: Dice) -> list[bytes]:
    frames = b"".join(dice.choice(FRAMES) for _ in range(dice.few(4)))
    return dice.cut(dice.spoiled(frames) if dice.one_in(2) else dice.data())


def read_frames(pieces: list[bytes]) -> None:
    _probed("websocket", pieces, shakes_hands=True)


def read_handshake(pieces: list[bytes]) -> None:
    _probed("websocket", pieces, shakes_hands=False)


def some_messages(dice: Dice) -> list[bytes]:
    """An answer of Realtime in frames, more or less."""
    data = [event.data.encode("utf-8", "replace") for event in events(dice, "openai-realtime")]
    framed = [b"".join(_framed(dice, each)) for each in data]
    for _ in range(dice.few(3)):
        framed.insert(dice.randrange(len(framed) + 1), dice.choice(FRAMES))
    wire = b"".join(framed)
    return dice.cut(dice.spoiled(wire) if dice.one_in(2) else wire)


def _framed(dice: Dice, data: bytes) -> list[bytes]:
    """A message in one frame, or in two."""
    at = dice.randrange(len(data) + 1) if dice.one_in(4) else len(data)
    first, rest = data[:at], data[at:]
    return [frame(TEXT, first, final=not rest), *([frame(0, rest)] if rest else [])]


def parse_messages(pieces: list[bytes]) -> None:
    """The messages are the same however the bytes are cut."""
    parts, whole = MessageParser(max_message=8192), MessageParser(max_message=8192)
    assert fed(parts, pieces) == fed(whole, [b"".join(pieces)])
    assert (parts.comments, parts.closed) == (whole.comments, whole.closed)


def read_messages(pieces: list[bytes]) -> None:
    _probed("openai-realtime", pieces, shakes_hands=True)


def read_switch(pieces: list[bytes]) -> None:
    _probed("openai-realtime", pieces, shakes_hands=False)


def _probed(api: str, pieces: list[bytes], *, shakes_hands: bool) -> None:
    """What a gateway sends is never blamed on gwtui, and what is shown of it is clean."""
    result, reads = asyncio.run(_probe(api, pieces, shakes_hands=shakes_hands))
    for text in texts_of(msgspec.to_builtins([result, reads])):
        assert text.replace("\n", "").isprintable(), text
    assert result.verdict is not Verdict.LOCAL, result.reason
    row = request_row(result) if isinstance(result, Request) else ping_row(result)
    (cells,) = csv.reader(io.StringIO(csv_line(row.values()).decode(), newline=""))
    assert len(cells) == len(row)


async def _probe(api: str, pieces: list[bytes], *, shakes_hands: bool) -> Any:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            asked = await reader.readuntil(b"\r\n\r\n")
            if shakes_hands:
                writer.write(accept(asked))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()

    async with listening(answer) as port:
        url = f"http://127.0.0.1:{port}"
        return await probe_once(Endpoint(name="a", api=api, url=url, deadlines=SOON), Profile())


TARGETS: tuple[Target[Any], ...] = (
    Target("response", a_response, read_response, short=30),
    Target("frames", some_frames, read_frames, short=20),
    Target("handshake", a_response, read_handshake, short=20),
    Target("messages", some_messages, parse_messages),
    Target("messages probed", some_messages, read_messages, short=20),
    Target("switch", a_response, read_switch, short=10),
)
