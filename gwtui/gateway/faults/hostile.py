"""Texts that want to be more than text: to a terminal, to markup, to a spreadsheet; wherever a gateway can put them."""

from __future__ import annotations

from typing import Any

from gwtui.gateway.fault import Fault, answer_fault
from gwtui.gateway.socket_script import Agree, SendBytes, TakeFrame, close_frame
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

CLIPBOARD = "\x1b]52;c;aGFja2Vk\x1b\\"
"""Sets the clipboard of a terminal that obeys."""
TITLE = "\x1b]0;hacked\x07"
MARKUP = "[@click=app.quit]x[/] [/usr/bin] [/]"
BIDI = "\u202egnihtyna\u202c\u200b"
FORMULA = "=cmd|'/c calc'!A1"
HAZARD = f"{CLIPBOARD}{TITLE}\x9b31m{MARKUP}{BIDI}\u2028{FORMULA}"
LATIN = f"{CLIPBOARD}{TITLE}\x9b31m{MARKUP}"
"""What of it a header can hold."""

HEADER = {"x-request-id": LATIN, "x-trace": LATIN, "server": LATIN, "retry-after": FORMULA}
WS: dict[str, Any] = {"api": "websocket", "asks": {"path": "/v2/websocket"}}

HOSTILE = (
    answer_fault(
        "hostile-text", "The model speaks in escape sequences, markup and formulas", Verdict.COMPLETE, text=HAZARD
    ),
    answer_fault(
        "hostile-model",
        "The model that answers has such a name",
        Verdict.COMPLETE,
        served_model=HAZARD,
        findings=(FindingName.MODEL_DIFFERS,),
    ),
    answer_fault(
        "hostile-error",
        "An error in the stream has such a text",
        Verdict.ERROR_IN_STREAM,
        error_after=4,
        error_type=HAZARD,
        error_message=HAZARD,
    ),
    answer_fault("hostile-body", "The body of a refusal is such a text", Verdict.SERVER_ERROR, status=500, body=HAZARD),
    answer_fault(
        "hostile-headers", "Response headers hold such texts", Verdict.UNAVAILABLE, status=503, headers=HEADER
    ),
    answer_fault(
        "hostile-redirect",
        "A redirect to such a place",
        Verdict.REDIRECT,
        status=307,
        headers={"location": f"http://elsewhere.invalid/{LATIN}"},
    ),
    answer_fault(
        "hostile-event-name",
        "An event has such a name",
        Verdict.COMPLETE,
        insert=f"event: {HAZARD}\ndata: {{}}\n\n",
        insert_after=3,
        api="anthropic-messages",
    ),
    Fault(
        name="hostile-reason",
        says="The status line has such a reason phrase",
        verdict=Verdict.SERVER_ERROR,
        script=(
            SendBytes(
                b"HTTP/1.1 500 " + LATIN.encode("latin-1") + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            ),
        ),
    ),
    Fault(
        name="hostile-close",
        says="A WebSocket is closed for such a reason",
        verdict=Verdict.CLOSED,
        reason="1013",
        script=(
            Agree(),
            TakeFrame(),
            SendBytes(close_frame(1013, HAZARD.encode()[:120].decode(errors="ignore").encode())),
        ),
        **WS,
    ),
    answer_fault(
        "hostile-pong",
        "The answer to a ping is such a text",
        Verdict.WRONG_PONG,
        body=HAZARD,
        deadlines={"first_byte_s": 0.5},
        **WS,
    ),
)
