"""The command line: commands and options. What they do is put together in `gwtui.compose`.

Every command imports what it needs when it runs, so that `--help` costs nothing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn

import click

from gwtui.compose.console import EXIT_USAGE, Refusal, run, say

_LONGEST_INTERVAL_S = 86_400
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+) *(ms|s|m|h|)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def main() -> NoReturn:
    """The program."""
    run(gwtui)


def _seconds(_ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    """`30s`, `5m`, `2h`, `250ms` or plain seconds, as seconds."""
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds < float("inf"):
        raise click.BadParameter(f"{text!r} is not a duration: write 30s, 5m, 2h or a number of seconds", param=param)
    if param.name == "interval_s" and seconds > _LONGEST_INTERVAL_S:
        raise click.BadParameter("is longer than a day", param=param)
    return seconds


class _WatchByDefault(click.Group):
    """`gwtui -p prod` is `gwtui watch -p prod`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["watch", *args]
        return super().parse_args(ctx, args)


def _version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            say(f"gwtui {version('gwtui')}")
        except PackageNotFoundError:
            say("gwtui, run from a checkout that is not installed")
        ctx.exit()


def _exit(code: int) -> NoReturn:
    click.get_current_context().exit(code)


_EXIT_CODES = """\b
Exit codes:
  0      good
  1      an endpoint is down or gave no good answer; a probe's verdict is bad
  2      the command line or the configuration is wrong
  3      gwtui itself failed
  128+n  ended by signal n (130: Ctrl-C)"""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=_WatchByDefault, context_settings=_SETTINGS, epilog=_EXIT_CODES)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def gwtui() -> None:
    """A live monitor in the terminal for LLM gateways.

    Without a command, gwtui watches the endpoints of your default profile. New here? `gwtui demo` shows it at work.
    """


_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file.  [default: what `gwtui config path` says]",
)


def _run_options(command: Any) -> Any:
    """What `watch` and `demo` have in common."""
    for option in (
        click.option(
            "--session-dir",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Where this session's files go.  [default: a new directory beside the earlier sessions]",
        ),
        click.option("--json", "as_json", is_flag=True, help="No screen: JSON lines."),
        click.option("--headless", is_flag=True, help="No screen: a line per interval, then a summary."),
        click.option(
            "--for", "stop_after_s", metavar="DURATION", callback=_seconds, help="Stop after that long: 30s, 5m, 2h."
        ),
    ):
        command = option(command)
    return command


@gwtui.command(short_help="Watch the endpoints of a profile, live.", epilog=_EXIT_CODES)
@click.option("-p", "--profile", "profile_name", metavar="NAME", help="Which profile of the configuration.")
@_config_option
@click.option(
    "--interval", "interval_s", metavar="DURATION", callback=_seconds, help="Probe all endpoints at this interval."
)
@_run_options
def watch(config_file: Path | None, profile_name: str | None, **options: Any) -> None:
    """Watch the endpoints of a profile, live.

    Every request is a row in this session's files. Without a terminal, as with --headless, a line is printed per
    interval and a summary at the end.
    """
    from gwtui.compose import watching

    _exit(watching.watch(config_file, profile_name, watching.Run(**options)))


@gwtui.command(short_help="See gwtui at work: a gateway of its own, with an incident.", epilog=_EXIT_CODES)
@_run_options
def demo(**options: Any) -> None:
    """Watch the embedded gateway, which has an incident within the first minute.

    It needs no configuration, no key and no network. Endpoints that are down do not count in the exit code.
    """
    from gwtui.compose import watching

    _exit(watching.watch_demo(watching.Run(**options)))


@gwtui.command(short_help="Run the embedded gateway alone.", epilog=_EXIT_CODES)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", default=8765, show_default=True, help="0: a free one."
)
@click.option("--scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A script in TOML.")
@click.option("--json", "as_json", is_flag=True, help='Announce the port as {"port": N}.')
@click.option("--stop-with-stdin", is_flag=True, hidden=True)
def gateway(host: str, port: int, scenario: Path | None, as_json: bool, stop_with_stdin: bool) -> None:
    """Run the embedded gateway alone: LLM APIs on loopback whose answers and faults follow a script.

    Without --scenario it plays the demo's story.
    """
    from gwtui.demo.scenario import ScenarioError, load_scenario
    from gwtui.demo.server import serve

    def announce(bound: int) -> None:
        name = f"[{host}]" if ":" in host else host
        say(f'{{"port": {bound}}}' if as_json else f"The embedded gateway listens on http://{name}:{bound}")

    try:
        serve(host, port, load_scenario(scenario), ready=announce, stop_with_stdin=stop_with_stdin)
    except ScenarioError as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


