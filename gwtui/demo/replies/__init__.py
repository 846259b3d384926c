"""The LLM APIs that the embedded gateway speaks, one module each."""

from __future__ import annotations

from gwtui.demo.replies.anthropic import AnthropicMessages
from gwtui.demo.replies.base import Reply
from gwtui.demo.replies.openai import OpenAIChat

REPLIES: tuple[Reply, ...] = (AnthropicMessages(), OpenAIChat())
