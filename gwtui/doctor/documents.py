"""What a gateway's own documents say: the models that it lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from gwtui.apis import ASKED_APIS, SOCKET_APIS
from gwtui.checks.evidence import object_in
from gwtui.model.records import Request
from gwtui.text.sanitize import clean

MOST_MODELS = 1000
"""The maximum number of models that are read of a list."""
_NO_CHAT = re.compile(
    r"embed|rerank|whisper|tts|dall-e|moderation|image|audio|realtime|transcri|speech|clip|guard|sora|ocr",
    re.IGNORECASE,
)
"""In the names of models that answer no questions."""
_OWN = {
    "anthropic-messages": re.compile("claude"),
    "gemini": re.compile("gemini"),
    "cohere-chat": re.compile("command"),
    "openai-responses": re.compile("gpt|o[1-9]"),
    "openai-realtime": re.compile(r"realtime(?!-\w*(?:whisper|transl|transcri))"),
}
"""In the names of models that an API was made for."""


def document_of(request: Request) -> dict[str, Any]:
    """The JSON object that a good answer holds; empty where it holds none."""
    if request.status is None or not 200 <= request.status < 300:
        return {}
    return object_in(request.text) or {}


def entries_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The models of a list: OpenAI's and Anthropic's `data`, Gemini's and Ollama's `models`."""
    for name in ("data", "models"):
        found = document.get(name)
        if isinstance(found, list):
            yield from (each for each in found[:MOST_MODELS] if isinstance(each, dict))
            return


def models_of(document: dict[str, Any]) -> tuple[str, ...]:
    """Their names, clean, as requests give them."""
    names = (entry.get("id") or entry.get("model") or entry.get("name") for entry in entries_of(document))
    return tuple(
        dict.fromkeys(clean(name.removeprefix("models/"), 128) for name in names if isinstance(name, str) and name)
    )


def models_of_realtime(models: Sequence[str]) -> tuple[str, ...]:
    """Those that answer over a WebSocket."""
    return tuple(name for name in models if _OWN["openai-realtime"].search(name))


def chosen_model(api: str, models: Sequence[str]) -> str:
    """A model for a question to the API: of the list, if there is one. A model of its own maker goes first."""
    default, own = ASKED_APIS[api].default_model, _OWN.get(api)
    talking = [name for name in models if not _NO_CHAT.search(name)] or list(models)
    if api in SOCKET_APIS:
        talking = list(models_of_realtime(models))
    if default in talking or not talking:
        return default
    return next((name for name in talking if own is not None and own.search(name)), talking[0])
