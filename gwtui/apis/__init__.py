"""The LLM APIs that gwtui speaks, plain HTTP, and WebSocket pings: the table of all of them."""

from __future__ import annotations

from gwtui.apis.anthropic_messages import ANTHROPIC_MESSAGES
from gwtui.apis.asking import http_url
from gwtui.apis.base import API
from gwtui.apis.http import HTTP
from gwtui.apis.openai_chat import OPENAI_CHAT
from gwtui.apis.websocket import WEBSOCKET
from gwtui.profile import Endpoint
from gwtui.words import Kind

APIS: dict[str, API] = {api.name: api for api in (ANTHROPIC_MESSAGES, OPENAI_CHAT, HTTP)}
"""Everything that is asked by one HTTP request, by the name that `Endpoint.api` holds."""


def api_names() -> tuple[str, ...]:
    """What `Endpoint.api` may be, in the order of menus."""
    return (*APIS, WEBSOCKET.name)


def kind_of(api_name: str) -> Kind:
    """Raises `KeyError` for an unknown name."""
    return WEBSOCKET.kind if api_name == WEBSOCKET.name else APIS[api_name].kind


def title_of(api_name: str) -> str:
    """The name for people. Raises `KeyError` for an unknown name."""
    return WEBSOCKET.title if api_name == WEBSOCKET.name else APIS[api_name].title


def url_for(endpoint: Endpoint) -> str:
    """The whole URL that is probed. Raises `AskError` for one that cannot be, `KeyError` for an unknown API."""
    if endpoint.api == WEBSOCKET.name:
        return WEBSOCKET.url(endpoint)
    return http_url(endpoint, APIS[endpoint.api].default_path)
