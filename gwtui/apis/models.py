"""Whether the model that answered is the requested one."""

from __future__ import annotations

import re
from collections import Counter

from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean

_PRECISION = r"i?q\d(_\w+)?|[bf]?f16|f32"
"""To which precision weights are cut down, in llama.cpp's words: `Q4_K_M`, `IQ2_XXS`, `BF16`."""
_REVISION = re.compile(rf"([-@:](\d{{2,8}}|v\d+(:\d+)?|latest|preview|exp|free|beta|{_PRECISION}))*")
"""What an alias may lack: `-20240307`, `-2024-07-18`, `-v1:0`... A single digit is another version, not a revision."""
_FILE = re.compile(r"(-\d{5}-of-\d{5})?[.-]gguf(?=$|:)")
"""What llama.cpp calls a model by: its file, perhaps the first of several, or a repository of such files."""
_BEFORE_PRECISION = re.compile(rf"[.:-](?=({_PRECISION})$)")
_ROUTE = re.compile(r"(:(free|nitro|online|floor|thinking|extended|exacto|beta))+$")
"""What OpenRouter appends to say how a model is to be served."""
_PROVIDER = re.compile(r"([a-z]+\.)+(?=[a-z])")
"""Bedrock's way of naming the provider: `us.anthropic.claude-...`."""
_DATE = re.compile(r"-(20\d{6}|20\d\d-\d\d-\d\d|\d{4})$")
_WORDS = re.compile(r"[a-z]+|\d+")
_AZURE = re.compile(r"\bgpt-35\b")
"""Azure's names have no dots: `gpt-35-turbo` is `gpt-3.5-turbo`."""


def same_model(asked: str, served: str) -> bool:
    """Whether these are spellings of one model.

    An alias and its dated name are one model, with or without a provider's name before it or a route behind it. So are
    names of the same words and numbers: `claude-sonnet-4.5` and `claude-4-5-sonnet`.
    """
    one, other = (_bare(name) for name in (asked, served))
    short, long = sorted((one, other), key=len)
    if long.startswith(short) and _REVISION.fullmatch(long[len(short) :]):
        return True
    dates = [_DATE.search(name) for name in (one, other)]
    if all(dates) and len({date[1].replace("-", "") for date in dates if date}) > 1:
        return False
    return _parts(one) == _parts(other)


def _parts(name: str) -> tuple[Counter[str], list[str]]:
    """The words of a name in any order, and its numbers in theirs, without the date at its end."""
    words = _WORDS.findall(_DATE.sub("", name))
    return Counter(word for word in words if word.isalpha()), [word for word in words if word.isdigit()]


MAKERS = {
    "anthropic": "claude",
    "openai": "gpt|chatgpt|o[134]",
    "google": "gemini",
    "mistral": "mistral|ministral|codestral",
    "xai": "grok",
    "deepseek": "deepseek",
    "cohere": "command",
}
"""Providers that make models themselves, and how the names of those begin. Models that anybody may serve have none."""


def maker_of(model: str) -> str:
    """The provider whose own model this is by its name; "" where that is not known."""
    name = _bare(model)
    return next((maker for maker, names in MAKERS.items() if re.match(rf"({names})(?![a-z])", name)), "")


def _bare(name: str) -> str:
    # A provider, and in Sourcegraph's names the version of its API too: `anthropic::2023-06-01::claude-...`.
    # Vertex AI puts `@` before the date; llama.cpp answers with the name of a file.
    name = _ROUTE.sub("", name.strip().lower()).rpartition("/")[2].rpartition("::")[2]
    name = _BEFORE_PRECISION.sub("-", _FILE.sub("", name))
    name = _AZURE.sub("gpt-3.5", name.removesuffix("-latest").removesuffix(":latest").replace("@", "-"))
    provider = _PROVIDER.match(name)
    return name[provider.end() :] if provider else name


def model_differs(asked: str, served: str, told: str = "was requested") -> tuple[Finding, ...]:
    """The finding, where the answer names a model that is another one. `told`: what makes `asked` the right one."""
    if not asked or not served or same_model(asked, served):
        return ()
    return (
        Finding(
            name=FindingName.MODEL_DIFFERS,
            evidence=f"{clean(asked, 80)} {told}, {clean(served, 80)} answered",
        ),
    )
