"""Base URLs as providers print them, the whole URL that is asked, and the likely one where nothing was found."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import urlsplit, urlunsplit

from gwtui.apis.base import AskError
from gwtui.apis.headers import without_query
from gwtui.text.sanitize import clean

MODEL = "{model}"
"""Where a path has the model's name."""
_VERSION = re.compile(r"v\d+((alpha|beta)\d*)?")
"""The first segment of most paths."""
COMMON_VERSIONS = ("v1", "v1beta")
"""Versions of a path that another one in the base URL replaces. Any other belongs to its API."""
_COMPATIBLE = ("openai", "openapi", "compat")
"""Ends of base URLs that lead to an API compatible with OpenAI's, with no version behind them."""
OTHER_PATHS = ("/v1/completions/anthropic-messages",)
"""Paths of gateways (Cody Gateway) that are right although they are not those of the API."""
CHAT = "/chat/completions"
CHAT_BASES = {
    "api.cohere.ai": "/compatibility/v1",
    "api.cohere.com": "/compatibility/v1",
    "api.deepinfra.com": "/v1/openai",
    "api.fireworks.ai": "/inference/v1",
    "api.groq.com": "/openai/v1",
    "api.perplexity.ai": "",
    "api.z.ai": "/api/paas/v4",
    "dashscope.aliyuncs.com": "/compatible-mode/v1",
    "generativelanguage.googleapis.com": "/v1beta/openai",
    "openrouter.ai": "/api/v1",
}
"""Where providers have OpenAI's chat completions, by their hosts, if not at `/v1`."""


def join_url(base: str, path: str | None, default_path: str) -> str:
    """The path after the base URL, with one slash between.

    A default path does not repeat what the base URL already ends with, nor adds a version to one that has its own:
    `https://h/v1` + `/v1/messages` is `https://h/v1/messages`, `https://h/api/v4` + `/v1/chat/completions` is
    `https://h/api/v4/chat/completions`. A path that was chosen is appended as it is.
    """
    try:
        parts = urlsplit(base)
    except ValueError as error:
        raise AskError(f"`url`: {error}") from error
    own = parts.path.rstrip("/")
    more, _, query = (path if path is not None else default_path).partition("?")
    more = more if path is not None else _rest(own, more)
    own = f"{own}/{more.lstrip('/')}" if more else parts.path
    if path is None and query in parts.query.split("&"):
        query = ""
    query = "&".join(part for part in (parts.query, query) if part)
    return urlunsplit((parts.scheme, parts.netloc, own, query, ""))


def _rest(base: str, path: str) -> str:
    """What a default path adds to the path of a base URL."""
    segments = path.strip("/").split("/")
    for count in range(len(segments), 0, -1):
        if _ends_with(base, segments[:count]):
            return "/".join(segments[count:])
    if segments[0] not in COMMON_VERSIONS or not base:
        return path
    unversioned = segments[1:]
    if _ends_with(base, unversioned):
        return ""
    last = base.rpartition("/")[2]
    return "/".join(unversioned) if _VERSION.fullmatch(last) or last in _COMPATIBLE else path


def _ends_with(base: str, segments: list[str]) -> bool:
    pattern = "".join("/" + re.escape(segment).replace(re.escape(MODEL), "[^/]+") for segment in segments)
    return re.search(f"{pattern}$", base) is not None


def address_words(asked: str, base: str, path: str | None, default_path: str, said: str) -> str:
    """What to say of the URL that was asked in vain, and which one is likely right. `said`: the gateway's own words."""
    words = f"asked: {clean(without_query(asked), 200)}"
    likely = "" if "model" in said.lower() else likely_url(asked, base, path, default_path)
    return f"{words}, likely right: {clean(without_query(likely), 200)}" if likely else words


def likely_url(asked: str, base: str, path: str | None, default_path: str) -> str:
    """The URL that the API likely has where there is nothing at the one asked for; "" where none is likelier."""
    parts = urlsplit(asked)
    segments = parts.path.split("/")
    candidates = [_once(segments)]
    if default_path.endswith(CHAT) and (known := CHAT_BASES.get(parts.hostname or "")) is not None:
        candidates.append(f"{known}{CHAT}")
    if path is None:
        candidates.append(_toggled(parts.path, urlsplit(base).path.rstrip("/"), default_path))
    elif path not in OTHER_PATHS:
        candidates += (urlsplit(join_url(base, None, default_path)).path, default_path.partition("?")[0])
    right = next((each for each in candidates if each not in ("", parts.path) and MODEL not in each), "")
    return urlunsplit(parts._replace(path=right)) if right else ""


def _once(segments: list[str]) -> str:
    """The path without a version or an end that stands in it twice."""
    for count in range(len(segments) // 2, 0, -1):
        if count < len(segments) and segments[-count:] == segments[-2 * count : -count]:
            return "/".join(segments[:-count])
    kept = [
        segment
        for segment, following in pairwise([*segments, ""])
        if not (_VERSION.fullmatch(segment) and _VERSION.fullmatch(following))
    ]
    return "/".join(kept)


def _toggled(path: str, base: str, default_path: str) -> str:
    """The path without the default version that it has, or with one where a default path was appended without."""
    version, *rest = default_path.partition("?")[0].strip("/").split("/")
    if version not in COMMON_VERSIONS:
        return ""
    if path == f"{base}/{version}/{'/'.join(rest)}" and version not in base.split("/"):
        return f"{base}/{'/'.join(rest)}"
    before = path.removesuffix(f"/{'/'.join(rest)}")
    if before == path or any(map(_VERSION.fullmatch, before.split("/"))):
        return ""
    return f"{before}/{version}/{'/'.join(rest)}"
