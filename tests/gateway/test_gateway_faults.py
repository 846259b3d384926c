"""The catalogue of faults: each one in the embedded gateway, probed by the real prober, gets the verdict it names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from support.gateways import Gateway, serving
from support.probing import PATIENT, Probing, soon
from support.probing import probed as probe
from support.texts import texts_of

from gwtui.apis import APIS
from gwtui.engine.loop_lag import LoopLagMonitor
from gwtui.gateway.fault import Fault
from gwtui.gateway.faults import FAULT_HEADER, FAULT_MODEL, FAULTS
from gwtui.model.enums import FindingName, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Record, Request
from gwtui.model.verdicts import Verdict

TOKENS = 3
BY_MODEL = [name for name, api in APIS.items() if api.kind is Kind.COMPLETION and not api.several_models]
"""APIs that name one model, by which a fault or a rule can be chosen."""
AROUND = {
    "openai-chat": 1,
    "anthropic-messages": 4,
    "openai-responses": 7,
    "cohere-chat": 3,
    "vertex-claude": 4,
    "bedrock-converse": 2,
    "bedrock-invoke": 4,
    "workers-ai": 1,
    "tgi": -1,
}
"""Per API: events that a stream has beside its tokens and before what says that the answer is over; mostly none, and
-1 where that comes with the last token."""
CUTS = {name: TOKENS + AROUND.get(name, 0) for name in BY_MODEL}
"""Per API: the last event after which a stream of so many tokens is still cut, not ended."""
SCENARIO = """
gateway = { upstream_timeout_s = 0.01 }

[[rule]]
model = "cut-*"
tokens = 3
""" + "".join(f"[[rule]]\nmodel = 'cut-{after}'\ncut_after = {after}\n" for after in range(1, max(CUTS.values()) + 1))


LOOKS = 4
"""No assertion about a burst that this machine, with a gateway in the same process, may have made by being late."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


def endpoint(gateway: Gateway, fault: Fault) -> Endpoint:
    """An endpoint that asks for the fault: by its model, where that is free to be chosen."""
    by_header = not (fault.api in BY_MODEL and {"path", "model"}.isdisjoint(fault.asks))
    choice = {"headers": {FAULT_HEADER: fault.name}} if by_header else {}
    return Endpoint(
        name="target",
        api=fault.api,
        url=gateway.raw_url if fault.is_raw else gateway.url,
        deadlines=soon(**fault.deadlines) if fault.deadlines else PATIENT,
        **{"model": None if by_header else f"{FAULT_MODEL}{fault.name}", **choice, **fault.asks},
    )


async def probed(gateway: Gateway, fault: Fault) -> tuple[Request | Ping, list[Record]]:
    """The row of the last of the probes that the fault takes to show, and all records sent meanwhile.

    The lag of the event loop is watched, as it is in the program: else its looks at the sockets are too far apart to
    say whether a burst is the gateway's.
    """
    probing = Probing(endpoint(gateway, fault))
    async with LoopLagMonitor().watching(), probing.prober:
        for _ in range(fault.probes):
            record = await probing.once()
    assert isinstance(record, Request | Ping)
    return record, probing.emitted


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in FAULTS.items()])
async def test_each_fault_gets_its_verdict(gateway: Gateway, fault: Fault) -> None:
    for _ in range(LOOKS):
        record, _ = await probed(gateway, fault)
        assert record.verdict == fault.verdict, f"{record.rule}: {record.reason}"
        assert fault.reason in f"{record.rule}: {record.reason}"
        if not (missing := _missing(fault, record)):
            break
    assert missing == []


def _missing(fault: Fault, record: Request | Ping) -> list[FindingName]:
    """The findings that the fault has to show and the record does not."""
    made = {finding.name for finding in record.findings}
    if not isinstance(record, Request):
        return []
    either = fault.either if made.isdisjoint(fault.either) else ()
    return [*(name for name in fault.findings if name not in made), *either]


@pytest.mark.parametrize(("api", "after"), [(api, after) for api, last in CUTS.items() for after in range(1, last + 1)])
async def test_a_cut_is_seen_wherever_it_is(gateway: Gateway, api: str, after: int) -> None:
    record = await probe(Endpoint(name="target", api=api, url=gateway.url, model=f"cut-{after}", deadlines=PATIENT))
    assert (record.verdict, record.event_number, record.events) == (Verdict.TRUNCATED, after, after)


HOSTILE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What a terminal obeys or hides; only the text of an answer keeps its line ends."""


@pytest.mark.parametrize("name", [name for name in FAULTS if name.startswith("hostile")])
async def test_nothing_hostile_gets_into_a_record(gateway: Gateway, name: str) -> None:
    record, emitted = await probed(gateway, FAULTS[name])
    texts = list(texts_of(msgspec.to_builtins([record, *emitted])))
    seen = any("hacked" in text or "app.quit" in text for text in texts)
    assert seen is (name != "hostile-reason")  # a reason phrase is not kept at all
    assert [text for text in texts if HOSTILE.search(text)] == []
