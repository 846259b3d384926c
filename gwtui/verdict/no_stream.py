"""What came in place of a stream of the API's framing: its first bytes tell before its content type does."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.apis import shapes
from gwtui.framing import framing_of
from gwtui.framing.base import FramedEvent, Framing, FramingError
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean, excerpt


def instead_of_stream(kind: str, body: bytes, read: Judgement, framing: Framing) -> Judgement:
    """What came where a stream was asked for, labelled as another `kind`, which `read` is the verdict on as an answer
    of the API."""
    if "html" in kind or body.lstrip().startswith(b"<"):
        return _judged("stream.page", f"a page came instead of a stream: {excerpt(body, kind)}")
    if (came := framing_of(body)) is not None:
        return foreign_stream(kind, body, came, framing)
    is_other = read.verdict is Verdict.WRONG_BODY
    if is_other and (name := shapes.named_body(body)):
        words = f"{typed(kind)} came instead of a stream; it looks like {name}: {excerpt(body, kind)}"
        return _judged("stream.foreign", words)
    said = excerpt(body, kind) if is_other else read.reason
    return _judged("stream.content-type", f"{typed(kind)} came instead of a stream: {said}")


def foreign_stream(kind: str, body: bytes, came: Framing, due: Framing) -> Judgement:
    """A stream that is not framed as its API's are, or not called so."""
    if came is due:
        return _judged("stream.content-type", f"{came.title} came as {typed(kind)}, which clients do not take for one")
    events = _events_in(body, came)
    words = f"{came.title} came as {typed(kind)} where {due.title} is due"
    begins = f"it begins: {_told(events, body) if came.is_binary else excerpt(body)}"
    name = shapes.named(events)
    looks = f"it looks like {name}" if name else ""
    parts = (words, begins, looks) if came.is_binary else (words, looks, begins)
    return _judged("stream.foreign" if name else "stream.framing", "; ".join(filter(None, parts)))


def looks(body: bytes) -> str:
    """What a whole answer of another API looks like, for sentences; "" where that is not known."""
    name = shapes.named_body(body)
    return f"which looks like {name}, " if name else ""


def typed(kind: str) -> str:
    """A content type, for sentences."""
    return clean(kind, 60) or "a body without a content-type"


def _events_in(body: bytes, framing: Framing) -> Sequence[FramedEvent]:
    try:
        return framing.parser().feed(body)
    except FramingError as error:
        return error.events


def _told(events: Sequence[FramedEvent], body: bytes) -> str:
    """What binary frames say: the first of them and the last, each with its name; the bytes where none is whole."""
    told = [clean(f"{event.event} {event.data}", 100) for event in (*events[:1], *events[1:][-1:])]
    return " … ".join(told) or excerpt(body)


def _judged(rule: str, words: str) -> Judgement:
    return Judgement(verdict=Verdict.NOT_A_STREAM, rule=rule, reason=clean(words))
