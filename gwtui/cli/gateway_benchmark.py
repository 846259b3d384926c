"""`gwtui gateway benchmark` and `benchmark-stream`: the command lines of `src gateway`, done by `gwtui bench`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gwtui.cli.bench import DEFAULT_REQUESTS, BenchOptions, bench, special_header_option
from gwtui.cli.console import Refusal, note
from gwtui.cli.measure import COUNT, deadline_option, exit_codes
from gwtui.cli.options import FILE, KEY_PLACES, FlagsAsGo, exit_with, json_option, option_group

_SIDES = {"sgd": "gateway", "sgp": "sourcegraph"}
"""Each key, and the option whose URL it is for."""

_own_options = option_group(
    click.option("--requests", type=COUNT, metavar="N", help=f"Requests per endpoint.  [default: {DEFAULT_REQUESTS}]"),
    click.option("--csv", "aggregate_csv", type=FILE, metavar="FILE", help="Write a row per endpoint."),
    click.option("--request-csv", type=FILE, metavar="FILE", help="Write a row per request, failures included."),
    click.option("--gateway", metavar="URL", help="Cody Gateway."),
    click.option("--sourcegraph", metavar="URL", help="Sourcegraph instance."),
    click.option("--sgd", metavar="KEY", help="Key of the gateway, or where it is."),
    click.option("--sgp", metavar="KEY", help="Access token of the instance, or where it is."),
    special_header_option,
    deadline_option,
    json_option,
)
_EPILOG = f"""
KEY is the key itself, or where it is: {KEY_PLACES}. The key itself is masked in all that gwtui prints and writes, and
on Linux in the list of processes once gwtui runs. Until then others can read it there, and your shell may keep it in
its history.

{exit_codes("an endpoint had no success, or --deadline passed")}
"""
_SETTINGS = {"allow_extra_args": True}


@click.command(
    "benchmark-stream",
    cls=FlagsAsGo,
    context_settings=_SETTINGS,
    short_help="Benchmark completions, as `src gateway benchmark-stream` did.",
    epilog=_EPILOG,
)
@_own_options
@click.option("--max-tokens", type=COUNT, metavar="N", default=256, show_default=True, help="Tokens in each answer.")
@click.option(
    "--provider",
    type=click.Choice(["anthropic", "fireworks"]),
    default="anthropic",
    show_default=True,
    help="Provider of the model.",
)
@click.option("--stream", is_flag=True, help="Request streams.  [default: whole answers]")
@click.pass_context
def benchmark_stream(ctx: click.Context, /, provider: str, **options: Any) -> None:
    """Benchmark the completions of a Cody Gateway, a Sourcegraph instance or both, one after another.

    The command line is that of `src gateway benchmark-stream`. Only an answer with status 200 is a success. P5 to P95
    are always printed, with a ~ where the number of requests supports them badly.

    \b
      gwtui gateway benchmark-stream --gateway URL --sgd env:SGD --requests 50
      gwtui gateway benchmark-stream --sourcegraph URL --sgp env:SGP --stream
    """
    _refuse_arguments(ctx)
    for key, side in _SIDES.items():
        _require_key(key, side, options)
    exit_with(bench(_bench_options(options, providers=(provider,))))


@click.command(
    "benchmark",
    cls=FlagsAsGo,
    context_settings=_SETTINGS,
    short_help="Benchmark connectivity without a model, as `src gateway benchmark` did.",
    epilog=_EPILOG,
)
@_own_options
@click.pass_context
def benchmark(ctx: click.Context, /, **options: Any) -> None:
    """Ping a Cody Gateway, a Sourcegraph instance or both over WebSocket and HTTP, without a model.

    The command line is that of `src gateway benchmark`. Pings of a gateway need no key, those of an instance --sgp.
    Only an answer with status 200 is a success. P5 to P95 are always printed, with a ~ where the number of requests
    supports them badly.

    \b
      gwtui gateway benchmark --gateway http://localhost:9992 --requests 50
      gwtui gateway benchmark --sourcegraph URL --sgp env:SGP --csv results.csv
    """
    _refuse_arguments(ctx)
    _require_key("sgp", "sourcegraph", options)
    if options["sgd"] and options["gateway"]:
        note("--sgd was given and is not used: pings of a gateway need no key")
        options["sgd"] = None
    exit_with(bench(_bench_options(options, connectivity=True)))


def _refuse_arguments(ctx: click.Context) -> None:
    """They are not repeated: one may be a part of a key."""
    if ctx.args:
        raise Refusal(f"arguments without an option are not allowed, and there are {len(ctx.args)}: see --help")


def _require_key(key: str, side: str, options: dict[str, Any]) -> None:
    """Raise a Refusal where a URL lacks its key."""
    if options[side] and not options[key]:
        raise Refusal(f"--{side} needs its key: --{key} env:NAME, or another reference, or the key itself")


def _bench_options(options: dict[str, Any], **more: Any) -> BenchOptions:
    """The options of `gwtui bench` that do the same. An option that is empty, as of a variable that is not set, was not
    given."""
    options |= {name: options[name] or None for name in (*_SIDES, *_SIDES.values())}
    if any(options[side] for side in _SIDES.values()):
        _drop_unused(options)
        options |= _references({key: options[key] for key in _SIDES if options[key] is not None})
    return BenchOptions(**options, **more, like_src=True, no_session=True)


def _drop_unused(options: dict[str, Any]) -> None:
    for key, side in _SIDES.items():
        if options[side] is None:
            unused = f", so --{key} is not used" if options[key] else ""
            note(f"{side} is not benchmarked: there is no --{side}{unused}")
            options[key] = None


def _references(keys: Mapping[str, str]) -> dict[str, str]:
    """By option a reference to each key: its text, or a new one for a key that the text is. Raises a Refusal."""
    from gwtui.secrets.references import SCHEME_NAMES, SCHEMES, hold, is_reference
    from gwtui.secrets.resolver import remember
    from gwtui.secrets.sources import hide_argument

    written = {option: text for option, text in keys.items() if not is_reference(text)}
    for option, text in written.items():
        if text.partition(":")[0].lower() in SCHEME_NAMES:
            raise Refusal(f"--{option} begins like a reference, but is not valid: write {SCHEMES}")
    references = {option: hold(f"--{option}", text) for option, text in written.items()}
    for option, text in written.items():
        remember(references[option], text.strip())
    if written:
        hidden = sum(map(hide_argument, written.values())) == len(written)
        when, can = ("until now", "could") if hidden else ("while it runs", "can")
        names = " and ".join(f"--{option}" for option in written)
        note(f"others {can} read the key of {names} in the list of processes {when}; safer: {SCHEMES}")
    return {**keys, **references}
