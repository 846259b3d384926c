"""A gateway's own counters: requests, tokens and cost since its start, of all and by provider and model."""

from __future__ import annotations

from gwtui.apis.base import API, Answer, Ask, AskError, StreamReader
from gwtui.apis.gateway_documents import DocumentError, read_metrics
from gwtui.apis.requests import LOCAL_URL, http_url, key_header
from gwtui.framing.whole import WHOLE
from gwtui.model.enums import FindingName, Kind
from gwtui.model.gateway_figures import GatewayCounts
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean, excerpt
from gwtui.text.units import count, dollars, many

MOST_USD = 1.0
"""US dollars for 1,000 tokens, above which a cost is not believed: no model is that dear."""


class GatewayMetrics(API):
    """`GET /gateway/metrics`; the answer is kept as figures."""

    name = "gateway-metrics"
    kind = Kind.HTTP
    framing = WHOLE
    title = "A gateway's metrics"
    default_path = "/gateway/metrics"
    default_model = ""
    tells_usage = False
    snippet = Endpoint(name="gateway-metrics", api=name, url=LOCAL_URL)

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        if endpoint.body is not None:
            raise AskError("`body`: nothing is sent to ask for metrics, leave it out")
        for name in ("expect", "expect_json"):
            if getattr(endpoint, name):
                raise AskError(f"`{name}`: is for the API http only, leave it out")
        return Ask("GET", http_url(endpoint, self), key_header(endpoint, key, "bearer"), b"")

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Documents are read as a whole, so this API has no reader."""
        raise AskError(f"`api = {self.name!r}` does not read streams")

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        try:
            figures = read_metrics(body).figures
        except DocumentError as error:
            words = clean(f"no metrics: {error}; this came: {excerpt(body[:1000]) or 'nothing'}")
            return Answer(Judgement(verdict=Verdict.WRONG_BODY, rule="metrics.document", reason=words))
        words = f"HTTP {status}: {counts_text(figures)}"
        judgement = Judgement(verdict=Verdict.COMPLETE, rule="metrics.read", reason=words)
        return Answer(judgement, findings=dear(figures, "since its start"), figures=figures)


def dear(counts: GatewayCounts, when: str) -> tuple[Finding, ...]:
    """The finding, where a thousand tokens cost more than they can."""
    cost, price = counts.cost_usd, counts.usd_per_1000_tokens
    if cost is None or price is None or price <= MOST_USD:
        return ()
    words = f"the gateway counts {dollars(cost)} for {count(counts.tokens or 0)} tokens {when}"
    words += f": {dollars(price)} per 1,000 tokens"
    return (Finding(name=FindingName.COST_DIFFERS, evidence=words),)


def counts_text(counts: GatewayCounts) -> str:
    """`1,204 requests, 120,400 tokens, $3.20`, as far as the gateway gives them."""
    parts = (
        many(counts.requests, "request") if counts.requests is not None else "",
        f"{count(counts.tokens)} tokens" if counts.tokens is not None else "",
        dollars(counts.cost_usd) if counts.cost_usd is not None else "",
    )
    return ", ".join(filter(None, parts)) or "no totals"


GATEWAY_METRICS = GatewayMetrics()
