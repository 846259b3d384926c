"""Findings about what a gateway says of itself: its counters, its costs, and who answered for it."""

from __future__ import annotations

from gwtui.model.enums import FindingName
from gwtui.model.findings.entries import FindingEntry, info, warning

GATEWAYS: dict[FindingName, FindingEntry] = {
    FindingName.PROVIDER_FALLBACK: warning(
        "The gateway's own notes name another provider than the one that should have answered.",
        "The first provider failed, or its breaker is open, and the next in the fallback chain answered.",
        "Check the first provider's status and key. If the model belongs to the other one, set `expect_provider`.",
    ),
    FindingName.METRICS_STAND_STILL: warning(
        "The gateway's counters moved by less than what gwtui itself sent and got answered.",
        "Requests of this kind (perhaps streams) are not counted, or much later, or by another instance.",
        "Let the gateway count every request when it ends; ask each instance for its own metrics.",
    ),
    FindingName.METRICS_RESTARTED: info(
        "A counter of the gateway is lower than before, so it counts anew.",
        "The gateway was restarted, or another instance behind the same address answered.",
        "If nobody restarted it, look for the crash in the gateway's log.",
    ),
    FindingName.COST_DIFFERS: warning(
        "The cost that the gateway counts is not what the tokens cost.",
        "The gateway's price list is wrong or old, such as a price per 1,000 tokens taken for one per million.",
        "Compare the gateway's price list, and the endpoint's `price`, with the provider's.",
    ),
}
