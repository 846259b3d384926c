"""What to ask a base URL next: its documents first, then each API that it may speak, a small request each. Pure.

If a refusal names a field, or another way to send the key, one more request follows that has this corrected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec.structs import replace

from gwtui.apis import ASKED_APIS, SOCKET_APIS, url_for
from gwtui.apis.addresses import join_url, likely_url
from gwtui.apis.anthropic.messages import VERSION
from gwtui.apis.errors import refused_parameter
from gwtui.apis.token_limit import with_limit_in
from gwtui.decode.recognition import apis_at
from gwtui.doctor.documents import chosen_model, document_of, models_of, models_of_realtime
from gwtui.doctor.products import Seen, product_of
from gwtui.model.enums import FindingName, Kind, Outcome
from gwtui.model.profile import TLS, Deadlines, Endpoint
from gwtui.model.records import Finding, Request
from gwtui.model.verdicts import HUNG, UNREACHED, Verdict
from gwtui.probes.limit_names import SECOND

MOST_REQUESTS = 12
"""The maximum number of requests to one base URL."""
DEADLINES = Deadlines(
    connect_s=5, first_byte_s=10, first_event_s=10, first_token_s=12, event_gap_s=10, idle_s=10, total_s=15
)
"""Of each request."""
MAX_TOKENS = 64
"""Of each answer."""
PROMPT = "Say OK."
MOST_TRIES = 3
"""The maximum number of requests for one API."""
USUAL = (
    *("openai-chat", "anthropic-messages", "openai-responses", "openai-completions"),
    *("gemini", "cohere-chat", "sourcegraph-stream"),
)
"""The APIs that are tried where nothing shows which ones there are."""
SPOKEN = {
    "Ollama": ("ollama-chat", "ollama-generate", "openai-chat", "anthropic-messages"),
    "llama.cpp": ("openai-chat", "openai-completions", "anthropic-messages", "openai-responses"),
    "vLLM": ("openai-chat", "openai-completions", "openai-responses", "anthropic-messages"),
    "SGLang": ("openai-chat", "openai-completions", "ollama-chat"),
    "TGI": ("tgi", "openai-chat"),
    "Anthropic": ("anthropic-messages", "openai-chat"),
    "Gemini": ("gemini", "openai-chat"),
    "Cody Gateway": ("anthropic-messages", "fireworks", "openai-chat"),
    "a local LLM gateway": ("anthropic-messages", "openai-chat", "openai-responses", "compare-stream"),
}
"""What products are known to speak, the most used first."""
_PATHS = {"models": "/v1/models", "tags": "/api/tags", "health": "/gateway/health", "info": "/info"}
_X_API_KEY = re.compile(r"x-api-key|anthropic-version|\"type\": ?\"authentication_error\"", re.IGNORECASE)
_VERSION = re.compile(r"/v\d+\w*\Z")
"""The end of a base URL that is the beginning of an API's path."""
_LEFT_OUT = {"stream_options": "stream_options", "max_tokens": "max_tokens", "max_output_tokens": "max_tokens"}
"""Fields that a gateway may not know, and what leaves them out."""
_CODY_PATH = "/v1/completions/anthropic-messages"
"""Where Cody Gateway has Anthropic's API."""
_SOURCEGRAPH = ("sourcegraph-stream", "sourcegraph-code")


@dataclass(frozen=True, slots=True)
class DoctorTarget:
    """What is to be examined."""

    url: str
    key: str | None = None
    """Where the key is, as in `Endpoint.key`."""
    model: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    tls: TLS | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One request."""

    topic: str
    """A document of the gateway's, or the API."""
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was sent, and what came of it."""

    question: Inquiry
    request: Request

    @property
    def ok(self) -> bool:
        return self.request.outcome is Outcome.OK

    @property
    def sent(self) -> int:
        """How many requests it took: two, where the name of the token limit was refused."""
        return 1 + any(each.evidence.endswith(SECOND) for each in self._renamed)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as it was asked at last, with the name of the limit that was sent."""
        endpoint, names = self.question.endpoint, ASKED_APIS[self.question.endpoint.api].limit_fields
        sent = (name for name in names for each in self._renamed if f"sent as {name}:" in each.evidence)
        name = next(sent, "")
        return with_limit_in(endpoint, names, name) if name else endpoint

    @property
    def _renamed(self) -> list[Finding]:
        return [each for each in self.request.findings if each.name is FindingName.LIMIT_RENAMED]

    @property
    def seen(self) -> Seen:
        return Seen(self.question.topic, self.request.headers, document_of(self.request), self.request.text)


