"""The command line, and the one place where the parts are put together.

Every command imports what it needs when it runs, so that `--help` costs nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from gwtui.commands import Start
    from gwtui.config import Config
    from gwtui.profile import Endpoint, Profile

EXIT_DOWN = 1
"""An endpoint is down, or the probe's verdict is not a good one."""
EXIT_USAGE = 2
"""The command line or the configuration is wrong."""
EXIT_OWN_FAULT = 3
"""gwtui itself failed: its engine died."""


class _Duration(click.ParamType[float]):
    """`30s`, `5m`, `2h`, `250ms` or plain seconds, as float seconds."""

    name = "duration"
    _units = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        number, factor = next(
            ((text[: -len(unit)], factor) for unit, factor in self._units if text.endswith(unit)), (text, 1.0)
        )
        try:
            seconds = float(number) * factor
        except ValueError:
            seconds = -1.0
        if not 0 < seconds < float("inf"):
            self.fail(f"{value!r} is not a duration: write 30s, 5m, 2h or a number of seconds", param, ctx)
        return seconds


DURATION = _Duration()


class _WatchByDefault(click.Group):
    """`gwtui -p prod` is `gwtui watch -p prod`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["watch", *args]
        return super().parse_args(ctx, args)


def _version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"gwtui {version('gwtui')}")
        ctx.exit()


@click.group(cls=_WatchByDefault, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def main() -> None:
    """A live monitor in the terminal for LLM gateways.

    Without a command, gwtui watches the endpoints of your default profile. New here? `gwtui demo` shows it at work.
    """


_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file.  [default: see `gwtui config path`]",
)
_for_option = click.option("--for", "stop_after_s", type=DURATION, help="Stop after that long: 30s, 5m, 2h.")
_headless_option = click.option("--headless", is_flag=True, help="No screen: a line per interval, then a summary.")
_json_option = click.option("--json", "as_json", is_flag=True, help="No screen: JSON lines on standard output.")
_session_option = click.option(
    "--session-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write this session's files into this directory.  [default: a new one under the state directory]",
)


@main.command()
@click.option("-p", "--profile", "profile_name", help="Which profile of the configuration.")
@_config_option
@click.option("--interval", "interval_s", type=DURATION, help="Probe every endpoint at this interval instead.")
@_for_option
@_headless_option
@_json_option
@_session_option
def watch(
    profile_name: str | None,
    config_file: Path | None,
    interval_s: float | None,
    stop_after_s: float | None,
    headless: bool,
    as_json: bool,
    session_dir: Path | None,
) -> None:
    """Watch the endpoints of a profile, live.

    Without a terminal (or with --headless) it prints a line per interval, and exits with 1 when an endpoint is down
    at the end, with 3 when gwtui itself failed.
    """
    config = _load(config_file)
    plain = headless or as_json or not _has_screen()
    if not config.profiles and profile_name is None:
        if plain:
            _refuse(f"There is no profile in {config.path}. Write one: `gwtui config example` shows how.")
        _watch_on_screen(config, None, stop_after_s, session_dir)
        return
    profile = _profile(config, profile_name)
    if plain:
        sys.exit(_watch_headless(_with_interval(profile, interval_s), stop_after_s, as_json, session_dir))
    _watch_on_screen(config, profile, stop_after_s, session_dir, interval_s)


@main.command()
@_for_option
@_headless_option
@_json_option
@_session_option
def demo(stop_after_s: float | None, headless: bool, as_json: bool, session_dir: Path | None) -> None:
    """Watch the embedded gateway, whose script has an incident within the first minute."""
    from gwtui.demo.process import spawn_gateway
    from gwtui.demo.profile import demo_profile

    with spawn_gateway() as gateway:
        profile = demo_profile(gateway.url)
        if headless or as_json or not _has_screen():
            code = _watch_headless(profile, stop_after_s, as_json, session_dir)
            sys.exit(0 if code == EXIT_DOWN else code)
        _watch_on_screen(_load(None), profile, stop_after_s, session_dir)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A scenario in TOML.")
@click.option("--json", "as_json", is_flag=True, help='Announce the port as {"port": N}.')
@click.option("--stop-with-stdin", is_flag=True, hidden=True)
def gateway(host: str, port: int, scenario: Path | None, as_json: bool, stop_with_stdin: bool) -> None:
    """Run the embedded gateway alone: LLM APIs on loopback whose answers and faults follow a script."""
    from gwtui.demo.scenario import ScenarioError, load_scenario
    from gwtui.demo.server import serve

    def announce(bound: int) -> None:
        click.echo(f'{{"port": {bound}}}' if as_json else f"The embedded gateway listens on http://{host}:{bound}")

    try:
        serve(host, port, load_scenario(scenario), ready=announce, stop_with_stdin=stop_with_stdin)
    except ScenarioError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"Cannot listen on {host}:{port}: {error.strerror or error}")


@main.command()
@click.argument("endpoint", required=False)
@click.option("-p", "--profile", "profile_name", help="Which profile ENDPOINT is in.")
@_config_option
@click.option("--api", help="Such as anthropic-messages, openai-chat, http or websocket.")
@click.option("--url", help="The base URL.")
@click.option("--path", help="Appended to the base URL.  [default: the API's]")
@click.option("--model", help="The model to ask for.")
@click.option("--key", metavar="REFERENCE", help="Where the key is: env:NAME or file:PATH.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A further request header; repeatable.")
@click.option("--prompt", help="What to ask.")
@click.option("--max-tokens", type=click.IntRange(1), help="The token limit of the answer.")
@click.option("--no-stream", is_flag=True, help="Ask for one JSON answer instead of a stream.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def probe(
    endpoint: str | None,
    profile_name: str | None,
    config_file: Path | None,
    headers: tuple[str, ...],
    no_stream: bool,
    as_json: bool,
    **fields: Any,
) -> None:
    """Send one request and tell everything about it.

    Probe an ENDPOINT of the configuration, changed by the options given, or describe one with --api and --url. Exits
    with 0 only for a good verdict.
    """
    import asyncio

    from gwtui.probes.once import probe_once
    from gwtui.report import probe_json, probe_text

    given: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    given |= {"headers": _headers(headers)} if headers else {}
    given |= {"stream": False} if no_stream else {}
    target, profile = _target(endpoint, profile_name, config_file, given)
    result, reads = asyncio.run(probe_once(target, profile))
    click.echo(probe_json(result, reads) if as_json else probe_text(target, result, reads))
    sys.exit(0 if result.outcome == "ok" else EXIT_DOWN)


@main.group()
def config() -> None:
    """Where the files are, an example, and a check of a file."""


@config.command("path")
def config_path() -> None:
    """Print where configuration, themes and sessions are."""
    from gwtui import config as configuration
    from gwtui.recorder import state_dir

    path = configuration.config_path()
    click.echo(f"configuration  {path}{'' if path.exists() else '  (not there yet)'}")
    click.echo(f"themes         {path.parent / 'themes'}")
    click.echo(f"sessions       {state_dir() / 'sessions'}")


@config.command("example")
def config_example() -> None:
    """Print a configuration that documents every field."""
    from gwtui.config import example

    click.echo(example(), nl=False)


@config.command("check")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def config_check(file: Path | None) -> None:
    """Name every fault of a configuration with its file, line and key. Exits with 2 when there is one."""
    from gwtui.config import check, config_path

    path = file if file is not None else config_path()
    if not path.exists():
        _refuse(f"{path} does not exist. Write one: `gwtui config example` shows how.")
    faults = check(path)
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        sys.exit(EXIT_USAGE)
    click.echo(f"{path}: good")


@main.command(hidden=True)
def engine() -> None:
    """The child process that probes: commands on standard input, records on standard output."""
    from gwtui.session import main as serve

    serve()


def _has_screen() -> bool:
    import os

    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _refuse(text: str) -> NoReturn:
    click.echo(f"gwtui: {text}", err=True)
    sys.exit(EXIT_USAGE)


def _load(config_file: Path | None) -> Config:
    from gwtui.config import ConfigError, load

    try:
        return load(config_file)
    except ConfigError as error:
        _refuse(str(error))


def _profile(config: Config, name: str | None) -> Profile:
    from gwtui.config import ConfigError

    try:
        return config.profile(name)
    except ConfigError as error:
        _refuse(str(error))


def _with_interval(profile: Profile, interval_s: float | None) -> Profile:
    """The profile with every endpoint at this interval; unchanged for None."""
    from msgspec.structs import replace

    if interval_s is None:
        return profile
    endpoints = tuple(replace(endpoint, interval_s=None) for endpoint in profile.endpoints)
    return replace(profile, interval_s=interval_s, endpoints=endpoints)


def _headers(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition(":") for text in texts]
    if wrong := next((text for text, (name, colon, _) in zip(texts, pairs, strict=True) if not (name and colon)), None):
        _refuse(f"--header {wrong!r} is not of the form 'Name: value'")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _target(
    name: str | None, profile_name: str | None, config_file: Path | None, given: dict[str, Any]
) -> tuple[Endpoint, Profile]:
    """The endpoint to probe: one of the configuration changed by what was given, or one described by it alone."""
    from gwtui.config import ConfigError, endpoint_from
    from gwtui.profile import Profile

    profile = Profile()
    base: Endpoint | None = None
    if name is not None:
        profile = _profile(_load(config_file), profile_name)
        base = profile.endpoint(name)
        if base is None:
            known = ", ".join(endpoint.name for endpoint in profile.endpoints) or "none"
            _refuse(f"There is no endpoint {name!r} in profile {profile.name!r}. It has: {known}")
    elif missing := [option for option in ("api", "url") if option not in given]:
        _refuse(f"Name an ENDPOINT, or describe one: --{' and --'.join(missing)} missing")
    try:
        return endpoint_from(given, base), profile
    except ConfigError as error:
        _refuse(str(error))


def _watch_headless(profile: Profile, stop_after_s: float | None, as_json: bool, session_dir: Path | None) -> int:
    import asyncio

    from gwtui.headless import watch_lines
    from gwtui.session import hosted

    feed = hosted(_start(profile, stop_after_s, session_dir))
    return asyncio.run(watch_lines(feed, profile.interval_s, click.echo, as_json=as_json))


def _start(profile: Profile, stop_after_s: float | None, session_dir: Path | None) -> Start:
    import time

    from gwtui.commands import Start
    from gwtui.recorder import new_session_dir

    directory = session_dir if session_dir is not None else new_session_dir(profile.name, time.time())
    return Start(profile=profile, session_dir=str(directory), stop_after_s=stop_after_s)


def _watch_on_screen(
    config: Config,
    profile: Profile | None,
    stop_after_s: float | None,
    session_dir: Path | None,
    interval_s: float | None = None,
) -> None:
    """The engine is started before the screen is imported, so the first probe does not wait for it."""
    from contextlib import ExitStack

    from gwtui.feeds import Feed, live, spawn_engine

    def start(profile: Profile) -> Start:
        return _start(_with_interval(profile, interval_s), stop_after_s, session_dir)

    started = [spawn_engine(start(profile))] if profile is not None else []

    def open_feed(profile: Profile) -> Feed:
        return live(started.pop() if started else spawn_engine(start(profile)))

    with ExitStack() as gateways:

        def start_demo() -> Profile:
            from gwtui.demo.process import spawn_gateway
            from gwtui.demo.profile import demo_profile

            return demo_profile(gateways.enter_context(spawn_gateway()).url)

        from gwtui.report import summary
        from gwtui.ui.app import GwtuiApp

        app = GwtuiApp(config, profile, open_feed, start_demo)
        code = app.run()
    if app.last_view is not None:
        click.echo(summary(app.last_view))
    sys.exit(code if code is not None else app.return_code)
