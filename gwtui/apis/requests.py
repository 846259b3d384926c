"""What the requests of all APIs have in common: the URL, the key's header, the JSON body."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from gwtui.apis.addresses import MODEL, join_url
from gwtui.apis.base import AskError
from gwtui.apis.token_limit import without_omitted
from gwtui.framing.base import Framing
from gwtui.model.profile import Endpoint

EXAMPLE_PROMPT = "Write a bubble sort in Python."
"""What chats are asked where the endpoint has no question of its own."""
EXAMPLE_URL = "https://gateway.example.com"
"""The URL of ready-made endpoints, until the user changes it."""
LOCAL_URL = "http://127.0.0.1:54548"
"""The same of a gateway on this machine."""
AUTH_HEADERS = {
    "bearer": ("Authorization", "Bearer {}"),
    "token": ("Authorization", "token {}"),
    "x-api-key": ("x-api-key", "{}"),
    "api-key": ("api-key", "{}"),
    "x-goog-api-key": ("x-goog-api-key", "{}"),
}


class Addressed(Protocol):
    """An API, as far as its URLs go."""

    default_path: str
    default_model: str


def http_url(endpoint: Endpoint, api: Addressed) -> str:
    """Where an HTTP request of this endpoint goes, with the model's name at `{model}`. Raises `AskError`."""
    return url_of_model(endpoint, api.default_path, model_asked(endpoint, api.default_model))


def url_of_model(endpoint: Endpoint, default_path: str, model: str, unquoted: str = "@") -> str:
    """The same for a path and a model that the API has worked out; `unquoted` are characters that a name keeps.

    Raises `AskError`.
    """
    url = with_scheme(join_url(endpoint.url, endpoint.path, default_path), "http", "https")
    if MODEL in url and not model:
        raise AskError(f"`path` contains {MODEL}: set `model`")
    return url.replace(MODEL, quote(model, safe=unquoted))


def with_scheme(url: str, plain: str, secure: str) -> str:
    """The URL with the scheme that the protocol needs: `ws` for `http` and the other way round."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("http", "https", "ws", "wss") or not rest:
        raise AskError("`url` must begin with http://, https://, ws:// or wss://, and have a host")
    return f"{secure if scheme in ('https', 'wss') else plain}://{rest}"


def key_header(endpoint: Endpoint, key: str | None, default: str) -> tuple[tuple[str, str], ...]:
    """The header that carries the key, in the endpoint's way or else the default one; nothing without a key."""
    if endpoint.key is not None and endpoint.key.startswith("aws:"):
        raise AskError("`key`: `aws:` signs requests, as only Bedrock's APIs want it")
    if not key:
        return ()
    if not (key.isascii() and key.isprintable()) or key != key.strip():
        raise AskError(
            "`key`: the key contains characters that a header cannot carry; check it for line ends and quotes"
        )
    name, form = AUTH_HEADERS[endpoint.auth or default]
    return ((name, form.format(key)),)


def json_headers(endpoint: Endpoint, framing: Framing) -> tuple[tuple[str, str], ...]:
    """What a request with a JSON body says of itself and of the answer it wants: a stream so framed, or one JSON."""
    return (
        ("Content-Type", "application/json"),
        ("Accept", framing.media_type if endpoint.stream else "application/json"),
    )


def json_body(endpoint: Endpoint, own: dict[str, Any], merged: dict[str, Any] | None = None) -> bytes:
    """The API's own fields, the endpoint's `body` laid over them, and over both what the API merged of the two; without
    what the endpoint omits."""
    if isinstance(endpoint.body, str):
        raise AskError(f"`body` must be a table for `api = {endpoint.api!r}`: its fields override the API's own")
    more = endpoint.body or {}
    if more.get("stream", endpoint.stream) is not endpoint.stream:
        raise AskError("`body.stream` contradicts `stream`: set `stream` instead")
    return encode(without_omitted({**own, **more, **(merged or {})}, endpoint))


def encode(body: dict[str, Any]) -> bytes:
    """The body as JSON. Raises `AskError`."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise AskError("a text of the request contains half a character") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise AskError(f"`body` or `messages` contains a value that JSON cannot represent: {error}") from error


def messages_of(endpoint: Endpoint, prompt: str = EXAMPLE_PROMPT) -> list[dict[str, Any]]:
    """The endpoint's own conversation, or its question as most chats take it, which is `prompt` where it has none."""
    if endpoint.messages is not None:
        return list(endpoint.messages)
    return [{"role": "user", "content": endpoint.prompt or prompt}]


def prompt_of(endpoint: Endpoint, prompt: str = EXAMPLE_PROMPT) -> str:
    """The question for an API that takes one text, which is `prompt` where it has none. Raises `AskError`."""
    if endpoint.messages is not None:
        raise AskError("`messages`: this API takes one text, set `prompt`")
    return endpoint.prompt or prompt


def table_of(endpoint: Endpoint, name: str) -> dict[str, Any]:
    """A table of the endpoint's `body`, empty where it has none of that name. Raises `AskError`."""
    table = endpoint.body.get(name) if isinstance(endpoint.body, dict) else None
    if table is not None and not isinstance(table, dict):
        raise AskError(f"`body.{name}` must be a table")
    return table or {}


def choices_asked(endpoint: Endpoint) -> int:
    """How many answers the request asks OpenAI's APIs for: `n` for each prompt, of which there may be a list."""
    body = endpoint.body if isinstance(endpoint.body, dict) else {}
    asked, prompts = body.get("n"), body.get("prompt")
    texts = sum(not isinstance(each, int) for each in prompts) if isinstance(prompts, list | tuple) else 1
    return (asked if isinstance(asked, int) else 1) * (texts or 1)


def model_asked(endpoint: Endpoint, default: str) -> str:
    """The model that the request names."""
    body = endpoint.body if isinstance(endpoint.body, dict) else {}
    named = body.get("model", endpoint.model or default)
    return named if isinstance(named, str) else ""


def unless_named(endpoint: Endpoint, fields: dict[str, Any]) -> dict[str, Any]:
    """Fields that suit the API's default model, where the request names no other."""
    return {} if model_asked(endpoint, "") else fields


def models_asked(endpoint: Endpoint, default: str) -> tuple[str, ...]:
    """All models that the request names, in an API that asks several at once."""
    body = endpoint.body if isinstance(endpoint.body, dict) else {}
    chosen = body.get(endpoint.fields.get("models", "models"))
    if isinstance(chosen, list | tuple):
        return tuple(str(model) for model in chosen)
    return tuple(filter(None, (model.strip() for model in (endpoint.model or default).split(","))))
