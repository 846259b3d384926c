"""In which form InvokeModel asks a model: the bodies that the makers of models chose, by the beginning of its id."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from gwtui.apis.anthropic.messages import conversation
from gwtui.apis.base import AskError
from gwtui.apis.bedrock.converse import converse_fields
from gwtui.apis.default_models import CLAUDE_DOES_NOT_THINK
from gwtui.apis.question import Talk, as_blocks, as_chat, as_chat_beside_system, as_one_text
from gwtui.apis.requests import messages_of, prompt_of, table_of, unless_named
from gwtui.model.profile import Endpoint

VERSION = "bedrock-2023-05-31"
Fields: TypeAlias = tuple[dict[str, Any], dict[str, Any]]
"""The body's own fields, and those that were merged with the endpoint's."""
LLAMA_3 = "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
LLAMA_4 = "<|header_start|>user<|header_end|>\n\n{}<|eot|><|header_start|>assistant<|header_end|>\n\n"
MISTRAL = "[INST] {} [/INST]"
TITAN = "User: {}\nBot:"


class InvokeForm(NamedTuple):
    """How a family of models is asked."""

    maker: str
    models: tuple[str, ...]
    """What their ids begin with, behind a region."""
    fields: Callable[[Endpoint], Fields]
    """The fields of a body. Raises `AskError`."""
    conversing: Callable[[Endpoint, Talk], Endpoint] = as_one_text
    """The endpoint with a conversation as its question."""


def _claude(endpoint: Endpoint) -> Fields:
    own = {"anthropic_version": VERSION, "max_tokens": endpoint.max_tokens, "messages": conversation(endpoint)}
    return {**own, **unless_named(endpoint, CLAUDE_DOES_NOT_THINK)}, {}


def _prompt(template: str, limit: str) -> Callable[[Endpoint], Fields]:
    def fields(endpoint: Endpoint) -> Fields:
        return {"prompt": _marked(endpoint, template), limit: endpoint.max_tokens}, {}

    return fields


def _mistral_chat(endpoint: Endpoint) -> Fields:
    return {"messages": messages_of(endpoint), "max_tokens": endpoint.max_tokens}, {}


def _titan(endpoint: Endpoint) -> Fields:
    limit = {"maxTokenCount": endpoint.max_tokens, **table_of(endpoint, "textGenerationConfig")}
    return {"inputText": _marked(endpoint, TITAN)}, {"textGenerationConfig": limit}


def _marked(endpoint: Endpoint, template: str) -> str:
    """The prompt between the marks that tell the model who speaks, unless it has them."""
    prompt = prompt_of(endpoint)
    return prompt if template.partition("{}")[0].strip() in prompt else template.format(prompt)


CLAUDE = InvokeForm("Claude", ("anthropic.",), _claude, as_chat_beside_system)
FORMS = (
    CLAUDE,
    InvokeForm("Nova", ("amazon.nova",), converse_fields, as_blocks),
    InvokeForm("Llama", ("meta.llama4",), _prompt(LLAMA_4, "max_gen_len")),
    InvokeForm("Llama", ("meta.llama",), _prompt(LLAMA_3, "max_gen_len")),
    InvokeForm(
        "Mistral",
        ("mistral.mistral-7b", "mistral.mixtral", "mistral.mistral-small-2402", "mistral.mistral-large-2402"),
        _prompt(MISTRAL, "max_tokens"),
    ),
    InvokeForm("Mistral", ("mistral.",), _mistral_chat, as_chat),
    InvokeForm("Titan", ("amazon.titan-text",), _titan),
)
"""The first that fits is right."""
MAKERS = tuple(dict.fromkeys(form.maker for form in FORMS))
_REGION = r"(?:[a-z-]+\.)?"
_OF_A_MAKER = re.compile(_REGION + r"[a-z0-9]+\.[a-z].*")
"""An id of Bedrock: `us.deepseek.r1-v1:0`, and no alias of a gateway."""


def maker_of(model: str) -> str:
    """Whose form a model has, by its id or its ARN; "" where that shows none."""
    form = _form_of(model.rpartition("/")[2].lower())
    return form.maker if form is not None else ""


def form_of(model: str) -> InvokeForm:
    """How that model is asked, by its id or its ARN; as Claude where that shows no maker."""
    return _form_of(model.rpartition("/")[2].lower()) or CLAUDE


def fields_of(endpoint: Endpoint, model: str) -> Fields:
    """The fields of a body for that model: in the form of Claude where neither id nor ARN shows a maker.

    Raises `AskError`, for models of other makers too.
    """
    name = model.rpartition("/")[2].lower()
    form = _form_of(name)
    if form is None and _OF_A_MAKER.fullmatch(name):
        known = f"{', '.join(MAKERS[:-1])} and {MAKERS[-1]}"
        words = f'bedrock-invoke asks {known} in their own forms; use `api = "bedrock-converse"` for others'
        raise AskError(f"`model`: {words}")
    return (form or CLAUDE).fields(endpoint)


def _form_of(name: str) -> InvokeForm | None:
    return next(
        (form for form in FORMS if any(re.match(_REGION + re.escape(prefix), name) for prefix in form.models)), None
    )
