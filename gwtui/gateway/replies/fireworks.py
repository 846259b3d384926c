"""Fireworks completions behind a gateway: legacy completions whose last chunk always holds the usage."""

from __future__ import annotations

from gwtui.gateway.fault import Fault, broken_off
from gwtui.gateway.replies.base import Reply
from gwtui.gateway.replies.openai_completions import Completions

REPLIES: tuple[Reply, ...] = (Completions(("/v1/completions/fireworks",), usage_beside_finish=True),)
FAULTS: tuple[Fault, ...] = broken_off("fireworks", "fireworks", "`[DONE]`")
