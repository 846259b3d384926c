"""Requests that are signed for AWS, by a server that works the signature out for itself, and keys that stay secret."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from support.framed import event_frame
from support.listening import listening
from support.probing import Probing, endpoint
from support.texts import texts_of

from gwtui.apis.base import Signature
from gwtui.framing.base import FramedEvent
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.prepared_request import signed_headers
from gwtui.secrets import resolver
from gwtui.secrets.references import KeyReferenceError
from gwtui.secrets.resolver import make_ready, resolve
from gwtui.transport.request import RequestError

pytest.importorskip("botocore")

ACCESS_KEY, SECRET_KEY, TOKEN = "AKIDMADEUPQ7ZXA2W9VB", "mAdEuP/q7Zxa2W9vB3kTpL0mYc8HdRf+x", "mAdEuPtOkEn0f8e6d4c2b1a99"
STREAM = b"".join(
    event_frame(FramedEvent(name, json.dumps(data)))
    for name, data in (
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "a"}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 1, "outputTokens": 1}}),
    )
)


@pytest.fixture(autouse=True)
def _no_aws_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No files, no profile and no role of this machine, and nothing that another test has found."""
    monkeypatch.setattr(resolver, "_kept", resolver.Kept())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@dataclass
class AWS:
    """A server as strict as AWS about signatures."""

    url: str = ""
    refusals: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode("latin-1").strip().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            problem = self._problem(method, target, headers, body)
            if problem:
                self.refusals.append(problem)
            told = json.dumps({"message": f"{problem}: {headers.get('authorization')} {headers}"}).encode()
            status, kind, answer = (
                ("403 Forbidden", "application/json", told)
                if problem
                else ("200 OK", "application/vnd.amazon.eventstream", STREAM)
            )
            writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode())
            writer.write(answer)

    def _problem(self, method: str, target: str, headers: dict[str, str], body: bytes) -> str:
        """What AWS would refuse it for; "" for nothing. By its documentation of Signature Version 4."""
        scheme, _, told = headers.get("authorization", "").partition(" ")
        fields = dict(part.strip().partition("=")[::2] for part in told.split(","))
        if scheme != "AWS4-HMAC-SHA256" or "Credential" not in fields:
            return "no signature"
        access_key, day, region, service, end = fields["Credential"].split("/")
        if (access_key, region, service, end) != (ACCESS_KEY, "eu-west-1", "bedrock", "aws4_request"):
            return "another credential"
        if headers.get("x-amz-security-token") != TOKEN:
            return "no session token"
        self.dates.append(headers["x-amz-date"])
        signed = fields["SignedHeaders"].split(";")
        if not {"host", "x-amz-date", "x-amz-security-token"} <= set(signed):
            return "too little is signed"
        canonical = "\n".join(
            (method, quote(target, safe="/-_.~"), "", *(f"{name}:{headers[name]}" for name in signed), "",
             ";".join(signed), hashlib.sha256(body).hexdigest())
        )  # fmt: skip
        scope = f"{day}/{region}/{service}/{end}"
        to_sign = f"{scheme}\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{SECRET_KEY}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return "" if hmac.digest(key, to_sign.encode(), "sha256").hex() == fields["Signature"] else "another signature"


@asynccontextmanager
async def aws() -> AsyncIterator[AWS]:
    server = AWS()
    async with listening(server.serve) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server


def given(monkeypatch: pytest.MonkeyPatch, secret_key: str = SECRET_KEY) -> None:
    """Credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


async def asked(url: str, key: str, **fields: Any) -> list[Any]:
    """All that two probes emit, the rows last."""
    target = endpoint("bedrock-converse", url, key=key, **fields)
    await make_ready(target)
    probing = Probing(target)
    async with probing.prober:
        rows = [await probing.once(), await probing.once()]
    return [*probing.emitted, *rows]


@pytest.mark.parametrize("fields", [{}, {"stream": True, "model": "arn:aws:bedrock:eu-west-1:1:application-profile/x"}])
async def test_each_request_is_signed_anew_and_aws_takes_it(monkeypatch: Any, fields: dict[str, Any]) -> None:
    given(monkeypatch)
    async with aws() as server:
        *_, first, second = await asked(server.url, "aws:/eu-west-1", **fields)
    assert (first.verdict, second.verdict) == (Verdict.COMPLETE, Verdict.COMPLETE), first.reason
    assert (server.refusals, len(server.dates)) == ([], 2)


async def test_what_is_refused_shows_no_part_of_the_credentials(monkeypatch: Any) -> None:
    given(monkeypatch, "mAdEuP/aNoThErOnE0mYc8HdRfW9vB3k")
    async with aws() as server:
        emitted = await asked(server.url, "aws:/eu-west-1")
    row = emitted[-1]
    assert isinstance(row, Request)
    assert (row.verdict, server.refusals) == (Verdict.AUTH, ["another signature"] * 2)
    assert "another signature" in row.reason + row.body_excerpt
    told = " ".join(texts_of(msgspec.to_builtins(emitted)))
    assert not [key for key in (ACCESS_KEY, TOKEN, "mAdEuP/aNoThErOnE0mYc8HdRfW9vB3k") if key[:9] in told]


def test_a_profile_has_its_own_credentials(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        f"[prod]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    )
    assert resolve("aws:prod") == resolve("aws:prod/eu-west-1") == f"{ACCESS_KEY}:{SECRET_KEY}:"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("aws:", "AWS has no credentials for this environment"),
        ("aws:prod/eu-west-1", "the search for AWS credentials failed: ProfileNotFound"),
    ],
)
def test_without_credentials_the_error_says_so(reference: str, says: str) -> None:
    with pytest.raises(KeyReferenceError, match=says):
        resolve(reference)


def test_without_the_library_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "botocore.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(KeyReferenceError, match=r"pip install 'gwtui\[aws\]'"):
        resolve("aws:other")


async def test_a_key_that_is_no_credential_ends_the_request_here() -> None:
    with pytest.raises(RequestError, match="not ACCESS_KEY_ID:SECRET_KEY:TOKEN"):
        signed_headers(Signature("bedrock", "eu-west-1", "one text"), "POST", "http://h/", b"")
    async with aws() as server:
        row = (await asked(server.url, "aws:nobody"))[-1]
    assert (row.verdict, server.dates) == (Verdict.NO_KEY, [])
