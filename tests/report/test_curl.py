"""The request as the profile makes it, and its curl command: what curl sends is what the prober sends."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support import story, views
from support.commanding import Canned
from support.gateways import serving

from gwtui.apis import APIS, api_names
from gwtui.model.enums import FindingName, Trigger
from gwtui.model.profile import TLS, Endpoint, Profile, Turn
from gwtui.model.records import Finding
from gwtui.probes.asked_request import asked_request
from gwtui.probes.http import HTTPProber
from gwtui.report.curl import _pieces, curl_command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="commands for a POSIX shell")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
KEY = "made-up-key-4711"
FRESH = ("traceparent", "x-request-id")


def shell(command: str, **environment: str) -> str:
    """What a shell prints that runs the command, with that environment alone."""
    environment = {"PATH": os.environ["PATH"], **environment}
    run = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, timeout=20, check=True)
    return run.stdout.decode()


def parted(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """The first line, the headers and the body of a request, without what is fresh in each."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return first, {name: value for name, value in headers.items() if name not in FRESH}, body


@needs_curl
@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(
            name="a",
            api="anthropic-messages",
            url="",
            key="env:CARRY_KEY",
            prompt='it\'s "quoted" `so` $HOME \\ \n\t\x1b[31m é',
            headers={
                "X-Team": "it's ${env:CARRY_TEAM}!",
                "X-Login": "token ${env:CARRY_TEAM}",
                "X-Whole": "env:CARRY_TEAM",
                "X-At": "@x",
            },
        ),
        Endpoint(name="a", api="openai-chat", url="", key="env:CARRY_KEY", auth="api-key", connection="fresh"),
        Endpoint(name="a", api="http", url="", path="/x[1]?q={a}&key=${env:CARRY_KEY}", method="GET"),
        Endpoint(name="a", api="http", url="", path="/put", method="PUT", body="@not a file\r\n$'\x07'"),
    ],
    ids=lambda endpoint: f"{endpoint.api} {endpoint.method}",
)
async def test_curl_sends_what_the_prober_sends(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARRY_KEY", KEY)
    monkeypatch.setenv("CARRY_TEAM", "blue team")
    with Canned(ANSWER) as server:
        endpoint = replace(endpoint, url=server.url)
        async with HTTPProber(endpoint, Profile(), APIS[endpoint.api], lambda _: None) as prober:
            await prober.probe(1, 0, Trigger.SCHEDULE)
        command = curl_command(asked_request(endpoint))
        shell(command, CARRY_KEY=KEY, CARRY_TEAM="blue team")
    assert KEY not in command
    sent, again = (parted(request) for request in server.requests)
    assert again[0] == sent[0]
    assert again[2] == sent[2]
    assert {name: value for name, value in sent[1].items() if name != "connection"} == {
        name: value for name, value in again[1].items() if name != "connection"
    }


@needs_curl
def test_the_embedded_gateway_answers_a_curl_command() -> None:
    endpoint = Endpoint(name="a", api="anthropic-messages", url="", key="env:CARRY_KEY")
    with serving("") as gateway:
        command = curl_command(asked_request(replace(endpoint, url=gateway.url)))
        answer = shell(command, CARRY_KEY=KEY)
    assert answer.startswith("HTTP/1.1 200 ")
    assert "event: message_stop" in answer


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@settings(max_examples=40, deadline=None)
def test_any_text_is_one_word_for_a_shell(text: str) -> None:
    word = _pieces(text + "${env:A}" + text, ("env:A",))
    printed = subprocess.run(
        ["sh", "-c", f"printf %s {word}"], env={"A": "x  *y'"}, capture_output=True, timeout=20, check=True
    )
    assert printed.stdout.decode() == f"{text}x  *y'{text}"
    assert not any(char < " " and char not in "\n\t" for char in word)


@pytest.mark.parametrize(
    ("reference", "prints"),
    [("file:{path}/a key", "of a file"), ("cmd:printf %s 'of a command'", "of a command"), ("env:CARRY_KEY", KEY)],
)
def test_a_reference_is_what_gives_its_value_in_a_shell(reference: str, prints: str, tmp_path: Path) -> None:
    (tmp_path / "a key").write_text("of a file\n")
    reference = reference.format(path=tmp_path)
    asked = asked_request(Endpoint(name="a", api="openai-chat", url="http://h", key=reference))
    assert ("Authorization", f"Bearer ${{{reference}}}") in asked.headers
    word = next(line for line in curl_command(asked).split(" \\\n") if "Authorization" in line).strip()
    assert shell(f"printf %s {word.removeprefix('-H ')}", CARRY_KEY=KEY) == f"Authorization: Bearer {prints}"


def test_what_looks_like_a_key_is_nowhere_although_the_profile_holds_it() -> None:
    endpoint = Endpoint(
        name="a",
        api="openai-chat",
        url="https://me:pass-4711@host/?api_key=literal-4711",
        headers={"X-Api-Key": "literal-4711", "X-Note": "sk-literal4711abc"},
        prompt="say sk-literal4711abc",
    )
    assert "4711" not in curl_command(asked_request(endpoint))


def test_how_curl_gets_there() -> None:
    endpoint = Endpoint(
        name="a",
        api="http",
        url="https://host/x",
        method="HEAD",
        connect_to="10.0.0.1:443",
        proxy="socks5h://${env:LOGIN}@proxy:1080",
        follow_redirects=True,
        tls=TLS(ca_file="~/a ca.pem", client_cert="/c.pem", client_key="/k.pem", insecure=True),
    )
    assert curl_command(asked_request(endpoint)).split(" \\\n  ") == [
        "curl -isSN --http1.1 --head",
        "--connect-to ::10.0.0.1:443",
        '--proxy socks5h://"$LOGIN"@proxy:1080',
        "--location",
        "--cacert ~/'a ca.pem'",
        "--cert /c.pem",
        "--key /k.pem",
        "--insecure",
        "-H 'Accept: */*'",
        "-H 'Accept-Encoding: identity'",
        "-H 'User-Agent: gwtui'",
        "https://host/x",
    ]


def test_requests_for_aws_are_signed_by_curl() -> None:
    url = "https://bedrock-runtime.eu-west-1.amazonaws.com"
    asked = asked_request(Endpoint(name="a", api="bedrock-converse", url=url, key="aws:prod"))
    command = curl_command(asked)
    assert "--aws-sigv4 aws:amz:eu-west-1:bedrock" in command
    assert '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"' in command
    assert asked.notes == ("signed when it is sent (AWS Signature Version 4)",)


def test_of_a_websocket_there_is_the_handshake() -> None:
    command = curl_command(asked_request(story.SOCKET))
    assert "-H 'Upgrade: websocket'" in command
    assert "--data-raw" not in command
    assert command.splitlines()[-1].strip().startswith("http")


def test_what_was_sent_may_differ_by_what_the_answers_told() -> None:
    talk = Endpoint(
        name="a",
        api="openai-chat",
        url="http://h",
        turns=(Turn(prompt="weather?", tool="weather"), Turn(result="rain")),
    )
    second = asked_request(talk, views.request(turn=2, turns=2))
    assert b"weather?" in second.body
    assert second.notes == ("turn 2 carried the answers before it, which are not kept: this is turn 1",)
    renamed = Finding(
        name=FindingName.LIMIT_RENAMED, evidence="the limit is sent as max_completion_tokens: max_tokens was refused"
    )
    plain = Endpoint(name="a", api="openai-chat", url="http://h", model="x", nonce=True)
    asked = asked_request(plain, views.request(findings=(renamed,)))
    assert b'"max_completion_tokens"' in asked.body
    assert b'"max_tokens"' not in asked.body
    assert asked.notes == ("each request has a fresh number in front of its question",)


@pytest.mark.parametrize("name", api_names())
def test_every_api_has_its_request(name: str) -> None:
    endpoint = Endpoint(name="a", api=name, url="http://host", model="m", key="env:CARRY_KEY")
    command = curl_command(asked_request(endpoint))
    assert command.startswith("curl ")
    assert '"$CARRY_KEY"' in command
