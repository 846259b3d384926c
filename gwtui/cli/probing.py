"""The commands about one answer: `probe` asks for it, `decode` reads one that was captured."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from typing import Any

import click

from gwtui.cli.options import EXIT_CODES, KEY_PLACES, config_option, exit_with


@click.command(short_help="Send one request and tell everything about it.", epilog=EXIT_CODES)
@click.argument("endpoint", required=False)
@click.option("-p", "--profile", "profile_name", metavar="NAME", help="Which profile ENDPOINT is in.")
@config_option
@click.option("--api", metavar="NAME", help="How to ask and to read the answer, see above.")
@click.option("--url", metavar="URL", help="The base URL.")
@click.option("--path", metavar="PATH", help="Appended to the base URL.  [default: the API's]")
@click.option("--model", metavar="NAME", help="The model to ask for.")
@click.option("--key", metavar="REFERENCE", help=f"Where the key is: {KEY_PLACES}.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A further request header; repeatable.")
@click.option("--prompt", metavar="TEXT", help="What to ask.")
@click.option("--max-tokens", type=click.IntRange(1, 1_000_000), metavar="N", help="The token limit of the answer.")
@click.option("--no-stream", is_flag=True, help="Ask for one JSON answer instead of a stream.")
@click.option("--method", metavar="NAME", help="The method (http).  [default: POST]")
@click.option("--body", metavar="TEXT", help="The body (http), the frame (websocket), further fields as JSON (others).")
@click.option("--expect", metavar="TEXT", help="The expected answer (http, websocket).")
@click.option("--connect-to", metavar="HOST:PORT", help="Connect there; URL and Host header stay the same.")
@click.option("--proxy", metavar="URL", help="Connect through this proxy, or `direct`.")
@click.option("--unix-socket", "unix", metavar="PATH", help="Connect to a Unix socket instead of the URL's host.")
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
    from gwtui.cli import probe_command

    given: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    given |= {"headers": probe_command.headers_of(headers)} if headers else {}
    given |= {"stream": False} if no_stream else {}
    given |= {"unix": str(Path(given["unix"]).absolute())} if "unix" in given else {}
    given |= {"connect_to": probe_command.connect_to_of(given["connect_to"])} if "connect_to" in given else {}
    target, profile = probe_command.target(endpoint, profile_name, config_file, given)
    exit_with(probe_command.probe(target, profile, as_json=as_json))


@click.command(short_help="Read a captured stream: its events and its verdict.", epilog=EXIT_CODES)
@click.argument("file", type=click.File("rb"), metavar="FILE|-")
@click.option("--api", required=True, metavar="NAME", help="Whose stream it is, as for `gwtui probe`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def decode(file: BufferedReader, api: str, as_json: bool) -> None:
    """Read a captured answer by the same rules as a live one: its events, its verdict and the rule that decided it.

    The capture is the body of an answer, or what `curl -i` printed, headers included. It may be a pipe, and of any
    length: of more than 20,000 events the beginning and the end are printed.

    \b
      curl -isN https://host/v1/messages -d @body.json > answer
      gwtui decode answer --api anthropic-messages
    """
    from gwtui.cli import probe_command

    exit_with(probe_command.decode(file, api, as_json=as_json))
