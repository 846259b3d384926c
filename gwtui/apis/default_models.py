"""The model that an API is asked for where an endpoint names none: one that its provider's documents list as current.

Read in November 2026. Small and fast ones, because a monitor asks often; those that think are asked not to, so that a
short answer has room. What `src gateway` asked for stays as it was: it is in the ready-made endpoints of a Cody
Gateway, and in the modules of the APIs that are its alone.
"""

from __future__ import annotations

from typing import Any

CLAUDE = "claude-haiku-5-5"
CLAUDE_ON_BEDROCK = "us.anthropic.claude-haiku-5-5"
GPT = "gpt-6-luna"
GPT_REALTIME = "gpt-realtime-2.1-mini"
GEMINI = "gemini-3.5-flash-lite"
NOVA = "us.amazon.nova-2-lite-v1:0"
LLAMA_ON_WORKERS_AI = "@cf/meta/llama-3.1-8b-instruct-fp8"
COMMAND = "command-a-03-2025"
SEVERAL = f"{GPT},{CLAUDE}"

CLAUDE_DOES_NOT_THINK: dict[str, Any] = {"thinking": {"type": "disabled"}}
"""Fields of a request by which the default model does not think, by API."""
CHATS_DO_NOT_THINK: dict[str, Any] = {"reasoning_effort": "none"}
RESPONSES_DO_NOT_THINK: dict[str, Any] = {"reasoning": {"effort": "none"}}
REALTIME_HARDLY_THINKS: dict[str, Any] = {"reasoning": {"effort": "minimal"}}
"""The least that Realtime has."""
