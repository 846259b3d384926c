"""Content that was lost on the way is never a complete answer in silence, and a good stream is never called damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apis import SCRIPTS
from support.script import Script
from support.streams import decode, named, names, unnamed

from gwtui.apis import SAVED_APIS
from gwtui.apis.damage import is_off
from gwtui.decode import Decoded
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import FindingName, Outcome
from gwtui.model.verdicts import Verdict

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=str)
GOOD = {
    "openai-chat": (
        'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
        'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    ),
    "openai-completions": (
        'data: {"choices":[{"index":0,"text":"Hello"}]}\n\n',
        'data: {"choices":[{"index":0,"text":"","finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    ),
    "gemini": (
        'data: {"candidates":[{"content":{"parts":[{"text":"Hello"}]}}]}\n\n',
        'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1}}\n\n',
    ),
}


def stream(api: str, between: bytes) -> Decoded:
    """A good stream with these bytes between its content and its end."""
    before, after = GOOD[api]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    return decode(head + before.encode() + between + after.encode(), api)


CHUNK = b'{"choices":[{"index":0,"delta":{"content":" world"}}]}'
LOST = [
    ("openai-chat", b'data: {"choices":[{"index":0,"delta":{"con\xfftent":" world"}}]}\n\n', "is due"),
    ("openai-chat", b'data: {"choices":[{"index":0,"dJelta":{"content":" world"}}]}\n\n', "'dJelta' where 'delta'"),
    ("openai-chat", b'data: {"chOices":[{"index":0,"delta":{"content":" world"}}]}\n\n', "'chOices' where"),
    ("openai-chat", b'data: {"choices":[{"index":0,"delta":{"context":" world"}}]}\n\n', "'context' where"),
    ("openai-chat", b'data: {"choices":[{"index":0,"d":{"content":" world"}}]}\n\n', "neither delta nor text"),
    ("openai-chat", b'data: {"choices":[{"index":0,"delta":{"content":" w\xc3 rld"}}]}\n\n', r"\xc3 rld"),
    ("openai-chat", b"dat: " + CHUNK + b"\n\n", "outside of any event: dat: "),
    ("openai-chat", b"data {" + CHUNK[1:] + b"\n\n", "outside of any event: data {"),
    ("openai-chat", b"data: \n\n" + CHUNK + b"\n\n", "outside of any event: {"),
    ("openai-chat", b"event: xdata: " + CHUNK + b"\n\n", "outside of any event: event: xdata"),
    ("openai-completions", b'data: {"choices":[{"index":0,"txt":" world"}]}\n\n', "'txt' where 'text'"),
    ("gemini", b'data: {"candidates":[{"content":{"pXrts":[{"text":"a"}]}}]}\n\n', "'pXrts' where 'parts'"),
    ("gemini", b'data: {"cndidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{}}\n\n', "'cndidates'"),
]


@pytest.mark.parametrize(("api", "between", "says"), LOST)
def test_content_that_cannot_be_read_is_no_complete_answer(api: str, between: bytes, says: str) -> None:
    decoded = stream(api, between)
    assert (decoded.judgement.verdict, decoded.judgement.rule) == (Verdict.DECODE_ERROR, "stream.damaged")
    assert says in decoded.judgement.reason
    (finding,) = [finding for finding in decoded.findings if finding.name is FindingName.DAMAGED]
    assert says in finding.evidence


READABLE = [
    (b'data: {"i\xff":1,"choices":[{"index":0,"delta":{"content":" world"}}]}\n\n', r"not UTF-8: {\"i\xff\":1"),
    (b"meta: x\n\n", "outside of any event: meta: x"),
    (b'meta: {"took": 3}\n\n', "outside of any event: meta"),
    (b'data: {"choices":[{"index":0}]}\n\n', "neither delta nor text, but index"),
    (b'data: {"choices":[{"index":0}]}\n\n' * 2, "neither delta nor text, but index"),
    (b'data: {"choices":[{"index":0,"delta":{"rXle":"assistant"}}]}\n\n', "'rXle' where 'role'"),
]


@pytest.mark.parametrize(("between", "says"), READABLE)
def test_damage_that_loses_nothing_is_a_finding(between: bytes, says: str) -> None:
    decoded = stream("openai-chat", between)
    assert decoded.judgement.verdict is Verdict.COMPLETE
    (finding,) = [finding for finding in decoded.findings if finding.name is FindingName.DAMAGED]
    assert says.replace("\\", "") in finding.evidence.replace("\\", "")


SOUND = [
    b'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n',
    b'data: {"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{"start_offset":0},'
    b'"content_filter_results":{"hate":{"filtered":false}}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","context":{"citations":[],"intent":"x"}}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":""},"obfuscation":"abc"}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"contnt":"own"}}]}\n\n' * 3,
    'data: {"choices":[{"index":0,"delta":{"content":" \ufffd \U0001f642"}}]}\n\n'.encode(),
    b'data: {"choices":[{"index":0,"delta":{"roles":["assistant"],"name":"x"}}]}\n\n',
    b": comment {\n\n \n\nevent: ping\n\n",
    b"id: 1\nretry: 3\n\n",
    b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","argument":""}}]}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":'
    b'"{\\"conten\\":1}"}}]}}]}\n\n',
]


@pytest.mark.parametrize("between", SOUND)
def test_what_is_odd_and_sound_is_not_damaged(between: bytes) -> None:
    decoded = stream("openai-chat", between)
    assert decoded.judgement.verdict.outcome is Outcome.OK
    assert FindingName.DAMAGED not in names(decoded.findings)


def renamed(name: str, event: FramedEvent) -> FramedEvent:
    return FramedEvent(name, event.data)


TEXT_DELTA = {"index": 0, "delta": {"type": "text_delta", "text": "a"}}


@pytest.mark.parametrize(
    ("api", "event"),
    [
        ("anthropic-messages", named("content_block_delta", index=0, delta={"type": "tXxt_delta", "text": "a"})),
        ("anthropic-messages", FramedEvent("content_block_delta", json.dumps(TEXT_DELTA))),
        ("anthropic-messages", renamed("content_block_del", named("content_block_delta", **TEXT_DELTA))),
        ("openai-responses", renamed("response.output_text.delta",
                                     named("response.output_text.deta", delta="a", output_index=0))),
        ("anthropic-messages", named("content_blokk_delta", **TEXT_DELTA)),
        ("ollama-chat", unnamed({"message": {"contant": "a"}, "done": False})),
        ("ollama-generate", unnamed({"respons": "a", "done": False})),
        ("sourcegraph-stream", FramedEvent("completon", json.dumps({"deltaText": "a", "completion": "aba"}))),
        ("cohere-chat", named("content-delta", index=0, delta={"message": {"content": {"tex": "a"}}})),
        ("cohere-chat", named("contend-delta", index=0, delta={"message": {"content": {"text": "a"}}})),
        ("compare-stream", unnamed({"type": "chank", "model": "m", "content": "a"})),
        ("gemini", unnamed({"candidates": [{"content": {"parts": [{"tetx": "a"}]}}]})),
        ("openai-chat", unnamed({"choices": [{"index": 0, "delat": {"content": "a", "role": None}}]})),
        ("ollama-chat", unnamed({"message": {"tool_calls": [{"function": {"name": "f", "agruments": {"a": "b"}}}]},
                                 "done": False})),
        ("gemini", unnamed({"candidates": [{"content": {"parts": [{"tex": "a"}]}, "finishReason": "STOP"}]})),
        ("gemini", unnamed({"candidates": [{"content": {"parts": [{"functionCall":
                                                                   {"name": "f", "arrgs": {"a": 1}}}]}}]})),
        ("fireworks", unnamed({"choices": [{"index": 0, "txet": 1, "tex": "a"}]})),
    ],
)  # fmt: skip
def test_every_api_knows_its_words(api: str, event: FramedEvent) -> None:
    script = next(script for script in SCRIPTS if script.api == api)
    events = (*script.opening, *script.content, event, *script.closing, *script.finish, *script.terminator)
    decoded = decode(script.response(script.wire(events)), api)
    assert decoded.judgement.rule == "stream.damaged", decoded.judgement


@every_script
def test_every_api_has_words_and_its_own_events_are_sound(script: Script) -> None:
    assert SAVED_APIS[script.api].words or SAVED_APIS[script.api].framing.is_binary, "checksums tell of damage"
    for events in (script.good, (*script.opening, *script.content, *script.rare, *script.closing, *script.finish)):
        decoded = decode(script.response(script.wire(events)), script.api)
        assert FindingName.DAMAGED not in names(decoded.findings), decoded.findings


@given(st.sampled_from(SCRIPTS), st.data())
def test_a_damaged_byte_loses_no_content_in_silence(script: Script, data: Any) -> None:
    wire = script.wire(script.good)
    at, byte = data.draw(st.integers(0, len(wire) - 1)), data.draw(st.integers(0, 255))
    removed = data.draw(st.integers(0, 1))
    spoiled = wire[:at] + bytes([byte]) * data.draw(st.integers(1 - removed, 1)) + wire[at + removed :]
    decoded = decode(script.response(spoiled), script.api)
    whole = decode(script.response(wire), script.api)
    if (
        decoded.judgement.verdict.outcome is Outcome.OK
        and len(decoded.text) < len(whole.text)
        and _is_visible(wire, at)
    ):
        assert decoded.findings, (spoiled, decoded.text)


def _is_visible(wire: bytes, at: int) -> bool:
    """Whether the place is not in the text itself, and not in its line's first byte, which makes a comment of it."""
    return not any(wire[at - shift : at - shift + 3] in (b'"a"', b'"b"') for shift in range(4)) and wire[at - 1] != 10


@pytest.mark.parametrize(
    ("word", "due", "letters", "off"),
    [("delta", "delta", 2, False), ("dJelta", "delta", 1, True), ("delt", "delta", 1, True),
     ("dlat", "delta", 1, False),
     ("dalta", "delta", 1, True), ("", "d", 1, True), ("candates", "candidates", 2, True), ("aab", "aaab", 1, True),
     ("can", "candidates", 2, False)],
)  # fmt: skip
def test_letters_that_are_off(word: str, due: str, letters: int, off: bool) -> None:
    assert is_off(word, due, letters) is off
    assert is_off(due, word, letters) is off
