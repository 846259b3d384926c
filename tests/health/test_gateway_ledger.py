"""What a gateway counts beside what gwtui sent: never less once things have settled, and honest about the rest."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gwtui.health.gateway_ledger import GatewayLedger
from gwtui.model.enums import FindingName, Trigger
from gwtui.model.gateway_figures import GatewayFigures
from gwtui.model.profile import Endpoint, Price, Profile
from gwtui.model.records import Finding, Request, RequestStarted
from gwtui.model.verdicts import Verdict

S = 1_000_000_000
PRICE = Price(input_per_million=0.25, output_per_million=1.25)
COST = (20 * 0.25 + 12 * 1.25) / 1e6
CLAUDE = Endpoint(name="claude", api="anthropic-messages", url="http://h:1", price=PRICE)
GATEWAY = Endpoint(name="gw", api="gateway-metrics", url="http://h:1/")


class Story:
    """Requests and answers of the gateway in seconds; the gateway's counters are the test's."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self.ledger = GatewayLedger(Profile(endpoints=endpoints or (CLAUDE, GATEWAY)))
        self.number = 0
        self.requests, self.tokens, self.cost = 0, 0, 0.0

    def begin(self, at_s: float, name: str = "claude") -> int:
        self.number += 1
        self.ledger.see(RequestStarted(endpoint=name, number=self.number, started_at=0.0, now_ns=int(at_s * S)))
        return self.number

    def end(self, number: int, at_s: float, verdict: Verdict = Verdict.COMPLETE, name: str = "claude") -> None:
        self.ledger.take(
            Request(
                endpoint=name,
                number=number,
                started_at=0.0,
                now_ns=int(at_s * S),
                api="anthropic-messages",
                verdict=verdict,
                rule="r",
                duration_ns=S // 10,
                input_tokens=20,
                output_tokens=12,
            )
        )

    def request(self, at_s: float, verdict: Verdict = Verdict.COMPLETE, name: str = "claude") -> None:
        """One of gwtui's, which takes a second."""
        self.end(self.begin(at_s, name), at_s + 1, verdict, name)

    def counts(self, requests: int = 1, cost: float = COST) -> None:
        """The gateway counts."""
        self.requests += requests
        self.tokens += 32 * requests
        self.cost += cost * requests

    def ask(self, at_s: float, findings: tuple[Finding, ...] = (), **fields: Any) -> Request:
        """The gateway's answer."""
        told = {"requests": self.requests, "input_tokens": self.tokens, "output_tokens": 0, "cost_usd": self.cost}
        return self.ledger.take(
            Request(
                endpoint="gw",
                number=int(at_s) + 1000,
                started_at=0.0,
                now_ns=int(at_s * S),
                api="gateway-metrics",
                verdict=Verdict.COMPLETE,
                rule="r",
                duration_ns=1000,
                findings=findings,
                gateway=GatewayFigures(**{**told, **fields}),
            )
        )


def found(request: Request) -> list[FindingName]:
    return [finding.name for finding in request.findings]


def test_the_first_answer_is_only_where_counting_begins() -> None:
    story = Story()
    story.requests = 400
    first = story.ask(0)
    assert (first.gateway.grown, first.gateway.comparison, first.findings) == (None, None, ())


def test_what_is_counted_is_told_and_no_finding() -> None:
    story = Story()
    story.ask(0)
    for at_s in (1, 3):
        story.request(at_s)
        story.counts()
    answer = story.ask(10)
    assert answer.findings == ()
    assert answer.gateway.grown is not None
    assert (answer.gateway.grown_ns, answer.gateway.grown.requests, answer.gateway.grown.tokens) == (10 * S, 2, 64)
    comparison = answer.gateway.comparison
    assert comparison is not None
    assert (comparison.counted, comparison.own, comparison.doubtful, comparison.own_tokens) == (2, 2, 0, 64)
    assert comparison.told_usd == pytest.approx(comparison.expected_usd)


