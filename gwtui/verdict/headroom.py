"""What response headers say of an answer that a cache gave, and of limits that are near."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gwtui.apis.base import Usage
from gwtui.apis.headers import Headers
from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean

NEAR = 0.1
"""Below this share of a limit it is near."""
MOST_LIMITS = 3
"""Limits that one finding names."""
AT_ONCE_NS = 50_000_000
"""A whole answer within this time is worth a word where other signs tell of a cache; alone it proves nothing."""
TOO_MANY_REQUESTS = 429
_CACHE = re.compile(r"(?<![a-z])cache(?![a-z])")
"""In the names of headers by which caches say what they did."""
_GIVEN = re.compile(r"(?<![a-z])(hit|stale|updating)(?![a-z])")
"""In their values, where the answer is the cache's."""
_KEY = "x-litellm-cache-key"
"""LiteLLM sends it with what its cache answered."""
_AGE = re.compile(r"\d{1,10}")
_NUMBER = re.compile(r"\s*(\d{1,18}(\.\d{1,9})?)")
_REMAINING = re.compile(r"rate-?limit.*remaining")
_WAIT = re.compile(r"(\d+(\.\d+)?(ms|h|m|s))+|\d{1,6}(\.\d+)?")
_WORDS = re.compile(r"^(llm_provider-)?(anthropic-|x-)?rate-?limit-?|-?remaining-?")


def cached(headers: Headers, status: int | None) -> Iterator[Finding]:
    """The finding, where headers say that a cache gave this good answer."""
    if status is None or not 200 <= status < 300:
        return
    signs = [f"{name.lower()}: {value.strip()}" for name, value in headers if _is_sign(name.lower(), value)]
    if signs:
        yield Finding(name=FindingName.CACHED_ANSWER, evidence=clean(", ".join(signs)))


def _is_sign(name: str, value: str) -> bool:
    value = value.strip().lower()
    if name == "age":
        return _AGE.fullmatch(value) is not None and int(value) > 0
    if name == "x-cache-hits":
        return any(each.strip().strip("0").isdigit() for each in value.split(","))
    if name == _KEY:
        return bool(value)
    return _CACHE.search(name) is not None and "prompt" not in name and _GIVEN.search(value) is not None


def with_cached_tokens(findings: Iterable[Finding], usage: Usage, e2e_ns: int | None) -> tuple[Finding, ...]:
    """The findings, with what token counts say: a model always reads some of the prompt itself."""
    found = list(findings)
    before = next((each for each in found if each.name is FindingName.CACHED_ANSWER), None)
    told = [before.evidence] if before is not None else []
    if usage.cached_tokens and usage.cached_tokens == usage.input_tokens:
        told.append(f"all {usage.cached_tokens:,} tokens of the prompt are said to be cached")
    if told and e2e_ns is not None and e2e_ns < AT_ONCE_NS:
        told.append(f"the whole answer came within {e2e_ns / 1e6:.0f} ms")
    others = (each for each in found if each is not before)
    return (*others, *((Finding(name=FindingName.CACHED_ANSWER, evidence="; ".join(told)),) if told else ()))


def near_limit(headers: Headers, status: int | None) -> Iterator[Finding]:
    """The finding, where little is left of a limit before the first refusal."""
    if status == TOO_MANY_REQUESTS:
        return
    values = {name.lower(): value.strip() for name, value in headers}
    shares = []
    for name, value in values.items():
        if _REMAINING.search(name) is None:
            continue
        left, limit = _number(value), _number(values.get(name.replace("remaining", "limit"), ""))
        if left is not None and limit and left < limit * NEAR:
            reset = values.get(name.replace("remaining", "reset"), "")
            shares.append((left / limit, _words(name, left, limit, reset)))
    if shares:
        told = "; ".join(words for _, words in sorted(shares)[:MOST_LIMITS])
        yield Finding(name=FindingName.NEAR_LIMIT, evidence=clean(told))


def _words(name: str, left: float, limit: float, reset: str) -> str:
    of = _WORDS.sub("", name).strip("-").replace("-", " ") or "requests"
    words = f"{of}: {left:,.0f} of {limit:,.0f} left ({left / limit:.0%})"
    if not reset:
        return words
    when = f"in {reset}{'' if reset[-1].isalpha() else ' s'}" if _WAIT.fullmatch(reset) else f"at {reset[:40]}"
    return f"{words}, reset {when}"


def _number(text: str) -> float | None:
    found = _NUMBER.match(text)
    return float(found[1]) if found else None
