"""What can happen to the events of a good answer before any is sent: lost, repeated, swapped, garbled. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.timeline import Part, TimedEvent

DEPTH = 100_000
ELSEWHERE = 7
"""An index at which no API here has anything."""

_EVENT = re.compile(rb"(?s)(.*?^data: )?(.*?)([\r\n]*)", re.MULTILINE)
"""All up to the payload, the payload, and the line ends behind it."""


def with_faults(events: Sequence[TimedEvent], behaviour: Behaviour) -> list[TimedEvent]:
    """The events after all that the behaviour does to them. Numbers beyond the last event do nothing."""
    done = list(events)
    if (at := _index(behaviour.garble_event, done)) is not None:
        done[at] = TimedEvent(done[at].part, _GARBLES[behaviour.garble or "half"](done[at].data))
    if (at := _index(behaviour.swap_event, done[:-1])) is not None:
        done[at : at + 2] = [done[at + 1], done[at]]
    if (at := _index(behaviour.repeat_event, done)) is not None:
        done.insert(at, done[at])
    if (at := _index(behaviour.lose_event, done)) is not None:
        del done[at]
    if behaviour.after_end == "stream":
        done += done
    elif behaviour.after_end == "token":
        done += [event for event in done if event.part is Part.TOKEN][-1:]
    return done


def _index(number: int | None, events: Sequence[TimedEvent]) -> int | None:
    return number - 1 if number is not None and number <= len(events) else None


def _half(data: bytes) -> bytes:
    return _with_payload(data, lambda payload: payload[: len(payload) // 2])


def _deep(data: bytes) -> bytes:
    return _with_field(data, b'"deep":' + b"[" * DEPTH + b"]" * DEPTH)


def _numbers(data: bytes) -> bytes:
    return _with_field(data, b'"odd":NaN,"odd":1e999,"odd":-Infinity,"odd":' + b"9" * 400)


def _utf8(data: bytes) -> bytes:
    return _with_field(data, b'"odd":"\xff\xfe\xc3( \xed\xa0\x80 \xf0\x9f"')


def _nul(data: bytes) -> bytes:
    """In an id, which the standard says is then ignored (WHATWG HTML 9.2.6)."""
    return b"id: a\0b\n" + data


def _elsewhere(data: bytes) -> bytes:
    return re.sub(rb'((?:output_)?index"):\d+', rb"\1:%d" % ELSEWHERE, data, count=1)


def _later(data: bytes) -> bytes:
    return re.sub(rb'("sequence_number"):(\d+)', lambda found: b"%s:%d" % (found[1], int(found[2]) + ELSEWHERE), data)


def _zero(data: bytes) -> bytes:
    return re.sub(rb'("sequence_number"):\d+', rb"\1:0", data)


def _unnamed(data: bytes) -> bytes:
    return re.sub(rb"(?m)^event: [^\r\n]*\r?\n", b"", data)


def _renamed(data: bytes) -> bytes:
    return re.sub(rb"(?m)^event: [^\r\n]*", b"event: something_else", data)


def _letter(data: bytes) -> bytes:
    """A letter too many in the key of its content."""
    return re.sub(rb'"(delta|message|candidates|text)"(?=:)', lambda found: b'"%sx"' % found[1], data, count=1)


def _line(data: bytes) -> bytes:
    """A letter of `data:` is lost, so that no event has the line."""
    return re.sub(rb"(?m)^data:", b"dat:", data, count=1)


def _miscounted(data: bytes) -> bytes:
    """The last bytes of a frame are its checksum."""
    return data[:-1] + bytes([data[-1] ^ 1])


def _spaced(data: bytes) -> bytes:
    return re.sub(rb'("text":"(?:[^"\\]|\\.)*)"', rb'\1 \\n"', data, count=1)


def _reworded(data: bytes) -> bytes:
    return data.replace(b'"text":"', b'"text":"not ', 1)


def _with_payload(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    found = _EVENT.fullmatch(data)
    if found is None:
        return change(data)
    return (found[1] or b"") + change(found[2]) + found[3]


def _with_field(data: bytes, field: bytes) -> bytes:
    """One more field in the JSON object of the event."""
    return _with_payload(data, lambda payload: payload.removesuffix(b"}") + b"," + field + b"}")


_GARBLES: dict[str, Callable[[bytes], bytes]] = {
    "half": _half,
    "deep": _deep,
    "numbers": _numbers,
    "utf8": _utf8,
    "nul": _nul,
    "index": _elsewhere,
    "sequence": _later,
    "zero": _zero,
    "name": _renamed,
    "key": _letter,
    "line": _line,
    "unnamed": _unnamed,
    "crc": _miscounted,
    "space": _spaced,
    "text": _reworded,
}
