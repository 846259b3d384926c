"""What curl says of itself is no part of an answer, wherever it stands; its failures are how the answer ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apis import script_of
from support.streams import decode, decode_chunks

from gwtui.decode import CaptureError, opened
from gwtui.decode import decode as decode_exchange
from gwtui.model.verdicts import Verdict

SCRIPT = script_of("openai-chat")
BODY = SCRIPT.wire(SCRIPT.good)
KEY = "made-up-0001112223334445"
TITLES = (
    b"  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    b"                                 Dload  Upload   Total   Spent    Left  Speed\n"
)
METER = b"\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
LAST_METER = b"\r100   221  100   142  100    79  23447  13044 --:--:--  0:00:01 --:--:-- 36833"
TALK = b"*   Trying 127.0.0.1:80...\n* Connected to h (127.0.0.1) port 80 (#0)\n"
REQUEST = (
    f"> POST /v1/chat/completions?key={KEY} HTTP/1.1\r\n> Host: h\r\n> Authorization: Bearer {KEY}\r\n> \r\n".encode()
    + b"} [87 bytes data]\n"
)
HEAD = b"< HTTP/1.1 200 OK\r\n< content-type: text/event-stream\r\n< x-trace: t1\r\n< \r\n"
DATA = b"{ [225 bytes data]\n"
LEFT = b"* Connection #0 to host h left intact\n"
PLAIN_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
HALF = len(BODY) // 2

SAVED = {
    "-sv": TALK + REQUEST + HEAD + DATA + BODY + LEFT,
    "on a terminal": TALK + REQUEST + HEAD + BODY + LEFT,
    "with a meter": TITLES + METER + TALK + REQUEST + HEAD + DATA + LAST_METER + b"\n" + LEFT + BODY,
    "inside a line of the body": TITLES + METER + TALK + REQUEST + HEAD + DATA + BODY[:HALF] + METER + BODY[HALF:],
    "its last words inside a line": TALK + REQUEST + HEAD + DATA + BODY[:HALF] + LAST_METER + b"\n" + LEFT
    + BODY[HALF:],
    "-i as well": TALK + REQUEST + HEAD + DATA + PLAIN_HEAD + BODY + LEFT,
    "HTTP/2": TALK + REQUEST + HEAD.replace(b"1.1 200 OK", b"2 200 ") + DATA + BODY + LEFT,
    "a proxy's CONNECT": b"> CONNECT h:443 HTTP/1.1\r\n> \r\n< HTTP/1.1 200 Connection established\r\n< \r\n"
    + REQUEST + HEAD + BODY,
    "a redirect": REQUEST + b"< HTTP/1.1 307 T\r\n< Location: /x\r\n< \r\n* Ignoring the response-body\n" + REQUEST
    + HEAD + DATA + BODY,
    "--raw": TALK + REQUEST + HEAD.replace(b"< \r\n", b"< Transfer-Encoding: chunked\r\n< \r\n") + DATA
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) + LEFT,
    "no -v, a meter alone": TITLES + METER + BODY,
    "saved by an editor": (TALK + REQUEST + HEAD).replace(b"\r\n", b"\n") + BODY,
}  # fmt: skip


@pytest.mark.parametrize("data", SAVED.values(), ids=SAVED)
def test_what_curl_says_is_no_part_of_the_answer(data: bytes) -> None:
    for decoded in (decode(data), decode_chunks(data[at : at + 1] for at in range(len(data)))):
        assert (decoded.judgement.verdict, decoded.recognised.api) == (Verdict.COMPLETE, "openai-chat")
        assert (len(decoded.events), decoded.text, decoded.findings) == (len(SCRIPT.good), "ab", ())


FAILED = [
    (b"curl: (18) transfer closed with outstanding read data remaining\n", Verdict.TRUNCATED),
    (b"* transfer closed with outstanding read data remaining\n", Verdict.TRUNCATED),
    (b"curl: (56) Recv failure: Connection reset by peer\n", Verdict.TRUNCATED),
    (b"curl: (28) Operation timed out after 5001 milliseconds with 9 bytes received\n", Verdict.TIMEOUT),
    (b"* HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)\n", Verdict.TRUNCATED),
]


@pytest.mark.parametrize(("words", "verdict"), FAILED, ids=str)
def test_what_broke_the_transfer_is_the_end(words: bytes, verdict: Verdict) -> None:
    cut = TALK + REQUEST + HEAD + DATA + BODY[: BODY.rindex(b"\n\n", 0, HALF) + 2]
    judgement = decode(cut + words).judgement
    assert judgement.verdict is verdict
    assert judgement.reason.startswith("curl: ")


UNANSWERED = [
    (b"* connect to 127.0.0.1 port 9 failed: Connection refused\n* Closing connection 0\n", Verdict.REFUSED),
    (b"* Could not resolve host: nowhere.invalid\n", Verdict.DNS),
    (b"curl: (7) Failed to connect to h port 9: Connection refused\n", Verdict.REFUSED),
    (b"* SSL certificate problem: self-signed certificate\n", Verdict.TLS),
    (REQUEST + b"* Empty reply from server\n", Verdict.RESET),
    (REQUEST + b"* Received HTTP/0.9 when not allowed\n", Verdict.NOT_HTTP),
]


@pytest.mark.parametrize(("said", "verdict"), UNANSWERED)
def test_without_an_answer_curls_reason_is_the_verdict(said: bytes, verdict: Verdict) -> None:
    assert decode(TALK + said).judgement.verdict is verdict


def test_an_address_that_failed_before_another_one_answered_does_not_count() -> None:
    failed = b"* connect to ::1 port 80 failed: Connection refused\n"
    assert decode(failed + TALK + REQUEST + HEAD + BODY).judgement.verdict is Verdict.COMPLETE


def test_several_requests_are_several_answers() -> None:
    again = REQUEST.replace(b"/v1/chat/completions", b"/v1/messages")
    other = script_of("anthropic-messages")
    data = TALK + REQUEST + HEAD + DATA + BODY + LEFT + again + HEAD + other.wire(other.good) + LEFT
    found = [(exchange.number, decode_exchange(exchange).recognised.api) for exchange in opened((data,)).exchanges]
    assert found == [(1, "openai-chat"), (2, "anthropic-messages")]


def test_the_key_of_the_request_is_known_and_its_path_has_no_query() -> None:
    exchange = next(opened((SAVED["-sv"],)).exchanges)
    decode_exchange(exchange)
    assert set(exchange.secrets) == {KEY}
    assert exchange.asked.title == "POST h/v1/chat/completions"


def test_an_endless_line_is_not_held() -> None:
    pulled = 0

    def endless() -> Iterator[bytes]:
        nonlocal pulled
        yield TALK + REQUEST + HEAD
        while True:
            pulled += 1
            yield b"x" * 65_536

    assert decode_chunks(endless()).judgement.verdict is Verdict.TOO_LARGE
    assert pulled < 400


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for beginning in (TALK, TITLES + METER, TALK + REQUEST, TALK + REQUEST + HEAD):
        with contextlib.suppress(CaptureError):
            assert decode(beginning + data).judgement.rule
