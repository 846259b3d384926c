"""Where a write-up takes its rows from: a session's files, or what a front end has in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from gwtui import installed_version
from gwtui.codec.stream_file import STREAMS, StreamName
from gwtui.health.incident_log import IncidentLog
from gwtui.model.incidents import Incident
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.profile import Profile
from gwtui.model.records import Ping, Request
from gwtui.recorder.session_reader import Session, SessionError, UnreadRows, read_session
from gwtui.recorder.session_writer import FLUSH_S
from gwtui.report.writeup.collect import Collector
from gwtui.report.writeup.document import EvidenceResult, Provenance, Writeup, masked_writeup, sane
from gwtui.report.writeup.markdown import writeup_markdown
from gwtui.report.writeup.period import Period, period_between, period_of
from gwtui.secrets.resolver import learn, masked
from gwtui.text.sanitize import clean
from gwtui.text.units import timestamp

LAST_S = 900.0
"""What is written up where no incident is: 15 minutes."""
LONGEST_REQUEST_S = 3600.0
"""Results that began as much before are read too: they may have ended in the period."""
SETTLE_S = FLUSH_S + 0.2
"""After this time all rows that a front end has seen are on the disk."""

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
    lacks: str = ""
    """What is known to be missing in the session's files."""


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
    incident = log.incident(period.incident.number) if period.incident is not None else None
    return _with_files(collector.writeup(provenance, incident), session)


def _with_files(writeup: Writeup, session: Session) -> Writeup:
    """With the names of the streams that were kept of its evidence."""
    names = {tuple(each[:3]): f"{STREAMS}/{each}" for each in session.stream_names()}

    def file_of(each: EvidenceResult) -> str:
        return names.get(tuple(StreamName.of(timestamp(sane(each.at)), each.endpoint, each.number, "")[:3]), "")

    return replace(writeup, evidence=tuple(replace(each, file=file_of(each)) for each in writeup.evidence))


def kept_writeup(kept: KeptRows, choose: PeriodChoice, made_at: float, lacks: str) -> Writeup:
    """The same from memory. `lacks`: what is missing therefore. Raises what the choice raises."""
    period = choose(kept.incidents, (kept.started_at, kept.ended_at))
    collector = Collector(kept.profile, period)
    for row, at in kept.rows:
        collector.add(row, at)
    return collector.writeup(_provenance(kept.profile, "not read", kept.started_at, made_at, lacks), period.incident)


def masked_markdown(
    session_dir: str, kept: KeptRows, choose: PeriodChoice, made_at: float, *, settle_s: float = 0.0
) -> str:
    """The document as Markdown, without any key: from the session's files, or from memory where nothing is
    recorded, and then it says so. Blocks while files are read, after `settle_s`. Raises `NoIncidentError`.
    """
    writeup = _from_either(session_dir, kept, choose, made_at, settle_s)
    learn(*kept.profile.endpoints)
    return masked(writeup_markdown(masked_writeup(writeup, masked), None))


def _from_either(session_dir: str, kept: KeptRows, choose: PeriodChoice, made_at: float, settle_s: float) -> Writeup:
    lacks = "Nothing is recorded"
    if session_dir:
        try:
            time.sleep(settle_s)
            return _lacking(recorded_writeup(read_session(Path(session_dir)), choose, made_at), kept.lacks)
        except (SessionError, OSError) as error:
            lacks = f"The session's files cannot be read ({error})"
        except NoIncidentError as error:
            lacks = f"The session's files do not have it ({error})"
    return kept_writeup(kept, choose, made_at, f"{lacks}: written from memory, which has only the newest results")


def _lacking(writeup: Writeup, lacks: str) -> Writeup:
    provenance = writeup.provenance
    unread = "; ".join(filter(None, (provenance.unread, lacks)))
    return replace(writeup, provenance=replace(provenance, unread=unread))


def _provenance(profile: Profile, session: str, began_at: float, made_at: float, unread: str) -> Provenance:
    return Provenance(
        profile=clean(profile.name),
        session=session,
        session_at=began_at,
        made_at=made_at,
        version=installed_version() or "from a checkout",
        unread=unread,
    )
