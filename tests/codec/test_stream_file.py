"""The file of a kept stream: what is read back is what was written, and damage is said."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.codec.stream_file import (
    FORMAT,
    KeptRead,
    StreamFileError,
    StreamHeader,
    StreamName,
    is_stream_file,
    read_stream_file,
    stream_file,
    stream_name_of,
)

HEADER = StreamHeader(
    gwtui_stream=FORMAT,
    endpoint="gateway",
    number=184,
    started_at="2026-11-30T14:02:11.482Z",
    verdict="truncated",
    api="openai-chat",
    headers=(("content-type", "text/event-stream"), ("x", "\x1b[31mred")),
)
READS = (KeptRead(1_000, b"data: {}\n\n"), KeptRead(2_000, "data: \u202e☃".encode(), 7), KeptRead(2_000, b"\xff\x00"))
_READS = st.lists(st.builds(KeptRead, st.integers(-10, 2**53), st.binary(max_size=60), st.integers(0, 10**9)))


def lines(*damage: tuple[int, bytes]) -> list[bytes]:
    found = stream_file(HEADER, READS).splitlines(keepends=True)
    for place, line in damage:
        found[place] = line
    return found


@given(_READS, st.integers(1, 50))
def test_what_is_read_is_what_was_written_however_it_is_cut(reads: Sequence[KeptRead], size: int) -> None:
    data = stream_file(HEADER, reads)
    assert is_stream_file(data)
    file = read_stream_file(data[at : at + size] for at in range(0, len(data), size))
    assert (file.header, list(file.reads), file.problem) == (HEADER, list(reads), "")


@given(_READS)
def test_a_file_may_be_printed_on_a_terminal(reads: Sequence[KeptRead]) -> None:
    assert stream_file(HEADER, reads).decode().replace("\n", "").isprintable()


def test_a_file_is_lines_of_json_with_the_text_of_each_read() -> None:
    head, *reads, end = map(json.loads, lines())
    assert (head["endpoint"], head["number"], head["verdict"]) == ("gateway", 184, "truncated")
    assert [each.get("text") for each in reads] == ["data: {}\n\n", "data: \u202e☃", None]
    assert reads[2]["base64"] == "/wA="
    assert (end["reads"], end["bytes"]) == (3, sum(len(read.data) for read in READS))


@pytest.mark.parametrize(
    ("data", "reads", "problem"),
    [
        (lines()[:-1], 3, "the file is cut: its last line is missing"),
        ([*lines()[:2], lines()[2][:20]], 1, "the file is cut: its last line is missing"),
        (lines((2, b'{"ns":"x"}\n')), 1, "line 3 is damaged: "),
        (lines((3, b'{"ns":1,"base64":"!"}\n')), 2, "line 4 is damaged: "),
        (lines((1, b'{"ns":1000,"text":"other"}\n')), 3, "it was changed: "),
        ([*lines(), b"more\n"], 3, "there is more behind its last line"),
        (lines((4, b'{"reads":3}\n')), 3, "its last line is damaged"),
    ],
)
def test_damage_is_said_beside_what_is_whole(data: list[bytes], reads: int, problem: str) -> None:
    file = read_stream_file(data)
    assert len(file.reads) == reads
    assert file.problem.startswith(problem)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a stream that gwtui kept"),
        (b'{"gwtui_stream":2,"all":"new"}\n', "a newer gwtui wrote it"),
        (b'{"gwtui_stream":1,"endpoint":3}\n', "damaged, or of a newer gwtui"),
        (b'{"gwtui_stream":1,' + b"[" * 100_000 + b"\n", "damaged"),
    ],
)
def test_a_file_without_a_first_line_to_read_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(StreamFileError, match=words):
        read_stream_file([data])


def test_names_say_when_whose_which_and_why() -> None:
    name = str(StreamName.of("2026-11-30T14:02:11.482Z", "eu/claude 3 ☃", 184, "truncated"))
    assert name == "2026-11-30T14-02-11.482Z_eu-claude-3-_184_truncated.jsonl"
    found = stream_name_of(name)
    assert found is not None
    assert (found.slug, found.number, found.word) == ("eu-claude-3-", 184, "truncated")
    assert stream_name_of(f".{name}.new") is None
    assert stream_name_of("notes.jsonl") is None
