"""`gwtui gateway`: the embedded gateway alone, for tests of gwtui and of other programs."""

from __future__ import annotations

from pathlib import Path

import click

from gwtui.cli import gateway_benchmark
from gwtui.cli.console import Refusal, loading, say
from gwtui.cli.options import exit_codes, exit_with


@click.group(
    "gateway",
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    short_help="Run the embedded gateway alone; or benchmark a Cody Gateway, as `src gateway`.",
    epilog=exit_codes(usage="the command line or the script is wrong"),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=8765,
    show_default=True,
    help="Port to listen on; 0: any free port.",
)
@click.option("--scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Script in TOML.")
@click.option("--raw-port", type=click.IntRange(0, 65535), metavar="N", default=0, help="Port for faults below HTTP.")
@click.option("--json", "as_json", is_flag=True, help='Announce the ports as {"port": N, "raw_port": M}.')
@click.option("--faults", is_flag=True, help="List the available faults and exit.")
@click.option("--stop-with-stdin", is_flag=True, hidden=True)
@click.pass_context
def command(
    ctx: click.Context,
    host: str,
    port: int,
    raw_port: int,
    scenario: Path | None,
    as_json: bool,
    faults: bool,
    stop_with_stdin: bool,
) -> None:
    """Run the embedded gateway alone: LLM APIs on loopback whose answers and faults follow a script.

    Without --scenario it follows the demo's script. A request chooses a fault with the model `fault:NAME` or with the
    header `x-gwtui-fault: NAME`; faults below HTTP are on the raw port.

    With a COMMAND it runs nothing: those are the command lines of `src gateway`.
    """
    if ctx.invoked_subcommand is not None:
        return
    if faults:
        _list_faults()
        return
    with loading():
        from gwtui.gateway.process import serve
        from gwtui.gateway.scenario import ScenarioError, load_scenario

    raw_ports: list[int] = []

    def announce(bound: int) -> None:
        name = f"[{host}]" if ":" in host else host
        if as_json:
            say(f'{{"port": {bound}, "raw_port": {raw_ports[0]}}}')
        else:
            say(f"The embedded gateway listens on http://{name}:{bound}, with faults below HTTP on port {raw_ports[0]}")

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


command.add_command(gateway_benchmark.benchmark)
command.add_command(gateway_benchmark.benchmark_stream)


def _list_faults() -> None:
    from gwtui.gateway.faults import FAULTS
    from gwtui.text.tables import TextColumn, table

    rows = [(name, fault.verdict, fault.says) for name, fault in FAULTS.items()]
    say("\n".join(table(rows, (TextColumn(24), TextColumn(22, gap=" "), TextColumn(gap=" ")))))
