"""Why answers end, in the words of each API: what a finish reason says of its answer, and where the word was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import NamedTuple

from gwtui.apis.payload import as_text
from gwtui.text.sanitize import clean


class Ending(Enum):
    """What a finish reason says of the answer that it ends."""

    NATURAL = auto()
    """The model was done."""
    TOOLS = auto()
    """The model waits for what its tools say."""
    LIMIT = auto()
    """The limit on the answer's tokens cut it."""
    WINDOW = auto()
    """The model's context window was full."""
    FILTERED = auto()
    """A filter or a policy stopped it."""
    REFUSED = auto()
    """The model refused."""
    PAUSED = auto()
    """The client is to ask for the rest."""
    FAILED = auto()
    """It failed, although the stream goes on to its proper end."""
    UNSAID = auto()
    """It ended for a reason that the API has no name for."""


NO_REASON = frozenset({"", "null", "none"})
"""Texts that some gateways send where there is no finish reason."""
CUTS = frozenset({Ending.LIMIT, Ending.WINDOW, Ending.FILTERED, Ending.REFUSED, Ending.FAILED})
"""What may leave the last block open and a tool call half."""


class Reason(NamedTuple):
    """One finish reason."""

    ending: Ending
    seen: str
    """Where the word was seen."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The finish reasons of an API."""

    field: str
    """Where the word stands."""
    reasons: Mapping[str, Reason]
    announces_tools: bool = False
    """Whether a call of a tool has a finish reason of its own, for which clients look, and is always streamed."""
    is_optional: bool = False
    """Whether the API lawfully ends answers without one."""

    def meaning(self, word: str) -> Reason | None:
        """What the word says; None for an unknown one. Words of failure mean the same in every API."""
        if (known := self.reasons.get(word)) is not None:
            return known
        plain = word.lower()
        return next((Reason(Ending.FAILED, seen) for form, seen in FAILURES if fnmatchcase(plain, form)), None)

    def cuts(self, word: str) -> bool:
        """Whether an answer with that reason may lack its end."""
        known = self.meaning(word)
        return known is not None and known.ending in CUTS

    def fails(self, word: str) -> bool:
        """Whether the word is one of failure."""
        known = self.meaning(word)
        return known is not None and known.ending is Ending.FAILED


def finish_word(value: object) -> str:
    """A finish reason, cleaned; "" for none, and for a text that means none."""
    if value is None:
        return ""
    word = clean(as_text(value), 64)
    return "" if word.lower() in NO_REASON else word


FAILURES: tuple[tuple[str, str], ...] = (
    ("*abort*", "vLLM and SGLang, when the engine stops or gives up the request"),
    ("*cancel*", "vLLM, Cohere and gateways whose upstream was cancelled"),
    ("*error*", "OpenRouter, Mistral, Cohere and z.ai, when the upstream failed"),
    ("*malformed*", "Gemini and Bedrock, when the model's output cannot be read"),
    ("insufficient_system_resource*", "DeepSeek, when it has no capacity left"),
    ("unexpected_tool_call", "Gemini, when the model calls a tool that it was not given"),
    ("too_many_tool_calls", "Gemini, when the model calls tools without end"),
    ("missing_thought_signature", "Gemini 3, when a request lacks the signature of a thought"),
    ("*timeout*", "Cohere and gateways whose upstream took too long"),
    ("fail*", "gateways whose upstream failed"),
)
"""Words of failure by their form, in lower case."""

