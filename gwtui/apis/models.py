"""Whether the model that answered is the requested one."""

from __future__ import annotations

import re

from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean

_REVISION = re.compile(r"([-@:](\d{2,8}|v\d+(:\d+)?|latest|preview|exp|free|beta))*")
"""What an alias may lack: `-20240307`, `-2024-07-18`, `-v1:0`... A single digit is another version, not a revision."""


_PROVIDER = re.compile(r"([a-z]+\.)+(?=[a-z])")
"""Bedrock's way of naming the provider: `us.anthropic.claude-...`."""


def same_model(asked: str, served: str) -> bool:
    """An alias and its dated name are one model, with or without a provider's name before it."""
    one, other = (_bare(name) for name in (asked, served))
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and bool(_REVISION.fullmatch(long[len(short) :]))


def _bare(name: str) -> str:
    # A provider, and in Sourcegraph's names the version of its API too: `anthropic::2023-06-01::claude-...`.
    # Vertex AI puts `@` before the date.
    name = name.strip().lower().rpartition("/")[2].rpartition("::")[2].removesuffix("-latest").replace("@", "-")
    provider = _PROVIDER.match(name)
    return name[provider.end() :] if provider else name


def model_differs(asked: str, served: str) -> tuple[Finding, ...]:
    """The finding, where the answer names a model that is another one."""
    if not asked or not served or same_model(asked, served):
        return ()
    return (
        Finding(
            name=FindingName.MODEL_DIFFERS,
            evidence=f"{clean(asked, 80)} was requested, {clean(served, 80)} answered",
        ),
    )
