"""One probe from the command line: which endpoint it is for, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli.console import EXIT_DOWN, Refusal, finish, interruptible, paint, refusing, say, width

if TYPE_CHECKING:
    from io import BufferedReader

    from gwtui.model.profile import Endpoint, Profile
    from gwtui.model.records import Ping, Request, StreamRead
    from gwtui.secrets.redaction import Redactor

_ONLY_FOR = {
    "model": ("completion",),
    "prompt": ("completion",),
    "max_tokens": ("completion",),
    "stream": ("completion",),
    "method": ("http",),
    "expect": ("http", "websocket"),
}
"""Options that would be ignored for other kinds of APIs, which is worse than being refused."""


def target(
    name: str | None, profile_name: str | None, config_file: Path | None, given: dict[str, Any]
) -> tuple[Endpoint, Profile]:
    """The endpoint to probe: one of the configuration changed by what was given, or one described by it alone."""
    from gwtui.config import endpoint_from, load
    from gwtui.model.profile import Profile

    profile, base = Profile(), None
    if name is not None:
        with refusing():
            profile = load(config_file).profile(profile_name)
        base = profile.endpoint(name)
        if base is None:
            known = ", ".join(endpoint.name for endpoint in profile.endpoints) or "none"
            raise Refusal(f"There is no endpoint {name!r} in the profile {profile.name!r}. Its endpoints: {known}")
    elif missing := [option for option in ("api", "url") if option not in given]:
        raise Refusal(f"Name an ENDPOINT, or describe one with --api and --url (missing: --{', --'.join(missing)})")
    given = {**given, "headers": _merged(base, given["headers"])} if "headers" in given else given
    with refusing():
        endpoint = endpoint_from(_with_body(given, base), base)
    _refuse_useless(endpoint, given)
    return endpoint, profile


def headers_of(texts: tuple[str, ...]) -> dict[str, str]:
    """`Name: value` texts as headers. A text that is none is not repeated: it may hold a secret."""
    headers = {}
    for number, text in enumerate(texts, 1):
        name, colon, value = text.partition(":")
        if not (name.strip() and colon):
            which = f" ({number} of {len(texts)})" if len(texts) > 1 else ""
            raise Refusal(f"--header is written 'Name: value'{which}")
        headers[name.strip()] = value.strip()
    return headers


def connect_to_of(text: str) -> str:
    """`HOST:PORT`; of curl's `HOST1:PORT1:HOST2:PORT2`, which says first for which URL, the second half."""
    found = re.fullmatch(r"(?:\[[^\]]*\]|[^:\[\]]*):[0-9]*:(.+)", text)
    return found[1] if found is not None else text


def _merged(base: Endpoint | None, headers: Mapping[str, str]) -> dict[str, str]:
    """The endpoint's own headers with these over them; names know no case."""
    new = {name.lower() for name in headers}
    own = base.headers if base is not None else {}
    return {name: value for name, value in own.items() if name.lower() not in new} | dict(headers)


def _with_body(given: dict[str, Any], base: Endpoint | None) -> dict[str, Any]:
    """`--body` as the API takes it: text for plain HTTP and WebSockets, a table of further fields for the rest."""
    import msgspec

    from gwtui.apis import APIS
    from gwtui.model.enums import Kind

    api = APIS.get(given.get("api") or (base.api if base is not None else ""))
    if "body" not in given or api is None or api.kind is not Kind.COMPLETION:
        return given
    try:
        fields = msgspec.json.decode(given["body"], type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Refusal(f"""--body is a JSON object for {api.name}, such as '{{"temperature": 0.2}}'""") from error
    own = base.body if base is not None and isinstance(base.body, dict) else {}
    return {**given, "body": {**own, **fields}}


def _refuse_useless(endpoint: Endpoint, given: Mapping[str, Any]) -> None:
    from gwtui.apis import kind_of

    kind = kind_of(endpoint.api).value
    useless = [name for name in given if kind not in _ONLY_FOR.get(name, (kind,))]
    if useless:
        options = ", ".join("--no-stream" if name == "stream" else f"--{name.replace('_', '-')}" for name in useless)
        instead = "" if kind == "completion" else "; what is sent is --body"
        raise Refusal(f"{options}: not for the API {endpoint.api}{instead}")


def probe(endpoint: Endpoint, profile: Profile, *, as_json: bool) -> int:
    """Probe it once and tell all. Ctrl-C ends the probe, and what was seen until then is told."""
    from gwtui.report import probe_json, probe_text

    probed, number = finish(interruptible(_probed(endpoint, profile)))
    if probed is None:
        raise click.exceptions.Exit(128 + (number or 0))
    result, reads = probed
    say(probe_json(result, reads) if as_json else probe_text(endpoint, result, reads, width(), paint))
    if number is not None:
        return 128 + number
    return 0 if result.outcome == "ok" else EXIT_DOWN


async def _probed(endpoint: Endpoint, profile: Profile) -> tuple[Request | Ping, tuple[StreamRead, ...]]:
    from gwtui.engine.loop_lag import LoopLagMonitor
    from gwtui.probes.prober import probe_once

    lag_monitor = LoopLagMonitor()
    async with lag_monitor.watching():
        return await probe_once(endpoint, profile, lag_monitor.marked)


def decode(file: BufferedReader, api: str, *, as_json: bool) -> int:
    """Read a capture and tell what it holds."""
    from gwtui.cli.user_files import chunks_of
    from gwtui.decode import CaptureError, masked
    from gwtui.decode import decode as read
    from gwtui.report import decode_json, decode_text

    try:
        decoded = masked(read(chunks_of(file), api), _known_keys())
    except CaptureError as error:
        raise Refusal(str(error)) from error
    say(decode_json(decoded) if as_json else decode_text(decoded, width(), paint))
    return 0 if decoded.judgement.verdict.outcome == "ok" else EXIT_DOWN


def _known_keys() -> Redactor:
    """Masks the keys of the configuration, if there is one that can be read."""
    from gwtui.config import ConfigError, load
    from gwtui.secrets.resolver import learn, redactor

    with suppress(ConfigError):
        learn(*(endpoint for profile in load().profiles for endpoint in profile.endpoints))
    return redactor()
