"""Which API a capture is of: by the path that was asked, by what its events look like, and by its framing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from gwtui.apis import SAVED_APIS
from gwtui.apis.addresses import MODEL
from gwtui.apis.base import API
from gwtui.apis.headers import Headers, header
from gwtui.apis.shapes import MOST_EVENTS, Shape, decoded, shape_in
from gwtui.config.errors import did_you_mean
from gwtui.decode.exchanges import CapturedRequest, CaptureError
from gwtui.framing import FRAMINGS, framing_named, framing_of
from gwtui.framing.base import FramedEvent, Framing, FramingError
from gwtui.model.enums import Kind
from gwtui.text.sanitize import clean

STREAMING = tuple(name for name, api in SAVED_APIS.items() if api.kind is Kind.COMPLETION)
"""The APIs that a capture may be of."""
_SPECIAL = {
    "vertex-claude": re.compile(rb'"id"\s*:\s*"msg_vrtx_'),
    "fireworks": re.compile(rb'"model"\s*:\s*"accounts/fireworks/|"perf_metrics"\s*:'),
}
"""What only answers of this API contain, and not those of a plainer API with the same events."""
_HEADERS = {"fireworks": "fireworks-"}
"""Beginnings of the names of headers that only this API sends."""


class Sureness(StrEnum):
    """How sure it is which API a capture is of."""

    GIVEN = "given"
    """It was said."""
    CERTAIN = "certain"
    """Its events are of no other API, or its path is."""
    LIKELY = "likely"
    """Others look the same, and are rarer; or not all of it looks so."""
    ANY = "any"
    """It is not known, and does not matter: the verdict is the same for each."""


@dataclass(frozen=True, slots=True)
class RecognisedAPI:
    """The API of a capture."""

    api: str
    sureness: Sureness
    why: str = ""
    """Clean."""


ANY_API = RecognisedAPI("openai-chat", Sureness.ANY, "nothing shows its API")
"""How an answer is read whose verdict does not depend on the API."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of an answer, without framing and compression."""

    body: bytes
    is_all: bool
    headers: Headers
    has_head: bool


def given_api(api: str) -> RecognisedAPI:
    """The API that was said. Raises `CaptureError` for one that no capture can be of."""
    if api not in STREAMING:
        raise CaptureError(f"{clean(api, 60)!r} is no API that streams: {did_you_mean(api, STREAMING)}")
    return RecognisedAPI(api, Sureness.GIVEN)


def recognise(beginning: Beginning, asked: CapturedRequest) -> RecognisedAPI | None:
    """The API; None if nothing shows it. Raises `CaptureError` if several are equally likely, and names them."""
    by_path = apis_at(asked.path)
    framing, events = _events(beginning)
    shapes = Counter(filter(None, (shape_in(decoded(event.data)) for event in events)))
    if not events and (whole := _whole(beginning)) is not None:
        shapes[whole] += 1
    if not shapes:
        return _by_path(by_path, asked)
    shape, count = shapes.most_common(1)[0]
    named = [name for name in shape.apis if framing is None or SAVED_APIS[name].framing is framing] or list(shape.apis)
    common = [name for name in by_path if name in named]
    if by_path and not common:
        found = _by_path(by_path, asked)
        return found and RecognisedAPI(found.api, Sureness.LIKELY, f"{found.why}; its answer looks like {shape.name}")
    why = f"{count} of {len(events)} events have {shape.mark}" if events else f"it has {shape.mark}"
    names = common or named
    is_pure = all(set(names) <= set(each.apis) for each in shapes)
    return _chosen(names, shape, why, beginning, is_pure=is_pure, by_path=bool(by_path))