def next_question(target: DoctorTarget, answered: Sequence[Answered]) -> Inquiry | None:
    """What to ask next; None when all is known, or nothing more can be."""
    if why_to_stop(answered):
        return None
    question = next(_unasked(target, answered), None)
    left = MOST_REQUESTS - sum(each.sent for each in answered)
    return question if question is not None and _takes(question) <= left else None


def untried(target: DoctorTarget, answered: Sequence[Answered]) -> tuple[str, ...]:
    """The APIs that were not asked because no more requests were left."""
    if why_to_stop(answered):
        return ()
    asked = {each.question.topic for each in answered}
    topics = (each.topic for each in _unasked(target, answered))
    return tuple(dict.fromkeys(topic for topic in topics if topic in ASKED_APIS and topic not in asked))


def _unasked(target: DoctorTarget, answered: Sequence[Answered]) -> Iterator[Inquiry]:
    before = [each.question.endpoint for each in answered]
    return (each for each in _questions(target, answered) if each.endpoint not in before)


def _takes(question: Inquiry) -> int:
    """The maximum number of requests: one more where a limit may be sent under another name."""
    return 1 + (len(ASKED_APIS[question.endpoint.api].limit_fields) > 1)


_LIMITED = frozenset({Verdict.RATE_LIMITED, Verdict.OVERLOADED})


def why_to_stop(answered: Sequence[Answered]) -> str:
    """Why no more questions help; "" where they may."""
    verdicts = [each.request.verdict for each in answered]
    asked = [each for each in answered if each.question.topic in ASKED_APIS]
    if any(each.ok for each in asked):
        return ""
    if verdicts and verdicts[-1] in {*UNREACHED, Verdict.LOCAL}:
        return "every other request would end like this one"
    if sum(verdict in HUNG for verdict in verdicts) >= 2:
        return "it hangs: two requests were not answered in time"
    if sum(verdict in _LIMITED for verdict in verdicts) >= 2:
        return "it limits the rate: try again later"
    refused = [each for each in asked if each.request.verdict is Verdict.AUTH]
    if len(refused) >= 3 and len(refused) == len(asked):
        has_key = asked[0].question.endpoint.key is not None
        return "it refuses every request" + (" with this key" if has_key else ": give a --key")
    if len(asked) >= 3 and all(each.request.rule == "stream.page" for each in asked):
        return "it answers with a web page, whatever is asked"
    if len(asked) >= 3 and all(each.request.verdict is Verdict.REDIRECT for each in asked):
        return "it redirects every request, and no redirect is followed: use the URL that it leads to"
    return ""


def _questions(target: DoctorTarget, answered: Sequence[Answered]) -> Iterator[Inquiry]:
    """All that is worth asking by what is known, in order."""
    first = _document(target, "models")
    yield first
    if (listed := next((each for each in answered if each.question == first), None)) and _wants_x_api_key(listed):
        # Anthropic sends its own list only in answer to its own headers.
        headers = {**target.headers, "anthropic-version": VERSION}
        yield Inquiry("models", replace(first.endpoint, auth="x-api-key", headers=headers))
    models = known_models(answered)
    product, _ = product_of(each.seen for each in answered)
    if not models:
        yield _document(target, "tags")
        yield _document(target, "health")
        yield _document(target, "info")
    for api in apis_to_try(target.url, product, models):
        yield from _of_api(target, api, models, answered)


def _wants_x_api_key(answer: Answered) -> bool:
    refused = answer.request.verdict is Verdict.COMPLETE and answer.request.status in (400, 401, 403)
    has_key = answer.question.endpoint.key is not None
    return refused and has_key and bool(_X_API_KEY.search(answer.request.text[:2048]))


def known_models(answered: Sequence[Answered]) -> tuple[str, ...]:
    """The models that its documents list."""
    found = (models_of(document_of(each.request)) for each in answered if each.question.topic in ("models", "tags"))
    return next(filter(None, found), ())


def apis_to_try(url: str, product: str, models: Sequence[str] = ()) -> tuple[str, ...]:
    """The likeliest first: the one that the URL is of, those that the product speaks and its models show, the usual
    ones."""
    own = apis_at(urlsplit(url).path)
    if "sourcegraph" in url or "/.api" in url:
        own = [*own, *_SOURCEGRAPH]
    shown = SOCKET_APIS if models_of_realtime(models) else ()
    return tuple(dict.fromkeys((*own, *SPOKEN.get(product, ()), *USUAL[:2], *shown, *USUAL)))


