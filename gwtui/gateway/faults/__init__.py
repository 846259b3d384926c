"""The catalogue of faults: every way in which the embedded gateway can be broken, and what has to be said of it.

A fault is chosen by the model's name, `fault:NAME`, by the header `x-gwtui-fault: NAME`, or by a scenario's rule with
`fault = "NAME"`. To add one, write an entry in the module where it belongs: the tests probe each of them.
"""

from __future__ import annotations

from gwtui.gateway import replies
from gwtui.gateway.fault import Fault
from gwtui.gateway.faults.answers import ANSWERS
from gwtui.gateway.faults.compare import COMPARE
from gwtui.gateway.faults.foreign import FOREIGN
from gwtui.gateway.faults.hostile import HOSTILE
from gwtui.gateway.faults.pace import PACE
from gwtui.gateway.faults.sockets import SOCKETS
from gwtui.gateway.faults.statuses import STATUSES
from gwtui.gateway.faults.streams import STREAMS
from gwtui.gateway.faults.tokens import TOKENS
from gwtui.gateway.faults.turns import TURNS
from gwtui.gateway.faults.websockets import WEBSOCKETS

FAULT_MODEL = "fault:"
"""The prefix of a model's name that chooses a fault."""
FAULT_HEADER = "x-gwtui-fault"

_ALL = (
    *STATUSES,
    *ANSWERS,
    *STREAMS,
    *replies.FAULTS,
    *COMPARE,
    *PACE,
    *TOKENS,
    *TURNS,
    *FOREIGN,
    *HOSTILE,
    *SOCKETS,
    *WEBSOCKETS,
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}


def chosen(model: str, header: str | None) -> str:
    """The name of the fault that a request asks for, known or not; "" for none. The header goes before the model."""
    if header:
        return header.strip()
    return model.removeprefix(FAULT_MODEL) if model.startswith(FAULT_MODEL) else ""