def _chosen(
    names: list[str], shape: Shape, why: str, beginning: Beginning, *, is_pure: bool, by_path: bool
) -> RecognisedAPI:
    if not names:
        listed = "use --api to read it as another"
        raise CaptureError(f"the capture looks like {shape.name}, which gwtui does not read: {listed}")
    sure = Sureness.CERTAIN if is_pure else Sureness.LIKELY
    if len(names) == 1:
        return RecognisedAPI(names[0], sure, why)
    if shape.equal:
        raise CaptureError(f"the capture may be of {' or '.join(names)}, which look the same: choose one with --api")
    if (special := next((name for name in names if _is_special(name, beginning)), None)) is not None:
        return RecognisedAPI(special, sure, f"{why}, and marks of its own")
    others = " and ".join(names[1:])
    return RecognisedAPI(names[0], sure if by_path else Sureness.LIKELY, f"{why}, as those of {others} have")


def _is_special(name: str, beginning: Beginning) -> bool:
    pattern, prefix = _SPECIAL.get(name), _HEADERS.get(name)
    by_header = prefix is not None and any(each.lower().startswith(prefix) for each, _ in beginning.headers)
    return by_header or (pattern is not None and pattern.search(beginning.body) is not None)


def _by_path(names: Sequence[str], asked: CapturedRequest) -> RecognisedAPI | None:
    if not names:
        return None
    if len(names) > 1:
        raise CaptureError(f"the capture may be of {' or '.join(names)}: choose one with --api")
    return RecognisedAPI(names[0], Sureness.CERTAIN, f"it was asked at {clean(asked.path, 60)}")


def apis_at(path: str) -> list[str]:
    """The APIs that have such a path: of those that fit, the ones with the longest path of their own."""
    if not path:
        return []
    path = unquote(path).rstrip("/")
    fits = {name: max(len(end) for end in _ends(SAVED_APIS[name]) if _is_at(path, end)) for name in STREAMING
            if any(_is_at(path, end) for end in _ends(SAVED_APIS[name]))}  # fmt: skip
    return [name for name, length in fits.items() if length == max(fits.values())]


def _is_at(path: str, end: str) -> bool:
    return end in path if end.endswith("/") else path.endswith(end)


def _ends(api: API) -> list[str]:
    """What paths of the API end with, or contain if the model's name is at their end."""
    paths = [api.default_path, getattr(api, "whole_path", api.default_path)]
    bare = [path.partition("?")[0] for path in paths]
    return [path.partition(MODEL)[2] or path.partition(MODEL)[0].removeprefix("/v1") for path in bare]


def _events(beginning: Beginning) -> tuple[Framing | None, Sequence[FramedEvent]]:
    """The first events, and how they are framed: by the first bytes, or else by the content type."""
    named = framing_named(header(beginning.headers, "content-type"))
    first = framing_of(beginning.body) or named
    for framing in filter(None, dict.fromkeys((first, named))):
        if events := _framed(framing, beginning):
            return framing, events
    if not beginning.has_head and not _is_json(beginning.body):
        found = [framing for framing in FRAMINGS if framing.line.search(beginning.body)]
        return next(((framing, events) for framing in found if (events := _framed(framing, beginning))), (None, ()))
    return None, ()


def _framed(framing: Framing, beginning: Beginning) -> Sequence[FramedEvent]:
    parser = framing.parser()
    try:
        events = [*parser.feed(beginning.body)]
    except FramingError as error:
        events = [*error.events]
    if beginning.is_all and (last := parser.unended) is not None:
        events.append(last)
    return [event for event in events if event.data.strip() and not event.data.startswith("[DONE]")][:MOST_EVENTS]


def may_be_answer(body: bytes) -> bool:
    """Whether it looks like any answer: JSON, or a stream in whatever framing."""
    return _is_json(body) or any(framing.line.search(body) for framing in FRAMINGS)


def _is_json(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _whole(beginning: Beginning) -> Shape | None:
    """What one whole answer looks like."""
    if not _is_json(beginning.body):
        return None
    try:
        return shape_in(json.loads(beginning.body.decode("utf-8-sig", "replace")))
    except (ValueError, RecursionError):
        return None
