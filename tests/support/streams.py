"""Streams of LLM APIs as short tables, and what a reader makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from gwtui.apis import SAVED_APIS
from gwtui.apis.base import Answer, StreamReader
from gwtui.decode import Decoded, opened
from gwtui.decode import decode as decode_exchange
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Verdict


def decode(data: bytes, api: str | None = None, fields: dict[str, str] | None = None) -> Decoded:
    """Read a capture that comes all at once."""
    return decode_chunks((data,), api, fields)


def decode_chunks(chunks: Iterable[bytes], api: str | None = None, fields: dict[str, str] | None = None) -> Decoded:
    """Read the first answer of a file, as its bytes come."""
    return decode_exchange(next(opened(chunks).exchanges), api, fields)


@dataclass(frozen=True)
class Case:
    """A scripted stream and the verdict that is due."""

    name: str
    events: list[FramedEvent]
    verdict: Verdict
    rule: str
    event_number: int | None = None
    finding: FindingName | None = None
    """A finding that has to be there."""

    def __str__(self) -> str:
        return self.name


def named(kind: str, **fields: Any) -> FramedEvent:
    """An event whose name is repeated in its payload, as Anthropic sends them."""
    return FramedEvent(kind, json.dumps({"type": kind, **fields}))


def unnamed(payload: Any) -> FramedEvent:
    """An event without a name, as OpenAI sends them; a text is taken as it is."""
    return FramedEvent("message", payload if isinstance(payload, str) else json.dumps(payload))


def feed(reader: StreamReader, events: Iterable[FramedEvent]) -> StreamReader:
    for event in events:
        reader.event(event)
    return reader


def answer_of(api: str, body: object, model: str | None = None) -> Answer:
    """What an API makes of a whole answer to a request for that model."""
    endpoint = Endpoint(name="e", api=api, url="http://h", model=model, stream=False)
    return SAVED_APIS[api].answer(endpoint, 200, json.dumps(body).encode())


def check(reader: StreamReader, case: Case) -> None:
    feed(reader, case.events)
    judgement = reader.end()
    assert (judgement.verdict, judgement.rule, judgement.event_number) == (
        case.verdict,
        case.rule,
        case.event_number,
    ), judgement.reason
    assert judgement.reason
    if case.finding:
        assert case.finding in names(reader.findings)


def names(findings: Iterable[Finding]) -> list[FindingName]:
    return [finding.name for finding in findings]


def json_values(*keys: str) -> st.SearchStrategy[Any]:
    """Any JSON whose objects use these keys, so that odd values land in the places that are looked at."""
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(keys)), inner, max_size=4),
        max_leaves=8,
    )
