"""`gwtui report`: an incident of a recorded session, or a period of it, written up to be sent to others."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli import completion
from gwtui.cli.console import OwnFaultError, Refusal, note, say
from gwtui.cli.options import exit_codes, exit_with
from gwtui.cli.replay import recorded_session
from gwtui.cli.user_files import OutputFile

if TYPE_CHECKING:
    from gwtui.model.incidents import Incident
    from gwtui.recorder.session_reader import Session
    from gwtui.report.writeup import Period, Writeup

FORMATS = ("md", "html", "json")
_SUFFIXES = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html", ".json": "json"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(Z?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """The options of `report`."""

    directory: Path | None = None
    incident: int | None = None
    begin: str | None = None
    end: str | None = None
    file_format: str | None = None
    output: Path | None = None

    @property
    def form(self) -> str:
        """`md`, `html` or `json`: as asked for, else by the name of the file."""
        by_name = _SUFFIXES.get(self.output.suffix.lower(), "md") if self.output is not None else "md"
        return self.file_format or by_name


@click.command(
    "report",
    short_help="Write up an incident or a benchmark: Markdown, HTML, JSON.",
    epilog=exit_codes(usage="the command line or the session is wrong, or it has no such incident"),
)
@click.argument(
    "directory",
    required=False,
    type=click.Path(path_type=Path),
    metavar="[SESSION]",
    shell_complete=completion.sessions,
)
@click.option("--incident", type=click.IntRange(min=1), metavar="N", help="Incident number N.  [default: the last one]")
@click.option("--from", "begin", metavar="TIME", help="Start of a period: 14:05 or 2026-11-30T14:05:00Z.")
@click.option("--to", "end", metavar="TIME", help="End of the period.  [default: the end of the session]")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FORMATS),
    help="Format of the report.  [default: by the name of FILE, else md]",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to FILE, not stdout."
)
def command(**options: Any) -> None:
    """Write up an incident of a recorded session, or a period of it, as a document to send to others.

    SESSION is a path or the name of a recorded session, which may still be running; the default is the latest one.
    The report covers its last incident, or without one its last 15 minutes: what, when, who and how many; latencies and
    failures before, during and after; the timeline, charts, trace and request ids, marks, and how it was measured.

    Of a benchmark, whose session has to be named, it has the results, and for each point what was started, ended,
    failed and in flight in each second, with p50 and p95.

    HTML is one file without scripts, which fetches nothing. A TIME without a date is of the day of the session's end,
    in local time, or UTC with a Z at its end. Keys are masked.

    \b
      gwtui report > incident.md
      gwtui report --incident 3 -o incident.html
      gwtui report 2026-11-20T14-03-22Z-prod --from 14:05 --to 14:20
    """
    exit_with(report(ReportOptions(**options)))


def report(options: ReportOptions, zone: tzinfo | None = None, clock: Callable[[], float] = time.time) -> int:
    """Write the report. `zone`: the local time zone; None: this machine's. Returns the exit code."""
    from gwtui.recorder.ownership import is_bench

    if options.incident is not None and (options.begin or options.end):
        raise Refusal("--incident and --from or --to exclude each other")
    session = recorded_session(options.directory)
    output = OutputFile(options.output) if options.output is not None else None
    try:
        if is_bench(session.directory):
            text = _bench_text(session, options)
        else:
            text = _text(_written(session, options, zone, clock()), session, options.form, zone)
    except OSError as error:
        raise OwnFaultError(f"{session.directory}: the session cannot be read: {error.strerror or error}") from error
    if output is None:
        say(text.removesuffix("\n"))
    else:
        output.write(text.encode())
    return 0


def _written(session: Session, options: ReportOptions, zone: tzinfo | None, made_at: float) -> Writeup:
    from gwtui.report.writeup.sources import recorded_writeup

    writeup = recorded_writeup(session, lambda known, span: _period(span, options, zone, known), made_at)
    if writeup.provenance.unread:
        note(writeup.provenance.unread)
    return writeup