def test_counters_that_stand_still_are_a_finding_until_they_move() -> None:
    story = Story()
    story.ask(0)
    story.request(1)
    story.request(3)
    answer = story.ask(10)
    assert found(answer) == [FindingName.METRICS_STAND_STILL]
    assert answer.findings[0].evidence == (
        "gwtui got 2 answers with 64 tokens in 10.0 s, and the gateway's counters grew: requests by 0, tokens by 0"
    )
    assert found(story.ask(12)) == [FindingName.METRICS_STAND_STILL], "nothing has shown otherwise"
    story.request(13)
    story.counts()
    assert found(story.ask(20)) == []


def test_fewer_than_were_sent_are_a_finding_too() -> None:
    story = Story()
    story.ask(0)
    story.request(1)
    story.request(2)
    story.counts(1)
    assert "requests by 1, tokens by 32" in story.ask(10).findings[0].evidence


def test_requests_without_their_tokens_are_a_finding() -> None:
    story = Story()
    story.ask(0)
    story.request(1)
    story.requests += 1
    assert story.ask(10).findings[0].evidence.endswith("counters grew: tokens by 0")


def test_a_gateway_has_a_while_to_count() -> None:
    story = Story()
    story.ask(0)
    story.request(5)
    assert found(story.ask(8)) == []
    story.counts()
    assert found(story.ask(14)) == []


def test_what_was_under_way_at_either_end_proves_nothing() -> None:
    story = Story()
    early = story.begin(0)
    story.ask(1)
    story.end(early, 2)
    late = story.begin(7)
    answer = story.ask(20)
    assert (found(answer), answer.gateway.comparison) == ([], None)
    story.end(late, 21)
    story.request(22)
    answer = story.ask(40)
    assert found(answer) == [FindingName.METRICS_STAND_STILL], "the last two were sent and answered in between"
    comparison = answer.gateway.comparison
    assert comparison is not None
    assert (comparison.own, comparison.doubtful) == (2, 1)


@pytest.mark.parametrize("verdict", [Verdict.SERVER_ERROR, Verdict.CANCELLED, Verdict.REFUSED])
def test_failures_may_be_counted_or_not(verdict: Verdict) -> None:
    for counted in (0, 1):
        story = Story()
        story.ask(0)
        story.request(1, verdict)
        story.counts(counted)
        assert found(story.ask(10)) == []


def test_requests_of_others_are_no_fault_and_no_cost_is_compared() -> None:
    story = Story()
    story.ask(0)
    story.request(1)
    story.counts(5, cost=COST * 100)
    answer = story.ask(10)
    assert found(answer) == []
    assert answer.gateway.comparison is not None
    assert (answer.gateway.comparison.counted, answer.gateway.comparison.told_usd) == (5, None)


def test_a_cost_that_is_not_the_price_is_a_finding() -> None:
    story = Story()
    story.ask(0)
    story.request(1)
    story.counts(1, cost=COST * 10)
    answer = story.ask(10)
    assert found(answer) == [FindingName.COST_DIFFERS]
    assert "$0.00020 for this request, by `price` it is $0.000020" in answer.findings[0].evidence


def test_a_cost_is_compared_also_where_requests_never_pause() -> None:
    story = Story()
    story.ask(0)
    names = []
    for at_s in range(1, 30, 2):
        story.request(at_s)
        story.counts(1, cost=COST * 10)
        names += found(story.ask(at_s + 1.5))
    assert FindingName.COST_DIFFERS in names


@pytest.mark.parametrize("fields", [{"cache_read_tokens": 9}, {"cost_usd": None}])
def test_what_a_price_does_not_cover_is_not_compared(fields: dict[str, Any]) -> None:
    story = Story()
    story.ask(0, (), **dict.fromkeys(fields, 0))
    story.request(1)
    story.counts(1, cost=COST * 10)
    assert found(story.ask(10, **fields)) == []


def test_without_a_price_only_what_no_model_costs_is_a_finding() -> None:
    for cost, names in ((0.02, []), (0.04, [FindingName.COST_DIFFERS])):
        story = Story(replace(CLAUDE, price=None), GATEWAY)
        story.ask(0)
        story.request(1)
        story.counts(1, cost=cost)
        answer = story.ask(10)
        assert found(answer) == names
    assert "$0.040 for 32 tokens since its last answer: $1.25 per 1,000 tokens" in answer.findings[0].evidence


