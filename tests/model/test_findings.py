"""Every finding is one entry, and names that another version wrote are kept."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import gwtui
from gwtui.codec.csv_schema import REQUEST_COLUMNS, request_of, request_row
from gwtui.codec.wire import decode, encode
from gwtui.model.enums import FindingName
from gwtui.model.findings import FINDINGS, UNKNOWN
from gwtui.model.records import Finding, Request
from gwtui.model.verdicts import Verdict
from gwtui.recorder.csvfile import csv_cells, csv_line
from gwtui.report.lines import finding_rows

STRANGE = "found_by_a_later_version"


def test_every_name_has_an_entry_in_the_order_of_the_names() -> None:
    assert list(FINDINGS) == list(FindingName)


def test_every_entry_is_written_in_sentences() -> None:
    for name, entry in FINDINGS.items():
        assert name.value == name.name.lower()
        for text in (entry.meaning, entry.cause, entry.remedy):
            assert re.fullmatch(r"[`\w].{9,}\.", text), (name, text)


def test_every_name_is_found_somewhere() -> None:
    package = Path(gwtui.__file__).parent
    sources = (path for path in package.rglob("*.py") if "model" not in path.parts and "gateway" not in path.parts)
    made = {name for path in sources for name in re.findall(r"FindingName\.([A-Z_]+)", path.read_text("utf-8"))}
    assert {name.name for name in FindingName} - made == set()


def test_a_name_from_another_version_is_read_and_written_as_it_is() -> None:
    seen = Finding(name=FindingName(STRANGE), evidence="it is so")
    row = Request(
        endpoint="a",
        number=1,
        started_at=1.0,
        now_ns=1,
        api="http",
        verdict=Verdict.COMPLETE,
        rule="r",
        findings=(seen, Finding(name=FindingName.BUFFERED, evidence="")),
    )
    assert decode(encode(row)) == row
    cells = csv_cells(csv_line(request_row(row).values()).decode().removesuffix("\n"))
    read = request_of(dict(zip(REQUEST_COLUMNS, cells, strict=True)))
    assert [each.name for each in read.findings] == [FindingName(STRANGE), FindingName.BUFFERED]
    assert copy.deepcopy(seen.name) is seen.name
    assert (str(seen.name), seen.entry, seen.likely_cause) == (STRANGE, UNKNOWN, UNKNOWN.cause)


def test_what_a_row_does_not_hold_is_described_in_general() -> None:
    entry = FINDINGS[FindingName.STALE_CONNECTION]
    (_, found), (_, remedy) = finding_rows([Finding(name=FindingName.STALE_CONNECTION, evidence="")])
    assert (found, remedy) == (f"▲ stale_connection: {entry.meaning} ({entry.cause})", entry.remedy)
