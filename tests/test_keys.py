"""Keys are read from where the profile says, and nothing about them is ever repeated."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.keys import (
    MASK,
    MAX_FILE_BYTES,
    KeyReferenceError,
    is_reference,
    redact,
    resolve,
    resolve_headers,
    secrets_of,
)
from gwtui.profile import Endpoint

SECRET = "sk-canary-0123456789abcdef"
"""A canary: tests look for it where it must not be."""


def endpoint(headers: dict[str, str], key: str | None = None) -> Endpoint:
    return Endpoint(name="e", api="http", url="http://127.0.0.1", headers=headers, key=key)


def key_file(tmp_path: Path, content: bytes, mode: int = 0o600) -> str:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return f"file:{path}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env:NAME", True),
        ("env:_a1", True),
        ("file:/a b/c", True),
        ("file:~/key", True),
        ("env:", False),
        ("file:", False),
        ("env:1A", False),
        ("env:sk-ant-abc", False),
        ("env:A B", False),
        ("ENV:A", False),
        ("sk-ant-abc", False),
        ("", False),
        (" env:A", False),
        ("env:A\n", False),
    ],
)
def test_what_a_reference_is(text: str, expected: bool) -> None:
    assert is_reference(text) is expected


def test_a_key_comes_from_the_environment_without_stray_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_KEY", f" {SECRET}\n")
    assert resolve("env:GW_KEY") == SECRET


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n"])
def test_a_key_comes_from_a_file_without_its_line_end(tmp_path: Path, content: str) -> None:
    assert resolve(key_file(tmp_path, content.encode())) == SECRET


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    key_file(tmp_path, SECRET.encode())
    assert resolve("file:~/key") == SECRET


@pytest.mark.parametrize(
    ("value", "says"),
    [(None, "not set"), ("", "is empty"), ("  \n", "is empty"), ("a\r\nX-Evil: 1", "line breaks"), ("ключ", "no HTTP")],
)
def test_a_bad_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str | None, says: str) -> None:
    monkeypatch.delenv("GW_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("GW_KEY", value)
    with pytest.raises(KeyReferenceError, match="GW_KEY") as refused:
        resolve("env:GW_KEY")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"x" * (MAX_FILE_BYTES + 1), "larger than"),
        (b"\xff\xfe", "not UTF-8"),
        (SECRET.encode() + b"\nsecond line", "line breaks"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(KeyReferenceError, match="key") as refused:
        resolve(key_file(tmp_path, content))
    assert says in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.skipif(os.name != "posix", reason="file modes mean nothing elsewhere")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyReferenceError, match="chmod 600"):
        resolve(key_file(tmp_path, SECRET.encode(), mode))


@pytest.mark.skipif(os.name != "posix", reason="there are no FIFOs elsewhere")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for place in ("fifo", "missing", "."):
        with pytest.raises(KeyReferenceError):
            resolve(f"file:{tmp_path / place}")


def test_headers_hold_references_whole_and_within_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_KEY", SECRET)
    file = key_file(tmp_path, b"from-file")
    headers = {"A": "env:GW_KEY", "B": "token ${env:GW_KEY}", "C": f"${{{file}}}/${{env:GW_KEY}}", "D": "plain"}
    assert resolve_headers(endpoint(headers)) == [
        ("A", SECRET),
        ("B", f"token {SECRET}"),
        ("C", f"from-file/{SECRET}"),
        ("D", "plain"),
    ]


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\0b", "snow ☃"])
def test_a_header_that_cannot_be_sent_is_refused(value: str) -> None:
    with pytest.raises(KeyReferenceError, match="X-Odd"):
        resolve_headers(endpoint({"X-Odd": value}))


def test_an_endpoints_secrets_are_known_for_masking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_KEY", SECRET)
    monkeypatch.setenv("GW_OTHER", "another-one")
    monkeypatch.delenv("GW_GONE", raising=False)
    headers = {"A": "token ${env:GW_OTHER} ${env:GW_GONE}", "B": "env:GW_KEY", "C": "plain"}
    assert secrets_of(endpoint(headers, key="env:GW_KEY")) == (SECRET, "another-one")


@pytest.mark.parametrize("secret", [SECRET, "p?ss/w rd+é\"'x1%"])
@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("behind", ["", "x", "xy", "xyz"])
def test_every_form_of_a_secret_is_masked(secret: str, before: str, behind: str) -> None:
    whole = f"{before}{secret}{behind}"
    assert redact(whole, [secret]) == f"{before}{MASK}{behind}"
    assert secret not in redact(f"{whole} {whole}", [secret])
    for encoded in (quote(whole), quote(whole, safe=""), quote_plus(whole)):
        assert MASK in redact(encoded, [secret])
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert MASK in redact(encode(whole.encode()).decode(), [secret])


@settings(deadline=None)
@given(st.text(max_size=40), st.text("ABCDEFabcdef0123456789-_", min_size=8, max_size=40), st.text(max_size=40))
def test_no_text_shows_a_secret(before: str, secret: str, behind: str) -> None:
    assert secret not in redact(f"{before}{secret}{behind}", [secret])


def test_without_secrets_nothing_is_masked() -> None:
    assert redact("as it is", []) == "as it is"
    assert redact("a short one would mask it all", ["a"]) == "a short one would mask it all"
