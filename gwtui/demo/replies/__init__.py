"""The LLM APIs that the embedded gateway speaks, one module each."""

from __future__ import annotations

from gwtui.demo.replies.anthropic_messages import AnthropicMessages
from gwtui.demo.replies.base import Reply
from gwtui.demo.replies.fireworks import FIREWORKS
from gwtui.demo.replies.gemini import Gemini
from gwtui.demo.replies.openai_chat import OpenAIChat
from gwtui.demo.replies.openai_completions import OPENAI_COMPLETIONS
from gwtui.demo.replies.openai_responses import OpenAIResponses
from gwtui.demo.replies.sourcegraph import SOURCEGRAPH_CODE, SOURCEGRAPH_STREAM

REPLIES: tuple[Reply, ...] = (
    AnthropicMessages(),
    OpenAIChat(),
    OpenAIResponses(),
    OPENAI_COMPLETIONS,
    FIREWORKS,
    Gemini(),
    SOURCEGRAPH_STREAM,
    SOURCEGRAPH_CODE,
)
