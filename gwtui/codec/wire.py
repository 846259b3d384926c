"""Records and commands as lines of JSON: what goes through the pipe between the engine and a front end.

One line is one record or one command: UTF-8, no raw newline inside, one at its end. Both sides are checked against
the types of `records` and `commands`, so a line that decodes is a record that could have been made here.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from gwtui.model.commands import Command
from gwtui.model.records import Record


class WireError(ValueError):
    """A line that is not what it should be, or a value that cannot be a line. The text says which and why."""


_T = TypeVar("_T")
_encoder = msgspec.json.Encoder()
_records: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def encode(record: Record) -> bytes:
    """The record as one line, newline included."""
    return _line(record)


def decode(line: bytes) -> Record:
    """The record in a line, with or without its newline. Raises WireError."""
    return _value(_records, line, "record")


def encode_command(command: Command) -> bytes:
    """The command as one line, newline included."""
    return _line(command)


def decode_command(line: bytes) -> Command:
    """The command in a line, with or without its newline. Raises WireError."""
    return _value(_commands, line, "command")


def _line(value: Record | Command) -> bytes:
    try:
        return _encoder.encode(value) + b"\n"
    except (UnicodeError, RecursionError) as error:
        raise WireError(f"a {type(value).__name__} cannot be written as JSON: {error}") from error


def _value(decoder: msgspec.json.Decoder[_T], line: bytes, what: str) -> _T:
    body = line.removesuffix(b"\n")
    if b"\n" in body:
        raise WireError(f"not one {what}: a newline inside the line")
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"not a {what}: {error}") from error
