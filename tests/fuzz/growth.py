"""How a reader's time grows as its input does: the input of n pieces against that of 2 n."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from fuzz.material import CSVS, STREAMS
from fuzz.streams import Answered, read_answer, read_encoded, read_headers, read_page
from fuzz.texts import CURL_HEAD, LEFT, METER, TALK, read_capture, read_config, read_csv, read_scenario, read_torn
from support.framed import WIRES, stream_type, wire_of
from support.scripted import chunk
from support.streams import named, unnamed

from gwtui.bench.gates import gate_figures, thresholds
from gwtui.codec.wire import WireError, decode
from gwtui.config import ConfigError
from gwtui.framing import FRAMINGS
from gwtui.framing.base import FramedEvent, Framing, FramingError
from gwtui.gateway.scenario import ScenarioError
from gwtui.model.enums import End
from gwtui.monitor import filters
from gwtui.text.sanitize import clean_text
from gwtui.transport.http1 import Chunked, ResponseParser
from gwtui.transport.http1_head import HeadLimitError

LEAST_S = 0.02
"""Input grows until it takes that long: of less, a ratio says little."""
MOST = 1 << 18
TRIES = 2
SUSPECT = 3.0
"""A ratio from which a time may grow with the square of its input."""
REFUSALS = (FramingError, ConfigError, ScenarioError, filters.FilterError, gate_figures.GateError, WireError)


class Family(NamedTuple):
    """Inputs of any size."""

    name: str
    make: Callable[[int], Any]
    read: Callable[[Any], Any]


def parse(framing: Framing) -> Callable[[list[bytes]], None]:
    def read(pieces: list[bytes]) -> None:
        parser = framing.parser()
        for piece in pieces:
            parser.feed(piece)

    return read


def unchunk(pieces: list[bytes]) -> None:
    chunked = Chunked()
    for piece in pieces:
        chunked.feed(piece)
        if chunked.is_over:
            return


def unheaded(pieces: list[bytes]) -> None:
    parser = ResponseParser("GET")
    with suppress(HeadLimitError):
        for piece in pieces:
            parser.feed(piece)


def _filter(text: str) -> None:
    filters.parse.cache_clear()
    filters.parse(text)


def singly(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def repeated(piece: bytes) -> Callable[[int], list[bytes]]:
    return lambda n: [piece * n]


def repeated_singly(piece: bytes) -> Callable[[int], list[bytes]]:
    return lambda n: singly(piece * n)


def _answered(api: str, pieces: list[bytes]) -> Answered:
    return Answered(api, 200, [("content-type", stream_type(api))], pieces, End.CLEAN)


def _stream(api: str, *events: FramedEvent) -> Answered:
    return _answered(api, [wire_of(api).encode(events, "\n")])


def long_stream(api: str) -> Callable[[int], Answered]:
    """What the API sends between its first and its last event, again and again."""
    first, *middle, last = STREAMS[api][0]
    return lambda n: _stream(api, first, *middle * n, last)


def dribbled_stream(api: str) -> Callable[[int], Answered]:
    """Its whole stream again and again, byte by byte."""
    events = STREAMS[api][0]
    return lambda n: _answered(api, singly(wire_of(api).encode(events * n, "\n")))


_EVENTS: dict[str, tuple[str, Callable[[int], FramedEvent]]] = {
    "choices": ("openai-chat", lambda at: unnamed({"choices": [{"index": at, "delta": {"content": "a"}}]})),
    "blocks": (
        "anthropic-messages",
        lambda at: named("content_block_start", index=at, content_block={"type": "text", "text": ""}),
    ),
    "items": (
        "openai-responses",
        lambda at: named("response.output_item.added", sequence_number=at, output_index=at, item={"type": "message"}),
    ),
    "candidates": (
        "gemini",
        lambda at: unnamed({"candidates": [{"index": at, "content": {"parts": [{"text": "a"}]}}]}),
    ),
    "models": ("compare-stream", lambda at: unnamed({"type": "chunk", "model": f"m{at}", "content": "a"})),
    "tool arguments": (
        "openai-chat",
        lambda _: unnamed({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "["}}]}}]}),
    ),
    "cumulative text": ("sourcegraph-stream", lambda at: named("completion", completion="a" * (at % 64))),
}
"""Of an API the events that have an index, a name or a text of their own."""
_BEGUN = {"blocks"}
"""Those that come after the stream's first event."""


def numbered(name: str) -> Callable[[int], Answered]:
    """Ever more of such events."""
    api, event = _EVENTS[name]
    begin = STREAMS[api][0][:1] if name in _BEGUN else []
    return lambda n: _stream(api, *begin, *map(event, range(n)))


def _streams() -> Iterator[Family]:
    """Of every API its stream, ever longer; and what has an index or a name of its own, ever more of it."""
    for api in STREAMS:
        yield Family(f"{api}, long", long_stream(api), read_answer)
        yield Family(f"{api}, bytes one by one", dribbled_stream(api), read_answer)
    for name in _EVENTS:
        yield Family(name, numbered(name), read_answer)
    yield Family(
        "choices in one chunk",
        lambda n: _stream("openai-chat", unnamed({"choices": [{"index": at, "delta": {}} for at in range(n)]})),
        read_answer,
    )


