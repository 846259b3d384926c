"""The columns people script against, and what a spreadsheet makes of hostile cells."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gwtui.codec.csv_schema import (
    INCIDENT_COLUMNS,
    PING_COLUMNS,
    REQUEST_COLUMNS,
    incident_row,
    ping_row,
    request_of,
    request_row,
)
from gwtui.model.enums import Clock, FindingName, State, Trigger
from gwtui.model.gateway_figures import COUNT_FIELDS, GatewayFigures
from gwtui.model.judged import LogEntry
from gwtui.model.records import Finding, Phases, Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.recorder.csvfile import csv_cells, csv_line

PROMISED = (
    "endpoint,request_number,duration_ms,trace_id,started_at,api,model,model_served,stream,status,outcome,verdict,"
    "rule,reason,ttfb_ms,ttft_ms,ttfo_ms,mean_icl_ms,max_gap_ms,tpot_ms,tokens_per_s,events,reads,input_tokens,"
    "output_tokens,bytes,lateness_ms,clock,request_id"
)

REQUEST = Request(
    endpoint="gateway",
    number=7,
    started_at=1_795_183_391.25,
    now_ns=5,
    api="openai-chat",
    model="gpt",
    trigger=Trigger.BURST,
    status=200,
    verdict=Verdict.TRUNCATED,
    rule="openai.eof",
    event_number=42,
    findings=(Finding(name=FindingName.BUFFERED, evidence="e"), Finding(name=FindingName.MODEL_DIFFERS, evidence="e")),
    duration_ns=1_234_567_890,
    ttfb_ns=388_000_400,
    tokens_per_s=84.123456,
    events=42,
    bytes=9000,
    lateness_ns=-250_000,
    tainted=True,
    clock=Clock.KERNEL,
    phases=Phases(dns_ns=1_000_000, reused=False, address="127.0.0.1:80"),
    trace_id="4bf92f",
    headers={"via": 'a "b"', "server": "é"},
)


def test_the_promised_columns_come_first_and_in_their_order() -> None:
    assert ",".join(REQUEST_COLUMNS).startswith(PROMISED)


def test_a_request_keeps_its_numbers_as_numbers_and_its_times_as_milliseconds() -> None:
    row = request_row(REQUEST)
    expected = {
        "endpoint": "gateway",
        "request_number": 7,
        "duration_ms": 1234.568,
        "started_at": "2026-11-20T14:03:11.250Z",
        "stream": True,
        "status": 200,
        "outcome": "failed",
        "verdict": "truncated",
        "ttfb_ms": 388.0,
        "ttft_ms": None,
        "tokens_per_s": 84.123,
        "input_tokens": None,
        "lateness_ms": -0.25,
        "clock": "kernel",
        "trigger": "burst",
        "event_number": 42,
        "tainted": True,
        "findings": "buffered;model_differs",
        "dns_ms": 1.0,
        "reused": False,
        "headers": '{"via":"a \\"b\\"","server":"é"}',
    }
    assert {column: row[column] for column in expected} == expected
    assert tuple(row) == REQUEST_COLUMNS


def test_a_request_that_was_never_sent_is_a_row_all_the_same() -> None:
    never = Request(endpoint="e", number=1, started_at=0.0, now_ns=1, api="http", verdict=Verdict.NO_KEY, rule="key")
    row = request_row(never)
    assert (row["outcome"], row["duration_ms"], row["status"], row["headers"]) == ("failed", None, None, "")


def test_a_lost_ping_and_an_incident_are_rows() -> None:
    ping = Ping(endpoint="ws", number=3, started_at=0.5, now_ns=1, verdict=Verdict.NO_PONG, rule="ws.no-pong")
    row = ping_row(ping)
    assert tuple(row) == PING_COLUMNS
    assert (row["ping_number"], row["rtt_ms"], row["verdict"]) == (3, None, "no_pong")
    incident = LogEntry(at=0.0, now_ns=1, kind="state", endpoint="ws", state=State.DOWN, was=State.UP, text="3 lost")
    row = incident_row(incident)
    assert tuple(row) == INCIDENT_COLUMNS
    assert (row["at"], row["state"], row["was"]) == ("1970-01-01T00:00:00.000Z", "down", "up")
    found = LogEntry(at=0.0, now_ns=1, kind="finding", finding=FindingName.COLD)
    assert (incident_row(found)["finding"], row["finding"]) == ("cold", None)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("  =1", "'  =1"),
        ("\ufeff=1", "'\\ufeff=1"),
        ("\u200b\u3000=1", "'\\u200b =1"),
        ("\tx", "' x"),
        ("\rx", "'␍x"),
        ("\nx", "'↵x"),
        ("\0=1", "'=1"),
        ("a\0b", "ab"),
        ("a\r\nb", "a↵b"),
        ("a=1", "a=1"),
        ("", ""),
        ("\x1b]52;c;eA==\x07", "␛]52;c;eA==␇"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u2028b\x85c", "a\\u2028b\\x85c"),
    ],
)
def test_a_text_cell_is_neither_a_formula_nor_more_than_its_line(text: str, cell: str) -> None:
    line = csv_line([text, 1]).decode()
    assert next(csv.reader([line])) == [cell, "1"]


def test_numbers_stay_numbers_even_below_zero() -> None:
    assert csv_line([-5, -0.25, True, False, None, 12.5, "x"]) == b"-5,-0.25,true,false,,12.5,x\n"


@settings(deadline=None)
@given(st.lists(st.text(st.characters(), max_size=30), min_size=2, max_size=5))
def test_any_texts_are_one_line_with_as_many_safe_cells(texts: list[str]) -> None:
    line = csv_line(texts).decode()
    assert line.splitlines() == [line.removesuffix("\n")]
    [cells] = csv.reader(io.StringIO(line, newline=""))
    assert len(cells) == len(texts)
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@＝＋－＠")]


def test_a_row_can_be_read_back_with_any_csv_reader() -> None:
    text = csv_line(REQUEST_COLUMNS).decode() + csv_line(request_row(REQUEST).values()).decode()
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert row["ttfb_ms"] == "388.0"
    assert row["ttft_ms"] == ""
    assert json.loads(row["headers"]) == REQUEST.headers


def test_a_gateways_counters_are_columns_and_come_back() -> None:
    figures = GatewayFigures(requests=12, input_tokens=320, cost_usd=0.00012, avg_latency_ms=246.5)
    row = request_row(replace(REQUEST, gateway=figures, provider="openai", answer_id="msg_1"))
    assert (row["provider"], row["answer_id"]) == ("openai", "msg_1")
    assert [row[f"gateway_{name}"] for name in COUNT_FIELDS] == [12, 320, None, None, None, 0.00012, 246.5]
    cells = csv_cells(csv_line(row.values()).decode().removesuffix("\n"))
    back = request_of(dict(zip(REQUEST_COLUMNS, cells, strict=True)))
    assert (back.gateway, back.provider, back.answer_id) == (figures, "openai", "msg_1")