@gwtui.command(short_help="Send one request and tell everything about it.", epilog=_EXIT_CODES)
@click.argument("endpoint", required=False)
@click.option("-p", "--profile", "profile_name", metavar="NAME", help="Which profile ENDPOINT is in.")
@_config_option
@click.option("--api", metavar="NAME", help="How to ask and to read the answer, see above.")
@click.option("--url", metavar="URL", help="The base URL.")
@click.option("--path", metavar="PATH", help="Appended to the base URL.  [default: the API's]")
@click.option("--model", metavar="NAME", help="The model to ask for.")
@click.option("--key", metavar="REFERENCE", help="Where the key is: env:NAME, file:PATH, cmd:COMMAND.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A further request header; repeatable.")
@click.option("--prompt", metavar="TEXT", help="What to ask.")
@click.option("--max-tokens", type=click.IntRange(1, 1_000_000), metavar="N", help="The token limit of the answer.")
@click.option("--no-stream", is_flag=True, help="Ask for one JSON answer instead of a stream.")
@click.option("--method", metavar="NAME", help="The method (http).  [default: POST]")
@click.option("--body", metavar="TEXT", help="The body (http), the frame (websocket), further fields as JSON (others).")
@click.option("--expect", metavar="TEXT", help="The expected answer (http, websocket).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def probe(
    endpoint: str | None,
    profile_name: str | None,
    config_file: Path | None,
    headers: tuple[str, ...],
    no_stream: bool,
    as_json: bool,
    **fields: Any,
) -> None:
    """Send one request and tell everything about it: phases, every event, the verdict and the rule that decided it.

    Probe an ENDPOINT of the configuration, changed by the options given, or describe one with --api and --url.

    \b
      gwtui probe claude
      gwtui probe claude --model another-model --no-stream
      gwtui probe --api openai-chat --url https://host --key env:API_KEY

    \b
    APIs: anthropic-messages, openai-chat, openai-responses,
          openai-completions, gemini, fireworks, sourcegraph-stream,
          sourcegraph-code, compare-stream, http, websocket
    """
    from gwtui.compose import probing

    given: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    given |= {"headers": probing.headers_of(headers)} if headers else {}
    given |= {"stream": False} if no_stream else {}
    target, profile = probing.target(endpoint, profile_name, config_file, given)
    _exit(probing.probe(target, profile, as_json=as_json))


@gwtui.group(short_help="Where the files are, an example, and a check.")
def config() -> None:
    """Where the files are, an example, and a check of a file."""


@config.command("path", short_help="Print where configuration, themes and sessions are.")
def config_path() -> None:
    """Print where configuration, themes and sessions are. GWTUI_CONFIG names another configuration file."""
    from gwtui.config import config_path
    from gwtui.recorder import state_dir

    path = config_path()
    say(f"configuration  {path}{'' if path.exists() else '  (not there yet)'}")
    say(f"themes         {path.parent / 'themes'}")
    say(f"sessions       {state_dir() / 'sessions'}")


@config.command("example", short_help="Print a configuration that documents every field.")
def config_example() -> None:
    """Print a configuration that documents every field, ready to be copied."""
    from gwtui.config import example

    say(example().removesuffix("\n"))


@config.command("check", short_help="Name every fault of a configuration.")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def config_check(file: Path | None) -> None:
    """Name every fault of a configuration with its file, line and key. Exits with 2 when there is one.

    What is no fault of the file but missing on this machine, such as a variable with a key, is a note.
    """
    from gwtui.compose import checking
    from gwtui.config import config_path, load

    path = file if file is not None else config_path()
    if file is None and not path.exists():
        raise Refusal(f"{path} is not there yet. `gwtui config example` shows how to write it.")
    faults = checking.faults_of(path)
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        _exit(EXIT_USAGE)
    say(f"{path}: good")
    for note in checking.notes_of(load(path)):
        say(f"note: {note}")


@gwtui.command(hidden=True)
def engine() -> None:
    """The child process that probes: commands on standard input, records on standard output."""
    from gwtui.session import main as serve

    serve()
