"""A raw TCP server whose whole behaviour is data: for each connection a list of steps."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import ssl
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from support.pinging import accept, frame

DRIP_S = 0.005
SO_ATTACH_FILTER = 26
"""Linux, asm-generic/socket.h."""
BPF_RETURN = 0x06
"""Classic BPF: end the program, and keep that number of bytes of the packet."""


@dataclass(frozen=True)
class Receive:
    """Read one whole HTTP request."""


@dataclass(frozen=True)
class Send:
    data: bytes


@dataclass(frozen=True)
class Accept:
    """Take a WebSocket handshake and agree to it."""

    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakeFrame:
    """Read one short frame of the client's."""


@dataclass(frozen=True)
class Echo:
    """Send the last frame back, as one of this opcode."""

    opcode: int


@dataclass(frozen=True)
class Flood:
    """Send it again and again until the client hangs up."""

    data: bytes


@dataclass(frozen=True)
class Drip:
    """Send it again and again, a moment apart, until the client hangs up."""

    data: bytes


@dataclass(frozen=True)
class Wait:
    """Until the test sets the gate of that name."""

    gate: str


@dataclass(frozen=True)
class Open:
    """Set the gate of that name."""

    gate: str


@dataclass(frozen=True)
class Hold:
    """Say nothing more until the client hangs up."""


@dataclass(frozen=True)
class Close:
    """FIN, in TLS without a close_notify."""


@dataclass(frozen=True)
class Leave:
    """Say that this is all, in TLS by a close_notify, and wait for the client to say so too."""


@dataclass(frozen=True)
class Reset:
    """RST."""


@dataclass(frozen=True)
class Vanish:
    """Drop all further packets of this connection unseen, as a firewall that forgot it does. Linux only."""


Step: TypeAlias = (
    Vanish | Receive | Accept | TakeFrame | Send | Echo | Flood | Drip | Wait | Open | Hold | Leave | Close | Reset
)


class ScriptedServer:
    """Plays one script per connection; the last one again for all further ones."""

    def __init__(self, *scripts: Sequence[Step], tls: ssl.SSLContext | None = None, unix: str | None = None) -> None:
        self.requests: list[bytes] = []
        self.frames: list[bytes] = []
        self.connections = 0
        self.gates: dict[str, asyncio.Event] = {}
        self._scripts = scripts
        self._tls = tls
        self._unix = unix
        """The path of a Unix socket to listen on instead of a port."""
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def gate(self, name: str) -> asyncio.Event:
        return self.gates.setdefault(name, asyncio.Event())

    async def __aenter__(self) -> ScriptedServer:
        if self._unix is not None:
            self._server = await asyncio.start_unix_server(self._serve, self._unix, ssl=self._tls)
            return self
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._play(script, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, script: Sequence[Step], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for step in script:
                await self._do(step, reader, writer)
            await reader.read()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client hung up, which is its right
        finally:
            writer.transport.abort()

    async def _do(self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match step:
            case Receive():
                self.requests.append(await _request(reader))
            case Accept(headers):
                self.requests.append(await _request(reader))
                writer.write(accept(self.requests[-1], *headers))
            case TakeFrame():
                self.frames.append(await _frame(reader))
            case Echo(opcode):
                writer.write(frame(opcode, self.frames[-1]))
            case Send(data):
                writer.write(data)
                await writer.drain()
            case Flood(data):
                while True:
                    writer.write(data)
                    await writer.drain()
            case Drip(data):
                while True:
                    writer.write(data)
                    await writer.drain()
                    await asyncio.sleep(DRIP_S)
            case Wait(gate):
                await self.gate(gate).wait()
            case Open(gate):
                self.gate(gate).set()
            case Hold():
                await reader.read()
            case Leave():
                writer.close()
            case Vanish():
                drop_packets(writer.get_extra_info("socket"))
            case Close():
                writer.transport.abort()
            case Reset():
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()


def drop_packets(sock: socket.socket) -> None:
    """Have the kernel drop whatever comes for this socket before TCP sees it: nothing of it is acknowledged."""
    instructions = ctypes.create_string_buffer(struct.pack("@HBBI", BPF_RETURN, 0, 0, 0))
    program = struct.pack("@HP", 1, ctypes.addressof(instructions))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The payload of a masked frame of less than 126 bytes."""
    head = await reader.readexactly(6)
    payload = await reader.readexactly(head[1] & 0x7F)
    return bytes(byte ^ head[2 + at % 4] for at, byte in enumerate(payload))


def http(status: str, *headers: str, body: bytes = b"", length: bool = True) -> bytes:
    """A whole response, with `Content-Length` if `length` is true."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def full_backlog() -> Iterator[socket.socket]:
    """A listener that accepts no connection, and whose queue is full."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener
