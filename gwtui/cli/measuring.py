"""The commands that measure on purpose: `bench`, `compare`, and `selftest`, which measures gwtui itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gwtui.cli.options import KEY_PLACES, NumberRange, exit_with, seconds

_FILE = click.Path(dir_okay=False, path_type=Path)
_COUNT = click.IntRange(1, 1_000_000_000)
_WARMUP = click.IntRange(0, 1_000_000)

_EXIT_CODES = """\b
Exit codes:
  0      good
  1      a --fail-if came true, or an endpoint had no success
  2      the command line, the configuration or a file is wrong
  3      gwtui itself failed
  128+n  ended by signal n (130: Ctrl-C), and what was measured is told"""


class FlagsAsGo(click.Command):
    """Takes long options with one dash too, and `--stream=true`, as Go's flag package does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        params = self.get_params(ctx)
        names = {name for param in params for name in param.opts if name.startswith("--")}
        flags = {name for param in params if getattr(param, "is_flag", False) for name in param.opts}
        at = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, [*_long(args[:at], names, flags), *args[at:]])


def _long(args: list[str], names: set[str], flags: set[str]) -> list[str]:
    found = []
    for arg in args:
        name, equals, value = arg.partition("=")
        name = f"-{name}" if f"-{name}" in names else name
        if name in flags and value in ("true", "false"):
            found += [name] if value == "true" else []
        else:
            found.append(f"{name}{equals}{value}")
    return found


def _rate(_ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    """`50`, `0.5` or `50/s`, as requests per second."""
    if text is None:
        return None
    try:
        rate = float(text.strip().removesuffix("/s"))
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 10_000:
        raise click.BadParameter(f"{text!r} is not a number of requests per second: write 50 or 0.5", param=param)
    return rate


def _shared_options(command: Any) -> Any:
    """What both commands have in common."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object."),
        click.option("--request-csv", type=_FILE, metavar="FILE", help="Write a row per request, failures included."),
        click.option("--csv", "aggregate_csv", type=_FILE, metavar="FILE", help="Write a row per endpoint."),
        click.option("--stream/--no-stream", default=None, help="Ask for streams, or for whole answers."),
        click.option("--max-tokens", type=_COUNT, metavar="N", help="The token limit of each answer."),
        click.option(
            "--for",
            "for_s",
            metavar="DURATION",
            callback=seconds,
            help="Stop starting requests after DURATION: 30s, 5m.",
        ),
        click.option("--config", "config_file", type=_FILE, help="The configuration file."),
        click.option("-p", "--profile", "profile_name", metavar="NAME", help="Which profile of the configuration."),
    ):
        command = option(command)
    return command


@click.command(cls=FlagsAsGo, short_help="Benchmark endpoints: latency percentiles and failures.", epilog=_EXIT_CODES)
@click.argument("endpoints", nargs=-1, metavar="[ENDPOINT]...")
@click.option("--requests", type=_COUNT, metavar="N", help="For each endpoint.  [default: 1000, or what --for allows]")
@click.option("--concurrency", type=click.IntRange(1, 1000), metavar="N", help="The most at once.  [default: 1]")
@click.option("--rate", metavar="N", callback=_rate, help="Open loop: start N requests per second.")
@click.option("--warmup", type=_WARMUP, metavar="N", default=0, help="Warm-up requests, not counted.")
@click.option("--together", is_flag=True, help="All endpoints at the same time.  [default: one after another]")
@click.option("--interleave", is_flag=True, help="The endpoints in turns: A B B A.")
@click.option("--fail-if", "fail_if", multiple=True, metavar="EXPR", help="Exit with 1 if so, see above; repeatable.")
@_shared_options
@click.option("--api", metavar="NAME", help="An endpoint that is in no profile: its API ...")
@click.option("--url", metavar="URL", help="... its base URL ...")
@click.option("--path", metavar="PATH", help="... and its path, where it is not the API's own.")
@click.option("--key", metavar="REFERENCE", help=f"Where its key is: {KEY_PLACES}.")
@click.option("--model", metavar="NAME", help="The model to ask for.")
@click.option("--gateway", metavar="URL", help="A Cody Gateway ...")
@click.option("--sgd", metavar="REFERENCE", help="... and where its key is.")
@click.option("--sourcegraph", metavar="URL", help="A Sourcegraph instance ...")
@click.option("--sgp", metavar="REFERENCE", help="... and where its access token is.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    type=click.Choice(["anthropic", "fireworks"]),
    help="API of these completions; repeatable.  [default: anthropic]",
)
@click.option("--connectivity", is_flag=True, help="Ping those over WebSocket and HTTP instead: no model.")
@click.option("--use-special-header", "special_header", metavar="VALUE", help="Send those cody-core-gc-test: VALUE.")
def bench(as_json: bool, **options: Any) -> None:
    """Benchmark endpoints: latency percentiles and failures.

    Loads the ENDPOINTs of a profile (without any: all that are not paused), one endpoint that is described by --api
    and --url, or a gateway and an instance. Percentiles are by nearest rank over the successful requests, with 95 %
    confidence intervals; -(n) where n requests are too few. With --rate, latency counts from the planned send.
    All requests are sent, whatever is answered: Retry-After is not obeyed, and requests do not count against a budget.

    \b
      gwtui bench --requests 200 --csv results.csv
      gwtui bench claude gpt --together --concurrency 8 --for 1m
      gwtui bench claude --rate 20 --fail-if 'p95_ttft>800ms'
      gwtui bench --gateway https://host --sgd env:KEY --provider fireworks

    \b
    --fail-if: avg_, median_, min_, max_, p95_ (any percentile) with ttfb, ttft,
    ttfo, icl, tpot, e2e or rtt; fail_rate, success, failed, tokens_per_s, or a
    verdict such as truncated. For one endpoint only: 'claude: p95_e2e>2s'.
    """
    from gwtui.cli import bench_command

    exit_with(bench_command.bench(options, as_json=as_json))


@click.command(short_help="Compare A and B: difference, confidence interval, significance.", epilog=_EXIT_CODES)
@click.argument("sources", nargs=-1, required=True, metavar="A B...")
@click.option("--requests", type=_COUNT, metavar="N", help="For each endpoint.  [default: 100, or what --for allows]")
@click.option("--warmup", type=_WARMUP, metavar="N", default=1, show_default=True, help="Not counted.")
@_shared_options
def compare(sources: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Compare A and B: difference, confidence interval, significance.

    A, B and so on are endpoints of a profile, which are probed in turns (A B B A), or CSV files and session
    directories with what was measured before, by gwtui or by `src gateway benchmark`.

    Time to first token, whole latency, inter-chunk latency (the mean of each stream) and time per output token are
    compared: the differences of median and p95 with 95 % bootstrap intervals, and a Mann-Whitney test whose p is
    corrected for the number of pairs (Holm). Retry-After is not obeyed, and requests do
    not count against a budget.

    \b
      gwtui compare claude-direct claude-gateway --requests 200
      gwtui compare monday.csv friday.csv
    """
    from gwtui.cli import bench_command

    exit_with(bench_command.compare(sources, options, as_json=as_json))


@click.command(short_help="Measure gwtui's own timing accuracy on this machine.")
@click.option("--seconds", type=NumberRange(1, 600), default=4.0, show_default=True, help="For each of both parts.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def selftest(seconds: float, as_json: bool) -> None:
    """Measure gwtui's own timing accuracy on this machine.

    Watches ten streams, 500 events a second in all, from a server of its own on loopback, which writes into each event
    when it was sent; once without a screen and once with the whole screen on a hidden terminal. No configuration is
    read, and nothing leaves this machine.
    """
    from gwtui.cli import selftest_command

    exit_with(selftest_command.selftest(seconds, as_json=as_json))
