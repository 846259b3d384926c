"""Fireworks completions behind a gateway: legacy completions whose last chunk always holds the usage."""

from __future__ import annotations

from gwtui.gateway.replies.openai_completions import Completions

FIREWORKS = Completions(("/v1/completions/fireworks",), usage_beside_finish=True)
