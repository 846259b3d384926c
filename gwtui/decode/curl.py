"""What `curl -v` prints, without what curl says of itself: the head and the body of each answer are left.

Lines of headers begin with `<`, those of the request with `>`, all else that curl says with `*`. curl writes them to
standard error: where that went into the same file, such lines and its progress meter may stand in the middle of a
body, between any two of its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gwtui.decode.exchanges import MOST_EXCHANGES, Exchange, Pieces, TransferFailure
from gwtui.model.enums import End
from gwtui.text.sanitize import clean

LONGEST_LINE = 128 << 10
"""The longest line of a head; what is longer is a body."""
HELD = 2048
"""What is held back of a body: no words of curl's own in it are longer."""
_PROGRESS = rb"\r[ \d]{3}(?: +[\d.]+[kMGTP]?){7}(?: +(?:--:--:--|\d[\d:]*(?:d \d+h)?)){3} [ \d.kMGTP]{5}"
_METERS = re.compile(rb"\A(?:" + _PROGRESS + rb")+\n?")
_TITLES = (b"  % Total", b"                                 Dload")
"""Of the progress meter."""
_BEGINNING = re.compile(rb"\s*(?:\* |> [A-Z]+ |< HTTP/|% Total  )")
_OWN = (b"* ", b"> ", b">\r", b">\n", b"< ", b"<\r", b"<\n", b"{ [", b"} [", *_TITLES)
"""Beginnings of curl's own lines before a body."""
_BYTES_DATA = rb"[{}] \[\d+ bytes data\]\n"
_BODY = re.compile(
    rb"(?:" + _PROGRESS + rb")+(?:\n(?=\* |curl: \(|\Z))?"
    rb"|(?<=\n)\* (?P<says>[^\n]{0,1000})\n"
    rb"|\* (?P<ends>(?:Connection #\d+ to host|[Cc]losing connection)[^\n]{0,1000})(?:\n|\Z)"
    rb"|" + _BYTES_DATA + rb"|(?<=\n)< [!-~]+:[^\n]{0,1000}\n"
    rb"|(?P<next>(?<=\n)> [A-Z]+ [^\n]{1,1000} HTTP/[\d.]+\r?\n)"
    rb"|curl: \((?P<code>\d+)\) (?P<fault>[^\n]{0,1000})(?:\n|\Z)"
)
"""What is curl's own in a body."""
_LAST = re.compile(rb"curl: \((?P<code>\d+)\) (?P<fault>[^\n]{0,1000})\n?\Z")
"""What curl says at the end even without `-v`."""
_SAID = (
    (re.compile(rb"transfer closed with|end of response with"), End.INCOMPLETE),
    (re.compile(rb"Recv failure|Connection reset|Empty reply|was not closed cleanly"), End.RESET),
    (re.compile(rb"timed out after"), End.TOTAL),
    (re.compile(rb"Received HTTP/0.9"), End.NOT_HTTP),
    (re.compile(rb"Could not resolve host"), End.DNS),
    (re.compile(rb"failed: Connection refused"), End.REFUSED),
    (re.compile(rb"SSL certificate problem|SSL_connect:"), End.TLS),
)
_CODES = {
    **dict.fromkeys((1, 8), End.NOT_HTTP),
    **dict.fromkeys((5, 97), End.PROXY),
    6: End.DNS,
    7: End.REFUSED,
    18: End.INCOMPLETE,
    28: End.TOTAL,
    **dict.fromkeys((16, 52, 55, 56, 92, 95), End.RESET),
    **dict.fromkeys((35, 51, 53, 54, 58, 59, 60, 77, 80, 82, 83, 90, 91, 98), End.TLS),
    61: End.DECODE_ERROR,
}
"""How a transfer ended, by curl's exit code. The others are of curl itself."""


def is_transcript(beginning: bytes) -> bool:
    """Whether a file with this beginning is what `curl -v` printed."""
    return _BEGINNING.match(beginning) is not None


