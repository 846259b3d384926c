"""Health that is fed with results at a steady pace, and what it says of them."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.health.health import Health
from gwtui.model.enums import State
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint, Profile, Thresholds
from gwtui.model.records import Heartbeat, Record, Request, SessionStarted
from gwtui.model.verdicts import Verdict

S = 1_000_000_000
START_AT = 1_800_000_000.0
ENDPOINT = Endpoint(name="a", api="openai-chat", url="http://127.0.0.1:1")
LETTERS = {
    ".": Verdict.COMPLETE,
    "t": Verdict.TRUNCATED,
    "r": Verdict.RESET,
    "l": Verdict.LOCAL,
    "c": Verdict.CANCELLED,
}


class Story:
    """Feeds a Health with one result every `every_s` seconds and keeps what it says."""

    def __init__(
        self, every_s: float = 5.0, endpoint: Endpoint = ENDPOINT, **thresholds: float | str | list[str]
    ) -> None:
        self.profile = Profile(
            endpoints=(endpoint,), thresholds=msgspec.convert(thresholds, Thresholds) if thresholds else Thresholds()
        )
        self.health = Health(Profile())
        self.every_ns = int(every_s * S)
        self.now_ns = 1000 * S
        self.number = 0
        self.incidents: list[LogEntry] = []
        self.apply(SessionStarted(started_at=START_AT, now_ns=self.now_ns, profile=self.profile))

    def apply(self, record: Record) -> None:
        self.incidents += self.health.apply(record)

    def request(self, verdict: Verdict, ttft_ms: float = 400, **changes: Any) -> None:
        self.now_ns += self.every_ns
        self.number += 1
        good = verdict is Verdict.COMPLETE
        request = Request(
            endpoint="a",
            number=self.number,
            started_at=0,
            now_ns=self.now_ns,
            api="openai-chat",
            verdict=verdict,
            rule="x",
            duration_ns=int(ttft_ms * 2e6) if good else None,
            ttft_ns=int(ttft_ms * 1e6) if good else None,
            trace_id=f"trace-{self.number}",
        )
        self.apply(msgspec.structs.replace(request, **changes))

    def results(self, letters: str) -> Story:
        for letter in letters:
            self.request(LETTERS[letter])
        return self

    def wait(self, seconds: int, paused: tuple[str, ...] = (), lag_ns: int = 0) -> None:
        for _ in range(seconds):
            self.now_ns += S
            at = START_AT + (self.now_ns - 1000 * S) / S
            self.apply(Heartbeat(at=at, now_ns=self.now_ns, paused=paused, lag_ns=lag_ns))

    def state(self) -> State:
        return self.health.state("a")

    def reports(self, kind: str = "state") -> list[tuple[State | None, str]]:
        return [(incident.state, incident.text) for incident in self.incidents if incident.kind == kind]
