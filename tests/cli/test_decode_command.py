"""`gwtui decode` on the command line: one capture in full, several as a table, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import structs
from support.apis import script_of

from gwtui.cli.decode import command
from gwtui.codec.stream_file import FORMAT, STREAMS, KeptRead, StreamHeader, StreamName, stream_file

CHAT, CLAUDE = script_of("openai-chat"), script_of("anthropic-messages")
GOOD = CHAT.response(CHAT.wire(CHAT.good))
CUT = CLAUDE.response(CLAUDE.wire(CLAUDE.good[:-2]))
KEY = "made-up-0001112223334445"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GWTUI_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.chdir(tmp_path)
    for name, data in {"good": GOOD, "cut": CUT, "words": b"just words\n"}.items():
        (tmp_path / name).write_bytes(data)
    answer = {"error": {"message": f"the key {KEY} is not known"}}
    request = {
        "method": "POST",
        "url": f"https://h/v1/messages?key={KEY}",
        "headers": [{"name": "x-api-key", "value": KEY}],
    }
    response = {"status": 401, "headers": [], "content": {"mimeType": "application/json", "text": json.dumps(answer)}}
    log = {"version": "1.2", "entries": [{"request": request, "response": response}]}
    (tmp_path / "x.har").write_text(json.dumps({"log": log}))
    return tmp_path


def run(*args: str, data: bytes | None = None) -> Result:
    return CliRunner().invoke(command, args, input=data)


@pytest.mark.usefixtures("folder")
def test_one_capture_is_shown_in_full_with_how_its_api_is_known() -> None:
    result = run("good")
    assert result.exit_code == 0
    assert result.output.startswith("✔ complete  ")
    assert "api         openai-chat, likely: " in result.output
    document = json.loads(run("-", "--json", data=GOOD).output)
    assert (document["api"], document["api_sureness"], document["events"]) == ("openai-chat", "likely", len(CHAT.good))
    assert "api         openai-chat\n" in run("good", "--api", "openai-chat").output


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("files", "code"), [(["good"], 0), (["good", "cut"], 1), (["cut", "good", "words"], 2), (["good", "missing"], 2)]
)
def test_the_worst_decides(files: list[str], code: int) -> None:
    assert run(*files).exit_code == run(*files, "--json").exit_code == code


@pytest.mark.usefixtures("folder")
def test_several_are_a_table_and_a_list() -> None:
    lines = run("good", "cut", "words", "missing").output.splitlines()
    assert [line.split()[0] for line in lines] == ["CAPTURE", "good", "cut", "words", "missing"]
    assert "truncated" in lines[2]
    assert "not read" in lines[3]
    assert "No such file" in lines[4]
    found = json.loads(run("good", "cut", "words", "--json").output)
    assert [(each["capture"], each.get("verdict")) for each in found] == [
        ("good", "complete"),
        ("cut", "truncated"),
        ("words", None),
    ]


@pytest.mark.usefixtures("folder")
def test_on_a_narrow_terminal_the_reason_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.cli.decode.width", lambda: 70)
    lines = run("good", "cut").output.splitlines()
    assert all(len(line) <= 70 for line in lines)
    assert [line.split()[0] for line in lines] == ["CAPTURE", "good", "[DONE]", "cut", "ended"]


def test_of_a_long_path_the_end_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.cli.decode.width", lambda: 70)
    deep = folder / ("captures-of-yesterday" * 3)
    deep.mkdir()
    for name in ("one", "two"):
        (deep / name).write_bytes(GOOD)
    lines = run(str(deep / "one"), str(deep / "two")).output.splitlines()
    names = [line.split()[0] for line in lines[1::2]]
    assert [name[-13:] for name in names] == ["yesterday/one", "yesterday/two"]
    assert all(name.startswith("…") for name in names)


@pytest.mark.usefixtures("folder")
def test_keys_of_requests_are_masked_where_an_answer_repeats_them() -> None:
    text, listed = run("x.har"), run("x.har", "--json")
    assert text.exit_code == listed.exit_code == 1
    assert KEY not in text.output + listed.output
    assert "is not known" in text.output
    (document,) = json.loads(listed.output)
    assert (document["request"], document["verdict"]) == ("POST h/v1/messages", "auth")


@pytest.mark.usefixtures("folder")
def test_an_entry_can_be_chosen() -> None:
    assert json.loads(run("x.har", "--entry", "1", "--json").output)["verdict"] == "auth"
    missing = run("x.har", "--entry", "2")
    assert (missing.exit_code, missing.output) == (2, "gwtui: x.har: no entry 2 with an answer of a model\n")
    assert run("good", "--api", "oops").exit_code == 2


def test_saved_messages_of_a_websocket_are_read_one_on_each_line() -> None:
    script = script_of("openai-realtime")
    for events, code, verdict in ((script.good, 0, "complete"), (script.good[:-1], 1, "truncated")):
        result = run("-", data=script.wire(events))
        assert (result.exit_code, verdict in result.output) == (code, True), result.output
        assert "openai-realtime, certain" in result.output


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session with two kept streams, one of which would be judged in another way today, and one damaged one."""
    streams = tmp_path / "s" / STREAMS
    streams.mkdir(parents=True)
    reads = [KeptRead(400_000_000 + at, CHAT.wire((event,))) for at, event in enumerate(CHAT.good)]
    settings = {"name": "eu", "api": "openai-chat", "url": "http://h", "model": "m"}
    same = StreamHeader(
        gwtui_stream=FORMAT,
        endpoint="eu",
        number=1,
        started_at="2026-11-30T14:02:11.482Z",
        verdict="complete",
        rule="openai.done",
        api="openai-chat",
        status=200,
        headers=(("content-type", "text/event-stream"),),
        ended_ns=900_000_000,
        first_byte_ns=400_000_000,
        settings=settings,
    )
    other = structs.replace(same, number=2, verdict="truncated", rule="openai.eof-before-finish")
    for header in (same, other):
        name = StreamName.of(header.started_at, "eu", header.number, header.verdict)
        (streams / str(name)).write_bytes(stream_file(header, reads))
    return tmp_path / "s"


