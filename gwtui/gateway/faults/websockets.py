"""What can be wrong with a WebSocket: its handshake, its answers, its frames, its close."""

from __future__ import annotations

from typing import Any

from gwtui.gateway.fault import Fault, answer_fault
from gwtui.gateway.socket_script import (
    BINARY,
    PING,
    TEXT,
    Agree,
    HalfClose,
    HoldOpen,
    SendBytes,
    Step,
    TakeFrame,
    Wait,
    close_frame,
    frame,
)
from gwtui.model.verdicts import Verdict

PATH = {"path": "/v2/websocket"}
PONG = {"first_byte_s": 0.5}
UNANSWERED = (Verdict.NO_PONG, Verdict.WRONG_PONG)
FIRST_BYTE = {"first_byte_s": 0.15}
WRONG_ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
)


def _pings(name: str, says: str, verdict: Verdict, reason: str = "", /, **behaviour: Any) -> Fault:
    shown = {"api": "websocket", "asks": PATH, "deadlines": PONG if verdict in UNANSWERED else {}}
    return answer_fault(f"ws-{name}", says, verdict, reason, **shown, **behaviour)


def _script(name: str, says: str, verdict: Verdict, reason: str, /, *steps: Step) -> Fault:
    """`steps` begin with the handshake's answer."""
    return Fault(
        name=f"ws-{name}",
        says=says,
        verdict=verdict,
        reason=reason,
        script=steps,
        api="websocket",
        asks=PATH,
        deadlines=FIRST_BYTE if verdict is Verdict.NO_FIRST_BYTE else PONG if verdict in UNANSWERED else {},
    )


def _closed(code: int, says: str) -> Fault:
    return _pings(
        str(code), says, Verdict.CLOSED, f"{code} bye", drop=True, close_after=1, close_code=code, close_reason="bye"
    )


WEBSOCKETS = (
    _pings("401", "The handshake is refused because of the key", Verdict.AUTH, "HTTP 401", status=401),
    _pings("429", "The handshake is rate limited", Verdict.RATE_LIMITED, "retry after 7 s", status=429, retry_after=7),
    _pings("502", "A proxy without an upstream", Verdict.BAD_GATEWAY, "HTTP 502", status=502),
    _pings("200", "The handshake gets a plain HTTP answer", Verdict.WRONG_STATUS, "HTTP 200", status=200, body="hello"),
    _pings("wrong", "An unexpected answer", Verdict.WRONG_PONG, "'pang'", body="pang"),
    _pings("echo", "The ping comes back as it was sent", Verdict.WRONG_PONG, "'ping'", body="ping"),
    _pings("silent", "No answer to a ping", Verdict.NO_PONG, "no answer", drop=True),
    _pings("late", "The answer comes long after the deadline", Verdict.NO_PONG, "no answer", ttft_ms=3000),
    _closed(1009, "Closed: message too big"),
    _closed(1011, "Closed: internal error"),
    _closed(1012, "Closed: service restart"),
    _closed(1013, "Closed: try again later"),
    _closed(4000, "Closed with a private code"),
    _script("1006", "The connection ends without a close", Verdict.CLOSED, "broke", Agree(), TakeFrame(), HalfClose()),
    _script(
        "accept",
        "The handshake is answered for another key",
        Verdict.NOT_HTTP,
        "handshake",
        SendBytes(WRONG_ACCEPT),
        HoldOpen(),
    ),
    _script(
        "subprotocol",
        "The gateway chooses a subprotocol that was not offered",
        Verdict.NOT_HTTP,
        "handshake",
        Agree(("sec-websocket-protocol: surprise",)),
        HoldOpen(),
    ),
    _script(
        "flood",
        "A thousand protocol pings before every answer",
        Verdict.PONG,
        "",
        Agree(),
        TakeFrame(),
        SendBytes(frame(PING, b"are you there"), 1000),
        SendBytes(frame(TEXT, b"pong")),
        HoldOpen(),
    ),
    _script(
        "news",
        "Unsolicited messages come before the answer",
        Verdict.PONG,
        "",
        Agree(),
        TakeFrame(),
        SendBytes(frame(TEXT, b"news"), 3),
        SendBytes(frame(TEXT, b"pong")),
        HoldOpen(),
    ),
    _script(
        "binary",
        "Unexpected bytes come instead of the answer",
        Verdict.WRONG_PONG,
        "4 bytes",
        Agree(),
        TakeFrame(),
        SendBytes(frame(BINARY, b"\x00\xffpo")),
        HoldOpen(),
    ),
    _script(
        "not-utf8",
        "A text frame that is not UTF-8",
        Verdict.CLOSED,
        "1007",
        Agree(),
        TakeFrame(),
        SendBytes(frame(TEXT, b"po\xff\xfeng")),
        HoldOpen(),
    ),
    _script(
        "bad-code",
        "A close code that may not be sent",
        Verdict.CLOSED,
        "1002",
        Agree(),
        TakeFrame(),
        SendBytes(close_frame(1005)),
        HoldOpen(),
    ),
    _script(
        "huge",
        "A frame that says it is a gibibyte long",
        Verdict.TOO_LARGE,
        "1009",
        Agree(),
        TakeFrame(),
        SendBytes(frame(TEXT, length=1 << 30)),
        SendBytes(b"x" * 65_536, 64),
        HoldOpen(),
    ),
    _script(
        "fragments",
        "A message in fragments that never end",
        Verdict.TOO_LARGE,
        "1009",
        Agree(),
        TakeFrame(),
        SendBytes(frame(TEXT, b"pong", final=False)),
        SendBytes(frame(0, b"x" * 1024, final=False), 2048),
        HoldOpen(),
    ),
    _script(
        "compressed",
        "A compressed frame, which was not agreed upon",
        Verdict.CLOSED,
        "1002",
        Agree(),
        TakeFrame(),
        SendBytes(b"\xc1\x04pong"),
        HoldOpen(),
    ),
    _script(
        "no-handshake",
        "The handshake is never answered",
        Verdict.NO_FIRST_BYTE,
        "handshake",
        HoldOpen(),
    ),
    _script("closing", "The connection is closed inside the handshake", Verdict.RESET, "", Wait(0.01), HalfClose()),
)
