"""Claude on Vertex AI: the model in the path, the version in the body, and Anthropic's answers."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from gwtui.gateway.fault import Fault, broken_off
from gwtui.gateway.replies.anthropic_messages import AnthropicMessagesReplies, MessagesBody
from gwtui.gateway.replies.base import Asked, Question, QuestionError, Reply, decode_question

VERSION = "vertex-2023-10-16"
_MODELS = "/publishers/anthropic/models/{model}:{method}"


class _Body(MessagesBody, kw_only=True):
    anthropic_version: str = ""
    model: str | UnsetType = UNSET


class VertexClaudeReplies(AnthropicMessagesReplies):
    """`:streamRawPredict` and `:rawPredict`, below a project and its location or by themselves."""

    paths = (f"/v1/projects/{{project}}/locations/{{location}}{_MODELS}", _MODELS)

    def question(self, asked: Asked) -> Question:
        if asked.path["method"] not in ("streamRawPredict", "rawPredict"):
            raise QuestionError(f"The method {asked.path['method']} is not known.", 404)
        body = decode_question(asked.body, _Body)
        if body.model is not UNSET:
            raise QuestionError("model: Extra inputs are not permitted")
        if body.anthropic_version != VERSION:
            raise QuestionError("anthropic_version: Field required")
        return Question(
            model=asked.path["model"],
            stream=body.stream,
            max_tokens=body.max_tokens,
            input_tokens=body.input_tokens,
            **body.turn,
        )


REPLIES: tuple[Reply, ...] = (VertexClaudeReplies(),)
FAULTS: tuple[Fault, ...] = broken_off("vertex-claude", "vertex", "`message_stop`")
