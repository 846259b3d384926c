"""Each API says what its errors look like, and what is wrong with a body that should be one."""

from __future__ import annotations

import pytest

from gwtui.apis import APIS

OPENAI = ("openai-chat", "openai-completions", "openai-responses")
OLLAMA = ("ollama-chat", "ollama-generate")
ANTHROPIC = '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
BARE = '{"error": "no such model"}'


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("anthropic-messages", ANTHROPIC),
        *((api, '{"error": {"message": "no such model", "code": 404}}') for api in OPENAI),
        *((api, BARE) for api in OLLAMA),
        ("cohere-chat", '{"id": "1", "message": "no such model"}'),
        ("sourcegraph-stream", BARE),
    ],
)
def test_an_error_in_the_form_of_its_api_has_no_problem(api: str, body: str) -> None:
    assert APIS[api].error_form.problem(body) == ("", True)


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("anthropic-messages", '{"error": {"type": "overloaded_error", "message": "Overloaded"}}'),
        ("anthropic-messages", '{"type": "error", "error": {"message": "Overloaded"}}'),
        ("anthropic-messages", BARE),
        ("cohere-chat", BARE),
        *((api, BARE) for api in OPENAI),
    ],
)
def test_an_error_of_another_form_is_one_all_the_same(api: str, body: str) -> None:
    problem, is_error = APIS[api].error_form.problem(body)
    assert is_error
    assert APIS[api].error_form.owner in problem


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "body", ["", "<html>502</html>", "{", "[" * 5000, "null", "{}", '{"error": {}}', '{"ok": true}']
)
def test_what_is_no_error_cannot_be_read_as_one(api: str, body: str) -> None:
    problem, is_error = APIS[api].error_form.problem(body)
    assert problem
    assert not is_error
