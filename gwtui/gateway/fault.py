"""What an entry of the catalogue holds: a fault, how it is made, and what a monitor has to say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from gwtui.gateway.behaviour import BehaviourSpec
from gwtui.gateway.socket_script import Step
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

NO_FAULT = BehaviourSpec()
HTML = {"content-type": "text/html"}
"""The headers of a page."""
HALF_EVENT: Mapping[str, Any] = {"garble_event": 4, "garble": "half", "findings": (FindingName.BAD_JSON,)}
"""Fields of a fault: one event lacks half of its JSON."""
TWO_STREAMS: Mapping[str, Any] = {"after_end": "stream", "findings": (FindingName.EVENTS_AFTER_END,)}
"""Fields of a fault: the whole stream comes once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which a gateway is broken.

    It is made either by a `behaviour`, by the gateway itself, or by a `script`, on the port with bare sockets.
    """

    name: str
    says: str
    """What happens, in one line."""
    verdict: Verdict
    """What a probe that meets it has to be called."""
    reason: str = ""
    """A part of the rule or the reason that has to be given."""
    findings: tuple[FindingName, ...] = ()
    """Findings that a probe has to make, among others."""
    either: tuple[FindingName, ...] = ()
    """Findings of which a probe has to make at least one."""
    behaviour: BehaviourSpec = NO_FAULT
    script: tuple[Step, ...] = ()
    api: str = "openai-chat"
    """The API, by its name in a profile, that shows it."""
    asks: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of an endpoint that shows it."""
    deadlines: Mapping[str, float] = field(default_factory=dict)
    """Deadlines, in seconds, that make its detection fast enough."""
    probes: int = 1
    """How many probes over one connection it takes to show."""

    @property
    def is_raw(self) -> bool:
        """Whether it is on the port with bare sockets."""
        return bool(self.script)


_OWN = frozenset(each.name for each in fields(Fault))


def answer_fault(name: str, says: str, verdict: Verdict, reason: str = "", /, **more: Any) -> Fault:
    """A fault in what the gateway itself answers. `more`: further fields of the fault, and fields of its behaviour."""
    own = {field: more.pop(field) for field in _OWN & more.keys()}
    return Fault(name=name, says=says, verdict=verdict, reason=reason, behaviour=BehaviourSpec(**more), **own)


def api_fault(
    api: str, short: str, name: str, says: str, verdict: Verdict, reason: str = "", /, **fields: Any
) -> Fault:
    """A fault of one API's streams. `short`: how the API is called in the names of faults."""
    return answer_fault(f"{name}-{short}", says, verdict, reason, api=api, **fields)


def broken_off(api: str, short: str, terminator: str = "", **asks: Any) -> tuple[Fault, ...]:
    """The stream of that API cut in its middle, without its terminator where it has one, and with an error."""
    make = partial(api_fault, api, short)
    cut = make("truncated", "The stream ends cleanly in its middle", Verdict.TRUNCATED, cut_after=6, **asks)
    says = "An error in the API's own form, after some tokens"
    error = make("error", says, Verdict.ERROR_IN_STREAM, "Overloaded", error_after=6, **asks)
    if not terminator:
        return cut, error
    says = f"Everything but {terminator} arrives"
    found = (FindingName.UNTERMINATED,)
    missing = make("unterminated", says, Verdict.COMPLETE_UNTERMINATED, cut_last=1, findings=found, **asks)
    return cut, error, missing
