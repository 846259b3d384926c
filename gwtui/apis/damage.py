"""Content that was lost on the way although its stream goes on, found in what says nothing.

An event that carries nothing, or has something odd, is looked at once more: is a key or a name that its API knows off
by a letter or two? Where the event would be content with that put right, content was lost. A word that is off in the
same way more than once is no damage but a gateway's own spelling. Events that are as they should be are not looked at,
so a good stream costs next to nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from gwtui.apis.base import API, Reading
from gwtui.apis.errors import error_reason
from gwtui.apis.shapes import Shapes
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

_BLIND = (Verdict.COMPLETE, Verdict.COMPLETE_UNTERMINATED, Verdict.OUT_OF_ORDER, Verdict.EMPTY)
"""Verdicts on the rest of a stream that lost content makes wrong, or explains."""
_PROSE = (EventKind.TEXT, EventKind.REASONING)
"""Content that nothing is missing from: of a tool call the arguments may be lost."""
REPLACEMENT = "\ufffd"
"""What decoding puts in the place of bytes that are not UTF-8."""
LEAST_WORD, LONG_WORD = 4, 6
"""Shorter words are too much like others; long ones may be off by two letters, where that makes content of them."""
MOST_LETTERS = 2
LONGEST_WORD = 80
"""Longer than any word of an API."""
MOST_NODES = 500
"""Objects and lists of one event that are looked into."""
LONGEST = 1 << 16
"""Characters of an event above which it is not looked into: those that say nothing and are longer hold files."""
MOST_KEPT = 20
MOST_LINES = 100
"""Lines outside of any event that are looked at."""
AROUND = 24
"""Characters quoted before and behind what is damaged."""
ORDINARY = frozenset({"context"})
"""Words that are a letter away from those of an API and are meant, unless a text stands there."""


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """What was damaged in one stream, in words that are clean."""

    evidence: str = ""
    """Empty: nothing."""
    lost: str = ""
    """The content that cannot be read; empty: all of it could be."""
    foreign: str = ""
    """Of what other API its events are, in words; empty where it has content."""
    lost_at: int | None = None
    """The event that it should have been in, counted from 1; None: what was lost is no event."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (Finding(name=FindingName.DAMAGED, evidence=self.evidence),) if self.evidence else ()

    def judged(self, seen: Judgement) -> Judgement:
        """What lost content makes of the verdict on the rest of the stream."""
        if self.foreign and seen.verdict in (*_BLIND, Verdict.TRUNCATED):
            return Judgement(verdict=Verdict.NOT_A_STREAM, rule="stream.foreign", reason=self.foreign)
        if not self.lost or seen.verdict not in _BLIND:
            return seen
        return Judgement(
            verdict=Verdict.DECODE_ERROR,
            rule="stream.damaged",
            reason=f"content that came cannot be read: {self.lost}",
            event_number=self.lost_at,
        )


class _Odd(NamedTuple):
    number: int
    words: str
    is_lost: bool


class _Misspelt(NamedTuple):
    """A word that is off by a letter, and the event as it is with that put right."""

    came: str
    due: str
    quoted: str
    repaired: FramedEvent


