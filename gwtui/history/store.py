"""The history of endpoints: sums for each hour, in a file that several sessions add to at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from gwtui.history.batch import Batch, Episode
from gwtui.history.database import connect, explained, transaction
from gwtui.history.identity import EndpointIdentity
from gwtui.history.sums import DamagedRowError, LatencySums
from gwtui.history.usual import Acceptance, LatencyRow, OutcomeRow, Past, first_hour, past_of
from gwtui.stats.histogram import COARSE, DIGITS

HISTORY = "history.sqlite"
"""The file's name in the state directory."""
COARSEN_ROWS = 500
"""Rows that are written in one transaction, while other sessions wait."""
_WITHIN = "endpoint = ? AND hour BETWEEN ? AND ?"


class Store:
    """An open history. Its methods raise HistoryError; they are for one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with suppress(sqlite3.Error):  # all was written before, or reported
            self.connection.close()

    def add(self, batch: Batch) -> None:
        """Add sums to those of other sessions: all of them, or none."""
        with explained(self.path), transaction(self.connection):
            for key, sums in batch.hours.items():
                of = (self._id(key.identity), key.hour, key.teaches)
                self.connection.executemany(
                    "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (endpoint, hour, teaches, verdict) DO UPDATE SET n = n + excluded.n",
                    [(*of, verdict, n) for verdict, n in sums.outcomes.items()],
                )
                for metric, latencies in sums.latencies.items():
                    self._add_latencies((*of, metric.value), latencies)
            for episode in batch.episodes.values():
                row = (
                    self._id(episode.identity),
                    episode.began,
                    episode.until,
                    episode.goes_on,
                    episode.state,
                    episode.text,
                )
                self.connection.execute("INSERT OR REPLACE INTO episodes VALUES (?, ?, ?, ?, ?, ?)", row)
            for identity, acceptance in batch.accepted.items():
                accepted = (self._id(identity), acceptance.since, acceptance.at)
                self.connection.execute("INSERT OR REPLACE INTO accepted VALUES (?, ?, ?)", accepted)

    def _add_latencies(self, key: tuple[int, int, bool, str], more: LatencySums) -> None:
        where = "endpoint = ? AND hour = ? AND teaches = ? AND metric = ?"
        found = self.connection.execute(f"SELECT sums FROM latencies WHERE {where}", key).fetchone()  # noqa: S608 - constant
        total = LatencySums()
        if found is not None:
            with suppress(DamagedRowError):
                total = LatencySums.unpacked(found[0])
        total.merge(more)
        row = (*key, total.n, total.packed(), DIGITS)
        self.connection.execute("INSERT OR REPLACE INTO latencies VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def _id(self, identity: EndpointIdentity) -> int:
        """The endpoint's number, which is made if it is new."""
        if (number := self._number(identity)) is not None:
            return number
        columns, holes = ", ".join(identity.__struct_fields__), ", ".join("?" for _ in identity.__struct_fields__)
        insert = f"INSERT INTO endpoints ({columns}) VALUES ({holes})"  # noqa: S608 - names of fields
        return int(self.connection.execute(insert, msgspec.structs.astuple(identity)).lastrowid or 0)

    def _number(self, identity: EndpointIdentity) -> int | None:
        names = " AND ".join(f"{name} = ?" for name in identity.__struct_fields__)
        select = f"SELECT id FROM endpoints WHERE {names}"  # noqa: S608 - names of fields
        found = self.connection.execute(select, msgspec.structs.astuple(identity)).fetchone()
        return int(found[0]) if found is not None else None

    def identities(self) -> list[tuple[int, EndpointIdentity]]:
        """All endpoints that it knows, with their numbers, by profile and name."""
        columns = ", ".join(EndpointIdentity.__struct_fields__)
        with explained(self.path):
            rows = self.connection.execute(f"SELECT id, {columns} FROM endpoints ORDER BY profile, name, id")  # noqa: S608 - names
            return [(number, EndpointIdentity(*rest)) for number, *rest in rows]

    def find(self, identity: EndpointIdentity) -> int | None:
        """The endpoint's number here; None: there is nothing of it."""
        with explained(self.path):
            return self._number(identity)

    def past(self, identity: EndpointIdentity, hour: int) -> Past:
        """What is usual for the endpoint in that hour, as far as the hours up to it say."""
        number = self.find(identity)
        if number is None:
            return Past()
        first = first_hour(hour)
        return past_of(
            self.outcomes(number, first, hour), self.latencies(number, first, hour), hour, self.acceptance(number)
        )

    def outcomes(self, number: int, first: int, last: int) -> list[OutcomeRow]:
        """The outcomes of an endpoint in these hours."""
        with explained(self.path):
            rows = self.connection.execute(
                f"SELECT hour, teaches, verdict, n FROM outcomes WHERE {_WITHIN} ORDER BY hour",  # noqa: S608 - constant
                (number, first, last),
            )
            return [OutcomeRow(hour, bool(teaches), verdict, n) for hour, teaches, verdict, n in rows]

    def latencies(self, number: int, first: int, last: int) -> list[LatencyRow]:
        """The latencies of an endpoint in these hours."""
        with explained(self.path):
            rows = self.connection.execute(
                f"SELECT hour, teaches, metric, n, sums FROM latencies WHERE {_WITHIN} ORDER BY hour",  # noqa: S608 - constant
                (number, first, last),
            )
            return [LatencyRow(hour, bool(teaches), *rest) for hour, teaches, *rest in rows]

    def episodes(self, number: int, identity: EndpointIdentity, since: float) -> list[Episode]:
        """The times in which the endpoint was sick that were not over at `since`, oldest first."""
        with explained(self.path):
            rows = self.connection.execute(
                "SELECT began, until, goes_on, state, text FROM episodes WHERE endpoint = ? AND until >= ?"
                " ORDER BY began",
                (number, since),
            )
            return [Episode(identity, began, until, bool(goes_on), *rest) for began, until, goes_on, *rest in rows]

    def acceptance(self, number: int) -> Acceptance | None:
        """The last change of the endpoint that was accepted."""
        with explained(self.path):
            row = self.connection.execute("SELECT since, at FROM accepted WHERE endpoint = ?", (number,)).fetchone()
            return Acceptance(*row) if row is not None else None

    def last_hour(self, number: int) -> int:
        """The hour of the endpoint's newest result; 0 without one."""
        with explained(self.path):
            row = self.connection.execute("SELECT max(hour) FROM outcomes WHERE endpoint = ?", (number,)).fetchone()
            return int(row[0] or 0)

    def shrink(self) -> None:
        """Give the room of what was forgotten back to the file system."""
        with explained(self.path):
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def prune(self, before_hour: int) -> int:
        """Forget what lies before that hour; returns how many hours of endpoints that were."""
        with explained(self.path), transaction(self.connection):
            gone = self.connection.execute(
                "SELECT count(*) FROM (SELECT DISTINCT endpoint, hour FROM outcomes WHERE hour < ?)", (before_hour,)
            ).fetchone()[0]
            for table in ("outcomes", "latencies"):
                self.connection.execute(f"DELETE FROM {table} WHERE hour < ?", (before_hour,))  # noqa: S608 - constant
            before = before_hour * 3600.0
            self.connection.execute("DELETE FROM episodes WHERE until < ?", (before,))
            self.connection.execute("DELETE FROM accepted WHERE at < ?", (before,))
            self._forget_endpoints(("outcomes", "latencies", "episodes", "accepted"))
        return int(gone)

    def coarsen(self, before_hour: int) -> bool:
        """Keep less exact latencies of some hours before that one, in a third of the room; returns whether there were
        some. The usual is never taken from hours that old."""
        with explained(self.path), transaction(self.connection):
            rows = self.connection.execute(
                "SELECT rowid, sums FROM latencies WHERE digits > 6 AND hour < ? LIMIT ?", (before_hour, COARSEN_ROWS)
            ).fetchall()
            for rowid, packed in rows:
                with suppress(DamagedRowError):
                    packed = LatencySums.unpacked(packed).rounded(COARSE).packed()
                self.connection.execute(
                    "UPDATE latencies SET sums = ?, digits = ? WHERE rowid = ?", (packed, COARSE, rowid)
                )
        return bool(rows)

    def _forget_endpoints(self, tables: Iterable[str]) -> None:
        unused = " AND ".join(f"id NOT IN (SELECT endpoint FROM {table})" for table in tables)  # noqa: S608 - constant
        self.connection.execute(f"DELETE FROM endpoints WHERE {unused}")  # noqa: S608 - constant
