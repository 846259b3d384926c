"""A server in a process of its own that answers by a law of latency, with limited capacity, standstills and failures,
and stamps what it gets and sends itself, on the clock that all processes share.

It speaks the OpenAI API, whole or streamed. Each answer carries its number in `x-request-id`.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SERVER = r"""
import collections, gc, heapq, json, random, select, socket, struct, sys, time

law = json.loads(sys.argv[1])
chance = random.Random(law["seed"])
gc.disable()
readings = ((time.perf_counter_ns(), time.time_ns(), time.perf_counter_ns()) for _ in range(99))
offset = min((after - before, wall - (before + after) // 2) for before, wall, after in readings)[1]
begun_ns = time.perf_counter_ns()
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
listener.setsockopt(socket.SOL_SOCKET, 35, 1)
listener.setblocking(False)
print(listener.getsockname()[1], flush=True)
poll = select.epoll()
poll.register(listener, select.EPOLLIN)
poll.register(0, select.EPOLLIN)
socks, asked, served, due, queue = {}, {}, [], [], collections.deque()
connected = busy = 0

def chunk(delta, reason="null", usage=""):
    choice = '{"index":0,"delta":%s,"finish_reason":%s}' % (delta, reason)
    event = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s]%s}' % (choice, usage)
    event = b"data: " + event.encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)

def took_s():
    mean = law["after_s"]
    return {"constant": lambda: mean, "exponential": lambda: chance.expovariate(1 / mean),
            "lognormal": lambda: mean * chance.lognormvariate(0, 0.5)}[law["law"]]()

def start(number, sock):
    global busy
    busy += 1
    at = time.perf_counter_ns() + int(took_s() * 1e9)
    stands_from, stands_for = (int(each * 1e9) for each in law["stall_s"])
    if stands_for and begun_ns + stands_from <= at < begun_ns + stands_from + stands_for:
        at = begun_ns + stands_from + stands_for
    heapq.heappush(due, (at, number, 0, sock))

def head(status, kind, length, number):
    length = b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length
    return b"HTTP/1.1 %d X\r\ncontent-type: %b\r\nx-request-id: %d\r\n%b\r\n\r\n" % (status, kind, number, length)

def answer(at, number, step, sock):
    global busy
    row = served[number]
    row["late_ns"] = max(row["late_ns"], time.perf_counter_ns() - at)
    usage = {"prompt_tokens": 3 + number % 50, "completion_tokens": 5 + number % 70}
    ends = True
    if step == 0 and law["fail_every"] and number % law["fail_every"] == 0:
        body = b'{"error":{"message":"no"}}'
        data, row["good"] = head(503, b"application/json", len(body), number) + body, False
    elif not row["stream"]:
        choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        whole = {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}
        body = json.dumps(whole).encode()
        data = head(200, b"application/json", len(body), number) + body
    elif step < law["events"]:
        data = chunk('{"content":"w%d "}' % step)
        data = data if step else head(200, b"text/event-stream", None, number) + data
        ends = False
        heapq.heappush(due, (at + int(law["gap_s"] * 1e9), number, step + 1, sock))
    elif law["cut_every"] and number % law["cut_every"] == 0:
        data, row["good"] = b"", False
        sock.close()
    else:
        data = chunk("{}", '"stop"', ',"usage":' + json.dumps(usage)) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    before = time.perf_counter_ns()
    try:
        if data:
            sock.send(data)
    except OSError:
        ends, row["good"] = True, False
    after = time.perf_counter_ns()
    if step == 0:
        row["first_ns"] = (before, after)
    if ends:
        row["ended_ns"] = after
        if row["good"]:
            row["input_tokens"], row["output_tokens"] = usage["prompt_tokens"], usage["completion_tokens"]
        busy -= 1
        if queue and busy < law["capacity"]:
            start(*queue.popleft())

def take(sock):
    try:
        data, control, _, _ = sock.recvmsg(65536, 64)
    except OSError:
        data, control = b"", []
    now = time.perf_counter_ns()
    if not data:
        poll.unregister(sock.fileno()); socks.pop(sock.fileno()); sock.close()
        return
    for _, kind, stamp in control:
        if kind == 35:
            seconds, ns = struct.unpack("@qq", stamp)
            now = min(now, seconds * 1_000_000_000 + ns - offset)
    asked[sock] += data
    top, _, body = asked[sock].partition(b"\r\n\r\n")
    length = [int(line[15:]) for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if not length or len(body) < length[0]:
        return
    asked[sock] = b""
    number = len(served)
    served.append({"came_ns": now, "first_ns": (0, 0), "ended_ns": 0, "good": True, "input_tokens": 0,
                   "output_tokens": 0, "late_ns": 0, "stream": b'"stream":true' in body.replace(b" ", b"")})
    if busy < law["capacity"]:
        start(number, sock)
    else:
        queue.append((number, sock))

going = True
while going:
    wait = max(0, due[0][0] - time.perf_counter_ns()) / 1e9 if due else -1
    for fd, _ in poll.poll(wait):
        if fd == 0:
            going = False
        elif fd == listener.fileno():
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    break
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                socks[sock.fileno()], asked[sock] = sock, b""
                poll.register(sock, select.EPOLLIN)
                connected += 1
        else:
            take(socks[fd])
    while due and due[0][0] <= time.perf_counter_ns():
        answer(*heapq.heappop(due))
print(json.dumps({"served": [row for row in served if row["ended_ns"]], "connected": connected}), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """How the server answers."""

    after_s: float
    """How long it takes to the answer, or to the first token, once the request is being worked on: the mean."""
    law: str = "constant"
    """`constant`, `exponential` or `lognormal`."""
    events: int = 5
    """Tokens of a stream."""
    gap_s: float = 0.01
    capacity: int = 1_000_000
    """The maximum number of requests that are worked on at once; the others wait their turn."""
    stall_s: tuple[float, float] = (0.0, 0.0)
    """From when, since its start, and for how long it begins no answer."""
    fail_every: int = 0
    """Every n-th request gets a 503."""
    cut_every: int = 0
    """Every n-th stream is cut before its end."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Answered:
    """One request as the server saw it; stamps in ns."""

    came_ns: int
    """When its last byte came, by the kernel."""
    first_ns: tuple[int, int]
    """Right before and right after the answer, or its first token, was sent."""
    ended_ns: int
    good: bool
    input_tokens: int
    output_tokens: int
    late_ns: int
    """How much later than due the server sent at most."""
    stream: bool


@dataclass(slots=True)
class Witness:
    """What such a server did, in the order in which the requests came."""

    url: str
    answered: list[Answered] = field(default_factory=list)
    connected: int = 0


@contextmanager
def limited(law: Law) -> Iterator[Witness]:
    """Serve by that law. What was answered is known when the block ends."""
    command = [sys.executable, "-S", "-c", SERVER, json.dumps(dataclasses.asdict(law))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdin is not None
            witness = Witness(f"http://127.0.0.1:{process.stdout.readline().strip()}")
            yield witness
            process.stdin.close()
            told = json.loads(process.stdout.readline())
            witness.answered += [Answered(**each) for each in told["served"]]
            witness.connected = told["connected"]
        finally:
            process.kill()
