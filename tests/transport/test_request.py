"""What a URL and headers become on the wire; what cannot be sent is refused without quoting it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.transport import request
from gwtui.transport.request import PORTS, RequestError, Target, head_of, lines_of, target_of

NAMES = ("localhost", "api.example.com", "a..b", "my_host", "[::1]", "Ä.de", "A.b", "127.0.0.1", "1.2.3", "999.1.1.1")
PORT = st.sampled_from(["", ":80", ":443", ":8080", ":0", ":65535"])
LETTERS = "abzAZ09-._~!$&'()*+,;=:@/?#%[] |\"<>`{}\\^é"
PARTS = st.lists(st.sampled_from([*LETTERS, "/.", "/..", "/../", "//", "%2f", "%2F", "%zz"]), max_size=9).map("".join)


def by_httpx(url: str) -> Target | None:
    """What httpx would send; None where it refuses the URL."""
    try:
        parsed = httpx.URL(url)
        authority, path = parsed.netloc.decode("ascii"), parsed.raw_path.decode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return None
    port = parsed.port or PORTS[parsed.scheme]
    return Target(parsed.scheme, parsed.raw_host.decode("ascii"), port, authority, path)


@given(st.sampled_from(["http", "https"]), st.sampled_from(NAMES), PORT, PARTS)
def test_a_url_is_on_the_wire_what_httpx_makes_of_it(scheme: str, host: str, port: str, path: str) -> None:
    url = f"{scheme}://{host}{port}{'/' if path[:1] not in '/?#' else ''}{path}"
    expected = by_httpx(url)
    if expected is None:
        with pytest.raises(RequestError):
            target_of(url)
    else:
        assert target_of(url) == expected


def test_a_url_that_is_final_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(url: str) -> Any:
        raise AssertionError(url)

    monkeypatch.setattr(request, "_normalized", refused)
    for url in ("http://127.0.0.1:18080", "https://api.example.com/v1/messages?version=1&a=%2F", "http://localhost/"):
        assert target_of(url).url.removesuffix("/") == url.removesuffix("/")


def test_a_port_that_cannot_be_is_refused() -> None:
    with pytest.raises(RequestError, match="cannot be used"):
        target_of("http://localhost:70000/")


def test_a_request_says_where_it_goes_and_how_long_it_is() -> None:
    head = head_of("POST", "/p?q=1", "h:81", [("A", "b c"), ("X", "")], 5)
    assert head == b"POST /p?q=1 HTTP/1.1\r\nHost: h:81\r\nA: b c\r\nX: \r\nContent-Length: 5\r\n"
    assert head_of("GET", "/", "h", [], 0) == b"GET / HTTP/1.1\r\nHost: h\r\n"
    assert head_of("PUT", "/", "h", [("host", "mine")], 0) == b"PUT / HTTP/1.1\r\nhost: mine\r\nContent-Length: 0\r\n"


@pytest.mark.parametrize(
    "header", [("A b", "x"), ("A", "x\r\nB: y"), ("A", " x"), ("A", "x\0"), ("A:", "x"), ("", "x"), ("A", "x\n")]
)
def test_a_header_that_http_forbids_is_not_quoted(header: tuple[str, str]) -> None:
    with pytest.raises(RequestError) as refused:
        lines_of([header])
    assert "HTTP forbids a character" in str(refused.value)


@pytest.mark.parametrize("header", [("A", "☃"), ("Ü", "x")])
def test_a_header_of_other_letters_cannot_be_sent(header: tuple[str, str]) -> None:
    with pytest.raises(UnicodeError):
        lines_of([header])


@pytest.mark.parametrize("header", [("Content-Length", "4"), ("Transfer-Encoding", "chunked")])
def test_the_length_of_a_request_is_sent_once(header: tuple[str, str]) -> None:
    with pytest.raises(RequestError, match="how long the body is"):
        head_of("POST", "/", "h", [header], 5)
