"""Judges of checks: whatever was gathered about a gateway, each check comes to a result that is fit to be read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from fuzz.dice import Dice
from fuzz.material import STREAMS
from fuzz.streams import Answered, answered, read_answer
from fuzz.target import Target
from support.checked import document, read, target
from support.texts import texts_of

from gwtui.apis import APIS
from gwtui.checks.evidence import Evidence, Probed
from gwtui.checks.registry import CHECKS
from gwtui.checks.request_sets import PROBES, RequestSet
from gwtui.model.enums import EventKind
from gwtui.model.records import Ping, Request, StreamEvent
from gwtui.model.verdicts import Verdict
from gwtui.text.sanitize import clean_text

DOCUMENTS: tuple[dict[str, Any], ...] = (
    {"status": "healthy", "providers": {"anthropic": True}, "routing": {"default_provider": "anthropic"}},
    {"summary": {"total_requests": 3, "total_output_tokens": 130, "total_cost_usd": 0.5}, "models": {"m": {"p95": 1}}},
    {"entries": [{"request_id": "d", "model": "m", "attempts": 2, "provider": "openai"}], "audit": {"enabled": True}},
    {"circuit_breakers": {"m": {"state": "open", "failures": 5, "opened_at": "2026-11-20T05:00:00Z"}}},
)
Gathered = dict[RequestSet, list[Answered | str]]
"""Per need the exchanges with the endpoint, or the documents."""


def gathered(dice: Dice) -> Gathered:
    found: Gathered = {}
    for need in RequestSet:
        if dice.one_in(3):
            continue
        if need in PROBES:
            count = 2 if need is RequestSet.STRANGER else dice.few(6)
            found[need] = [
                answered(dice.choice([name for name in STREAMS if name in APIS]))(dice) for _ in range(count)
            ]
        else:
            found[need] = [dice.spoiled_json(json.dumps(dice.choice(DOCUMENTS))) for _ in range(dice.few(2))]
    return found


def judge_all(found: Gathered) -> None:
    evidence = Evidence(
        target(models=("m", "n")), {need: tuple(map(_probed, [need] * len(many), many)) for need, many in found.items()}
    )
    for check in CHECKS:
        answer = check.judge(evidence)
        assert answer.evidence
        for text in texts_of(msgspec.to_builtins([answer.evidence, answer.cause, answer.remedy, *answer.details])):
            assert text.replace("\n", "").isprintable(), (check.name, text)


def _probed(need: RequestSet, what: Answered | str) -> Probed:
    if need is RequestSet.PING:
        return Probed(Ping(endpoint="gw", number=1, started_at=1.5, now_ns=9, verdict=Verdict.NO_PONG, rule="r"))
    if isinstance(what, str):
        return Probed(document(clean_text(what, 1 << 20)))
    record: Request = read_answer(what)
    event = StreamEvent(name=record.model_served, kind=EventKind.TEXT, text=record.text[:40], model=record.model_served)
    return Probed(record, tuple(read(number, number, event) for number in range(1, min(record.events, 50))))


TARGETS: tuple[Target[Any], ...] = (Target("checks", gathered, judge_all, short=6),)
