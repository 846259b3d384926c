"""Checks of a gateway's health documents, its own or those of other gateways. Pure."""

from __future__ import annotations

from typing import Any

from gwtui.apis import APIS
from gwtui.checks.check import CheckAnswer, blamed, describe, failed, not_applicable, passed, warned
from gwtui.checks.evidence import Document, Evidence
from gwtui.checks.request_sets import RequestSet
from gwtui.text.sanitize import clean

OWN_PATH = "/gateway/health"
MODELS_PATH = "/v1/models"
"""OpenAI's list of models, which most gateways have."""
HEALTH_PATHS = (OWN_PATH, "/health/liveliness", "/health", "/healthz", MODELS_PATH)
"""In this order: LiteLLM's `/health` asks every model and costs money, so its `/health/liveliness` comes first. The
last is no health document, but a gateway that lists its models is there."""
SYNONYMS = frozenset({"ok", "up", "pass", "alive"})
"""What gateways say that mean healthy."""
SICK = frozenset({"unhealthy", "down", "fail", "failed", "failing", "error", "degraded", "critical", "unavailable"})
"""What they say that mean the opposite."""


def judge_health(evidence: Evidence) -> CheckAnswer:
    """Fails where the gateway calls itself or the endpoint's provider ill, in its own document or in a usual one."""
    document = evidence.document(RequestSet.HEALTH)
    if document is None:
        return not_applicable("nothing was sent")
    if document.is_missing:
        return not_applicable(f"the gateway has none of {', '.join(HEALTH_PATHS)} (HTTP {document.request.status})")
    if document.path not in ("", OWN_PATH):
        return _judge_other(document)
    if (problem := problem_of(document, OWN_PATH)) is not None:
        return problem
    if not isinstance(document.at("status"), str):
        return another_service(OWN_PATH, "JSON without a `status`")
    status = clean(document.at("status"), 40)
    if status.lower() in SYNONYMS:
        return warned(f"status is {status!r} instead of 'healthy'; providers: {_states(document)}")
    if status != "healthy":
        return failed(
            f"status is {status!r}, not 'healthy'; providers: {_states(document)}",
            "The gateway reports itself or one of its providers as unhealthy.",
            "Check its log and the providers that are not `true`.",
        )
    name = _wanted_provider(evidence, document)
    state = document.at("providers", name)
    if state is True:
        return passed(f"status is 'healthy', provider {name} is true ({_states(document)})")
    if state is None:
        return warned(
            f"status is 'healthy', but there is no provider {name!r}; providers: {_states(document)}",
            "The gateway names its providers differently, or does not report them.",
            "Compare `providers` of /gateway/health with the gateway's configuration.",
        )
    return failed(
        f"status is 'healthy', but provider {name} is {clean(str(state), 20).lower()}; providers: {_states(document)}",
        "Its key is missing or wrong, or its breaker is open.",
        f"Check the gateway's configuration and key for {name}.",
    )


def _judge_other(document: Document) -> CheckAnswer:
    """A health document of another make: a status, a word, or nothing but HTTP 200."""
    request, path = document.request, document.path
    if request.status is None or not 200 <= request.status < 300:
        return blamed(request, f"{path}: {describe(request)}" if request.status is not None else "")
    if "html" in request.content_type:
        return another_service(path, "an HTML page")
    if path == MODELS_PATH:
        return _judge_models(document)
    word = _status_word(document.value) or clean(request.text.strip(), 40)
    words = f"{path}: HTTP {request.status}" + (f", {word!r}" if word else "")
    if word.lower() in SICK:
        cause = "The gateway reports itself or a dependency as unhealthy."
        return failed(words, cause, "Check its log and its dependencies.")
    return passed(words)


def _judge_models(document: Document) -> CheckAnswer:
    models = document.at("data")
    if not isinstance(models, list):
        return warned(f"{MODELS_PATH}: {document.problem or 'no list of models'}", remedy="Add /health to the gateway.")
    return passed(f"no health document, but {MODELS_PATH} lists {len(models)} models")


def _status_word(value: Any) -> str:
    """The status that a JSON document tells; "" where it has none."""
    for name in ("status", "state", "health"):
        if isinstance(value, dict) and isinstance(value.get(name), str):
            return clean(value[name], 40)
    return clean(value, 40) if isinstance(value, str) else ""


def problem_of(document: Document, path: str) -> CheckAnswer | None:
    """Why there is no document at that path; None where there is one."""
    if document.is_missing:
        return not_applicable(f"the gateway has no {path} (HTTP {document.request.status})")
    if document.request.status is None or not document.problem:
        return blamed(document.request) if document.request.status is None else None
    if document.is_cut:
        return warned(
            f"{path}: {document.problem}",
            "The gateway lists more in this document than a monitor can ask for again and again.",
            "Let it list only the latest entries.",
        )
    if 200 <= document.request.status < 300:
        return another_service(path, f"{document.problem} ({document.request.content_type or 'no type'})")
    return blamed(document.request, f"{path}: {describe(document.request)}")


def another_service(path: str, found: str) -> CheckAnswer:
    """A failure: what answers at that path is not the gateway."""
    cause = "Another service answers at that path."
    return failed(f"{path}: {found}", cause, "Check `url`: it is the gateway's base URL.")


def _wanted_provider(evidence: Evidence, document: Document) -> str:
    """The API's own provider where the gateway has it, else the default one."""
    own = APIS[evidence.target.endpoint.api].provider
    default = document.at("routing", "default_provider")
    if document.at("providers", own) is None and isinstance(default, str) and default:
        return clean(default, 40)
    return own or "anthropic"


def _states(document: Document) -> str:
    providers = document.at("providers")
    if not isinstance(providers, dict) or not providers:
        return "none"
    return ", ".join(f"{clean(str(name), 40)} {clean(str(state), 20).lower()}" for name, state in providers.items())