@pytest.mark.usefixtures("folder")
def test_a_kept_stream_is_shown_with_its_times(session: Path) -> None:
    path = str(next((session / STREAMS).glob("*_1_*")))
    result = run(path)
    assert result.exit_code == 0
    assert "first token 400 ms" in result.output
    assert "     1     +0.400        ·  " in result.output
    assert result.output.endswith("recorded    the same verdict and findings\n")
    told = json.loads(run(path, "--json").output)
    assert (told["verdict"], told["recorded"]["verdict"], told["ttft_ms"]) == ("complete", "complete", 400.0)
    both = run(path, "good")
    assert "complete" in both.output.splitlines()[1]
    assert len(json.loads(run(path, "good", "--json").output)) == 2
    piped = run("-", data=Path(path).read_bytes())
    assert piped.output == result.output


@pytest.mark.usefixtures("folder")
def test_a_session_is_judged_anew_and_says_what_is_another_verdict(session: Path) -> None:
    result = run("--session", str(session))
    assert result.exit_code == 1
    assert "truncated (openai.eof-before-finish) is now complete (openai.done" in result.output
    assert result.output.endswith("2 streams: 1 the same, 1 different\n")
    told = json.loads(run("--session", str(session), "--json").output)
    assert [(each["recorded"]["verdict"], each["verdict"], bool(each["differences"])) for each in told] == [
        ("complete", "complete", False),
        ("truncated", "complete", True),
    ]
    next((session / STREAMS).glob("*_1_*")).write_text("oops")
    damaged = run("--session", str(session))
    assert damaged.exit_code == 2
    assert "it is not a stream that gwtui kept" in damaged.output


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_judged_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("--session", "empty").output.startswith("no kept streams")
    assert "No such file" in run("--session", "missing").output
    for args in ((), ("good", "--session", "empty")):
        assert "name captures to read, or a session" in run(*args).output
