"""Sessions with an incident, as the recorder leaves them: what `gwtui report` writes up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gwtui.codec.csv_schema import INCIDENT_COLUMNS, PING_COLUMNS, REQUEST_COLUMNS
from gwtui.codec.wire import encode
from gwtui.model.enums import Clock, State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Phases, Request
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict
from gwtui.recorder.csvfile import csv_line
from gwtui.recorder.rows import incident_line, request_line
from gwtui.recorder.session_metadata import profile_toml, session_toml

BEGAN = 1_796_040_000.0  # 2026-11-30T12:00:00Z
MS = 1_000_000
EU, US = "https://eu.example.com", "https://us.example.com"
ENDPOINTS = (
    Endpoint(name="eu-claude", api="anthropic-messages", url=EU, key="env:EU_KEY", model="claude-x"),
    Endpoint(name="eu-gpt", api="openai-chat", url=EU, key="env:EU_KEY", model="gpt-x"),
    Endpoint(name="us-claude", api="anthropic-messages", url=US, key="env:US_KEY", model="claude-x"),
)
PROFILE = Profile(name="prod", interval_s=5.0, endpoints=ENDPOINTS)
SCOPE, CAUSE = f"gateway {EU}", "keys refused (auth 401)"


def request(endpoint: Endpoint, number: int, at: float, ttft_ns: int | None = 330 * MS, **more: Any) -> Request:
    """One that began so many seconds after the session; without a TTFT it was refused."""
    is_good = ttft_ns is not None
    fields: dict[str, Any] = {
        "endpoint": endpoint.name,
        "number": number,
        "started_at": BEGAN + at,
        "now_ns": 0,
        "api": endpoint.api,
        "model": endpoint.model,
        "verdict": Verdict.COMPLETE if is_good else Verdict.AUTH,
        "rule": "message_stop" if is_good else "status-401",
        "reason": "" if is_good else "invalid x-api-key",
        "status": 200 if is_good else 401,
        "duration_ns": 2 * ttft_ns if ttft_ns is not None else 40 * MS,
        "ttft_ns": ttft_ns,
        "clock": Clock.KERNEL,
        "error_ns": 9_000,
        "lateness_ns": 120_000,
        "trace_id": f"{number:032x}",
        "request_id": f"req-{endpoint.name}-{number}",
        "headers": {"server": "envoy", "x-request-id": f"req-{endpoint.name}-{number}"},
        "phases": Phases(address="192.0.2.7:443"),
    }
    return Request(**{**fields, **more})


def entry(at: float, event: IncidentEvent, text: str, **more: Any) -> LogEntry:
    """An event of incident 1, so many seconds after the session began."""
    fields: dict[str, Any] = {
        "incident": 1,
        "severity": State.DOWN,
        "scope": SCOPE,
        "cause": CAUSE,
        "endpoint": "eu-claude",
    }
    return LogEntry(at=BEGAN + at, now_ns=0, kind="incident", event=event, text=text, **{**fields, **more})


def state(at: float, endpoint: str, entered: State, was: State, **more: Any) -> LogEntry:
    """A change of state, so many seconds after the session began."""
    return LogEntry(at=BEGAN + at, now_ns=0, kind="state", endpoint=endpoint, state=entered, was=was, **more)


def mark(at: float, text: str) -> LogEntry:
    return LogEntry(at=BEGAN + at, now_ns=0, kind="mark", text=text)


def results(begin_s: float, end_s: float, lasts_s: float, seed: int = 1) -> Iterator[Request]:
    """Every 5 s one of each endpoint. The keys of the eu gateway are refused from `begin_s` to `end_s`."""
    chance = random.Random(seed)
    for number in range(1, int(lasts_s / 5) + 1):
        for place, endpoint in enumerate(ENDPOINTS):
            at = (number - 1) * 5 + place * 0.7
            is_refused = endpoint.url == EU and begin_s - 0.04 <= at + 0.04 < end_s - 0.1
            ttft_ns = round(330 * MS * chance.lognormvariate(0, 0.3))
            yield request(endpoint, number, at, None if is_refused else ttft_ns)


def incident(begin_s: float, end_s: float | None, failures: int) -> list[LogEntry]:
    """The log of those keys: `end_s` is None where they are refused to the end."""
    begin_at, opened = BEGAN + begin_s, begin_s + 10
    facts: dict[str, Any] = {"since": begin_at}
    lines = [
        mark(begin_s - 60, "CHG-4711 rotates the keys"),
        entry(opened, IncidentEvent.OPENED, "eu-claude: 3 auth in a row", number=3, failures=3, **facts),
        state(opened, "eu-claude", State.DOWN, State.UP, incident=1, text="3 auth in a row", since=begin_at),
        entry(opened + 1, IncidentEvent.WIDER, "eu-gpt too: 3 auth in a row; 2 of 2 endpoints", endpoint="eu-gpt",
              number=3, failures=6, trace_id="a1b2", **facts),
        state(opened + 1, "eu-gpt", State.DOWN, State.UP, incident=1, text="3 auth in a row", since=begin_at + 0.7),
        entry(opened + 12, IncidentEvent.ACKNOWLEDGED, "rotating", acknowledged="rotating", failures=6, **facts),
    ]  # fmt: skip
    if end_s is not None:
        known: dict[str, Any] = {"acknowledged": "rotating", "failures": failures, **facts}
        lines += [
            state(end_s, "eu-claude", State.UP, State.DOWN, text="2 good in a row"),
            entry(end_s, IncidentEvent.NARROWER, "eu-claude is up; 1 of 2 endpoints", **known),
            state(end_s + 1, "eu-gpt", State.UP, State.DOWN, text="2 good in a row"),
            entry(end_s + 1, IncidentEvent.CLOSED, f"over: {failures} failed", endpoint="eu-gpt", **known),
        ]
    return lines


def usual() -> Usual:
    latency = UsualLatency(source=UsualSource.HOUR, n=900, p50_ns=330 * MS, values=((330 * MS, 900),))
    return Usual(endpoint="eu-claude", at=BEGAN, now_ns=0, latencies={Metric.TTFT: latency}, good=900, why="learnt")


def write_session(
    directory: Path, requests: Iterator[Request] | list[Request], log: list[LogEntry], profile: Profile = PROFILE
) -> Path:
    """The files of a session with these rows."""
    directory.mkdir(parents=True)
    (directory / "session.toml").write_text(session_toml(BEGAN))
    (directory / "profile.toml").write_text(profile_toml(profile))
    (directory / "requests.csv").write_bytes(csv_line(REQUEST_COLUMNS) + b"".join(map(request_line, requests)))
    (directory / "pings.csv").write_bytes(csv_line(PING_COLUMNS))
    (directory / "incidents.csv").write_bytes(csv_line(INCIDENT_COLUMNS) + b"".join(map(incident_line, log)))
    (directory / "usual.jsonl").write_bytes(encode(usual()))
    return directory