def transcripts(pieces: Pieces) -> Iterator[Exchange]:
    """Every exchange of the file. Each has to be read before the next is asked for."""
    number = 0
    while pieces.peek(1) and number < MOST_EXCHANGES:
        number += 1
        exchange = _Transcript(pieces).exchange
        exchange.number = number
        yield exchange
        for _ in exchange.chunks:
            pass


def plain(pieces: Pieces) -> Exchange:
    """The answer of a file of which it is all, but for what curl said at its end."""
    exchange = Exchange(())
    exchange.chunks = _without_last(pieces, exchange)
    return exchange


def _without_last(pieces: Pieces, exchange: Exchange) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += piece
        if len(held) > HELD:
            yield held[:-HELD]
            held = held[-HELD:]
    if (last := _LAST.search(held)) is not None:
        _take_fault(exchange, last)
        held = held[: last.start()]
    if held:
        yield held


def _take_fault(exchange: Exchange, found: re.Match[bytes]) -> None:
    """What curl reports at the end says more than what it said before."""
    if (end := _CODES.get(int(found["code"][:4]))) is not None:
        exchange.fault = TransferFailure(end, _words(found["fault"]))


def _words(said: bytes) -> str:
    return f"curl: {clean(said.decode('utf-8', 'replace').strip())}"


class _Transcript:
    """One exchange: lines up to the end of its head, and then a body with curl's own words in it."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self.exchange = Exchange(())
        self.exchange.chunks = self._read()
        self._answered = False
        """A head was seen."""

    def _read(self) -> Iterator[bytes]:
        while (line := self._line()) is not None:
            if line.startswith(b"<"):
                self._answered = True
                yield line[1:].removeprefix(b" ")
        yield from self._body()

    def _line(self) -> bytes | None:
        """The next line of curl's own; None where the body begins."""
        line = _METERS.sub(b"", self._pieces.line(LONGEST_LINE), count=1)
        while not line and self._pieces.peek(1):  # it was all of the meter
            line = _METERS.sub(b"", self._pieces.line(LONGEST_LINE), count=1)
        if not line or not self._is_own(line):
            self._pieces.give_back(line)
            return None
        return line

    def _is_own(self, line: bytes) -> bool:
        if line.startswith(_OWN):
            self._take(line)
            return True
        return not line.strip() and not self._answered

    def _take(self, line: bytes) -> None:
        """Take a line of the request, or what curl said."""
        if line.startswith(b"* "):
            self._take_said(line[2:])
        if not line.startswith(b"> "):
            return
        text = line[2:].decode("utf-8", "replace").strip()
        first, _, rest = text.partition(" ")
        name, colon, value = text.partition(":")
        if rest.rpartition(" ")[2].startswith("HTTP/") and first != "CONNECT":
            self.exchange.asked.method = first
            self.exchange.asked.take_url(rest.rpartition(" ")[0])
            self.exchange.fault = None
        elif colon:
            self.exchange.take_header(name, value)
            if name.lower() == "host":
                self.exchange.asked.host = value.strip()

    def _body(self) -> Iterator[bytes]:
        held, at = b"\n", 1  # the line before it ended
        ended = False
        while not ended:
            piece = next(self._pieces, b"")
            ended = not piece
            held += piece
            stop = len(held) if ended else max(at, len(held) - HELD)
            while (found := _BODY.search(held, at)) is not None and found.start() < stop:
                if found.start() > at:
                    yield held[at : found.start()]
                if found["next"] is not None:
                    self._pieces.give_back(held[found.start() :])
                    return
                if found["code"] is not None:
                    _take_fault(self.exchange, found)
                elif found["says"] is not None:
                    self._take_said(found["says"])
                at = found.end()
            if at < stop:
                yield held[at:stop]
                at = stop
            held, at = held[at - 1 :], 1

    def _take_said(self, said: bytes) -> None:
        """What it says of a failure; a request that is sent all the same makes it void."""
        end = next((end for pattern, end in _SAID if pattern.search(said)), None)
        if end is not None and self.exchange.fault is None:
            self.exchange.fault = TransferFailure(end, _words(said))
