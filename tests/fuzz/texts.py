"""Readers of what people and programs write: configuration, scenarios, themes, CSV, filters, gates, captures, wire."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from fuzz.dice import Dice
from fuzz.material import ANSWERS, CONFIGS, CSVS, FILTERS, GATES, RESPONSES, SCENARIOS, SESSIONS, STREAMS, THEMES
from fuzz.streams import any_stream
from fuzz.target import Target
from support.framed import stream_type, wire_of
from support.script import response
from support.texts import texts_of

from gwtui.bench.earlier import csv_in
from gwtui.bench.gates import gate_figures, thresholds
from gwtui.codec import csv_rows, wire
from gwtui.config import Config, ConfigError, check, load, remove_endpoint, save_endpoint, save_setting
from gwtui.config.themes import load_theme
from gwtui.decode import CaptureError, decode, opened
from gwtui.gateway.scenario import ScenarioError, parse_scenario
from gwtui.model.commands import PutEndpoint
from gwtui.model.enums import EventKind
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.query import Query
from gwtui.model.records import Heartbeat, Request, SessionStarted, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.monitor import Monitor, filters
from gwtui.recorder.disk import LineFile
from gwtui.recorder.session_metadata import profile_toml, schema_in
from gwtui.recorder.session_reader import Session, UnreadRows
from gwtui.secrets.references import begins_reference, is_reference, references_in, without_references
from gwtui.text.untrusted_files import Directory

_DIRECTORY = tempfile.TemporaryDirectory(prefix="gwtui-fuzz-")
PLACE = Path(_DIRECTORY.name)
"""Files lie here until the program ends."""


def spoiled_text(*texts: str) -> Callable[[Dice], str]:
    """One of these texts, spoiled, or any text at all."""

    def make(dice: Dice) -> str:
        if dice.one_in(8):
            return "".join(dice.text() for _ in range(dice.few(9)))
        data = dice.choice(texts).encode()
        if len(data) > 2000:
            at = dice.randrange(len(data) - 1000)
            data = data[at : at + 1000]
        return dice.spoiled(data).decode("utf-8", "surrogateescape")

    return make


def a_file(*texts: str) -> Callable[[Dice], bytes]:
    make = spoiled_text(*texts)
    return lambda dice: make(dice).encode("utf-8", "surrogatepass" if dice.one_in(2) else "replace")


def written(data: bytes, name: str) -> Path:
    path = PLACE / name
    path.write_bytes(data)
    return path


def read_config(data: bytes) -> None:
    """Faults are printed on a line each; what is read can be edited, and is then what it was but for the edit."""
    path = written(data, "config.toml")
    config = load(path)
    assert check(path) == []
    for profile in config.profiles:
        assert schema_in(profile_toml(profile)) is None
    _edit(path, config)


def _edit(path: Path, config: Config) -> None:
    """An edit is refused, or does what it should and nothing else."""
    for profile in config.profiles:
        for endpoint in profile.endpoints[:2]:
            changed = msgspec.structs.replace(endpoint, prompt='new "one"\n', interval_s=7.5)
            others = [each for each in profile.endpoints if each is not endpoint]
            with suppress(ConfigError):
                save_endpoint(path, profile.name, changed, endpoint.name)
                assert load(path).profile(profile.name).endpoint(endpoint.name) == changed
                remove_endpoint(path, profile.name, endpoint.name)
                assert list(load(path).profile(profile.name).endpoints) == others
                save_setting(path, "ui.theme", "other")
                assert load(path).ui.theme == "other"
            return


def read_theme(data: bytes) -> None:
    load_theme(written(data, "theme.toml"), {})


def read_csv(data: bytes) -> None:
    for series in csv_in.read(written(data, "results.csv")):
        assert series.name.isprintable()


def read_rows(data: bytes) -> None:
    """Whatever the rows of a session are: what is read of them is clean and in order, and can be shown."""
    for name in ("requests.csv", "pings.csv", "incidents.csv"):
        written(data, name)
    endpoint = Endpoint(name="a", api="openai-chat", url="http://127.0.0.1:1")
    session = Session(PLACE, 1_769_868_202.0, Profile(endpoints=(endpoint,)))
    unread, monitor, now_ns = UnreadRows(), Monitor(), 0
    monitor.apply(SessionStarted(started_at=session.started_at, now_ns=0, profile=session.profile))
    for row in session.rows(unread):
        assert row.now_ns >= now_ns
        now_ns = row.now_ns
        assert all(text.isprintable() for text in texts_of(msgspec.to_builtins(row)))
        monitor.apply(row)
    assert str(unread).isprintable()
    monitor.view(Query())


def read_capture(found: tuple[bytes, str | None]) -> None:
    data, api = found
    for exchange in opened((data,)).exchanges:
        with suppress(CaptureError):
            decoded = decode(exchange, api)
            shown = [decoded.events, decoded.headers, decoded.findings, decoded.judgement, decoded.recognised.why]
            for text in texts_of([exchange.asked.title, msgspec.to_builtins(shown)]):
                assert text.replace("\n", "").isprintable(), text


TALK = b"*   Trying 127.0.0.1:80...\n> POST /v1/messages HTTP/1.1\r\n> x-api-key: made-up-key\r\n> \r\n"
CURL_HEAD = b"< HTTP/1.1 200 OK\r\n< \r\n"
METER = b"\r100   221  100   142  100    79  23447  13044 --:--:-- --:--:-- --:--:-- 36833"
LEFT = b"* Connection #0 to host h left intact\n"


def a_transcript(dice: Dice, head: bytes, body: bytes) -> bytes:
    """What `curl -v` prints of this answer."""
    at = dice.randrange(len(body) + 1)
    lines = b"".join(b"< " + line for line in head.splitlines(keepends=True))
    said = dice.choice((b"", METER, METER + b"\n" + LEFT, b"{ [9 bytes data]\n", b"curl: (18) transfer closed\n"))
    one = TALK + lines + body[:at] + said + body[at:]
    return one * dice.choice((1, 1, 2))


def a_har(dice: Dice, body: bytes) -> bytes:
    """An archive with this body."""
    text, packed = body.decode("utf-8", "replace"), b64encode(body).decode()
    texts: tuple[dict[str, str], ...] = ({"text": text}, {"text": packed, "encoding": "base64"}, {})
    request = {"method": "POST", "url": "http://h/v1/messages?key=x", "headers": [{"name": "a", "value": "b"}]}
    answer: dict[str, Any] = {"status": dice.choice((200, 429, 0)), "headers": [], "content": dice.choice(texts)}
    messages = [{"eventName": "message_start", "data": "{}"}]
    entry = {"request": request, "response": answer, "_eventSourceMessages": messages}
    return msgspec.json.encode({"log": {"version": "1.2", "entries": [entry] * 2}})


def a_capture(dice: Dice) -> tuple[bytes, str | None]:
    api = dice.choice(list(STREAMS))
    stream = wire_of(api).encode(dice.choice(STREAMS[api]), "\n")
    body = dice.choice((b"".join(any_stream(dice)), stream, msgspec.json.encode(ANSWERS[api])))
    head = dice.choice((b"", response(b"", stream_type(api)), dice.choice(RESPONSES)))
    if dice.one_in(4):
        data = a_har(dice, body)
        return dice.spoiled_json(data.decode()).encode("utf-8", "surrogateescape") if dice.one_in(2) else data, None
    data = a_transcript(dice, head, body) if dice.one_in(3) else head + body
    return dice.spoiled(data), dice.choice((api, None))


def a_filter(text: str) -> None:
    filters.parse(text)


def a_gate(text: str) -> None:
    thresholds.parse(text)


def read_scenario(text: str) -> None:
    scenario = parse_scenario(text)
    for nth in range(1, 4):
        scenario.behaviour("/v1/chat/completions", "gpt-4o-mini", 12.5, nth, provider="openai")


def read_reference(text: str) -> None:
    begins_reference(without_references(text))
    assert all(map(is_reference, references_in(text)))


def read_session(text: str) -> None:
    schema = schema_in(text)
    assert schema is None or isinstance(schema, int)


_RECORDS = (
    Request(
        endpoint="a",
        number=1,
        started_at=1.5,
        now_ns=9,
        api="openai-chat",
        verdict=Verdict.COMPLETE,
        rule="r",
        events=3,
    ),
    StreamRead(
        endpoint="a",
        number=1,
        now_ns=9,
        since_sent_ns=3,
        first_event=1,
        events=(StreamEvent(name="n", kind=EventKind.TEXT, text="a"),),
    ),
    Heartbeat(at=1.5, now_ns=9, missed={"a": 3}),
    LogEntry(at=1.5, now_ns=9, kind="mark", text="t"),
)


def a_line(dice: Dice) -> bytes:
    line = wire.encode(dice.choice(_RECORDS)) if dice.one_in(2) else wire.encode_command(_COMMAND)
    return dice.spoiled_json(line.decode()).encode() if dice.one_in(2) else dice.spoiled(line)


_COMMAND = PutEndpoint(endpoint=Endpoint(name="a", api="http", url="http://a", body={"a": [1, {"b": None}]}))


def read_line(line: bytes) -> None:
    """What decodes is what could have been made here: it encodes, and decodes to the same."""
    for encode, decode_one in ((wire.encode, wire.decode), (wire.encode_command, wire.decode_command)):
        with suppress(wire.WireError):
            value: Any = decode_one(line)
            assert decode_one(encode(value)) == value


def torn(dice: Dice) -> bytes:
    return b"a,b\n" + b"\n".join(dice.data() for _ in range(dice.few(5)))


def read_torn(data: bytes) -> None:
    """Whatever a kill left of a file, whole lines stay, the torn one goes, and the next one is whole."""
    path = written(data, "rows.csv")
    with Directory.held(path.parent) as directory:
        file = LineFile(directory, path.name, b"a,b\n")
        file.append(b"1,2\n")
        file.close()
    assert path.read_bytes() == data[: data.rfind(b"\n") + 1] + b"1,2\n"


TARGETS: tuple[Target[Any], ...] = (
    Target("config", a_file(*CONFIGS), read_config, (ConfigError,), quotes_clean=True, short=40),
    Target("theme", a_file(*THEMES), read_theme, (ConfigError,), quotes_clean=True),
    Target("csv", a_file(*CSVS), read_csv, (csv_rows.CSVError,), quotes_clean=True),
    Target("rows", a_file(*SESSIONS), read_rows),
    Target("capture", a_capture, read_capture, (CaptureError,), quotes_clean=True),
    Target("filter", spoiled_text(*FILTERS), a_filter, (filters.FilterError,)),
    Target("gate", spoiled_text(*GATES), a_gate, (gate_figures.GateError,), quotes_clean=True),
    Target("scenario", spoiled_text(*SCENARIOS), read_scenario, (ScenarioError,)),
    Target("session", spoiled_text('schema = 3\nstarted_at = "2026-01-31T14:03:22Z"\n'), read_session),
    Target("reference", spoiled_text("token ${env:KEY} ${cmd:pass x}", "file:~/x"), read_reference),
    Target("wire", a_line, read_line),
    Target("torn", torn, read_torn),
)
