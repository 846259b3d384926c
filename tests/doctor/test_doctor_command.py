"""`gwtui doctor` against strict gateways: what it prints loads, and what it says works does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.certificates import pair
from support.commanding import gwtui
from support.scripted import free_port
from support.strict import Asked, Reply, Rules, refused, streamed, strict, told

from gwtui.doctor import MOST_REQUESTS

KEY = "made-up-0001112223334445"


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWTUI_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("DOCTOR_KEY", KEY)


def newer(asked: Asked) -> Reply:
    """One that takes `max_completion_tokens` alone."""
    if asked.path == "/v1/models":
        return told({"data": [{"id": "text-embedding-3"}, {"id": "talker"}]}, openai_version="2020-10-01")
    if asked.path != "/v1/chat/completions" or asked.body["model"] != "talker":
        return refused(404, "Unknown request URL")
    if "max_tokens" in asked.body:
        words = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
        return refused(400, words, param="max_tokens")
    return streamed("openai-chat")


def claude(asked: Asked) -> Reply:
    """One that speaks Anthropic's API alone, to those with the key."""
    if asked.headers.get("x-api-key") != KEY:
        error = {"type": "authentication_error", "message": "x-api-key header is required"}
        return told({"type": "error", "error": error}, 401)
    if asked.path == "/v1/models" and "anthropic-version" in asked.headers:
        entry = {"type": "model", "id": "claude-x", "display_name": "X", "created_at": "2026-01-31T00:00:00Z"}
        return told({"data": [entry], "has_more": False})
    if asked.path == "/v1/messages" and asked.body["model"] == "claude-x":
        return streamed("anthropic-messages")
    return told({"type": "error", "error": {"type": "not_found_error", "message": "not found"}}, 404)


WORKING = [
    (newer, "openai-chat", "OpenAI", "body = { max_completion_tokens = 64 }"),
    (claude, "anthropic-messages", "Anthropic", 'model = "claude-x"'),
]


@pytest.mark.parametrize(("rules", "api", "product", "line"), WORKING)
def test_what_it_prints_loads_and_works(rules: Rules, api: str, product: str, line: str, tmp_path: Path) -> None:
    with strict(rules) as (url, came):
        result = gwtui("doctor", url, "--key", "env:DOCTOR_KEY")
        assert result.exit_code == 0
        assert 1 <= len(came) <= MOST_REQUESTS
        assert KEY not in result.output
        assert f"#   product  {product}: " in result.stdout
        assert line in result.stdout.splitlines()
        limits = "a maximum of 12 small requests, each for 15 s at most"
        assert result.stderr == f"gwtui: note: asking {url}: {limits}\n"
        printed = tmp_path / "printed.toml"
        printed.write_text(result.stdout)
        assert gwtui("config", "check", str(printed)).exit_code == 0
        assert gwtui("probe", api, "--config", str(printed)).exit_code == 0
        document = json.loads(gwtui("doctor", url, "--key", "env:DOCTOR_KEY", "--json").stdout)
        assert [each["api"] for each in document["apis"] if each["works"]] == [api]
        assert document["toml"].strip() in result.stdout


def locked(_: Asked) -> Reply:
    return refused(401, f"Incorrect API key provided: {KEY}")


def page(_: Asked) -> Reply:
    return Reply(b"<!doctype html><title>Welcome</title>", 200, "text/html", {"Server": "nginx/1.25.3"})


USELESS = [
    (locked, "it refuses every request with this key", "Incorrect API key provided: •••"),
    (page, "it answers with a web page, whatever is asked", "in front  nginx/1.25.3 (server)"),
]


@pytest.mark.parametrize(("rules", "why", "words"), USELESS)
def test_where_nothing_works_it_says_why(rules: Rules, why: str, words: str) -> None:
    with strict(rules) as (url, came):
        result = gwtui("doctor", url, "--key", "env:DOCTOR_KEY")
    assert result.exit_code == 1
    assert len(came) < MOST_REQUESTS
    assert why in result.output
    assert words in result.output
    assert KEY not in result.output
    assert all(line.startswith("#") for line in result.stdout.splitlines())


def test_the_key_goes_to_no_other_host() -> None:
    with strict(locked) as (other, elsewhere):
        with strict(lambda _: Reply(b"", 307, "text/plain", {"Location": other})) as (url, came):
            result = gwtui("doctor", url, "--key", "env:DOCTOR_KEY")
        assert (result.exit_code, elsewhere) == (1, [])
        assert len(came) >= 3
        assert "it redirects every request" in result.output


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    with strict(claude, certificates.server) as (url, came):
        result = gwtui("doctor", url)
        assert (result.exit_code, came) == (1, [])
        assert "tls: " in result.output
        good = gwtui("doctor", url, "--key", "env:DOCTOR_KEY", "--ca-file", certificates.ca_file)
        assert good.exit_code == 0
        assert "ca_file = " in good.stdout


def test_where_nobody_listens_one_request_is_enough() -> None:
    result = gwtui("doctor", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert "sent     1 request\n" in result.output
    assert "refused: " in result.output
    assert "it lists none" not in result.output, "nobody was there to list any"


@pytest.mark.parametrize("args", [["nonsense"], ["ws://h"], ["http://h", "--key", KEY], ["http://h", "--header", "x"]])
def test_a_wrong_command_line_sends_nothing(args: list[str]) -> None:
    result = gwtui("doctor", *args)
    assert result.exit_code == 2
    assert "ws://" not in result.stderr
    assert KEY not in result.output
