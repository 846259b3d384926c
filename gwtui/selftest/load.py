"""What the truth server is asked for: endpoints whose streams run at a known pace."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.model.commands import Start
from gwtui.model.profile import Endpoint, Profile
from gwtui.selftest.server import Script

FLOOD = "flood"
"""The name of the endpoint with the one stream that is only there to keep everybody busy."""
FLOOD_WRITES = 1000
"""In how many pieces per second that stream comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The number of concurrent streams, each from its own endpoint."""

    streams: int
    rate: float
    """Events per second in each; 0: flat out."""
    seconds: float
    """How long the session runs."""
    events: int
    """In each stream. When it is over the next one begins."""
    batch: int = 1
    ttft_ns: int = 50_000_000
    flood: int = 0
    """Events per second in one more stream, of the first endpoint, which is the one on screen; these are not compared
    with the ground truth."""

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
        endpoints = [_endpoint(f"truth-{number:03}", url, self.script) for number in range(1, self.streams + 1)]
        if self.flood:
            batch = max(1, self.flood // FLOOD_WRITES)
            gap_ns = round(1e9 * batch / self.flood)
            script = Script(gap_ns=gap_ns, events=round(self.flood * self.seconds), batch=batch)
            endpoints.insert(0, _endpoint(FLOOD, url, script))
        profile = Profile(name="truth", endpoints=tuple(endpoints), interval_s=self.interval_s)
        return Start(profile=profile, session_dir=session_dir, stop_after_s=self.seconds)


def _endpoint(name: str, url: str, script: Script) -> Endpoint:
    return Endpoint(name=name, api="openai-chat", url=url, model="truth", body={"truth": script._asdict()}, overlap=1)


USUAL = Load(streams=10, rate=60, seconds=4, events=20)
"""500 events per second: a dashboard of ten endpoints, each with a short answer under way."""
