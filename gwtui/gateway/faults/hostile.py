"""Texts that want to be more than text: to a terminal, to markup, to a spreadsheet; wherever a gateway can put them."""

from __future__ import annotations

from typing import Any

from gwtui.gateway.behaviour import BehaviourSpec
from gwtui.gateway.fault import Fault
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
    Fault(
        name="hostile-text",
        says="The model speaks in escape sequences, markup and formulas",
        verdict=Verdict.COMPLETE,
        behaviour=BehaviourSpec(text=HAZARD),
    ),
    Fault(
        name="hostile-model",
        says="The model that answers has such a name",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.MODEL_DIFFERS,),
        behaviour=BehaviourSpec(served_model=HAZARD),
    ),
    Fault(
        name="hostile-error",
        says="An error in the stream has such a text",
        verdict=Verdict.ERROR_IN_STREAM,
        behaviour=BehaviourSpec(error_after=4, error_type=HAZARD, error_message=HAZARD),
    ),
    Fault(
        name="hostile-body",
        says="The body of a refusal is such a text",
        verdict=Verdict.SERVER_ERROR,
        behaviour=BehaviourSpec(status=500, body=HAZARD),
    ),
    Fault(
        name="hostile-headers",
        says="Response headers hold such texts",
        verdict=Verdict.UNAVAILABLE,
        behaviour=BehaviourSpec(status=503, headers=HEADER),
    ),
    Fault(
        name="hostile-redirect",
        says="A redirect to such a place",
        verdict=Verdict.REDIRECT,
        behaviour=BehaviourSpec(status=307, headers={"location": f"http://elsewhere.invalid/{LATIN}"}),
    ),
    Fault(
        name="hostile-event-name",
        says="An event has such a name",
        verdict=Verdict.COMPLETE,
        behaviour=BehaviourSpec(insert=f"event: {HAZARD}\ndata: {{}}\n\n", insert_after=3),
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
    Fault(
        name="hostile-pong",
        says="The answer to a ping is such a text",
        verdict=Verdict.WRONG_PONG,
        behaviour=BehaviourSpec(body=HAZARD),
        deadlines={"first_byte_s": 0.5},
        **WS,
    ),
)
