"""A file with captures, whatever saved it: an answer, what curl printed, a HAR, or a stream that a session kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwtui.codec.stream_file import is_stream_file
from gwtui.decode.capture import Capture
from gwtui.decode.curl import is_transcript, plain, transcripts
from gwtui.decode.exchanges import CaptureError, Chunks, Exchange, Pieces
from gwtui.decode.har import archived, is_archive
from gwtui.decode.recognition import apis_at, recognise

SNIFFED = 64 << 10
"""Bytes of a file that show what saved it."""


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """The exchanges of a file. Each has to be read before the next is asked for."""

    exchanges: Iterator[Exchange]
    is_archive: bool = False
    """Whether the file is a HAR, which is made for several."""
    kept: Iterator[bytes] | None = None
    """Its bytes, where it is a stream that a session kept."""


def opened(chunks: Chunks) -> CaptureFile:
    """What is in a file. The exchanges raise `CaptureError` where it cannot be read."""
    pieces = Pieces(chunks)
    beginning = pieces.peek(SNIFFED)
    if is_stream_file(beginning):
        return CaptureFile(iter(()), kept=pieces)
    if is_archive(beginning):
        return CaptureFile(archived(pieces, _is_asked), is_archive=True)
    return CaptureFile(transcripts(pieces) if is_transcript(beginning) else iter((plain(pieces),)))


def _is_asked(exchange: Exchange) -> bool:
    """Whether a model was asked: by the question, the path, or the answer."""
    if exchange.asked.method != "POST":
        return False
    if exchange.asked.is_question or apis_at(exchange.asked.path):
        return True
    try:
        return recognise(Capture(exchange).beginning(), exchange.asked) is not None
    except CaptureError:
        return False