def _parsers() -> Iterator[Family]:
    """Of every framing what a stream of it is made of, ever more, in one piece and byte by byte."""
    for framing in FRAMINGS:
        for name, piece in WIRES[framing.name].pieces.items():
            yield Family(f"{framing.name}: {name}", repeated(piece), parse(framing))
            yield Family(f"{framing.name}: {name}, one by one", repeated_singly(piece), parse(framing))


FAMILIES: tuple[Family, ...] = (
    *_parsers(),
    *_streams(),
    Family("clean: controls", lambda n: "\x1b" * n, lambda text: clean_text(text, len(text))),
    Family("page: <script", lambda n: b"<script" * n, read_page),
    Family("page: <!--", lambda n: b"<!--" * n, read_page),
    Family("page: <", lambda n: b"<" * n, read_page),
    Family("page: </script ", lambda n: b"<script></script" + b" " * n, read_page),
    Family("page: [", lambda n: b"[" * n, read_page),
    Family("headers: many", lambda n: [("x-request-id", "x")] * n, read_headers),
    Family("headers: long", lambda n: [("retry-after", "9" * n), ("location", "http://" + "[" * n)], read_headers),
    Family("headers: joined", lambda n: [("via", "x" * 200)] * n, read_headers),
    Family("chunks in one read", lambda n: [chunk(b"x") * n], unchunk),
    Family("chunks, bytes one by one", lambda n: singly(chunk(b"x") * n), unchunk),
    Family("a chunk header without an end", lambda n: singly(b"1;" + b"x" * n), unchunk),
    Family("trailers", lambda n: [b"0\r\n" + b"X: y\r\n" * n], unchunk),
    Family("headers, bytes one by one", lambda n: singly(b"HTTP/1.1 200 OK\r\n" + b"X: y" * n), unheaded),
    Family("encoding names", lambda n: ("gzip," * n, []), read_encoded),
    Family("capture: header blocks", lambda n: (b"HTTP/1.1 100 C\r\n\r\n" * n + b"data:x\n\n", "gemini"), read_capture),
    Family("capture: chunks", lambda n: (chunk(b":\n") * n, "gemini"), read_capture),
    Family("capture: requests of curl", lambda n: (TALK * n + CURL_HEAD + b"data: x\n\n", "gemini"), read_capture),
    Family("capture: answers of curl", lambda n: ((TALK + CURL_HEAD + b"data: x\n\n") * n, "gemini"), read_capture),
    Family("capture: words of curl", lambda n: (TALK + CURL_HEAD + (METER + LEFT) * n, "gemini"), read_capture),
    Family("csv: rows", lambda n: (CSVS[3] + "a,5,\n" * n).encode(), read_csv),
    Family("csv: columns", lambda n: (CSVS[3].replace("\n", "," * n + "\n", 1)).encode(), read_csv),
    Family("config: keys", lambda n: "".join(f"[profiles.p{at}]\n" for at in range(n)).encode(), read_config),
    Family("config: brackets", lambda n: b"a = " + b"[" * n, read_config),
    Family("scenario: rules", lambda n: "[[rule]]\nmodel = 'a*'\n" * n, read_scenario),
    Family("filter: words", lambda n: "a " * n, _filter),
    Family("filter: hyphens", lambda n: "-" * n + "a", _filter),
    Family("gate: spaces", lambda n: "a" + " " * n, thresholds.parse),
    Family("gate: colons", lambda n: "a:" * n, thresholds.parse),
    Family("line: brackets", lambda n: b"[" * n, decode),
    Family("line: a long text", lambda n: b'{"record":"notice","now_ns":1,"text":"' + b"x" * n + b'"}', decode),
    Family("torn: no line end", lambda n: b"a,b\n" + b"x" * n, read_torn),
)


def print_growth() -> None:
    """Print how the time of each family grows; a time that grows with the square of the input doubles this."""
    print("\ntime for 2 n against n")
    for family in FAMILIES:
        n, seconds, ratio = growth(family)
        mark = "  (!)" if ratio > SUSPECT else ""
        print(f"{family.name:<40} {n:>10,} in {seconds:7.3f} s   x {ratio:4.1f}{mark}", flush=True)


def growth(family: Family) -> tuple[int, float, float]:
    """The n that takes long enough, its time, and how many times that the double takes."""
    n = 64
    while (seconds := _time(family, n)) < LEAST_S and n < MOST:
        n *= 2
    return n, seconds, _time(family, 2 * n) / max(seconds, 1e-6)


def _time(family: Family, n: int) -> float:
    """The shortest of a few, in seconds of this process."""
    made = family.make(n)
    gc.collect()
    return min(_once(family, made) for _ in range(TRIES))


def _once(family: Family, made: Any) -> float:
    began = time.process_time()
    try:
        family.read(made)
    except (*REFUSALS, ValueError):
        pass
    return time.process_time() - began
