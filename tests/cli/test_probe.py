"""`gwtui probe` as a user types it: what is sent, what is printed, and the exit code."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commanding import Canned, gwtui, profiles, written
from support.completions import DONE, EVENT_STREAM, HELLO, LAST_CHUNK, ROLE, STOP, USAGE, WHOLE
from support.oswords import REFUSED
from support.scripted import chunk, free_port, http

from gwtui.codec.csv_schema import PING_COLUMNS, REQUEST_COLUMNS

PROBE_KEYS = {*REQUEST_COLUMNS, "gateway", "phases", "events_detail", "body_excerpt", "text"}
STREAM = EVENT_STREAM + chunk(WHOLE) + LAST_CHUNK
CUT = EVENT_STREAM + chunk(ROLE + HELLO) + LAST_CHUNK
JSON = ("Content-Type: application/json",)


@pytest.fixture(scope="module")
def good() -> Iterator[Canned]:
    with Canned(STREAM) as server:
        yield server


def test_a_good_probe_as_text(good: Canned) -> None:
    result = gwtui("probe", "--api", "openai-chat", "--url", good.url)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith("✔ complete  ")
    assert "  url         " + good.url + "/v1/chat/completions" in lines
    assert any('"hello"' in line for line in lines)
    assert lines[-1].startswith("✔ complete  first byte ")


def test_a_probe_as_json_is_one_object(good: Canned) -> None:
    result = gwtui("probe", "--api", "openai-chat", "--url", good.url, "--json")
    assert result.exit_code == 0
    probed = json.loads(result.stdout)
    assert set(probed) == PROBE_KEYS
    assert (probed["verdict"], probed["outcome"], probed["output_tokens"]) == ("complete", "ok", 3)
    assert [event["text"] for event in probed["events_detail"]][1:3] == ["hello", " world"]


FAILURES = {
    "truncated": (CUT, "truncated"),
    "no terminator, which is still good": (
        EVENT_STREAM + chunk(ROLE + HELLO + STOP + USAGE) + LAST_CHUNK,
        "complete_unterminated",
    ),
    "empty": (EVENT_STREAM + chunk(DONE) + LAST_CHUNK, "empty"),
    "a wrong key": (http("401 Unauthorized", *JSON, body=b'{"error":{"message":"no"}}'), "auth"),
    "a wrong path": (http("404 Not Found", *JSON, body=b'{"error":{"message":"no"}}'), "not_found"),
    "an error page": (http("500 Oops", "Content-Type: text/html", body=b"<html><h1>Oops</h1></html>"), "server_error"),
    "not a stream": (http("200 OK", *JSON, body=b'{"choices":[]}'), "not_a_stream"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "not_http"),
    "hung up": (b"", "reset"),
    "a redirect": (http("302 Found", "Location: https://other.example/"), "redirect"),
}


@pytest.mark.parametrize(
    ("gate", "code", "says"),
    [
        ("unterminated", 1, "1 of 1 requests were unterminated, and the gate is unterminated"),
        ("complete_unterminated", 1, "were complete_unterminated"),
        ("openai-chat: unterminated", 1, "openai-chat: "),
        ("sequential", 0, ""),
        ("unterminated>1", 0, ""),
        ("fail_rate>50%", 0, ""),
        ("sequental", 2, "no verdict or finding 'sequental' (did you mean sequential?)"),
        ("other: sequential", 2, "there is no endpoint 'other'"),
        ("p95_ttft", 2, "has no limit"),
    ],
)
def test_a_good_probe_fails_by_a_finding_or_a_verdict_where_that_is_asked_for(gate: str, code: int, says: str) -> None:
    with Canned(EVENT_STREAM + chunk(ROLE + HELLO + STOP + USAGE) + LAST_CHUNK) as server:
        result = gwtui("probe", "--api", "openai-chat", "--url", server.url, "--fail-if", gate)
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr
    assert (code == 0) == (result.stderr == "")


@pytest.mark.parametrize("case", FAILURES)
def test_a_failed_probe_says_why_and_exits_with_one(case: str) -> None:
    answer, verdict = FAILURES[case]
    with Canned(answer) as server:
        result = gwtui("probe", "--api", "openai-chat", "--url", server.url)
        as_json = gwtui("probe", "--api", "openai-chat", "--url", server.url, "--json")
    first, *rest = result.stdout.splitlines()
    good = "complete" in verdict
    assert first.startswith(f"{'✔' if good else '✖'} {verdict}  ")
    assert any(line.startswith("  hint        ") for line in rest)
    assert result.exit_code == as_json.exit_code == (0 if good else 1)
    probed = json.loads(as_json.stdout)
    assert set(probed) == PROBE_KEYS
    assert probed["verdict"] == verdict


@pytest.mark.parametrize(
    ("args", "verdict", "expected"),
    [
        (["--api", "http", "--url", "CLOSED"], "refused", REFUSED),
        (["--api", "websocket", "--url", "CLOSED"], "refused", REFUSED),
        (["--api", "http", "--url", "http://gwtui-test.invalid"], "dns", "The name is wrong, or the resolver"),
        (["--api", "http", "--url", "CLOSED", "--key", "env:GWTUI_TEST_NONE"], "no_key", "GWTUI_TEST_NONE is not set"),
        (["--api", "http", "--url", "CLOSED", "--header", "X: ${env:GWTUI_TEST_NONE}"], "no_key", "GWTUI_TEST_NONE"),
    ],
)
def test_what_never_got_an_answer(
    args: list[str], verdict: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_address(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("asyncio.BaseEventLoop.getaddrinfo", no_address)
    closed = f"http://127.0.0.1:{free_port()}"
    result = gwtui("probe", *(closed if arg == "CLOSED" else arg for arg in args))
    assert result.exit_code == 1
    assert result.stdout.startswith(f"✖ {verdict}  ")
    assert expected in result.stdout


def test_options_change_an_endpoint_of_the_configuration(tmp_path: Path) -> None:
    config = written(tmp_path, profiles("http://127.0.0.1:9", "body = { temperature = 0.5, seed = 7 }"))
    with Canned(http("200 OK", *JSON, body=b"{}")) as server:
        gwtui(
            *("probe", "chat", "-p", "prod", "--config", config, "--url", server.url, "--model", "other"),
            *("--header", "x-team: red", "--header", "X-New: 1", "--no-stream", "--max-tokens", "9", "--prompt", "hi"),
            *("--body", '{"temperature": 0}'),
        )
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:])
    assert {name: value for name, value in headers.items() if name.lower().startswith("x-") and "id" not in name} == {
        "X-Kept": "yes",
        "x-team": "red",
        "X-New": "1",
    }
    sent = json.loads(body)
    assert (sent["model"], sent["temperature"], sent["seed"]) == ("other", 0, 7)
    assert not sent.get("stream")
    assert sent["messages"] == [{"role": "user", "content": "hi"}]


def test_a_plain_http_probe_sends_what_it_is_told_to() -> None:
    with Canned(http("200 OK", body=b"pong")) as server:
        asked = ("probe", "--api", "http", "--url", server.url, "--path", "/v2/http")
        assert gwtui(*asked, "--body", "ping", "--expect", "pong").exit_code == 0
        assert gwtui(*asked, "--body", "ping", "--expect", "other").exit_code == 1
        assert gwtui(*asked, "--method", "GET").exit_code == 0
    assert [request.partition(b" HTTP")[0] for request in server.requests] == [
        b"POST /v2/http",
        b"POST /v2/http",
        b"GET /v2/http",
    ]
    assert server.requests[0].endswith(b"\r\n\r\nping")


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "::127.0.0.1:{}", "gateway.example:80:127.0.0.1:{}"])
def test_a_probe_connects_elsewhere_as_curl_does(form: str) -> None:
    with Canned(http("200 OK", body=b"pong")) as server:
        port = server.url.rpartition(":")[2]
        asked = ("probe", "--api", "http", "--url", "http://gateway.example")
        assert gwtui(*asked, "--connect-to", form.format(port)).exit_code == 0
    assert b"Host: gateway.example\r\n" in server.requests[0]


@pytest.mark.parametrize("option", [("--connect-to", "gateway.example"), ("--unix-socket", "x" * 200)])
def test_a_place_that_cannot_be_connected_to_is_refused(option: tuple[str, str]) -> None:
    result = gwtui("probe", "--api", "http", "--url", "http://gateway.example", *option)
    assert result.exit_code == 2
    assert "connect_to" in result.stderr or "unix" in result.stderr


def test_a_websocket_probe_as_json(tmp_path: Path) -> None:
    result = gwtui("probe", "--api", "websocket", "--url", f"ws://127.0.0.1:{free_port()}", "--json")
    assert result.exit_code == 1
    assert set(json.loads(result.stdout)) == {*PING_COLUMNS, "findings", "phases", "events_detail"}