def root_of(url: str) -> str:
    """The base URL without the version, or the path of an API, that it ends with."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    for api in ASKED_APIS.values():
        end = api.default_path.partition("?")[0]
        if api.kind is Kind.COMPLETION and path.endswith(end):
            path = path.removesuffix(end)
    for end in ("/v1", "/v1beta", "/v2", "/api", "/openai"):
        path = path.removesuffix(end)
    return parts._replace(path=path, fragment="").geturl()


def _document(target: DoctorTarget, topic: str) -> Inquiry:
    root = root_of(target.url)
    url = join_url(target.url if topic == "models" and not apis_at(urlsplit(target.url).path) else root, None,
                   _PATHS[topic])  # fmt: skip
    endpoint = Endpoint(
        name=topic,
        api="http",
        url=url,
        method="GET",
        expect_status="200-599",
        key=target.key,
        headers=target.headers,
        tls=target.tls,
    )
    return Inquiry(topic, endpoint)


def _of_api(target: DoctorTarget, api: str, models: Sequence[str], answered: Sequence[Answered]) -> Iterator[Inquiry]:
    """The API's question, and what its refusals ask for."""
    endpoint = first_endpoint(target, api, models)
    for _ in range(MOST_TRIES):
        yield Inquiry(api, endpoint)
        answer = next((each for each in answered if each.question.endpoint == endpoint), None)
        changed = remedy(answer, models) if answer is not None else None
        if changed is None:
            return
        endpoint = changed


def first_endpoint(target: DoctorTarget, api: str, models: Sequence[str]) -> Endpoint:
    """How the API is asked at first."""
    path, default = urlsplit(target.url).path.rstrip("/"), ASKED_APIS[api].default_path
    is_own = apis_at(path) in ([], [api])
    version = _VERSION.search(path)
    fits = default.startswith("/v") and (version is None or default.startswith(f"{version[0]}/"))
    url, named = target.url if is_own and fits else root_of(target.url), ""
    if api in SOCKET_APIS:
        url, named = _without_model(url)
    return Endpoint(
        name=api,
        api=api,
        url=url,
        model=target.model or named or chosen_model(api, models),
        prompt=PROMPT,
        max_tokens=MAX_TOKENS,
        key=target.key,
        headers=target.headers,
        tls=target.tls,
    )


def _without_model(url: str) -> tuple[str, str]:
    """The URL without a model in its query, and that model; "" where it names none."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = urlencode([(name, value) for name, value in query if name != "model"])
    return parts._replace(query=kept).geturl(), dict(query).get("model", "")


def remedy(answer: Answered, models: Sequence[str] = ()) -> Endpoint | None:
    """The endpoint with what the answer complains of corrected; None if the answer is good or says nothing of use."""
    request, endpoint = answer.request, answer.question.endpoint
    if answer.ok:
        return None
    if request.rule == "stream.json-answer":
        return replace(endpoint, stream=False)
    if request.verdict is Verdict.NOT_FOUND and endpoint.api == "openai-chat" and endpoint.path is None:
        return _elsewhere(endpoint)
    if request.verdict is Verdict.NOT_FOUND and endpoint.api == "anthropic-messages" and endpoint.path is None:
        is_bare = not models and root_of(endpoint.url) == endpoint.url.rstrip("/")
        return replace(endpoint, path=_CODY_PATH) if is_bare else None
    said = f"{request.reason} {request.text[:2048]}".lower()
    if request.verdict is Verdict.AUTH and endpoint.key is not None and endpoint.auth is None:
        return _other_way(endpoint, said)
    if request.status in (400, 404, 422):
        return _other_field(endpoint, refused_parameter(request.text.encode()), said, models)
    return None


def _elsewhere(endpoint: Endpoint) -> Endpoint | None:
    """The endpoint at the address that its API likely has there."""
    likely = likely_url(url_for(endpoint), endpoint.url, None, ASKED_APIS[endpoint.api].default_path)
    root = root_of(endpoint.url)
    return replace(endpoint, url=root, path=urlsplit(likely).path.removeprefix(urlsplit(root).path)) if likely else None


def _other_way(endpoint: Endpoint, said: str) -> Endpoint | None:
    """Another header for the key."""
    if "x-api-key" in said and endpoint.api != "anthropic-messages":
        return replace(endpoint, auth="x-api-key")
    if "api-key" in said.replace("x-api-key", "") or "subscription key" in said:
        return replace(endpoint, auth="api-key")
    return replace(endpoint, auth="bearer") if endpoint.api in ("anthropic-messages", "gemini") else None


def _other_field(endpoint: Endpoint, parameter: str, said: str, models: Sequence[str]) -> Endpoint | None:
    for name, omitted in _LEFT_OUT.items():
        if name == parameter or (name == "stream_options" and name in said):
            return replace(endpoint, omit=(*endpoint.omit, omitted)) if omitted not in endpoint.omit else None
    if "model" in said and models and endpoint.model not in models:
        return replace(endpoint, model=models[0])
    if parameter == "stream":
        return replace(endpoint, stream=False)
    return None
