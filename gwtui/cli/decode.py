"""`gwtui decode`: read captured answers by the rules for live ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from gwtui.cli.console import EXIT_DOWN, EXIT_USAGE, Refusal, say, shown, styled, width
from gwtui.cli.options import exit_codes, exit_with
from gwtui.cli.user_files import chunks_of

if TYPE_CHECKING:
    from gwtui.decode import CaptureFile, Exchange
    from gwtui.report import Captured

_NAME = 80
"""Characters of a file's name in a table."""


@click.command(
    "decode",
    short_help="Read captured answers: their events and verdicts.",
    epilog=exit_codes("a verdict is bad", usage="the command line is wrong, or a capture cannot be read"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|-...")
@click.option("--api", metavar="NAME", help="API of the answers, as in `gwtui probe`.  [default: what they show]")
@click.option("--entry", type=click.IntRange(1), metavar="N", help="Only entry N of a HAR, with its events.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object; for several, or a HAR, a list.")
def command(files: tuple[str, ...], api: str | None, entry: int | None, as_json: bool) -> None:
    """Read captured answers by the same rules as live ones: their events, verdicts and the rules that decided them.

    A capture is the body of an answer, a stream or whole, what `curl -i` or `curl -v` printed, or a HAR. It can be a
    pipe, of any length (a HAR: up to 128 MiB). Of a HAR, all requests to models are read. Several answers become a
    table. If one has more than 20,000 events, only the first and the last are printed.

    The API is recognised by the answer's events, or by the path of the request. Where several are as likely, decode
    names them, and --api has to choose. Headers of requests are never printed.

    \b
      curl -isN https://host/v1/messages -d @body.json > answer
      gwtui decode answer
      gwtui decode session.har
    """
    exit_with(_decode(files, api, entry, as_json=as_json))


class _Reading:
    """Reads one capture after the other, and knows how bad the worst of them was."""

    def __init__(self, files: tuple[str, ...], api: str | None, entry: int | None) -> None:
        self._files, self._api, self._entry = files, api, entry
        self.code = 0
        """The exit code so far."""
        self.is_list = len(files) > 1
        """Whether there is more than one answer, or a file that is made for several."""

    def captures(self) -> Iterator[Captured]:
        from gwtui.decode import CaptureError, opened
        from gwtui.report import Captured

        for name in self._files:
            short = shown(name)[-_NAME:]
            try:
                with click.open_file(name, "rb") as file:
                    yield from self._captures_in(opened(chunks_of(file)), short)  # type: ignore[arg-type] # it is binary
            except (OSError, CaptureError, Refusal) as error:
                self.code = EXIT_USAGE
                words = error.strerror or str(error) if isinstance(error, OSError) else str(error)
                if isinstance(error, OSError) and not self.is_list:
                    words = f"{name}: {words}"
                yield Captured(short, problem=shown(words))

    def _captures_in(self, file: CaptureFile, name: str) -> Iterator[Captured]:
        from gwtui.report import Captured

        found = False
        for exchange in file.exchanges:
            if self._entry not in (None, exchange.number):
                continue
            found = True
            several = file.is_archive or exchange.number > 1
            self.is_list = self.is_list or (several and self._entry is None)
            yield self._captured(exchange, f"{name} #{exchange.number}" if several else name)
        if not found:
            self.code = EXIT_USAGE
            words = f"no entry {self._entry} with an answer of a model" if self._entry else "no answer of a model in it"
            yield Captured(name, problem=words)

    def _captured(self, exchange: Exchange, name: str) -> Captured:
        from gwtui.decode import CaptureError, decode, masked
        from gwtui.report import Captured
        from gwtui.secrets.resolver import redactor

        decoded, problem = None, ""
        try:
            decoded = decode(exchange, self._api)
        except CaptureError as error:
            problem = str(error)
        is_bad = decoded is not None and decoded.judgement.verdict.outcome != "ok"
        self.code = max(self.code, EXIT_USAGE if decoded is None else EXIT_DOWN if is_bad else 0)
        redact = redactor(*exchange.secrets)  # known once the answer was read
        return Captured(name, redact(exchange.asked.title), decoded and masked(decoded, redact), redact(problem))


def _decode(files: tuple[str, ...], api: str | None, entry: int | None, *, as_json: bool) -> int:
    """Read captures and print what they hold. Returns the exit code."""
    from gwtui.report import captures_json, captures_text, decode_json, decode_text

    learn_keys()
    reading = _Reading(files, api, entry)
    captures = reading.captures()
    first = list(islice(captures, 2))
    if len(first) > 1 or (reading.is_list and as_json):
        every = chain(first, captures)
        for text in captures_json(every) if as_json else (captures_text(every, width(), styled),):
            say(text)
        return reading.code
    (captured,) = first
    if captured.decoded is None:
        raise Refusal(f"{captured.name}: {captured.problem}")
    say(decode_json(captured.decoded) if as_json else decode_text(captured.decoded, width(), styled))
    return reading.code


def learn_keys() -> None:
    """Know the keys of the configuration, if there is one that can be read, to mask them."""
    from gwtui.config import ConfigError, load
    from gwtui.secrets.resolver import learn

    with suppress(ConfigError):
        learn(*(endpoint for profile in load().profiles for endpoint in profile.endpoints))
