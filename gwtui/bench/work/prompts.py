"""Files of prompts, a JSON object on each line: a conversation of OpenAI's form, one of ShareGPT's, or a plain text.

A file is read once, to check every line and to remember where it begins, which takes 12 bytes of memory for each; what
a request asks is read again when it is asked. A pipe is copied into a temporary file first.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from array import array
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from gwtui.apis.question import Role, Said, Talk
from gwtui.codec.csv_rows import Progress
from gwtui.text.sanitize import clean

MOST_LINE = 8 << 20
"""Bytes of one line."""
MOST_LINES = 10_000_000
MOST_NAMED = 5
"""Bad lines that are named; the others are counted."""
CHUNK_BYTES = 1 << 16
HASH_DIGITS = 12
_ROLES: dict[str, Role] = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bard", "bing", "model"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
"""What speakers are called, in OpenAI's form and in ShareGPT's."""
FORMS = '{"messages": [...]}, {"conversations": [...]} or {"prompt": "..."}'


class PromptsError(ValueError):
    """A file of prompts that cannot be used. The text names the file and its bad lines."""


class _LineError(ValueError):
    """What is wrong with one line."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One line of the file."""

    line: int
    """Counted from 1."""
    talk: tuple[Said, ...]

    @property
    def hash(self) -> str:
        """The beginning of the SHA-256 of what is asked, whatever the form of the line."""
        said = json.dumps([[each.role, each.text] for each in self.talk], ensure_ascii=False)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]


class Prompts:
    """The prompts of a file, in its order or, with a seed, in a random one. The file stays open until it is left."""

    def __init__(self, path: Path, seed: int | None = None, progress: Progress = lambda _: None) -> None:
        """Raises PromptsError, and OSError."""
        self._lines, self._starts = array("I"), array("Q")
        digest = hashlib.sha256()
        file = path.open("rb")
        self.name = clean(path.name) if file.seekable() else "a pipe"
        self._file: IO[bytes] = file if file.seekable() else _copied(file)
        try:
            self._index(digest.update, progress)
        except BaseException:
            self._file.close()
            raise
        self.sha256 = digest.hexdigest()
        """Of the whole file."""
        self._order = array("I", range(len(self._starts)))
        if seed is not None:
            Random(seed).shuffle(self._order)  # noqa: S311 - no secret: the same seed has to give the same order

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._starts)

    def at(self, number: int) -> Prompt:
        """The prompt of the request with that number, from 1; after the last comes the first again, and before the
        first the last."""
        place = self._order[(number - 1) % len(self)]
        self._file.seek(self._starts[place])
        return Prompt(self._lines[place], _talk_of(self._file.readline(MOST_LINE + 1)))

    def _index(self, digest: Callable[[bytes], None], progress: Progress) -> None:
        bad: list[str] = []
        count = 0
        for line, start, raw in self._raw_lines():
            digest(raw)
            progress(len(raw))
            if line == 1 and raw.startswith(BOM_UTF8):
                start, raw = len(BOM_UTF8), raw.removeprefix(BOM_UTF8)
            if not raw.strip():
                continue
            try:
                _talk_of(raw)
            except _LineError as error:
                count += 1
                bad += [f"line {line:,}: {error}"] if len(bad) < MOST_NAMED else []
                if len(raw) > MOST_LINE:
                    break
                continue
            self._lines.append(line)
            self._starts.append(start)
        if count:
            more = f"; and {count - len(bad):,} more" if count > len(bad) else ""
            raise PromptsError(f"{self.name}: {'; '.join(bad)}{more}. Each line is {FORMS}")
        if not self._starts:
            raise PromptsError(f"{self.name}: there is no prompt in it. Each line is {FORMS}")

    def _raw_lines(self) -> Iterator[tuple[int, int, bytes]]:
        """Number, place and bytes of each line; the last one may be too long."""
        line = start = 0
        while raw := self._file.readline(MOST_LINE + 1):
            line += 1
            if line > MOST_LINES:
                raise PromptsError(f"{self.name}: more than {MOST_LINES:,} lines")
            yield line, start, raw
            start += len(raw)


def _copied(source: IO[bytes]) -> IO[bytes]:
    """All of a pipe, in a file that is gone when it is closed."""
    copy: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the one who reads it
    with source:
        while chunk := source.read(CHUNK_BYTES):
            copy.write(chunk)
    copy.seek(0)
    return copy


def _talk_of(raw: bytes) -> tuple[Said, ...]:
    """What a line asks: the conversation until its last question. Raises _LineError."""
    if len(raw) > MOST_LINE:
        raise _LineError(f"it is longer than {MOST_LINE >> 20} MiB")
    try:
        told = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        start = "a JSON array: put each of its objects on a line of its own, as jq -c '.[]' does"
        raise _LineError(start if raw.strip() in (b"[", b"[{") else f"no JSON ({clean(str(error), 80)})") from error
    said = [each for each in _said(told) if each.text]
    while said and said[-1].role != "user":
        said.pop()
    if not said:
        raise _LineError("there is no text of a user in it")
    return tuple(said)


def _said(told: Any) -> Talk:
    if isinstance(told, list):
        return [_message(each, "role", "content") for each in told]
    if not isinstance(told, dict):
        raise _LineError(f"no object, but {type(told).__name__}")
    forms = (("messages", "role", "content"), ("conversations", "from", "value"), ("conversation", "from", "value"))
    for field, speaker, text in forms:
        if isinstance(told.get(field), list):
            return [_message(each, speaker, text) for each in told[field]]
    prompt = told.get("prompt", "")
    if not isinstance(prompt, str):
        raise _LineError("its prompt is no text")
    if "prompt" not in told:
        keys = ", ".join(clean(key, 20) for key in list(told)[:4]) or "nothing"
        raise _LineError(f"it has {keys}, and none of messages, conversations and prompt")
    return [Said("user", prompt)]


def _message(message: Any, speaker: str, text: str) -> Said:
    if not isinstance(message, dict):
        raise _LineError("a message is no object")
    role = _ROLES.get(str(message.get(speaker, "")).lower())
    if role is None:
        named = clean(str(message.get(speaker)), 20)
        raise _LineError(f"a message is from {named!r}, and not from user, assistant or system")
    return Said(role, _text(message.get(text)))


def _text(content: Any) -> str:
    """The text of a message, of which OpenAI's form may have parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise _LineError("the content of a message is neither a text nor a list of texts")
    return "".join(map(_part, content))


def _part(part: Any) -> str:
    if isinstance(part, Mapping) and isinstance(text := part.get("text"), str):
        return text
    kind = clean(str(part.get("type")), 20) if isinstance(part, Mapping) else type(part).__name__
    raise _LineError(f"a part of a message is {kind!r}: only text is sent")
