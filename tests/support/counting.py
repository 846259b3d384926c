"""A server in a process of its own that counts and stamps requests itself, on the clock that all processes share.

Each request is answered after a fixed time with a whole answer of the OpenAI API whose tokens depend on its number.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SERVER = """
import json, os, socket, sys, threading, time

after_s, bad = float(sys.argv[1]), int(sys.argv[2])
workers = threading.Semaphore(int(sys.argv[3]) or 1_000_000)
HEAD = b"HTTP/1.1 %d X\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n%b"
lock, seen = threading.Lock(), []
connected = 0

def exact(sock):
    data = b""
    while b"\\r\\n\\r\\n" not in data:
        part = sock.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\\r\\n\\r\\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += sock.recv(65536)
    return body

def serve(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while exact(sock) is not None:
        came = time.perf_counter_ns()
        with lock:
            number = len(seen)
            seen.append(None)
        with workers:
            began = time.perf_counter_ns()
            time.sleep(after_s)
            late = time.perf_counter_ns() - began - int(after_s * 1e9)
        usage = {"prompt_tokens": 3 + number, "completion_tokens": 5 + 2 * number}
        choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        answer = {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}
        good = not bad or number % bad
        body = json.dumps(answer if good else {"error": {"message": "no"}}).encode()
        sock.sendall(HEAD % (200 if good else 503, len(body), body))
        tokens = (usage["prompt_tokens"], usage["completion_tokens"]) if good else (0, 0)
        seen[number] = (came, time.perf_counter_ns(), bool(good), *tokens, late)

listener = socket.create_server(("127.0.0.1", 0), backlog=256)
print(listener.getsockname()[1], flush=True)

def accept():
    global connected
    while True:
        sock, _ = listener.accept()
        connected += 1
        threading.Thread(target=serve, args=(sock,), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
print(json.dumps({"seen": seen, "connected": connected}), flush=True)
os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Served:
    """One request as the server saw it; stamps in ns."""

    came_ns: int
    """When its last byte was read."""
    ended_ns: int
    """When its answer was sent."""
    good: bool
    input_tokens: int
    output_tokens: int
    late_ns: int
    """How much longer than asked for the server slept: how exact its own stamps are."""


@dataclass(slots=True)
class Counted:
    """What such a server did, in the order in which the requests came."""

    url: str
    served: list[Served] = field(default_factory=list)
    connected: int = 0


@contextmanager
def counting(after_s: float, bad: int = 0, workers: int = 0) -> Iterator[Counted]:
    """Answer each request after that time; `bad`: every n-th is refused; `workers`: how many are worked
    on at once, 0 for all. What was served is known when the block
    ends."""
    command = [sys.executable, "-S", "-c", SERVER, str(after_s), str(bad), str(workers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdin is not None
            truth = Counted(f"http://127.0.0.1:{process.stdout.readline().strip()}")
            yield truth
            process.stdin.close()
            told = json.loads(process.stdout.readline())
            truth.served += [Served(*each) for each in told["seen"]]
            truth.connected = told["connected"]
        finally:
            process.kill()
