"""A cold start is reported once, from the first request and those that follow, and never from chance."""

from __future__ import annotations

from typing import Any

import pytest

from gwtui.health.health import Health
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Phases, Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.successive import ColdStart

MS = 1_000_000


def request(ttfb_ms: float | None, *, reused: bool = True, **fields: Any) -> Request:
    own: dict[str, Any] = {"verdict": Verdict.COMPLETE, "rule": "r", **fields}
    ttfb = None if ttfb_ms is None else round(ttfb_ms * MS)
    return Request(endpoint="e", number=1, started_at=0, now_ns=0, api="http", ttfb_ns=ttfb,
                   phases=Phases(reused=reused), **own)  # fmt: skip


FIRST = request(900, reused=False)
WARM = [request(300 + 5 * number) for number in range(8)]
CASES = [
    ("cold", [FIRST, *WARM], True),
    ("not yet settled", [FIRST, *WARM[:7]], False),
    ("one of the others was as slow", [FIRST, *WARM[:7], request(500)], False),
    ("little, in all", [request(30, reused=False), *[request(10)] * 8], False),
    ("not the first", [WARM[0], FIRST, *WARM], False),
    ("a failure before", [request(5, verdict=Verdict.RESET), FIRST, *WARM], True),
    ("others over new connections", [FIRST, *[request(300, reused=False)] * 20], False),
    ("this machine was late", [request(900, reused=False, tainted=True, error_ns=800_000_000), *WARM, WARM[0]], False),
    ("nothing came", [request(None)] * 20, False),
]


@pytest.mark.parametrize(("requests", "cold"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_cold_start(requests: list[Request], cold: bool) -> None:
    start = ColdStart()
    own = [finding for each in requests if (finding := start.follow(each)) is not None]
    assert [finding.name for finding in own] == [FindingName.COLD] * cold
    assert start.follow(WARM[0]) is None or not cold


def test_its_evidence_are_the_times() -> None:
    start = ColdStart()
    own = [start.follow(each) for each in (FIRST, *WARM)][-1]
    assert own is not None
    assert own.evidence == "the first request took 900 ms to its first byte, the 8 after it 300 ms to 335 ms"


@pytest.mark.parametrize(("tolerate", "reported"), [((), ["cold"]), (("cold",), [])])
def test_it_is_an_incident_unless_it_is_tolerated(tolerate: tuple[str, ...], reported: list[str]) -> None:
    health = Health(Profile(endpoints=(Endpoint(name="e", api="http", url="http://h", tolerate=tolerate),)))
    incidents = [incident for each in (FIRST, *WARM, *WARM) for incident in health.apply(each)]
    assert [incident.text.partition(":")[0] for incident in incidents if incident.kind == "finding"] == reported
