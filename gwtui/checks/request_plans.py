"""Which requests a need takes: endpoints derived from the one that is checked. Pure.

What is derived never carries the endpoint's key where a made-up one is due, and asks nothing that the endpoint's own
profile does not allow: deadlines, TLS settings and headers stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from gwtui.apis import APIS
from gwtui.apis.gateway_documents import texts_in
from gwtui.apis.requests import models_asked
from gwtui.apis.token_limit import limited
from gwtui.checks.breaker import MOST_PROBES
from gwtui.checks.evidence import Evidence, ids_of
from gwtui.checks.health import HEALTH_PATHS
from gwtui.checks.key_substitution import with_made_up_key, with_own_auth
from gwtui.checks.metrics import METRICS_PATHS, requests_counted
from gwtui.checks.request_sets import MAX_MODELS, CheckTarget, RequestSet
from gwtui.model.profile import Deadlines, Endpoint

UNKNOWN_MODEL = "no-such-model"
"""A model that no gateway has."""
AT_ONCE = 10
"""Streams of the endpoint's own model that are opened at once."""
SIZES = (3, 6, 9)
"""Numbers of models whose concurrency is compared."""
MOST_LOOKS = 3
"""How often a document is read again that does not show yet what has just happened."""
AUDIT_ENTRIES = 5
"""Entries asked of the audit: the requests just made, and room for a few of others."""
LONG_TOKENS = 1536
"""Room for all of the answer to `LONG_PROMPT`: 4,300 characters, 3 to 4 a token."""
LONG_PROMPT = "Count from 1 to 250 in words, one number per line. Do not stop early and do not comment."
WORDS = (
    "amber-3141", "basalt-5926", "cedar-5358", "dune-9793", "ember-2384", "fjord-6264", "garnet-3383", "heron-2795",
    "indigo-0288", "juniper-4197",
)  # fmt: skip
"""A code word for each of the streams that run at once, none of which belongs into another's answer."""

Groups = tuple[tuple[Endpoint, ...], ...]


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """What to send: the groups one after another, the endpoints of one group at once."""

    most: int
    """The most requests that it can take."""
    groups: Groups = ()
    alternatives: bool = False
    """The groups are places where one document may be: the first that the gateway has is enough."""


def request_plan(need: RequestSet, target: CheckTarget) -> RequestPlan:
    """How to get to know it. Without any groups there is nothing to ask, or (`BREAKER`) it is asked step by step."""
    if need is RequestSet.BREAKER:
        return RequestPlan(MOST_PROBES - 1 if target.provoke else 0)
    groups = _PLANS[need](target)
    looks = MOST_LOOKS if need in _SETTLES else 1
    return RequestPlan(looks * sum(map(len, groups)), groups, alternatives=need in _ALTERNATIVES)


def provoking(target: CheckTarget) -> Endpoint:
    """The endpoint that asks for the failing model."""
    return with_model(target.endpoint, target.provoke)


def is_settled(need: RequestSet, evidence: Evidence) -> bool:
    """Whether a document shows what it is read for, or never will: no need to look again."""
    judge = _SETTLES.get(need)
    return judge is None or judge(evidence)


def sizes(target: CheckTarget) -> tuple[int, ...]:
    """How many models are asked at once, one number after another."""
    count = len(compared_models(target))
    return (*(size for size in SIZES if size < count), count)


def compared_models(target: CheckTarget) -> tuple[str, ...]:
    """The models that are asked at once; where one at most is known, that one three times."""
    own = target.models[:MAX_MODELS] or _own_models(target)
    return own if len(own) > 1 else (own or ("",)) * SIZES[0]


def _own_models(target: CheckTarget) -> tuple[str, ...]:
    endpoint = target.endpoint
    if target.asks_several_models:
        return models_asked(endpoint, APIS[endpoint.api].default_model)
    return (endpoint.model or "",)