class DamageWatch:
    """Follows the events of one stream."""

    def __init__(self, api: API, endpoint: Endpoint) -> None:
        """Raises `AskError` where the endpoint cannot be asked for a stream."""
        self.reader = api.reader(endpoint)
        self._api = api
        self._endpoint = endpoint
        self._found: dict[tuple[str, str], _Odd] = {}
        """The first damage of each kind: a word as it came and as it is due, or what an event lacks."""
        self._counts: Counter[tuple[str, str]] = Counter()
        self._replaced: set[int] = set()
        """Events in whose content decoding may have replaced bytes."""
        self._has_content = False
        self._over = False
        """Whether the stream had ended before the current event."""
        self._shapes = Shapes()

    def read(self, events: Sequence[FramedEvent], first: int) -> list[Reading]:
        """What the reader makes of the next events, the first of which has that number."""
        read, readings = self.reader.event, []
        for number, event in enumerate(events, first):
            self._over = self._over or self.reader.ended()
            reading = read(event)
            is_sound = reading.kind in _PROSE or (reading.kind is EventKind.TOOL and not _is_bare_call(event, reading))
            if not is_sound or reading.note or REPLACEMENT in reading.text:
                reading = self.look(number, event, reading)
            readings.append(reading)
        if not self._has_content:
            self._see(events, readings)
        return readings

    def _see(self, events: Sequence[FramedEvent], readings: Sequence[Reading]) -> None:
        """As long as there is no content, what there is instead."""
        self._has_content = any(reading.kind.is_content for reading in readings)
        for event, reading in zip(events, readings, strict=True):
            if reading.kind not in (EventKind.KEEPALIVE, EventKind.ERROR) and not self._has_content:
                self._shapes.take(event)

    def foreign(self, events: int) -> str:
        """Of what other API the events are, of a stream of that number; "" where they are its own, or unknown."""
        return "" if self._has_content else self._shapes.foreign(self._api, events)

    def look(self, number: int, event: FramedEvent, reading: Reading) -> Reading:
        """Look at an event that has a note, carries no content, or has replaced bytes in its content. Returns its
        reading, with a note where it is damaged."""
        if REPLACEMENT in reading.text and len(self._replaced) < MOST_KEPT:
            self._replaced.add(number)
        if not self._api.words or reading.kind is EventKind.ERROR or self._over:
            return reading
        is_content, is_call = reading.kind.is_content, _is_bare_call(event, reading)
        for each in self._misspelt(event, reading):
            words = f"{each.came!r} where {each.due!r} is due"
            lost = (is_content and not is_call) or self._gains(each.repaired, reading)
            is_plural = each.came.rstrip("s") == each.due.rstrip("s")
            if not lost and (is_call or is_plural or not is_off(each.came, each.due)):
                continue  # only content proves words that are missing, far off, or words of their own
            return reading.noted(self._take((each.came, each.due), number, words, each.quoted, is_lost=lost))
        words, lost = ("", False) if is_content else self._api.lacks(event.data)
        return reading.noted(self._take((words, ""), number, words, event.data, is_lost=lost)) if words else reading

    def _take(self, kind: tuple[str, str], number: int, words: str, quoted: str, *, is_lost: bool) -> str:
        words = clean(words)
        if kind in self._found or len(self._found) < MOST_KEPT:
            self._counts[kind] += 1
            self._found.setdefault(kind, _Odd(number, f"event {number}: {words}: {clean(quoted, 2 * AROUND)}", is_lost))
        return words

    def _gains(self, repaired: FramedEvent, reading: Reading) -> bool:
        """Whether the event has more content with its words put right than it has as it came."""
        again = self._api.reader(self._endpoint).event(repaired)
        return again.kind.is_content and len(again.text) > len(reading.text)

    def _misspelt(self, event: FramedEvent, reading: Reading) -> Iterator[_Misspelt]:
        """The words that are off; of several that may be due, the one that makes content of it goes first."""
        words = self._api.words
        if event.event != "message" and event.event not in words:
            for due in _near(event.event, words):
                yield _Misspelt(event.event, due, event.event, FramedEvent(due, _retyped(event, due)))
        only_name = reading.kind.is_content and not _is_bare_call(event, reading)
        payload = None if only_name else _json(event.data)
        if isinstance(payload, dict) and "type" in words - payload.keys() and event.event in words - {"message"}:
            repaired = json.dumps({"type": event.event, **payload})
            yield _Misspelt("no type", event.event, event.data, FramedEvent(event.event, repaired))
        found = [
            _Misspelt(came, due, _around(event.data, came), FramedEvent(event.event, repaired))
            for came, due, repaired in _repairs(payload, words)
        ]
        yield from sorted(found, key=lambda each: not self._gains(each.repaired, reading))

    def damage(self, stray: bytes, mangled: Sequence[tuple[int, str]], events: int) -> Damage:
        """Of all that came. `stray`: what was no event; `mangled`: events with bytes that are not UTF-8, and these."""
        odd = [odd for kind, odd in self._found.items() if self._counts[kind] == 1 or not kind[1]]
        for number, quoted in mangled:
            words = f"event {number}: bytes that are not UTF-8: {quoted}"
            odd.append(_Odd(number, clean(words), number in self._replaced))
        odd.sort()
        lines = [line for line in stray.splitlines() if line.strip()][:MOST_LINES]
        lines = [] if error_reason(_unnamed(stray)) else lines
        lost_lines = [line for line in lines if self._is_lost(line)]
        said = [each.words for each in odd] + [f"outside of any event: {_quoted(line)}" for line in lines]
        lost = [each for each in odd if each.is_lost]
        first = lost[0].words if lost else f"outside of any event: {_quoted(lost_lines[0])}" if lost_lines else ""
        more = f"; and {len(said) - 1} more" if len(said) > 1 else ""
        return Damage(
            evidence=said[0] + more if said else "",
            lost=first,
            lost_at=lost[0].number if lost else None,
            foreign=self.foreign(events),
        )

    def _is_lost(self, line: bytes) -> bool:
        """Whether a line outside of any event has a payload that would be content in one, or may have been."""
        name, brace, rest = line.decode("utf-8", "replace").partition("{")
        if not brace:
            return False
        kind = self._api.reader(self._endpoint).event(FramedEvent("message", brace + rest)).kind
        field = name.partition(":")[0].strip()
        is_data = field == "event" or is_off(field, "data")
        return kind.is_content or (kind is EventKind.OTHER and is_data)


