"""`gwtui incidents`: the incidents of a recorded session, or of one that is running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gwtui.cli import completion
from gwtui.cli.console import EXIT_DOWN, OwnFaultError, Refusal, note, say, styled
from gwtui.cli.options import exit_codes, exit_with
from gwtui.cli.replay import recorded_session

if TYPE_CHECKING:
    from gwtui.model.incidents import Incident
    from gwtui.recorder.session_reader import Session


@click.command(
    "incidents",
    short_help="List the incidents of a session.",
    epilog=exit_codes("an incident is open", usage="the command line or the session is wrong"),
)
@click.argument(
    "directory",
    required=False,
    type=click.Path(path_type=Path),
    metavar="[SESSION]",
    shell_complete=completion.sessions,
)
@click.option("--open", "only_open", is_flag=True, help="Only those that are not over.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines: one object per incident, with its events.")
def command(directory: Path | None, only_open: bool, as_json: bool) -> None:
    """List the incidents of a session, the open ones first.

    SESSION is a path or the name of a recorded session, which may still be running; the default is the latest one.
    Times are UTC. Of an incident that is open, time and failures count up to the newest row.

    \b
      gwtui incidents --open || page-someone
      gwtui incidents --json | jq '.endpoints[].endpoint'
    """
    exit_with(incidents(directory, only_open=only_open, as_json=as_json))


def incidents(directory: Path | None, *, only_open: bool = False, as_json: bool = False) -> int:
    """Print the incidents of a session; without a directory of the latest one. Returns the exit code."""
    from gwtui.recorder.ownership import is_bench
    from gwtui.report import incident_json, incident_lines, worst_first

    session = recorded_session(directory)
    if is_bench(session.directory):
        raise Refusal(f"{session.directory}: a benchmark has no incidents: gwtui report shows what it measured")
    found, now_at, outside = _read(session)
    shown = [each for each in found if each.is_open or not only_open]
    if as_json:
        for each in shown:
            say(incident_json(each))
    elif lines := incident_lines(worst_first(shown), now_at, session.profile.endpoints, styled):
        say("\n".join(lines))
    else:
        say("No incident is open." if only_open else f"No incident in this session.{_hint(outside)}")
    return EXIT_DOWN if any(each.is_open for each in shown) else 0


def _read(session: Session) -> tuple[tuple[Incident, ...], float, int]:
    """The incidents, the wall time of the newest row, and the number of bad states that belong to none."""
    from gwtui.health.incident_log import IncidentLog
    from gwtui.model.enums import BAD
    from gwtui.model.judged import LogEntry
    from gwtui.recorder.session_reader import UnreadRows

    log, unread, now_ns, outside = IncidentLog(), UnreadRows(), 0, 0
    try:
        for row in session.bad_rows(unread):
            now_ns = row.now_ns
            log.apply(row)
            outside += isinstance(row, LogEntry) and row.incident is None and row.state in BAD
    except OSError as error:
        raise OwnFaultError(f"{session.directory}: the session cannot be read: {error.strerror or error}") from error
    if text := str(unread):
        note(text)
    return log.incidents, session.started_at + now_ns / 1e9, outside


def _hint(outside: int) -> str:
    """Where bad states are to be seen that no incident tells, as those of earlier versions."""
    from gwtui.text.units import many

    return (
        f" {many(outside, 'change')} to a bad state outside of incidents: gwtui replay shows them." if outside else ""
    )