def with_model(endpoint: Endpoint, *models: str) -> Endpoint:
    """The endpoint asking for these models (one but for APIs that take several); "" means its own."""
    if models == ("",):
        return endpoint
    body = endpoint.body
    if isinstance(body, dict):
        names = {"model", endpoint.fields.get("models", "models")}
        body = {name: value for name, value in body.items() if name not in names} or None
    return replace(endpoint, model=",".join(models), body=body)


def with_listed_model(endpoint: Endpoint, models: Sequence[str]) -> Endpoint:
    """The endpoint with the first of these models (or first few, where its API asks several) if it names none itself:
    a model that has to work is a better choice than the API's default, which this gateway may not have."""
    api = APIS.get(endpoint.api)
    body = endpoint.body if isinstance(endpoint.body, dict) else {}
    own = {"model", endpoint.fields.get("models", "models")} & body.keys()
    if api is None or not api.default_model or not models or endpoint.model or own:
        return endpoint
    return with_model(endpoint, *models[: SIZES[0] if api.several_models else 1])


def with_prompt(endpoint: Endpoint, prompt: str, max_tokens: int | None = None) -> Endpoint:
    """The endpoint asking this instead of its own question. Its own limit keeps its name: models take only one."""
    body, limit = endpoint.body, max_tokens or endpoint.max_tokens
    if isinstance(body, dict):
        asked = APIS[endpoint.api].question_fields
        body = limited({name: value for name, value in body.items() if name not in asked}, limit) or None
    return replace(endpoint, prompt=prompt, messages=None, turns=(), body=body, max_tokens=limit)


def root_of(endpoint: Endpoint) -> str:
    """The gateway's base URL: without the part of the API's path that the endpoint's URL may end with."""
    base = endpoint.url.rstrip("/")
    segments = APIS[endpoint.api].default_path.strip("/").split("/")
    for count in range(len(segments), 0, -1):
        if base.endswith(tail := "/" + "/".join(segments[:count])):
            return base.removesuffix(tail)
    return base


def _document(*paths: str) -> Callable[[CheckTarget], Groups]:
    """A document at the first of these paths that the gateway has."""

    def ask(target: CheckTarget) -> Groups:
        endpoint = target.endpoint
        given = target.profile.deadlines_of(endpoint)
        get = Endpoint(
            name=endpoint.name,
            api="http",
            method="GET",
            url=root_of(endpoint),
            key=endpoint.key,
            headers=endpoint.headers,
            tls=endpoint.tls,
            deadlines=Deadlines(connect_s=given.connect_s, first_byte_s=10, idle_s=10, total_s=15),
        )
        return tuple((replace(with_own_auth(get, endpoint), path=path),) for path in paths)

    return ask


def _streaming(target: CheckTarget) -> Groups:
    return ((replace(target.endpoint, stream=True),),)


def _whole(target: CheckTarget) -> Groups:
    return ((replace(target.endpoint, stream=False),),)


def _unknown(target: CheckTarget) -> Groups:
    """Several models in one stream fail one by one: see `_with_stranger`."""
    if target.asks_several_models:
        return ()
    return ((with_model(target.endpoint, UNKNOWN_MODEL),),)


def _agent(target: CheckTarget) -> Groups:
    body = target.endpoint.body
    more = {**body, "agent_type": target.agent_type} if isinstance(body, dict) else {"agent_type": target.agent_type}
    return ((replace(target.endpoint, body=more),),)


def _long(*, stream: bool) -> Callable[[CheckTarget], Groups]:
    return lambda target: ((replace(with_prompt(target.endpoint, LONG_PROMPT, LONG_TOKENS), stream=stream),),)


def _together(target: CheckTarget) -> Groups:
    def ask(word: str) -> Endpoint:
        return with_prompt(
            target.endpoint, f'Write the word "{word}" ten times, with spaces between, and nothing else.'
        )

    return (tuple(replace(ask(word), stream=True) for word in WORDS[:AT_ONCE]),)


def _compared(target: CheckTarget) -> Groups:
    models = compared_models(target)
    streaming = replace(target.endpoint, stream=True)
    if target.asks_several_models:
        several = len(set(models)) > 1  # one request names each model once
        return tuple((with_model(streaming, *models[:size]),) for size in sizes(target)) if several else ()
    return tuple(tuple(with_model(streaming, model) for model in models[:size]) for size in sizes(target))


