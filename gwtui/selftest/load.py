"""What the truth server is asked for: endpoints whose streams run at a known pace."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from gwtui.commands import Start
from gwtui.profile import Endpoint, Profile
from gwtui.selftest.server import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many streams at a time, each from an endpoint of its own."""

    streams: int
    rate: float
    """Events per second in each; 0: flat out."""
    seconds: float
    """How long the session runs."""
    events: int
    """In each stream. When it is over the next one begins."""
    batch: int = 1
    ttft_ns: int = 50_000_000

    @property
    def script(self) -> Script:
        gap_ns = round(1e9 / self.rate) if self.rate else 0
        return Script(ttft_ns=self.ttft_ns, gap_ns=gap_ns, events=self.events, batch=self.batch)

    @property
    def interval_s(self) -> float:
        """From one stream of an endpoint to its next."""
        script = self.script
        return (script.ttft_ns + script.gap_ns * script.events) / 1e9 * 1.02 + 0.01

    def start(self, url: str, session_dir: str | None) -> Start:
        """The session of this load."""
        body = {"truth": script_fields(self.script)}
        endpoints = tuple(
            Endpoint(name=f"truth-{number:03}", api="openai-chat", url=url, model="truth", body=body, overlap=1)
            for number in range(1, self.streams + 1)
        )
        profile = Profile(name="truth", endpoints=endpoints, interval_s=self.interval_s)
        return Start(profile=profile, session_dir=session_dir, stop_after_s=self.seconds)


def script_fields(script: Script) -> dict[str, int]:
    """The script as a request carries it."""
    fields: dict[str, int] = msgspec.to_builtins(script._asdict())
    return fields


USUAL = Load(streams=10, rate=50, seconds=4, events=50)
"""500 events per second: a dashboard of ten endpoints, each with an answer under way."""
