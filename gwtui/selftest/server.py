"""A server that knows the truth: every event of its streams says when it was sent, on the clock all processes share.

It speaks OpenAI Chat Completions. The request's body says what to stream (`"truth": {"ttft_ns", "gap_ns", "events",
"batch"}`); the content of each event is a `Stamps`, taken right before the socket got it. One process, one loop, plain
sockets: what it does between a stamp and the send is one system call. `GET` returns its counts so far, as JSON.
"""

from __future__ import annotations

import heapq
import json
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from gwtui.stats.histogram import rank

SO_TIMESTAMPNS = 35
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: truth\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
CHUNK = b'data: {"id":"truth","object":"chat.completion.chunk","created":1700000000,"model":"truth","choices":'
CONTENT = CHUNK + b'[{"index":0,"delta":{"content":"'
CONTENT_END = b'"},"finish_reason":null}]}\n\n'
FINISH = CHUNK + b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = CHUNK + b'[],"usage":{"prompt_tokens":1,"completion_tokens":%d,"total_tokens":%d}}\n\n'
DONE = b"data: [DONE]\n\n"
UNSENT = b"0" * 20
"""Where the time of sending goes."""
KEPT = 100_000
"""The number of latest writes kept for this server's own lateness, and of streams for their true TTFT."""


class Script(NamedTuple):
    """What to stream."""

    ttft_ns: int = 50_000_000
    gap_ns: int = 20_000_000
    """0: as fast as the client takes it."""
    events: int = 50
    batch: int = 1
    """Events in one write to the socket, each a chunk of its own."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """What an event says of itself, in ns of the monotonic clock."""

    arrived_ns: int
    """When the request was here, by the kernel's stamp where it gives one."""
    due_ns: int
    sent_ns: int


def read_stamps(content: str) -> Stamps | None:
    """The stamps in an event's content; None in any other."""
    parts = content.split(" ")
    if len(parts) != 3 or len(content) != 62:
        return None
    return Stamps(int(parts[0]), int(parts[1]), int(parts[2]))


class _Stream:
    """One answer under way."""

    def __init__(self, sock: socket.socket, script: Script, arrived_ns: int) -> None:
        self.sock = sock
        self.script = script
        self.arrived_ns = arrived_ns
        self.due_ns = arrived_ns + script.ttft_ns
        self.sent_ns = 0
        """The send time in the events of the latest write; 0: nothing was written yet."""
        self.left = script.events
        self.unsent: bytes | bytearray = HEAD
        size = len(CONTENT) + 62 + len(CONTENT_END)
        self._before = b"%x\r\n" % size + CONTENT + b"%020d " % arrived_ns
        self._after = CONTENT_END + b"\r\n"

    def write(self) -> int:
        """Send the events that are due next; returns their number. What the socket does not take is `unsent`."""
        count = min(self.script.batch, self.left)
        self.left -= count
        event = self._before + b"%020d " % self.due_ns + UNSENT + self._after
        buffer = bytearray(event * count + (b"" if self.left else self._end()))
        places = [at + len(event) - len(UNSENT) - len(self._after) for at in range(0, len(event) * count, len(event))]
        # Done twice, as the first time finds nothing in the processor's caches: the second is what counts.
        for _ in range(2):
            self.sent_ns = time.perf_counter_ns()
            sent = b"%020d" % self.sent_ns
            for at in places:
                buffer[at : at + len(sent)] = sent
        self.send(buffer)
        self.due_ns += self.script.gap_ns
        return count

    def send(self, data: bytes | bytearray) -> None:
        try:
            self.unsent = data[self.sock.send(data) :]
        except BlockingIOError:
            self.unsent = data

    def _end(self) -> bytes:
        tokens = self.script.events
        return b"".join(map(_chunk, (FINISH, USAGE % (tokens, tokens + 1), DONE, b"")))


