"""The LLM APIs that gwtui speaks, plain HTTP, and WebSocket pings: the table of all of them."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace

from gwtui.apis.anthropic.messages import ANTHROPIC_MESSAGES
from gwtui.apis.anthropic.vertex import VERTEX_CLAUDE
from gwtui.apis.base import API, AskError, SocketAPI
from gwtui.apis.bedrock.converse import BEDROCK_CONVERSE
from gwtui.apis.bedrock.invoke import BEDROCK_INVOKE
from gwtui.apis.cohere.chat import COHERE_CHAT
from gwtui.apis.compare.compare_stream import COMPARE_STREAM
from gwtui.apis.dialogue import Dialogue, opened, turn_of, turns_problem
from gwtui.apis.fireworks import FIREWORKS
from gwtui.apis.gateway_metrics import GATEWAY_METRICS
from gwtui.apis.gemini.gemini import GEMINI
from gwtui.apis.http import HTTP
from gwtui.apis.ollama import OLLAMA_CHAT, OLLAMA_GENERATE
from gwtui.apis.openai.chat import OPENAI_CHAT
from gwtui.apis.openai.completions import OPENAI_COMPLETIONS
from gwtui.apis.openai.realtime import OPENAI_REALTIME, SAVED_REALTIME
from gwtui.apis.openai.responses import OPENAI_RESPONSES
from gwtui.apis.sourcegraph.chat import SOURCEGRAPH_STREAM
from gwtui.apis.sourcegraph.code import SOURCEGRAPH_CODE
from gwtui.apis.tgi import TGI
from gwtui.apis.token_limit import SETTING, names_in
from gwtui.apis.websocket import WEBSOCKET
from gwtui.apis.workers_ai import WORKERS_AI
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

_ALL: tuple[API, ...] = (
    ANTHROPIC_MESSAGES,
    VERTEX_CLAUDE,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    OPENAI_COMPLETIONS,
    GEMINI,
    FIREWORKS,
    COHERE_CHAT,
    BEDROCK_CONVERSE,
    BEDROCK_INVOKE,
    WORKERS_AI,
    OLLAMA_CHAT,
    OLLAMA_GENERATE,
    TGI,
    SOURCEGRAPH_STREAM,
    SOURCEGRAPH_CODE,
    COMPARE_STREAM,
    GATEWAY_METRICS,
    HTTP,
)
APIS: dict[str, API] = {api.name: api for api in _ALL}
"""Everything that is asked by one HTTP request, by the name that `Endpoint.api` holds."""


SOCKET_APIS: dict[str, SocketAPI] = {OPENAI_REALTIME.name: OPENAI_REALTIME}
"""LLM APIs that are asked over a WebSocket, in the same way."""
ASKED_APIS: dict[str, API] = {**APIS, **SOCKET_APIS}
"""Everything that is asked for something: all but pings."""
SAVED_APIS: dict[str, API] = {**APIS, SAVED_REALTIME.name: SAVED_REALTIME}
"""The APIs whose answers can be read from where a client saved them, as they look there."""


def api_named(name: str) -> API | None:
    """The API of that name that is asked for something; None for pings, and for an unknown name."""
    return ASKED_APIS.get(name)


def api_names() -> tuple[str, ...]:
    """What `Endpoint.api` may be, in the order of menus."""
    models = [name for name, api in APIS.items() if api.kind is Kind.COMPLETION]
    return (*models, *SOCKET_APIS, *(name for name in APIS if name not in models), WEBSOCKET.name)


def kind_of(api_name: str) -> Kind:
    """Raises `KeyError` for an unknown name."""
    return WEBSOCKET.kind if api_name == WEBSOCKET.name else ASKED_APIS[api_name].kind


def url_for(endpoint: Endpoint) -> str:
    """The whole URL that is probed. Raises `AskError` for one that cannot be, `KeyError` for an unknown API."""
    if endpoint.turns:
        dialogue_of(endpoint)
    if endpoint.api == WEBSOCKET.name:
        return WEBSOCKET.url(endpoint)
    return ASKED_APIS[endpoint.api].ask(endpoint, None).url


def fields_sent(endpoint: Endpoint) -> frozenset[str]:
    """The fields that bodies of its requests may have, streaming or not; those of tables are written `a.b`.

    Raises `AskError` where it cannot be asked.
    """
    if kind_of(endpoint.api) is not Kind.COMPLETION:
        return frozenset()
    api, asked = ASKED_APIS[endpoint.api], replace(endpoint, omit=())
    found = names_in(api.ask(asked, None).body) | {SETTING}
    for variant in (replace(asked, stream=not asked.stream), replace(asked, model=None)):
        with suppress(AskError):
            found |= names_in(api.ask(variant, None).body)
    if asked.turns and api.dialogue is not None:
        found |= names_in(api.ask(turn_of(asked, api.dialogue, opened(asked), asked.turns[0]), None).body)
    return frozenset(found)


def dialogue_of(endpoint: Endpoint) -> Dialogue:
    """How the endpoint's conversation goes on. Raises `AskError` where it cannot, or has wrong turns."""
    api = APIS.get(endpoint.api)
    dialogue = api.dialogue if api is not None else None
    if dialogue is None:
        speakers = ", ".join(name for name, each in APIS.items() if each.dialogue is not None)
        raise AskError(f"`turns`: not for this API; conversations are for {speakers}")
    if problem := turns_problem(endpoint, dialogue):
        raise AskError(problem)
    return dialogue
