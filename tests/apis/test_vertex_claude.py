"""Claude on Vertex AI: how it is asked. Its answers are those of Anthropic Messages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from apis.test_anthropic_stream import SCRIPTS as ANTHROPIC

from gwtui.apis import APIS
from gwtui.apis.anthropic.stream import AnthropicReader
from gwtui.apis.models import same_model
from gwtui.model.profile import Endpoint

API = APIS["vertex-claude"]
BASE = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"


def endpoint(**fields: Any) -> Endpoint:
    return Endpoint(name="e", api=API.name, **{"url": BASE, **fields})


def test_the_path_names_the_model_and_the_body_the_version() -> None:
    ask = API.ask(endpoint(prompt="hi", max_tokens=7), "k")
    assert ask.url == f"{BASE}/publishers/anthropic/models/claude-haiku-5-5:streamRawPredict"
    assert dict(ask.headers)["Authorization"] == "Bearer k"
    assert "anthropic-version" not in dict(ask.headers)
    assert json.loads(ask.body) == {
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 7,
        "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
        "thinking": {"type": "disabled"},
    }


def test_the_example_has_no_prefilled_answer_and_a_whole_answer_its_own_path() -> None:
    ask = API.ask(endpoint(stream=False, model="claude-x"), None)
    assert ask.url == f"{BASE}/publishers/anthropic/models/claude-x:rawPredict"
    assert len(json.loads(ask.body)["messages"]) == 1


def test_a_path_may_be_written_out_as_the_documentation_prints_it() -> None:
    path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x@20250929:streamRawPredict"
    assert API.ask(endpoint(url="https://h", path=path), None).url == f"https://h{path}"


def test_a_date_after_an_at_sign_is_that_of_the_answer() -> None:
    assert same_model("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929")
    assert not same_model("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20260101")
    assert isinstance(API.reader(endpoint()), AnthropicReader)


SCRIPTS = tuple(replace(script, api=API.name) for script in ANTHROPIC)
