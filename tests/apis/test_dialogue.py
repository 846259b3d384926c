"""What the second request of a conversation carries: the answer as it came, and the tool's result in the API's form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from support.streams import json_values

from gwtui.apis import APIS, dialogue_of, url_for
from gwtui.apis.dialogue import (
    MOST_KEPT,
    Conversation,
    KeptAnswer,
    first_alone,
    gone_on,
    lacks_basis,
    lacks_call,
    opened,
    turn_of,
)
from gwtui.config import ConfigError, endpoint_from
from gwtui.model.profile import Endpoint, Turn

TURNS = (Turn(prompt="The weather in Paris?", tool="get_weather"), Turn(result="21 degrees"))
SPEAKERS = [name for name, api in APIS.items() if api.dialogue is not None]


@dataclass(frozen=True)
class Case:
    """An answer with a tool call, and what of it the next request has after the question."""

    api: str
    field: str
    question: dict[str, Any]
    stream: list[dict[str, Any]]
    whole: dict[str, Any]
    carried: list[dict[str, Any]]

    def __str__(self) -> str:
        return self.api


def _delta(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta}]}


_THOUGHT = {"type": "thinking", "thinking": "Look it up.", "signature": "c2ln"}
_USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"query": "Paris"}}
_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"query": "Paris"}'},
    "extra_content": {"signature": "c2ln"},
}
_ITEMS: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "get_weather",
        "arguments": '{"query":"Paris"}',
    },
]
_PART = {"functionCall": {"id": "f1", "name": "get_weather", "args": {"query": "Paris"}}, "thoughtSignature": "c2ln"}
_OLLAMA_CALL = {"function": {"name": "get_weather", "arguments": {"query": "Paris"}}}
USER = {"role": "user", "content": "The weather in Paris?"}

CASES = [
    Case(
        "anthropic-messages",
        "messages",
        USER,
        [
            {"type": "message_start", "message": {"content": []}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Look "}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "it up."}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_start", "index": 2, "content_block": {**_USE, "input": {}}},
            {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"que'}},
            {
                "type": "content_block_delta",
                "index": 2,
                "delta": {"type": "input_json_delta", "partial_json": 'ry":"Paris"}'},
            },
        ],
        {"content": [_THOUGHT, {"type": "text", "text": ""}, _USE]},
        [
            {"role": "assistant", "content": [_THOUGHT, _USE]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "21 degrees"}],
            },
        ],
    ),
    Case(
        "openai-chat",
        "messages",
        USER,
        [
            _delta(role="assistant", content=None),
            _delta(
                tool_calls=[
                    {"index": 0, **_CALL, "function": {"name": "get_weather", "arguments": ""}},
                ]
            ),
            _delta(tool_calls=[{"index": 0, "function": {"arguments": '{"query": '}}]),
            _delta(tool_calls=[{"index": 0, "function": {"arguments": '"Paris"}'}}]),
            {"choices": []},
        ],
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [_CALL]}}]},
        [
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
        ],
    ),
    Case(
        "openai-responses",
        "input",
        USER,
        [
            {"type": "response.created", "response": {"output": []}},
            *(
                {"type": "response.output_item.done", "output_index": at, "item": each}
                for at, each in enumerate(_ITEMS)
            ),
            {"type": "response.completed", "response": {"output": _ITEMS}},
        ],
        {"output": _ITEMS},
        [*_ITEMS, {"type": "function_call_output", "call_id": "call_1", "output": "21 degrees"}],
    ),
    Case(
        "gemini",
        "contents",
        {"role": "user", "parts": [{"text": "The weather in Paris?"}]},
        [
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "A summary.", "thought": True}]}}]},
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "I "}]}}]},
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "look."}, _PART]}}]},
            {"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "STOP"}]},
        ],
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "I look."}, _PART]}}]},
        [
            {"role": "model", "parts": [{"text": "I look."}, _PART]},
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "f1", "name": "get_weather", "response": {"result": "21 degrees"}}}
                ],
            },
        ],
    ),
    Case(
        "ollama-chat",
        "messages",
        USER,
        [
            {"message": {"role": "assistant", "content": "", "thinking": "Look "}},
            {"message": {"role": "assistant", "content": "", "thinking": "it up."}},
            {"message": {"role": "assistant", "content": "", "tool_calls": [_OLLAMA_CALL]}},
            {"message": {"role": "assistant", "content": ""}, "done": True},
        ],
        {"message": {"role": "assistant", "content": "", "thinking": "Look it up.", "tool_calls": [_OLLAMA_CALL]}},
        [
            {"role": "assistant", "content": "", "thinking": "Look it up.", "tool_calls": [_OLLAMA_CALL]},
            {"role": "tool", "tool_name": "get_weather", "content": "21 degrees"},
        ],
    ),
]


def talking(api: str, **fields: Any) -> Endpoint:
    return Endpoint(**{"name": "talk", "api": api, "url": "https://gateway.example.com", "turns": TURNS, **fields})


def body_of(endpoint: Endpoint) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(APIS[endpoint.api].ask(endpoint, None).body)
    return body


def kept(api: str, *events: Any, whole: Any = None) -> KeptAnswer:
    keeper = dialogue_of(talking(api)).keeper()
    for event in events:
        keeper.event(json.dumps(event))
    if whole is not None:
        keeper.whole(json.dumps(whole).encode())
    return keeper.answer()


def test_an_api_without_a_case_has_no_dialogue_of_its_own() -> None:
    assert set(SPEAKERS) - {case.api for case in CASES} == {"vertex-claude"}


@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_answer_and_the_result_are_in_the_second_request(case: Case, streamed: bool) -> None:
    endpoint, dialogue = talking(case.api, stream=streamed), dialogue_of(talking(case.api))
    first = turn_of(endpoint, dialogue, opened(endpoint), TURNS[0])
    assert body_of(first)[case.field] == [case.question]

    answer = kept(case.api, *case.stream) if streamed else kept(case.api, whole=case.whole)
    assert not lacks_call(TURNS[0], answer)
    assert not lacks_basis(TURNS[1], answer)
    second = turn_of(endpoint, dialogue, gone_on(first, answer), TURNS[1])
    assert body_of(second)[case.field] == [case.question, *case.carried]
    assert "get_weather" in json.dumps(body_of(second)["tools"])


@pytest.mark.parametrize("api", SPEAKERS)
def test_only_a_turn_with_a_tool_wants_one_called(api: str) -> None:
    endpoint, dialogue = talking(api), dialogue_of(talking(api))
    wants = [body_of(turn_of(endpoint, dialogue, Conversation(), turn)) for turn in TURNS]
    forced = ["tool_choice" in body or "toolConfig" in body for body in wants]
    assert forced == [api != "ollama-chat", False]


def test_tools_of_the_body_and_messages_before_the_turns_are_the_users_own() -> None:
    own = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
    system = {"role": "system", "content": "Be brief."}
    endpoint = talking("openai-chat", body={"tools": own, "tool_choice": "auto"}, messages=(system,))
    body = body_of(turn_of(endpoint, dialogue_of(endpoint), opened(endpoint), TURNS[0]))
    assert (body["tools"], body["tool_choice"]) == (own, "auto")
    assert body["messages"] == [system, USER]


def test_the_first_question_can_be_asked_alone() -> None:
    system = {"role": "system", "content": "Be brief."}
    endpoint = talking("openai-chat", messages=(system,))
    asked = first_alone(endpoint, dialogue_of(endpoint))
    assert asked.turns == ()
    assert body_of(asked)["messages"] == [system, USER]
    assert "tools" not in body_of(asked)


def test_a_plain_text_goes_back_whole_and_characters_in_halves_are_joined() -> None:
    answer = kept("openai-chat", _delta(content="Hi \ud83d"), _delta(content="\ude00 there\ud83d"))
    assert answer.messages == ({"role": "assistant", "content": "Hi \U0001f600 there�"},)
    assert not answer.calls


def test_what_a_conversation_cannot_go_on_from() -> None:
    text = kept("openai-chat", _delta(content="No."))
    call = kept("openai-chat", _delta(tool_calls=[_CALL]))
    other = kept("openai-chat", _delta(tool_calls=[{**_CALL, "function": {"name": "rm", "arguments": ""}}]))
    follow = Turn(prompt="Go on.")
    assert lacks_call(TURNS[0], text) == "no tool was called, `get_weather` should have been"
    assert lacks_call(TURNS[0], other) == "1 other tool called, `get_weather` should have been"
    assert lacks_basis(follow, call) == "the answer calls a tool, and the next turn has no `result`"
    assert lacks_basis(follow, kept("openai-chat")) == "the answer has no content"
    assert not lacks_basis(follow, text)


@pytest.mark.parametrize("api", SPEAKERS)
def test_an_answer_is_kept_up_to_a_limit(api: str) -> None:
    keeper = dialogue_of(talking(api)).keeper()
    for _ in range(3):
        keeper.event(json.dumps({"padding": "x" * (MOST_KEPT // 2)}))
    assert keeper.answer() == KeptAnswer(lacks="the answer is longer than 4 MiB")


_KEYS = (
    *("choices", "delta", "message", "tool_calls", "function", "name", "arguments", "index", "id", "content"),
    *("type", "content_block", "partial_json", "item", "output", "response", "candidates", "parts", "functionCall"),
)


@given(json_values(*_KEYS), json_values(*_KEYS))
def test_no_answer_however_odd_stops_the_keeper(event: Any, whole: Any) -> None:
    for api in SPEAKERS:
        answer = kept(api, event, event, whole=whole)
        json.dumps(answer.messages).encode()


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"content":' * 5_000 + "1" + "}" * 5_000, "\ud800", "{}", ""])
def test_no_bytes_stop_the_keeper(nested: str) -> None:
    for api in SPEAKERS:
        keeper = dialogue_of(talking(api)).keeper()
        keeper.event(nested)
        keeper.whole(nested.encode("utf-8", "surrogatepass"))
        assert keeper.answer().messages == ()


PROMPT, RESULT = {"prompt": "a"}, {"result": "b"}
CALL = {"prompt": "a", "tool": "t"}


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({"turns": [PROMPT]}, "turns", "2 to 16"),
        ({"turns": [PROMPT] * 17}, "turns", "2 to 16"),
        ({"turns": [RESULT, PROMPT]}, "turns", "turn 1 has a `result`"),
        ({"turns": [PROMPT, RESULT]}, "turns", "turn 2 has a `result`"),
        ({"turns": [CALL, PROMPT]}, "turns", "turn 2 needs the `result`"),
        ({"turns": [PROMPT, {**PROMPT, **RESULT}]}, "turns", "turn 2 needs either"),
        ({"turns": [PROMPT, {}]}, "turns", "turn 2 needs either"),
        ({"turns": [{**CALL, "tool": "a b"}, RESULT]}, "turns", "letters"),
        ({"turns": [PROMPT, PROMPT], "prompt": "c"}, "prompt", "leave it out"),
        ({"turns": [PROMPT, PROMPT], "body": {"messages": []}}, "body.messages", "the turns are sent there"),
        *(
            ({"turns": [PROMPT, PROMPT], "api": api}, "turns", "conversations are for anthropic-messages")
            for api in (*(name for name in APIS if name not in SPEAKERS), "websocket")
        ),
    ],
)
def test_a_conversation_that_cannot_be_is_refused_with_its_field(fields: dict[str, Any], key: str, words: str) -> None:
    table = {"name": "talk", "api": "openai-chat", "url": "https://gateway.example.com", **fields}
    with pytest.raises(ConfigError) as refused:
        endpoint_from(table)
    assert key in str(refused.value)
    assert words in str(refused.value)


def test_fields_of_a_turn_can_be_left_out() -> None:
    table = {"name": "talk", "api": "openai-chat", "url": "https://gateway.example.com", "omit": ["tool_choice"]}
    endpoint = endpoint_from({**table, "turns": [{"prompt": "a", "tool": "t"}, {"result": "b"}]})
    first = turn_of(endpoint, dialogue_of(endpoint), opened(endpoint), endpoint.turns[0])
    assert "tool_choice" not in body_of(first)
    assert "tools" in body_of(first)


def test_a_conversation_has_the_url_of_its_api() -> None:
    assert url_for(talking("openai-chat")) == "https://gateway.example.com/v1/chat/completions"
