"""The LLM APIs that the embedded gateway speaks, one module each."""

from __future__ import annotations

from starlette.routing import compile_path

from gwtui.gateway.replies.anthropic_messages import AnthropicMessagesReplies
from gwtui.gateway.replies.base import Reply
from gwtui.gateway.replies.fireworks import FIREWORKS
from gwtui.gateway.replies.gemini import GeminiReplies
from gwtui.gateway.replies.openai_chat import OpenAIChatReplies
from gwtui.gateway.replies.openai_completions import OPENAI_COMPLETIONS
from gwtui.gateway.replies.openai_responses import OpenAIResponsesReplies
from gwtui.gateway.replies.sourcegraph import SOURCEGRAPH_CODE, SOURCEGRAPH_STREAM

CHAT = OpenAIChatReplies()
REPLIES: tuple[Reply, ...] = (
    AnthropicMessagesReplies(),
    CHAT,
    OpenAIResponsesReplies(),
    OPENAI_COMPLETIONS,
    FIREWORKS,
    GeminiReplies(),
    SOURCEGRAPH_STREAM,
    SOURCEGRAPH_CODE,
)

_ROUTES = [(compile_path(path)[0], reply) for reply in REPLIES for path in reply.paths]


def reply_for(path: str) -> Reply:
    """The API whose path that is; the chat's for all others."""
    return next((reply for pattern, reply in _ROUTES if pattern.match(path)), CHAT)