OLD = (Finding(name=FindingName.COST_DIFFERS, evidence="since its start"),)


def test_what_was_too_dear_once_is_said_until_more_is_known() -> None:
    story = Story(replace(CLAUDE, price=None), GATEWAY)
    assert found(story.ask(0, findings=OLD)) == [FindingName.COST_DIFFERS]
    assert found(story.ask(2, findings=OLD)) == [FindingName.COST_DIFFERS]
    story.request(3)
    story.counts()
    assert found(story.ask(10, findings=OLD)) == []
    assert found(story.ask(12, findings=OLD)) == [], "nothing new, and what came last was not"
    assert found(Story().ask(0, findings=OLD)) == [], "a price is set, by which it is judged"


def test_a_counter_that_goes_back_is_a_restart_and_counting_begins_anew() -> None:
    story = Story()
    story.requests, story.tokens = 1000, 5000
    story.ask(0)
    story.request(1)
    story.requests, story.tokens = 3, 90
    answer = story.ask(10)
    assert found(answer) == [FindingName.METRICS_RESTARTED]
    assert answer.findings[0].evidence == "requests went from 1,000 to 3: the gateway counts anew"
    assert answer.gateway.restarted
    story.request(11)
    story.counts()
    assert found(story.ask(20)) == []


def test_an_endpoint_belongs_to_the_gateway_of_its_origin_or_to_the_one_it_names() -> None:
    other = Endpoint(name="other", api="openai-chat", url="http://elsewhere:1")
    named = Endpoint(name="named", api="openai-chat", url="http://elsewhere:1", metrics="gw")
    ping = Endpoint(name="ping", api="http", url="http://h:1")
    story = Story(CLAUDE, GATEWAY, other, named, ping)
    for name, names in (("other", []), ("ping", []), ("named", [FindingName.METRICS_STAND_STILL])):
        story.ask(story.number * 100)
        story.request(story.number * 100 + 1, name=name)
        assert found(story.ask(story.number * 100 - 50)) == names


def test_several_models_in_one_request_may_be_counted_each() -> None:
    story = Story(Endpoint(name="compare", api="compare-stream", url="http://h:1", model="a,b,c"), GATEWAY)
    for counted, doubtful in ((1, 2), (3, 2)):
        story.ask(story.number * 100)
        story.request(story.number * 100 + 1, name="compare")
        story.counts(counted)
        answer = story.ask(story.number * 100 - 50)
        assert found(answer) == []
        assert answer.gateway.comparison is not None
        assert answer.gateway.comparison.doubtful == doubtful


def test_a_trial_of_the_metrics_is_no_place_to_count_from() -> None:
    story = Story()
    story.ask(0)
    trial = replace(story.ask(1), trigger=Trigger.TRIAL)
    assert story.ledger.take(trial) == trial


def test_an_edit_of_something_else_goes_on_with_what_was_begun() -> None:
    story = Story()
    story.ask(0)
    story.request(1)
    story.ledger.follow(Profile(endpoints=(replace(CLAUDE, interval_s=2.0), replace(GATEWAY, interval_s=3.0))))
    assert found(story.ask(10)) == [FindingName.METRICS_STAND_STILL]
    story.ledger.follow(Profile(endpoints=(CLAUDE, replace(GATEWAY, path="/metrics"))))
    assert story.ask(20).gateway.grown is None


def test_what_the_endpoint_tolerates_is_no_finding_from_its_edit_on() -> None:
    story = Story()
    story.ask(0)
    story.request(1)
    assert found(story.ask(10)) == [FindingName.METRICS_STAND_STILL]
    story.ledger.follow(Profile(endpoints=(CLAUDE, replace(GATEWAY, tolerate=("metrics_stand_still",)))))
    assert found(story.ask(12)) == []


def test_a_million_requests_take_no_more_memory_than_the_last_ones() -> None:
    story = Story()
    story.ask(0)
    for at in range(30_000):
        story.request(at / 100)
    answer = story.ask(400)
    assert answer.gateway.comparison is None or answer.gateway.comparison.own <= 30_000
