"""`gwtui decode`: read a captured answer by the rules for live ones."""

from __future__ import annotations

from contextlib import suppress
from io import BufferedReader
from typing import TYPE_CHECKING

import click

from gwtui.cli.console import EXIT_DOWN, Refusal, say, styled, width
from gwtui.cli.options import exit_codes, exit_with, json_option
from gwtui.cli.user_files import chunks_of

if TYPE_CHECKING:
    from gwtui.secrets.redaction import Redactor


@click.command(
    "decode",
    short_help="Read a captured answer: its events and its verdict.",
    epilog=exit_codes("the verdict is bad", usage="the command line or the file is wrong"),
)
@click.argument("file", type=click.File("rb"), metavar="FILE|-")
@click.option("--api", required=True, metavar="NAME", help="API of the answer, as in `gwtui probe`.")
@json_option
def command(file: BufferedReader, api: str, as_json: bool) -> None:
    """Read a captured answer by the same rules as a live one: its events, its verdict and the rule that decided it.

    The capture is the body of an answer, or the output of `curl -i` with its headers: a stream, or one JSON answer. It
    can be a pipe, of any length. If it has more than 20,000 events, only the first and the last are printed.

    \b
      curl -isN https://host/v1/messages -d @body.json > answer
      gwtui decode answer --api anthropic-messages
    """
    exit_with(_decode(file, api, as_json=as_json))


def _decode(file: BufferedReader, api: str, *, as_json: bool) -> int:
    """Read a capture and print what it holds. Returns the exit code."""
    from gwtui.decode import CaptureError, decode, masked
    from gwtui.report import decode_json, decode_text

    try:
        decoded = masked(decode(chunks_of(file), api), _known_keys())
    except CaptureError as error:
        raise Refusal(str(error)) from error
    say(decode_json(decoded) if as_json else decode_text(decoded, width(), styled))
    return 0 if decoded.judgement.verdict.outcome == "ok" else EXIT_DOWN


def _known_keys() -> Redactor:
    """Masks the keys of the configuration, if there is one that can be read."""
    from gwtui.config import ConfigError, load
    from gwtui.secrets.resolver import learn, redactor

    with suppress(ConfigError):
        learn(*(endpoint for profile in load().profiles for endpoint in profile.endpoints))
    return redactor()