class TruthServer:
    """Serves until standard input ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        listener.setblocking(False)
        if sys.platform == "linux":
            listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # accepted sockets inherit it
        self._idle: dict[socket.socket, bytes] = {}
        """Connections without a stream, and what came of their next request."""
        self._due: list[tuple[int, int, _Stream]] = []
        self._blocked: dict[socket.socket, _Stream] = {}
        self._sent = 0
        self._late: deque[int] = deque(maxlen=KEPT)
        self._ttft: deque[int] = deque(maxlen=KEPT)
        self._turn = 0

    def serve(self, stdin: int) -> None:
        while True:
            wait_s = max(0, self._due[0][0] - time.perf_counter_ns()) / 1e9 if self._due else None
            # select, as its timeout is exact to the microsecond; epoll's is not.
            watched: list[int | socket.socket] = [stdin, self._listener, *self._idle]
            readable, writable, _ = select.select(watched, list(self._blocked), [], wait_s)
            if stdin in readable:
                return
            if self._listener in readable:
                self._accept()
            for sock in [sock for sock in self._idle if sock in readable]:
                try:
                    self._receive(sock)
                except OSError:
                    self._drop(sock)
            for sock in writable:
                self._unblock(self._blocked.pop(sock))
            self._send_due()

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._idle[sock] = b""

    def _receive(self, sock: socket.socket) -> None:
        data, control, _, _ = sock.recvmsg(1 << 16, 64)
        arrived_ns = _arrival(control)
        if not data:
            self._drop(sock)
            return
        received = self._idle[sock] = self._idle[sock] + data
        head, found, body = received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._idle[sock] = b""
        if head.startswith(b"POST"):
            self._begin(sock, Script(**json.loads(body).get("truth", {})), arrived_ns)
        else:
            self._send_counts(sock)

    def _begin(self, sock: socket.socket, script: Script, arrived_ns: int) -> None:
        del self._idle[sock]
        stream = _Stream(sock, script, arrived_ns)
        stream.send(stream.unsent)
        self._plan(stream)

    def _send_counts(self, sock: socket.socket) -> None:
        told = {"events": self._sent, **_spread("late", self._late), **_spread("ttft", self._ttft)}
        body = json.dumps(told).encode()
        sock.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    def _send_due(self) -> None:
        """One write of every stream whose time has come."""
        now_ns = time.perf_counter_ns()
        turn = []
        while self._due and self._due[0][0] <= now_ns:
            turn.append(heapq.heappop(self._due)[2])
        for stream in turn:
            due_ns, first = stream.due_ns, not stream.sent_ns
            try:
                self._sent += stream.write()
            except OSError:
                self._drop(stream.sock)
                continue
            self._late.append(stream.sent_ns - due_ns)
            if first:
                self._ttft.append(stream.sent_ns - stream.arrived_ns)
            self._plan(stream)

    def _unblock(self, stream: _Stream) -> None:
        try:
            stream.send(stream.unsent)
        except OSError:
            self._drop(stream.sock)
            return
        self._plan(stream)

    def _plan(self, stream: _Stream) -> None:
        """What is next for a stream that has just sent."""
        if stream.unsent:
            self._blocked[stream.sock] = stream
        elif stream.left:
            self._turn += 1
            heapq.heappush(self._due, (stream.due_ns, self._turn, stream))
        else:
            self._idle[stream.sock] = b""

    def _drop(self, sock: socket.socket) -> None:
        self._idle.pop(sock, None)
        sock.close()


def _spread(name: str, values: Collection[int]) -> dict[str, int]:
    ordered = sorted(values) or [0]
    p50, p99 = (ordered[rank(q, len(ordered)) - 1] for q in (0.5, 0.99))
    return {f"{name}_p50_ns": p50, f"{name}_p99_ns": p99, f"{name}_max_ns": ordered[-1]}


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def _arrival(control: list[tuple[int, int, bytes]]) -> int:
    """When the bytes just read arrived: the kernel's wall-clock stamp on the monotonic clock, or now."""
    now_ns = time.perf_counter_ns()
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@qq", data)
            before, wall, after = min(
                ((time.perf_counter_ns(), time.time_ns(), time.perf_counter_ns()) for _ in range(5)),
                key=lambda reading: reading[2] - reading[0],
            )
            return min(int(seconds * 1_000_000_000 + nanoseconds) - wall + (before + after) // 2, now_ns)
    return now_ns


def main() -> None:
    """Listen on a free loopback port, print it as `{"port": N}`, serve until standard input ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        sys.stdout.write(f'{{"port": {listener.getsockname()[1]}}}\n')
        sys.stdout.flush()
        TruthServer(listener).serve(sys.stdin.fileno())


if __name__ == "__main__":
    main()
