"""Kept streams as text and as JSON: one in full with its times, and those of a session as they are judged today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gwtui.codec.stream_file import StreamName
from gwtui.decode.kept_streams import KeptStream
from gwtui.report.lines import LABEL_WIDTH, Styler, plain, toned
from gwtui.report.objects import finding_object, probe_object
from gwtui.report.probe import WIDTH, probe_text
from gwtui.text import units
from gwtui.text.sanitize import clean
from gwtui.text.tables import Row, TextColumn, cut, labelled, table

_HEADINGS: Row = ("TIME", "ENDPOINT", "#", "RECORDED", "TODAY", "")
_COLUMNS = (TextColumn(), TextColumn(most=32), TextColumn(right=True), TextColumn(), TextColumn(), TextColumn())

Judged = tuple[StreamName, KeptStream | str]


def kept_text(kept: KeptStream, width: int = WIDTH, styled: Styler = plain) -> str:
    """As a probe in full; below it what the file is worth."""
    probed = probe_text(kept.endpoint, kept.result, kept.reads, width, styled)
    return "\n".join((probed, "", *labelled(_about(kept), LABEL_WIDTH)))


def _about(kept: KeptStream) -> Iterator[tuple[str, str]]:
    header, reads = kept.header, kept.file.reads
    size = sum(len(read.data) for read in reads)
    yield "kept", f"by gwtui {clean(header.gwtui)}: {units.many(len(reads), 'read')}, {size:,} bytes"
    yield "missing", f"{header.dropped_bytes:,} bytes" if header.dropped_bytes else ""
    yield "masked", units.many(header.masked, "place") if header.masked else ""
    if kept.not_judged:
        yield "recorded", f"the verdict is the recorded one, as not all can be judged anew: {kept.not_judged}"
    else:
        yield "recorded", "; ".join(kept.differences) or "the same verdict and findings"


def kept_object(kept: KeptStream) -> dict[str, Any]:
    """What a probe's object has, and what was recorded."""
    header = kept.header
    return {
        **probe_object(kept.result, kept.reads),
        "recorded": {
            "verdict": clean(header.verdict),
            "rule": clean(header.rule),
            "reason": clean(header.reason, 1_000),
            "event_number": header.event_number,
            "findings": [finding_object(each) for each in header.findings],
        },
        "differences": list(kept.differences),
        "not_judged": kept.not_judged,
        "masked": header.masked,
        "dropped_bytes": header.dropped_bytes,
        "end": header.end.value,
        "method": clean(header.method),
        "url": clean(header.url, 4_000),
        "request_headers": [[clean(name), clean(value, 4_000)] for name, value in header.request_headers],
        "headers_received": [[clean(name), clean(value, 4_000)] for name, value in header.headers],
    }


def kept_json(kept: KeptStream) -> bytes:
    return msgspec.json.format(msgspec.json.encode(kept_object(kept)), indent=2)


def session_streams_json(judged: Iterable[Judged]) -> Iterator[bytes]:
    """A JSON list in its parts, an object for each stream: without its events, and with its `file`."""
    before = b"["
    for name, kept in judged:
        told = {"problem": kept} if isinstance(kept, str) else kept_object(kept)
        told.pop("events_detail", None)
        yield before + msgspec.json.encode({"file": str(name), **told})
        before = b","
    yield b"]" if before == b"," else b"[]"


def session_streams_text(judged: Iterable[Judged], width: int = WIDTH, styled: Styler = plain) -> str:
    """A line for each stream with both verdicts and where they differ, and how many do."""
    rows, counts = [_HEADINGS], {"the same": 0, "different": 0, "not judged anew": 0, "not read": 0}
    for name, kept in judged:
        row, outcome = _row(name, kept, styled)
        rows.append(row)
        counts[outcome] += 1
    told = ", ".join(f"{count:,} {words}" for words, count in counts.items() if count)
    if len(rows) == 1:
        return "no kept streams: `record_streams` in the profile says which are kept"
    lines = [cut(line.rstrip(), width) for line in table(rows, _COLUMNS)]
    return "\n".join((*lines, "", f"{units.many(len(rows) - 1, 'stream')}: {told}"))


def _row(name: StreamName, kept: KeptStream | str, styled: Styler) -> tuple[Row, str]:
    at, _, time = name.started_at.partition("T")
    began = f"{at} {time.replace('-', ':')}"
    if isinstance(kept, str):
        return (began, name.slug, str(name.number), name.word, "-", kept), "not read"
    recorded, today = kept.header.verdict, kept.result.verdict
    cells = (began, clean(kept.header.endpoint), str(name.number), clean(recorded))
    if kept.not_judged:
        return (*cells, "-", kept.not_judged), "not judged anew"
    differences = "; ".join(kept.differences)
    verdict = toned(today.value, today.outcome, styled)
    return (*cells, verdict, differences), "different" if differences else "the same"
