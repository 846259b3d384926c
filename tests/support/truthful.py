"""A server in a process of its own that notes when it sent what, on the clock that all processes share.

Each connection gets one response: headers, the first of its tokens 1 ms later, and the others at a distance each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SERVER = """
import heapq, json, select, socket, sys, time

connections, events, first_ns, gap_ns = map(int, sys.argv[1:])
HEAD = b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n"
CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\\n\\n'
)

def chunk(data):
    return b"%x\\r\\n%b\\r\\n" % (len(data), data)

listener = socket.create_server(("127.0.0.1", 0), backlog=256)
print(listener.getsockname()[1], flush=True)
sent, due, asked = {}, [], {}
for _ in range(connections):
    sock, _ = listener.accept()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    asked[sock] = b""
waiting = set(asked)
while waiting or due:
    wait_s = max(0, due[0][0] - time.perf_counter_ns()) / 1e9 if due else None
    readable, _, _ = select.select(list(waiting), [], [], wait_s)
    now = time.perf_counter_ns()
    for sock in readable:
        asked[sock] += sock.recv(65536)
        if asked[sock].endswith(b"}"):
            waiting.remove(sock)
            name = asked[sock].split(b"/")[1].decode()
            sent[name] = []
            heapq.heappush(due, (now + first_ns, name, 0, sock))
    while due and due[0][0] <= now:
        at, name, number, sock = heapq.heappop(due)
        if number == 0:
            data = HEAD
        elif number <= events:
            data = chunk(CHUNK % (b'{"content":"%d "}' % number, b"null"))
        else:
            data = chunk(CHUNK % (b"{}", b'"stop"')) + chunk(b"data: [DONE]\\n\\n") + b"0\\r\\n\\r\\n"
        before = time.perf_counter_ns()
        sock.send(data)
        sent[name].append((before, time.perf_counter_ns()))
        if number <= events:
            # The first token comes 1 ms after the headers.
            heapq.heappush(due, (at + (gap_ns if number else 1_000_000), name, number + 1, sock))
print(json.dumps(sent), flush=True)
"""


@dataclass(slots=True)
class Truth:
    """What such a server did."""

    url: str
    sent: dict[str, list[tuple[int, int]]]
    """By the first part of the path that was asked for: right before and right after each send, in ns: headers, each
    token, the end."""


@contextmanager
def truthful(connections: int, events: int, first_ns: int, gap_ns: int) -> Iterator[Truth]:
    """Serve `connections` requests, each over a connection of its own. What was sent is known when the block ends."""
    command = [sys.executable, "-S", "-c", SERVER, *map(str, (connections, events, first_ns, gap_ns))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            truth = Truth(f"http://127.0.0.1:{process.stdout.readline().strip()}", {})
            yield truth
            truth.sent.update(json.loads(process.stdout.readline()))
        finally:
            process.kill()
