"""Where a write-up takes its rows from: a session's files, or what a front end has in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias

from gwtui.health.incident_log import IncidentLog
from gwtui.model.incidents import Incident
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.recorder.session_reader import Session, UnreadRows
from gwtui.report.writeup.collect import Collector
from gwtui.report.writeup.document import Provenance, Writeup, sane
from gwtui.report.writeup.period import Period, period_between, period_of
from gwtui.text.sanitize import clean

LAST_S = 900.0
"""What is written up where no incident is: 15 minutes."""
LONGEST_REQUEST_S = 3600.0
"""Results that began as much before are read too: they may have ended in the period."""
ON_DISK_S = 3.0
"""How long rows are waited for that are on their way to the disk."""
SLACK_S = 0.25
"""What the time of a row in the files may differ from that in memory."""
POLL_S = 0.1

PeriodChoice: TypeAlias = Callable[[tuple[Incident, ...], tuple[float, float]], Period]
"""Chooses a period, given all incidents and when the session began and had its newest row."""


class NoIncidentError(LookupError):
    """The incident that was asked for is not in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRows:
    """What a front end has of a session."""

    profile: Profile
    started_at: float
    ended_at: float
    rows: tuple[tuple[Request | Ping | LogEntry | Usual, float], ...]
    """The results that are still kept in full and the newest entries of the log, each with when it was known; oldest
    first."""
    incidents: tuple[Incident, ...]


def chosen_period(number: int | None, moment_at: float | None) -> PeriodChoice:
    """Incident `number`; without one the 15 minutes around a moment, or the last ones. The choice raises
    `NoIncidentError`."""

    def choose(known: tuple[Incident, ...], span: tuple[float, float]) -> Period:
        if number is not None:
            found = next((each for each in known if each.number == number), None)
            if found is None:
                raise NoIncidentError(f"incident {number} is not in the log")
            return period_of(found, known, span)
        end_at = span[1] if moment_at is None else min(max(moment_at + LAST_S / 2, span[0]), span[1])
        return period_between(max(span[0], end_at - LAST_S), end_at, known, span)

    return choose


def recorded_writeup(session: Session, choose: PeriodChoice, made_at: float) -> Writeup:
    """Read the log, then the results of its period. Raises OSError, and what the choice raises."""
    unread, log = UnreadRows(), IncidentLog()
    for entry in session.log(UnreadRows()):
        log.apply(entry)
    period = choose(log.incidents, (session.started_at, session.ended_at()))
    collector = Collector(session.profile, period)
    between = (sane(period.shown_from_at - LONGEST_REQUEST_S), sane(period.shown_to_at))
    for row in session.rows(unread, between=between):
        collector.add(row, session.started_at + row.now_ns / 1e9)
        if isinstance(row, Request | Ping):
            log.apply(row)
    name = clean(session.directory.resolve().name)
    provenance = _provenance(session.profile, name, session.started_at, made_at, str(unread))
    return collector.writeup(provenance, log.incident(period.incident.number) if period.incident is not None else None)


def kept_writeup(kept: KeptRows, choose: PeriodChoice, made_at: float, lacks: str) -> Writeup:
    """The same from memory. `lacks`: what is missing therefore. Raises what the choice raises."""
    period = choose(kept.incidents, (kept.started_at, kept.ended_at))
    collector = Collector(kept.profile, period)
    for row, at in kept.rows:
        collector.add(row, at)
    return collector.writeup(_provenance(kept.profile, "not read", kept.started_at, made_at, lacks), period.incident)


def arrived(session: Session, newest_at: float) -> bool:
    """Wait until rows of that time are on the disk; False: they are still not. Raises OSError."""
    until_s = time.monotonic() + ON_DISK_S
    while session.ended_at() < newest_at - SLACK_S:
        if time.monotonic() >= until_s:
            return False
        time.sleep(POLL_S)
    return True


def _provenance(profile: Profile, session: str, began_at: float, made_at: float, unread: str) -> Provenance:
    return Provenance(
        profile=clean(profile.name),
        session=session,
        session_at=began_at,
        made_at=made_at,
        version=_version(),
        unread=unread,
    )


def _version() -> str:
    try:
        return version("gwtui")
    except PackageNotFoundError:
        return "from a checkout"
