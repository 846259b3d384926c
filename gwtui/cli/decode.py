"""`gwtui decode`: read captured answers by the rules for live ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gwtui.cli.console import EXIT_DOWN, EXIT_USAGE, Refusal, say, shown, styled, width
from gwtui.cli.options import exit_codes, exit_with
from gwtui.cli.user_files import chunks_of

if TYPE_CHECKING:
    from gwtui.decode import CaptureFile, Exchange
    from gwtui.report import Captured
    from gwtui.report.kept_streams import Judged

_NAME = 80
"""Characters of a file's name in a table."""


@click.command(
    "decode",
    short_help="Read captured answers: their events and verdicts.",
    epilog=exit_codes(
        "a verdict is bad; with --session: one would be another today",
        usage="the command line is wrong, or a capture cannot be read",
    ),
)
@click.argument("files", nargs=-1, metavar="FILE|-...")
@click.option("--session", metavar="DIR", type=click.Path(path_type=Path), help="Judge all kept streams of a session.")
@click.option("--api", metavar="NAME", help="API of the answers, as in `gwtui probe`.  [default: what they show]")
@click.option("--entry", type=click.IntRange(1), metavar="N", help="Only entry N of a HAR, with its events.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object; for several, or a HAR, a list.")
def command(files: tuple[str, ...], session: Path | None, api: str | None, entry: int | None, as_json: bool) -> None:
    """Read captured answers by the same rules as live ones: their events, verdicts and the rules that decided them.

    A capture is the body of an answer, a stream or whole, what `curl -i` or `curl -v` printed, a HAR, or a stream that
    a session kept in `streams/`, which is printed with its times, as by `gwtui probe`. It can be a pipe, of any length
    (a HAR: up to 128 MiB). Of a HAR, all requests to models are read. Several answers become a table. If one has more
    than 20,000 events, only the first and the last are printed.

    --session judges every kept stream of a session anew, by the rules of this version, and shows where that differs
    from what was recorded. DIR is a path or the name of a session.

    The API is recognised by the answer's events, or by the path of the request. Where several are as likely, decode
    names them, and --api has to choose. Headers of requests are never printed.

    \b
      curl -isN https://host/v1/messages -d @body.json > answer
      gwtui decode answer
      gwtui decode session.har
      gwtui decode --session 2026-11-20T14-03-22Z-prod
    """
    if (session is None) == (not files):
        raise Refusal("name captures to read, or a session with --session")
    exit_with(_decode_session(session, as_json=as_json) if session else _decode(files, api, entry, as_json=as_json))


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

        if file.kept is not None:
            yield self._kept(file.kept, name)
            return
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

    def _kept(self, data: Iterator[bytes], name: str) -> Captured:
        from gwtui.codec.stream_file import StreamFileError
        from gwtui.decode.kept_streams import kept_stream
        from gwtui.report import Captured

        try:
            kept = kept_stream(data)
        except StreamFileError as error:
            self.code = EXIT_USAGE
            return Captured(name, problem=str(error))
        self.code = max(self.code, EXIT_DOWN if kept.result.outcome != "ok" else 0)
        return Captured(name, shown(f"{kept.header.method} {kept.header.url}"), kept=kept)

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
    from gwtui.report import captures_json, captures_text, decode_json, decode_text, kept_json, kept_text

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
    if captured.kept is not None:
        say(kept_json(captured.kept) if as_json else kept_text(captured.kept, width(), styled))
        return reading.code
    if captured.decoded is None:
        raise Refusal(f"{captured.name}: {captured.problem}")
    say(decode_json(captured.decoded) if as_json else decode_text(captured.decoded, width(), styled))
    return reading.code


def _decode_session(path: Path, *, as_json: bool) -> int:
    """Judge the kept streams of a session anew, and print where that differs. Returns the exit code."""
    from gwtui.decode.session_streams import streams_in
    from gwtui.recorder import session_dir
    from gwtui.recorder.ownership import is_bench
    from gwtui.report import session_streams_json, session_streams_text

    learn_keys()
    directory, code = session_dir(path), 0
    if is_bench(directory):
        raise Refusal(f"{directory}: a benchmark keeps no streams: gwtui report shows what it measured")

    def judged() -> Iterator[Judged]:
        nonlocal code
        for name, kept in streams_in(directory):
            differs = not isinstance(kept, str) and not kept.not_judged and kept.differences
            code = max(code, EXIT_USAGE if isinstance(kept, str) else EXIT_DOWN if differs else 0)
            yield name, kept

    try:
        for text in session_streams_json(judged()) if as_json else (session_streams_text(judged(), width(), styled),):
            say(text)
    except OSError as error:
        raise Refusal(f"{directory}: {error.strerror or error}") from error
    return code


def learn_keys() -> None:
    """Know the keys of the configuration, if there is one that can be read, to mask them."""
    from gwtui.config import ConfigError, load
    from gwtui.secrets.resolver import learn

    with suppress(ConfigError):
        learn(*(endpoint for profile in load().profiles for endpoint in profile.endpoints))
