"""Findings about how an answer was delivered, by which models and upstreams, and how the gateway counted it."""

from __future__ import annotations

from gwtui.model.enums import FindingName
from gwtui.model.findings.entries import UNBUFFER, FindingEntry, info, warning

DELIVERY: dict[FindingName, FindingEntry] = {
    FindingName.BUFFERED: warning(
        "Content that the model writes piece by piece arrived in bursts.",
        "A finished answer is replayed as a stream, or a proxy buffers it.",
        UNBUFFER,
        timed=True,
    ),
    FindingName.AT_ONCE: info(
        "Content came at once after a long wait.",
        "Something on the way holds it back, or the model is very fast: one stream does not tell which.",
        f"Request a longer answer, or watch: ten such streams in a row are proof. Then: {UNBUFFER}",
        timed=True,
    ),
    FindingName.COMBED: warning(
        "Content arrived in groups at the beat of a timer.",
        "A proxy flushes on a timer, or corks the connection.",
        f"HAProxy: set `option http-no-delay`. {UNBUFFER}",
        timed=True,
    ),
    FindingName.COMPRESSED: warning(
        "The answer is compressed although `identity` was asked for.",
        "A proxy compresses event streams; compression makes it hold events back.",
        "Switch off compression of text/event-stream in the proxy that adds `content-encoding`.",
    ),
    FindingName.KEEPALIVES_ONLY: warning(
        "Only comments or pings came, no content.",
        "The gateway is alive and waits for its upstream.",
        "Check the upstream that the gateway waits for, and the gateway's own timeout for it.",
    ),
    FindingName.NO_DELTAS: warning(
        "The whole answer came in the last event of a stream.",
        "A replayed answer.",
        "Let the gateway pass on events as its upstream sends them.",
    ),
    FindingName.COLD: info(
        "The first request was much slower than all that followed.",
        "Caches, connections or the model behind the gateway were not ready yet.",
        "Send warm-up requests after a deploy, and keep upstream connections open.",
        timed=True,
    ),
    FindingName.MODEL_DIFFERS: warning(
        "A different model answered than the requested one.",
        "A fallback, a route of the gateway, or an alias.",
        "Compare the model's name with the gateway's routes and fallbacks. If it is right, set `expect_model`.",
    ),
    FindingName.RETRIES: warning(
        "Headers, or the gateway's own notes, show that it tried more than once.",
        "The first upstream failed, and the gateway tried again or asked another one.",
        "Look for the failed attempts in the gateway's log by the trace id.",
    ),
    FindingName.FALLBACKS: warning(
        "Headers show that the gateway fell back to another upstream.",
        "The gateway needed fallbacks behind this answer: its first choice failed.",
        "Look for the failed attempt in the gateway's log by the trace id; check the first upstream.",
    ),
    FindingName.FALLBACK: info(
        "The answer itself names a second model that replaced the first.",
        "The first model declined.",
        "If the first model should answer such prompts, check why it declines them.",
    ),
    FindingName.MODEL_FAILED: warning(
        "Some of the models in one request failed.",
        "The gateway's upstream for that model.",
        "Probe the named model alone; look up its error at the provider.",
    ),
    FindingName.MODEL_MISSING: warning(
        "A requested model is missing from the answer.",
        "The gateway does not know the model.",
        "Check the model's name, and the models that the gateway offers.",
    ),
    FindingName.COUNTS_DIFFER: warning(
        "The final event reports a different number of failures than the stream.",
        "The gateway's final event does not match its stream.",
        "Let the gateway count the content that it sent.",
    ),
    FindingName.LIMIT_RENAMED: info(
        "The token limit was refused under its usual name, and is sent under another one.",
        "The model takes only one name: OpenAI's newer models take `max_completion_tokens`.",
        "Nothing. To spare the first request, set the name that is taken: `body = { max_completion_tokens = 256 }`.",
    ),
    FindingName.SEQUENTIAL: warning(
        "The models of one request were answered one after another instead of concurrently.",
        "The gateway calls its upstreams one after another, has a single worker, a lock or a limit per key; or a "
        "proxy queues requests.",
        "Raise the gateway's workers and connection limits; let it call its upstreams concurrently.",
        timed=True,
    ),
}

GATEWAYS: dict[FindingName, FindingEntry] = {
    FindingName.PROVIDER_FALLBACK: warning(
        "The gateway's own notes name another provider than the one that should have answered.",
        "The first provider failed, or its breaker is open, and the next in the fallback chain answered.",
        "Check the first provider's status and key. If the gateway chose the other one, set `expect_provider`.",
    ),
    FindingName.BREAKER_OPEN: warning(
        "A circuit breaker of the gateway refused the request, without asking its upstream.",
        "The upstream failed several times in a row, so the gateway spares it for a while.",
        "Check that upstream; the breaker closes by itself once a test request succeeds.",
    ),
    FindingName.METRICS_STAND_STILL: warning(
        "The gateway's counters moved by less than what gwtui itself sent and got answered.",
        "Requests of this kind (perhaps streams) are not counted, or much later, or by another instance.",
        "Let the gateway count every request when it ends; ask each instance for its own metrics.",
    ),
    FindingName.METRICS_RESTARTED: info(
        "A counter of the gateway is lower than before, so it counts anew.",
        "The gateway was restarted, or another instance behind the same address answered.",
        "If no one restarted it, look for the crash in the gateway's log.",
    ),
    FindingName.COST_DIFFERS: warning(
        "The cost that the gateway counts is not what the tokens cost.",
        "The gateway's price list is wrong or old, such as a price per 1,000 tokens taken for one per million.",
        "Compare the gateway's price list, and the endpoint's `price`, with the provider's.",
    ),
    FindingName.CACHED_ANSWER: warning(
        "A cache gave the answer: it proves nothing about the model behind it, which may be dead.",
        "The gateway, or a proxy before it, answers the same prompt out of its cache.",
        "Set `nonce = true`, so that every prompt is a new one, or exclude the probe's key from caching.",
    ),
    FindingName.NEAR_LIMIT: warning(
        "Less than 10 % of a rate limit is left: the next requests may be refused.",
        "The key, or the gateway's own key at the provider, is used near its limit.",
        "Raise the named limit, or send fewer requests with this key; for gwtui's own raise `interval_s`.",
    ),
}
