"""Keys are read from where the profile says, and nothing about them is ever repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gwtui.model.profile import Endpoint
from gwtui.secrets.redaction import MASK
from gwtui.secrets.references import KeyReferenceError, hold, is_reference
from gwtui.secrets.resolver import redactor, resolve, resolve_headers
from gwtui.secrets.sources import MAX_FILE_BYTES

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
        ("cmd:op read op://vault/key", True),
        ("keyring:gateway/me", True),
        ("keyring:https://h/x/me@h", True),
        ("env:", False),
        ("cmd:", False),
        ("cmd:a\nb", False),
        ("keyring:gateway", False),
        ("keyring:/me", False),
        ("keyring:gateway/", False),
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


# Headers, and masking


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


def test_what_was_resolved_is_masked_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_KEY", SECRET)
    monkeypatch.setenv("GW_OTHER", "another-one")
    monkeypatch.delenv("GW_GONE", raising=False)
    with pytest.raises(KeyReferenceError, match="GW_GONE"):
        resolve_headers(endpoint({"A": "env:GW_KEY", "B": "token ${env:GW_OTHER} ${env:GW_GONE}", "C": "plain"}))
    assert redactor()(f"{SECRET} another-one plain") == f"{MASK} {MASK} plain"


def test_a_key_that_is_changed_is_masked_as_it_is_and_as_it_was_last(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("first-key", "second-key", "first-key", "third-key"):
        monkeypatch.setenv("GW_KEY", value)
        resolve("env:GW_KEY")
    assert redactor()("first-key second-key third-key") == f"{MASK} second-key {MASK}"


def test_a_key_of_the_command_line_is_a_reference_only_where_it_was_given() -> None:
    assert not is_reference("option:test-key")
    with pytest.raises(KeyReferenceError, match="a key is given as env:NAME"):
        resolve("option:test-key")
    reference = hold("test-key", f" {SECRET}\n")
    assert (reference, is_reference(reference), resolve(reference)) == ("option:test-key", True, SECRET)
    assert redactor()(f"it was {SECRET}") == f"it was {MASK}"
