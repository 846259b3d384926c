"""The commands that run for a while: `watch`, `replay`, `demo`, `gateway`, and the hidden `engine`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gwtui.cli.console import Refusal, say
from gwtui.cli.options import EXIT_CODES, NumberRange, config_option, exit_with, run_options, screen_options, seconds


@click.command(short_help="Watch the endpoints of a profile, live.", epilog=EXIT_CODES)
@click.option("-p", "--profile", "profile_name", metavar="NAME", help="Which profile of the configuration.")
@config_option
@click.option(
    "--interval", "interval_s", metavar="DURATION", callback=seconds, help="Probe all endpoints at this interval."
)
@run_options
def watch(config_file: Path | None, profile_name: str | None, **options: Any) -> None:
    """Watch the endpoints of a profile, live.

    Every request is a row in this session's files. Without a terminal, as with --headless, a line is printed per
    interval and a summary at the end.
    """
    from gwtui.cli import watch_command

    exit_with(watch_command.watch(config_file, profile_name, watch_command.WatchOptions(**options)))


@click.command(short_help="Look at a recorded session again.", epilog=EXIT_CODES)
@click.argument("directory", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option(
    "--speed",
    type=NumberRange(min=0, min_open=True, max=10_000),
    metavar="N",
    help="As it happened, N times as fast.  [default: all at once]",
)
@screen_options
def replay(directory: Path | None, speed: float | None, **options: Any) -> None:
    """Look at a recorded session again: the same screen, out of the files in DIR.

    DIR is a path, or the name of a session among the others; without it, it is the latest. Nothing is probed and
    nothing is written. The single events of streams are not in the files, and checks are not shown again.

    \b
      gwtui replay
      gwtui replay 2026-11-20T14-03-22Z-prod --speed 20
    """
    from gwtui.cli import replay_command, watch_command

    exit_with(replay_command.replay(directory, speed, watch_command.WatchOptions(**options)))


@click.command(short_help="See gwtui at work: a gateway of its own, with an incident.", epilog=EXIT_CODES)
@run_options
def demo(**options: Any) -> None:
    """Watch the embedded gateway, which has an incident within the first minute.

    It needs no configuration, no key and no network. Endpoints that are down do not count in the exit code.
    """
    from gwtui.cli import watch_command

    exit_with(watch_command.watch_demo(watch_command.WatchOptions(**options)))


@click.command(short_help="Run the embedded gateway alone.", epilog=EXIT_CODES)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", default=8765, show_default=True, help="0: a free one."
)
@click.option("--scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A script in TOML.")
@click.option("--raw-port", type=click.IntRange(0, 65535), metavar="N", default=0, help="For faults of bare sockets.")
@click.option("--json", "as_json", is_flag=True, help='Announce the ports as {"port": N, "raw_port": M}.')
@click.option("--faults", is_flag=True, help="List the faults it has, and exit.")
@click.option("--stop-with-stdin", is_flag=True, hidden=True)
def gateway(
    host: str,
    port: int,
    raw_port: int,
    scenario: Path | None,
    as_json: bool,
    faults: bool,
    stop_with_stdin: bool,
) -> None:
    """Run the embedded gateway alone: LLM APIs on loopback whose answers and faults follow a script.

    Without --scenario it plays the demo's story. A request chooses a fault by the model `fault:NAME` or by the header
    `x-gwtui-fault: NAME`; faults of bare sockets are on the raw port.
    """
    if faults:
        _list_faults()
        return
    from gwtui.gateway.process import serve
    from gwtui.gateway.scenario import ScenarioError, load_scenario

    raw_ports: list[int] = []

    def announce(bound: int) -> None:
        name = f"[{host}]" if ":" in host else host
        if as_json:
            say(f'{{"port": {bound}, "raw_port": {raw_ports[0]}}}')
        else:
            say(f"The embedded gateway listens on http://{name}:{bound}, with faults of bare sockets on {raw_ports[0]}")

    try:
        number = serve(
            host,
            port,
            load_scenario(scenario),
            ready=announce,
            raw_port=raw_port,
            raw_ready=raw_ports.append,
            stop_with_stdin=stop_with_stdin,
        )
    except ScenarioError as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    exit_with(0 if number is None else 128 + number)


@click.command(hidden=True)
def engine() -> None:
    """The child process that probes: commands on standard input, records on standard output."""
    from gwtui.session import main as serve

    serve()


def _list_faults() -> None:
    from gwtui.gateway.faults import FAULTS

    for name, fault in FAULTS.items():
        say(f"{name:<24} {fault.verdict:<22} {fault.says}")
