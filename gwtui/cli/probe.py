"""`gwtui probe`: one request, and everything about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli import completion
from gwtui.cli.console import EXIT_DOWN, Refusal, carry_out, refusing, say, styled, width
from gwtui.cli.endpoints import chosen, over, profile_of, refuse_undescribed
from gwtui.cli.options import (
    ListsAPIs,
    config_option,
    exit_codes,
    exit_with,
    given,
    json_option,
    key_option,
    model_option,
    omit_option,
    profile_option,
)

if TYPE_CHECKING:
    from gwtui.model.profile import Endpoint, Profile
    from gwtui.probes.prober import ProbedTurn

_ONLY_FOR = {
    "model": ("completion",),
    "prompt": ("completion",),
    "max_tokens": ("completion",),
    "omit": ("completion",),
    "stream": ("completion",),
    "method": ("http",),
    "expect": ("http", "websocket"),
}
"""Options that would be ignored for other kinds of APIs, which is worse than being refused."""


@click.command(
    "probe",
    cls=ListsAPIs,
    short_help="Send one request and show everything about it.",
    epilog=exit_codes("the verdict is bad, or a --fail-if came true"),
)
@click.argument("endpoint", required=False, shell_complete=completion.endpoints)
@profile_option("The profile that ENDPOINT is in.")
@config_option
@click.option("--api", metavar="NAME", help="API of the endpoint, see above.", shell_complete=completion.apis)
@click.option("--url", metavar="URL", help="Base URL.")
@click.option("--path", metavar="PATH", help="Appended to the base URL.  [default: the API's]")
@model_option
@key_option
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Additional request header; repeatable.")
@click.option("--prompt", metavar="TEXT", help="Prompt to send.")
@click.option(
    "--max-tokens", type=click.IntRange(1, 1_000_000), metavar="N", help="Maximum number of tokens in the answer."
)
@omit_option
@click.option("--no-stream", is_flag=True, help="Request a whole answer instead of a stream.")
@click.option("--method", metavar="NAME", help="Request method (http).  [default: POST]")
@click.option("--body", metavar="TEXT", help="Body (http), frame (websocket), or additional JSON fields (all others).")
@click.option("--expect", metavar="TEXT", help="Expected answer (http, websocket).")
@click.option("--connect-to", metavar="HOST:PORT", help="Connect to this address; URL and Host header stay the same.")
@click.option("--proxy", metavar="URL", help="Connect through this proxy, or `direct`.")
@click.option("--unix-socket", "unix", metavar="PATH", help="Connect to a Unix socket instead of the URL's host.")
@click.option(
    "--fail-if",
    "fail_if",
    multiple=True,
    metavar="EXPR",
    help="Exit with 1 if EXPR is true: a verdict, a finding such as sequential, or as in `gwtui bench`; repeatable.",
)
@json_option
def command(
    endpoint: str | None,
    profile_name: str | None,
    config_file: Path | None,
    headers: tuple[str, ...],
    no_stream: bool,
    as_json: bool,
    fail_if: tuple[str, ...],
    **fields: Any,
) -> None:
    """Send one request and show everything about it: phases, every event, the verdict and the rule that decided it.

    Probe an ENDPOINT of the configuration, changed by the options given, or describe one with --api and --url. Of a
    conversation, all turns are shown; with --json, each is an object of its own.

    \b
      gwtui probe claude
      gwtui probe claude --model another-model --no-stream
      gwtui probe --api openai-chat --url https://host --key env:API_KEY
    """
    fields = given(**fields)
    fields |= {"headers": headers_of(headers)} if headers else {}
    fields |= {"stream": False} if no_stream else {}
    fields |= {"unix": str(Path(fields["unix"]).absolute())} if "unix" in fields else {}
    fields |= {"connect_to": connect_to_of(fields["connect_to"])} if "connect_to" in fields else {}
    chosen, profile = target(endpoint, profile_name, config_file, fields)
    exit_with(probe(chosen, profile, fail_if, as_json=as_json))


def target(
    name: str | None, profile_name: str | None, config_file: Path | None, fields: dict[str, Any]
) -> tuple[Endpoint, Profile]:
    """The endpoint to probe: one of the configuration changed by what was given, or one described by it alone."""
    from gwtui.config import endpoint_from
    from gwtui.model.profile import Profile

    profile = Profile()
    base: Endpoint | None = None
    if name is not None:
        profile = profile_of(config_file, profile_name, (name,))
        (base,) = chosen(profile, (name,))
    else:
        refuse_undescribed(fields)
    fields = {**fields, "headers": _merged(base, fields["headers"])} if "headers" in fields else fields
    with refusing():
        endpoint = endpoint_from(over(base, _with_body(fields, base)), base)
    _refuse_useless(endpoint, fields)
    return endpoint, profile


def headers_of(texts: tuple[str, ...]) -> dict[str, str]:
    """`Name: value` texts as headers. An invalid text is not repeated: it may contain a secret."""
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


def _with_body(fields: dict[str, Any], base: Endpoint | None) -> dict[str, Any]:
    """`--body` as the API takes it: text for plain HTTP and WebSockets, a table of further fields for the rest."""
    import msgspec

    from gwtui.apis import api_named
    from gwtui.model.enums import Kind

    api = api_named(fields.get("api") or (base.api if base is not None else ""))
    if "body" not in fields or api is None or api.kind is not Kind.COMPLETION:
        return fields
    try:
        extra = msgspec.json.decode(fields["body"], type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Refusal(f"""--body is a JSON object for {api.name}, such as '{{"temperature": 0.2}}'""") from error
    own = base.body if base is not None and isinstance(base.body, dict) else {}
    return {**fields, "body": {**own, **extra}}


def _refuse_useless(endpoint: Endpoint, fields: Mapping[str, Any]) -> None:
    from gwtui.apis import kind_of

    kind = kind_of(endpoint.api).value
    useless = [name for name in fields if kind not in _ONLY_FOR.get(name, (kind,))]
    if useless:
        options = ", ".join("--no-stream" if name == "stream" else f"--{name.replace('_', '-')}" for name in useless)
        instead = "" if kind == "completion" else "; what is sent is --body"
        raise Refusal(f"{options}: not for the API {endpoint.api}{instead}")


def probe(endpoint: Endpoint, profile: Profile, fail_if: Sequence[str] = (), *, as_json: bool) -> int:
    """Probe it once and print everything, of a conversation each turn; its last decides. Ctrl-C ends the probe; what
    arrived until then is printed. `fail_if`: gates that it has to pass."""
    from gwtui.bench.gates import gate_figures, thresholds
    from gwtui.bench.results.measured import empty
    from gwtui.report import probe_json, probe_text

    measured = empty((endpoint,))
    try:
        gates = thresholds.parse_all(fail_if, list(measured.values()))
    except gate_figures.GateError as error:
        raise Refusal(str(error)) from error
    probed, number = carry_out(_probed(endpoint, profile))
    if probed is None:
        raise click.exceptions.Exit(128 + (number or 0))
    for at, (result, reads) in enumerate(probed):
        if at and not as_json:
            say("")
        say(probe_json(result, reads) if as_json else probe_text(endpoint, result, reads, width(), styled))
        measured[endpoint.name].take(result)
    if number is not None:
        return 128 + number
    tripped = thresholds.judge(gates, list(measured.values()))
    for each in tripped:
        click.echo(f"gwtui: {each}", err=True)
    return 0 if result.outcome == "ok" and not tripped else EXIT_DOWN


async def _probed(endpoint: Endpoint, profile: Profile) -> list[ProbedTurn]:
    from contextlib import aclosing

    from gwtui.engine.loop_lag import LoopLagMonitor
    from gwtui.engine.provider_lookup import ProviderLookup
    from gwtui.model.records import Request
    from gwtui.probes.prober import probe_turns

    lag_monitor = LoopLagMonitor()
    async with lag_monitor.watching():
        probed = await probe_turns(endpoint, profile, lag_monitor.marked)
    result, reads = probed[-1]
    if isinstance(result, Request) and endpoint.metrics is not None:
        async with aclosing(ProviderLookup()) as lookup:
            probed[-1] = (await lookup.look_up(result, endpoint, profile), reads)
    return probed