def _is_bare_call(event: FramedEvent, reading: Reading) -> bool:
    """Whether a tool is called by its name without arguments, as far as was understood. Pieces of arguments, of which
    there are many, have no name beside them."""
    return reading.kind is EventKind.TOOL and "{" not in reading.text and '"name"' in event.data


def _unnamed(stray: bytes) -> bytes:
    """Without the name of the field in which llama.cpp sends its errors, which no event can have."""
    return stray.removeprefix(b"error:")


def _quoted(line: bytes) -> str:
    return clean(line[: 2 * AROUND].decode("utf-8", "backslashreplace"))


def _around(data: str, word: str) -> str:
    at = max(0, data.find(word) - AROUND)
    return data[at : at + len(word) + 2 * AROUND]


def _json(data: str) -> object:
    try:
        return json.loads(data) if len(data) <= LONGEST else None
    except (ValueError, RecursionError):
        return None


def _retyped(event: FramedEvent, due: str) -> str:
    """The event's data, in which its type is put right too where it is off as the name is."""
    payload = _json(event.data)
    is_same = isinstance(payload, dict) and payload.get("type") == event.event
    return json.dumps({**payload, "type": due}) if isinstance(payload, dict) and is_same else event.data


def _repairs(payload: object, words: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Each word that is off in the payload: as it came, as it is due, and the payload with it put right."""
    for node in _nodes(payload):
        for key in list(node):
            if key in ORDINARY and not isinstance(node[key], str):
                continue
            for due in (each for each in _near(key, words) if each not in node):
                renamed = {due if name == key else name: value for name, value in node.items()}
                yield key, due, _with(payload, node, renamed)
        if isinstance(kind := node.get("type"), str):
            for due in _near(kind, words):
                yield kind, due, _with(payload, node, {**node, "type": due})


def _with(payload: object, node: dict[str, Any], changed: dict[str, Any]) -> str:
    """The payload as JSON with one of its objects changed."""
    kept = dict(node)
    node.clear()
    node.update(changed)
    text = json.dumps(payload)
    node.clear()
    node.update(kept)
    return text


def _nodes(payload: object) -> Iterator[dict[str, Any]]:
    """The objects in the payload, the outer ones first."""
    waiting, seen = [payload], 0
    while waiting and seen < MOST_NODES:
        node, seen = waiting.pop(0), seen + 1
        if isinstance(node, dict):
            yield node
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting.extend(value for value in inner if isinstance(value, dict | list))


def _near(word: str, words: frozenset[str]) -> tuple[str, ...]:
    """Those of the words that this one is, but for a letter or two."""
    return () if word in words or len(word) > LONGEST_WORD else _nearest(word, words)


@lru_cache(maxsize=4096)
def _nearest(word: str, words: frozenset[str]) -> tuple[str, ...]:
    """The same for a word that is not one of them. Streams of a gateway use the same unknown words again and again."""
    likely = (due for due in words if len(due) >= LEAST_WORD and abs(len(due) - len(word)) <= MOST_LETTERS)
    return tuple(sorted(due for due in likely if is_off(word, due, _letters(word, due)) or is_swapped(word, due)))


def _letters(word: str, due: str) -> int:
    """How many of the letters may be off."""
    return MOST_LETTERS if len(due) >= LONG_WORD or len(word) == len(due) - 2 else 1


def is_swapped(word: str, due: str) -> bool:
    """Whether the words differ in two neighbouring letters that changed places."""
    wrong = [at for at, (one, other) in enumerate(zip(word, due, strict=False)) if one != other]
    return len(word) == len(due) and len(wrong) == 2 and wrong[0] + 1 == wrong[1] and sorted(word) == sorted(due)


def is_off(word: str, due: str, letters: int = 1) -> bool:
    """Whether the words differ in one place, by at most that number of letters."""
    start = next((at for at, (one, other) in enumerate(zip(word, due, strict=False)) if one != other), len(due))
    start = min(start, len(word), len(due))
    one, other = word[start:], due[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return word != due and max(len(one), len(other)) <= letters