def _with_stranger(target: CheckTarget) -> Groups:
    streaming = replace(target.endpoint, stream=True)
    if target.asks_several_models:
        return ((with_model(streaming, *_own_models(target)[: MAX_MODELS - 1], UNKNOWN_MODEL),),)
    return ((streaming, with_model(streaming, UNKNOWN_MODEL)),)


def _provoked(target: CheckTarget) -> Groups:
    return ((provoking(target),),) if target.provoke else ()


def _where_provoked(ask: Callable[[CheckTarget], Groups]) -> Callable[[CheckTarget], Groups]:
    return lambda target: ask(target) if target.provoke else ()


_AUDIT = _document(f"/gateway/audit?limit={AUDIT_ENTRIES}")
_METRICS = _document(*METRICS_PATHS)
_PLANS: dict[RequestSet, Callable[[CheckTarget], Groups]] = {
    RequestSet.PING: lambda target: ((target.endpoint,),),
    RequestSet.HEALTH: _document(*HEALTH_PATHS),
    RequestSet.METRICS_BEFORE: _METRICS,
    RequestSet.STREAM: _streaming,
    RequestSet.ANSWER: _whole,
    RequestSet.METRICS_AFTER: _METRICS,
    RequestSet.AUDIT: _AUDIT,
    RequestSet.INVALID_KEY: lambda target: ((with_made_up_key(target.endpoint),),),
    RequestSet.UNKNOWN_MODEL: _unknown,
    RequestSet.LONG_STREAM: _long(stream=True),
    RequestSet.LARGE_ANSWER: _long(stream=False),
    RequestSet.MODELS: lambda target: tuple(
        (with_model(target.endpoint, model),) for model in target.models[:MAX_MODELS]
    ),
    RequestSet.AGENT: _agent,
    RequestSet.AGENT_AUDIT: _AUDIT,
    RequestSet.TOGETHER: _together,
    RequestSet.COMPARED: _compared,
    RequestSet.STRANGER: _with_stranger,
    RequestSet.PROVOKED: _provoked,
    RequestSet.PROVOKED_METRICS: _where_provoked(_METRICS),
    RequestSet.PROVOKED_AUDIT: _where_provoked(_AUDIT),
    RequestSet.BREAKER_AUDIT: _where_provoked(_AUDIT),
}


def _metrics_moved(evidence: Evidence) -> bool:
    before, after = (evidence.document(need) for need in (RequestSet.METRICS_BEFORE, RequestSet.METRICS_AFTER))
    if before is None or after is None:
        return True
    counted = requests_counted(before, after)
    good = sum(each.ok for need in (RequestSet.STREAM, RequestSet.ANSWER) for each in evidence.all(need))
    return counted is None or counted >= good


def _in_audit(audit: RequestSet, *needs: RequestSet) -> Callable[[Evidence], bool]:
    def is_there(evidence: Evidence) -> bool:
        document = evidence.document(audit)
        if document is None or document.problem:
            return True
        texts = set(texts_in(document.value))
        return all(ids & texts for need in needs for ids in ids_of(evidence.all(need)))

    return is_there


_ALTERNATIVES = frozenset(
    {RequestSet.HEALTH, RequestSet.METRICS_BEFORE, RequestSet.METRICS_AFTER, RequestSet.PROVOKED_METRICS}
)
_SETTLES: dict[RequestSet, Callable[[Evidence], bool]] = {
    RequestSet.METRICS_AFTER: _metrics_moved,
    RequestSet.AUDIT: _in_audit(RequestSet.AUDIT, RequestSet.STREAM, RequestSet.ANSWER),
    RequestSet.AGENT_AUDIT: _in_audit(RequestSet.AGENT_AUDIT, RequestSet.AGENT),
    RequestSet.PROVOKED_AUDIT: _in_audit(RequestSet.PROVOKED_AUDIT, RequestSet.PROVOKED),
}