_OPENAI: Mapping[str, Reason] = {
    "stop": Reason(Ending.NATURAL, "OpenAI"),
    "length": Reason(Ending.LIMIT, "OpenAI"),
    "tool_calls": Reason(Ending.TOOLS, "OpenAI"),
    "function_call": Reason(Ending.TOOLS, "OpenAI, before tools"),
    "content_filter": Reason(Ending.FILTERED, "OpenAI and Azure"),
    "eos": Reason(Ending.NATURAL, "Together"),
    "eos_token": Reason(Ending.NATURAL, "Text Generation Inference"),
    "stop_sequence": Reason(Ending.NATURAL, "Text Generation Inference"),
    "model_length": Reason(Ending.WINDOW, "Mistral"),
    "model_context_window_exceeded": Reason(Ending.WINDOW, "z.ai"),
    "sensitive": Reason(Ending.FILTERED, "z.ai"),
}
_ANTHROPIC: Mapping[str, Reason] = {
    "end_turn": Reason(Ending.NATURAL, "Anthropic"),
    "stop_sequence": Reason(Ending.NATURAL, "Anthropic"),
    "tool_use": Reason(Ending.TOOLS, "Anthropic"),
    "max_tokens": Reason(Ending.LIMIT, "Anthropic"),
    "model_context_window_exceeded": Reason(Ending.WINDOW, "Anthropic"),
    "refusal": Reason(Ending.REFUSED, "Anthropic"),
    "pause_turn": Reason(Ending.PAUSED, "Anthropic, in long turns with its own tools"),
    "content_filtered": Reason(Ending.FILTERED, "Bedrock"),
    "guardrail_intervened": Reason(Ending.FILTERED, "Bedrock"),
}
_GEMINI: Mapping[str, Reason] = {
    "STOP": Reason(Ending.NATURAL, "Gemini"),
    "MAX_TOKENS": Reason(Ending.LIMIT, "Gemini"),
    **{
        word: Reason(Ending.FILTERED, "Gemini")
        for word in ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")
    },
    **{
        word: Reason(Ending.FILTERED, "Gemini's models that draw")
        for word in ("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION")
    },
    "MODEL_ARMOR": Reason(Ending.FILTERED, "Vertex AI"),
    "OTHER": Reason(Ending.UNSAID, "Gemini"),
    "IMAGE_OTHER": Reason(Ending.UNSAID, "Gemini's models that draw"),
    "NO_IMAGE": Reason(Ending.UNSAID, "Gemini's models that draw"),
}
_RESPONSES: Mapping[str, Reason] = {
    "completed": Reason(Ending.NATURAL, "OpenAI"),
    "max_output_tokens": Reason(Ending.LIMIT, "OpenAI"),
    "max_tokens": Reason(Ending.LIMIT, "gateways that translate another API"),
    "unsaid": Reason(Ending.LIMIT, "gateways that do not say why a response is incomplete"),
    "content_filter": Reason(Ending.FILTERED, "OpenAI and Azure"),
}
_OLLAMA: Mapping[str, Reason] = {
    "stop": Reason(Ending.NATURAL, "Ollama"),
    "length": Reason(Ending.LIMIT, "Ollama"),
    "load": Reason(Ending.NATURAL, "Ollama, asked for nothing but to load a model"),
    "unload": Reason(Ending.NATURAL, "Ollama, asked for nothing but to unload a model"),
}
_COHERE: Mapping[str, Reason] = {
    "COMPLETE": Reason(Ending.NATURAL, "Cohere"),
    "STOP_SEQUENCE": Reason(Ending.NATURAL, "Cohere"),
    "TOOL_CALL": Reason(Ending.TOOLS, "Cohere"),
    "MAX_TOKENS": Reason(Ending.LIMIT, "Cohere"),
}
_TITAN: Mapping[str, Reason] = {
    "FINISH": Reason(Ending.NATURAL, "Titan"),
    "FINISHED": Reason(Ending.NATURAL, "Titan, by its documents"),
    "STOP_CRITERIA_MET": Reason(Ending.NATURAL, "Titan"),
    "LENGTH": Reason(Ending.LIMIT, "Titan"),
    "CONTENT_FILTERED": Reason(Ending.FILTERED, "Titan"),
}

OPENAI = Vocabulary("finish_reason", _OPENAI, announces_tools=True)
ANTHROPIC = Vocabulary("stop_reason", _ANTHROPIC, announces_tools=True)
GEMINI = Vocabulary("finishReason", _GEMINI)
RESPONSES = Vocabulary("status", _RESPONSES)
WORKERS_AI = replace(OPENAI, is_optional=True)
COHERE = Vocabulary("finish_reason", _COHERE, announces_tools=True)
OLLAMA = Vocabulary("done_reason", _OLLAMA)
TGI = Vocabulary("finish_reason", {word: _OPENAI[word] for word in ("length", "eos_token", "stop_sequence")})
BEDROCK = Vocabulary("stopReason", _ANTHROPIC, announces_tools=True)
BEDROCK_TEXT = Vocabulary("stop_reason", {**_OPENAI, **_TITAN})
SOURCEGRAPH = Vocabulary("stopReason", {**_OPENAI, **_ANTHROPIC})
"""Those of the provider behind it, passed on."""