def _period(
    span: tuple[float, float], options: ReportOptions, zone: tzinfo | None, known: tuple[Incident, ...]
) -> Period:
    """What was asked for. `span`: when the session began, and when its newest row came."""
    from gwtui.report.writeup import period_between, period_of
    from gwtui.report.writeup.sources import chosen_period

    if options.begin or options.end:
        began_at = _time(options.begin, "--from", span[1], zone) if options.begin else span[0]
        ended_at = _time(options.end, "--to", span[1], zone) if options.end else span[1]
        if began_at >= ended_at:
            raise Refusal(
                f"--from is {_shown(began_at)} and the end is {_shown(ended_at)}: there is no period between them"
            )
        if ended_at < span[0] or began_at > span[1]:
            raise Refusal(f"the session is from {_shown(span[0])} to {_shown(span[1])}: that period is outside of it")
        return period_between(began_at, ended_at, known, span)
    own = [each for each in known if each.merged_into is None]
    if options.incident is None:
        if own:
            return period_of(max(own, key=lambda each: (each.opened, each.number)), known, span)
        return chosen_period(None, None)(known, span)
    found = next((each for each in known if each.number == options.incident), None)
    if found is None:
        numbers = ", ".join(str(each.number) for each in own[-10:])
        hint = f"the last ones are {numbers}" if own else "this session has none"
        raise Refusal(f"there is no incident {options.incident}: {hint}")
    return period_of(found, known, span)


def _time(text: str, option: str, ended_at: float, zone: tzinfo | None) -> float:
    """A wall time as the user writes it: of the day on which the session ended, or not after its end."""
    if found := _CLOCK.fullmatch(text.strip()):
        hour, minute, second = (int(each or 0) for each in found.groups()[:3])
        day = datetime.fromtimestamp(ended_at, UTC).astimezone(UTC if found[4] else zone)
        if hour < 24 and minute < 60 and second < 60:
            at = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
            return (at if at <= day else at - timedelta(days=1)).timestamp()
    else:
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            pass
        else:
            return at.timestamp() if at.tzinfo is not None or zone is None else at.replace(tzinfo=zone).timestamp()
    raise Refusal(f"{option}: {text!r} is no time: write 14:05, 14:05:30Z or 2026-11-30T14:05:00Z")


def _shown(at: float) -> str:
    from gwtui.report.writeup import sane
    from gwtui.text.units import timestamp

    return f"{timestamp(sane(at))[:19]}Z"


def _text(writeup: Writeup, session: Session, form: str, zone: tzinfo | None) -> str:
    """The document without any key: in the data, as texts change when they are escaped, and at last as a whole."""
    from gwtui.cli.decode import learn_keys
    from gwtui.report.writeup import masked_writeup, writeup_html, writeup_json, writeup_markdown
    from gwtui.secrets.resolver import learn, masked

    learn_keys()
    learn(*session.profile.endpoints)
    render = {"md": writeup_markdown, "html": writeup_html, "json": writeup_json}[form]
    return masked(render(masked_writeup(writeup, masked), zone))


def _bench_text(session: Session, options: ReportOptions) -> str:
    """The same of a benchmark, which has no incidents. Raises OSError."""
    from gwtui.bench.report.session_page import bench_html, bench_markdown
    from gwtui.bench.report.session_report import bench_report, bench_report_json
    from gwtui.bench.session.bench_recording import read_bench
    from gwtui.cli.decode import learn_keys
    from gwtui.recorder.session_reader import SessionError
    from gwtui.secrets.resolver import learn, masked

    if options.incident is not None or options.begin or options.end:
        raise Refusal(f"{session.directory}: a benchmark has no incidents: leave out --incident, --from and --to")
    learn_keys()
    learn(*session.profile.endpoints)
    try:
        found = bench_report(read_bench(session.directory), masked)
    except SessionError as error:
        raise Refusal(str(error)) from error
    if found.unread:
        note(found.unread)
    render = {"md": bench_markdown, "html": bench_html, "json": bench_report_json}[options.form]
    return masked(render(found))
