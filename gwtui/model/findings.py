"""What each finding means, how much it matters, its likely cause, and what to do about it.

One entry per name of `FindingName`. A finding never makes a result bad: that is for verdicts.
"""

from __future__ import annotations

import msgspec

from gwtui.model.enums import FindingName, Severity


class FindingEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about every finding of one name."""

    severity: Severity
    meaning: str
    """One sentence: what was seen."""
    cause: str
    """The likely cause, where a finding itself does not name a closer one."""
    remedy: str
    """What to do, in the imperative."""


UNBUFFER = (
    "Disable buffering and compression of text/event-stream in every proxy on the way (nginx: `proxy_buffering "
    "off`, or let the gateway send `X-Accel-Buffering: no`), and flush after every event."
)
FORMAT = "Compare the named event with the API's documents: a client that follows them will fail there."
_MIXED_IN = "Events of another stream were mixed in."
_OWN_EVENTS = "The gateway writes its own events."
_NEWER = "The API or the model is newer than this version of gwtui, or the gateway invents values."
_IGNORE_OR_FORMAT = "Ignore it if your clients do; otherwise let the gateway send what the API documents."
_RENEW = "Renew the certificate and reload it; then check with `gwtui probe`."


def _info(meaning: str, cause: str, remedy: str) -> FindingEntry:
    return FindingEntry(severity=Severity.INFO, meaning=meaning, cause=cause, remedy=remedy)


def _warning(meaning: str, cause: str, remedy: str) -> FindingEntry:
    return FindingEntry(severity=Severity.WARNING, meaning=meaning, cause=cause, remedy=remedy)


FINDINGS: dict[FindingName, FindingEntry] = {
    FindingName.BUFFERED: _warning(
        "Content that the model writes piece by piece arrived in bursts.",
        "A finished answer is replayed as a stream, or a proxy buffers it.",
        UNBUFFER,
    ),
    FindingName.COMBED: _warning(
        "Content arrived in groups at the beat of a timer.",
        "A proxy flushes on a timer, or corks the connection.",
        f"HAProxy: set `option http-no-delay`. {UNBUFFER}",
    ),
    FindingName.COMPRESSED: _warning(
        "The answer is compressed although `identity` was asked for.",
        "A proxy compresses event streams; compression makes it hold events back.",
        "Switch off compression of text/event-stream in the proxy that adds `content-encoding`.",
    ),
    FindingName.KEEPALIVES_ONLY: _warning(
        "Only comments or pings came, no content.",
        "The gateway is alive and waits for its upstream.",
        "Check the upstream that the gateway waits for, and the gateway's own timeout for it.",
    ),
    FindingName.NO_DELTAS: _warning(
        "The whole answer came in the last event of a stream.",
        "A replayed answer.",
        "Let the gateway pass on events as its upstream sends them.",
    ),
    FindingName.COLD: _info(
        "The first request was much slower than all that followed.",
        "Caches, connections or the model behind the gateway were not ready yet.",
        "Send warm-up requests after a deploy, and keep upstream connections open.",
    ),
    FindingName.MODEL_DIFFERS: _warning(
        "A different model answered than the requested one.",
        "A fallback, a route of the gateway, or an alias.",
        "Compare the model's name with the gateway's routes and fallbacks.",
    ),
    FindingName.RETRIES: _warning(
        "Headers show that the gateway tried more than once.",
        "The gateway needed retries behind this answer: its first choice failed.",
        "Look for the failed attempts in the gateway's log by the trace id.",
    ),
    FindingName.FALLBACKS: _warning(
        "Headers show that the gateway fell back to another upstream.",
        "The gateway needed fallbacks behind this answer: its first choice failed.",
        "Look for the failed attempt in the gateway's log by the trace id; check the first upstream.",
    ),
    FindingName.FALLBACK: _info(
        "The answer itself names a second model that replaced the first.",
        "The first model declined.",
        "If the first model should answer such prompts, check why it declines them.",
    ),
    FindingName.MODEL_FAILED: _warning(
        "Some of the models in one request failed.",
        "The gateway's upstream for that model.",
        "Probe the named model alone; look up its error at the provider.",
    ),
    FindingName.MODEL_MISSING: _warning(
        "A requested model is missing from the answer.",
        "The gateway does not know the model.",
        "Check the model's name, and the models that the gateway offers.",
    ),
    FindingName.COUNTS_DIFFER: _warning(
        "The final event reports a different number of failures than the stream.",
        "The gateway's final event does not match its stream.",
        "Let the gateway count the content that it sent.",
    ),
    FindingName.UNTERMINATED: _info(
        "The answer is whole, but the API's end marker is missing.",
        "A proxy or gateway closes the stream as soon as it has seen the stop reason.",
        "Let the proxy or gateway pass on the stream to its last event.",
    ),
    FindingName.NO_STOP_REASON: _warning(
        "The stream ended without a stop reason, so a cut answer would look the same.",
        "The server sends `done` even if its upstream was cut, so the end is uncertain.",
        "Let the server send `stopReason` before `done`.",
    ),
    FindingName.OPEN_AFTER_END: _warning(
        "The response stayed open after the API's end marker.",
        "The gateway does not end the HTTP response when its stream ends.",
        "Let the gateway end the response after the end marker: clients that read to its end hang.",
    ),
    FindingName.BROKEN_AFTER_END: _warning(
        "The connection broke after the API's end marker, instead of ending cleanly.",
        "The gateway does not end the HTTP response when its stream ends.",
        "Let the gateway send the last chunk or close cleanly: strict clients report an error.",
    ),
    FindingName.ERROR_AFTER_END: _warning(
        "An error outside of any event followed the end of the stream.",
        "The gateway failed after the answer was whole.",
        "Look for that error in the gateway's log by the trace id.",
    ),
    FindingName.EVENTS_AFTER_END: _warning(
        "Events came after the API's end marker.",
        "Two streams in one body, or a gateway that ends a stream more than once.",
        "Let the gateway end each stream once, and write nothing after it.",
    ),
    FindingName.BAD_JSON: _warning(
        "An event does not contain the JSON that the API promises.",
        "The events were cut, merged or mangled on the way.",
        FORMAT,
    ),
    FindingName.IDS_DIFFER: _warning(
        "Chunks of one stream have different ids.",
        "Chunks of another stream were mixed in, or the gateway generates an id per chunk.",
        "Compare the texts of concurrent streams: `gwtui check` requests a different word from each.",
    ),
    FindingName.UNASKED_CHOICE: _warning("A choice came that was not requested.", _MIXED_IN, FORMAT),
    FindingName.UNASKED_CANDIDATE: _warning("A candidate came that was not requested.", _MIXED_IN, FORMAT),
    FindingName.UNNAMED_EVENTS: _warning(
        "Events lack the `event:` line that the API requires; many clients skip such events.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.UNKNOWN_EVENT: _info("An event has an unknown type.", _NEWER, _IGNORE_OR_FORMAT),
    FindingName.UNKNOWN_FINISH_REASON: _info("A finish reason is unknown.", _NEWER, _IGNORE_OR_FORMAT),
    FindingName.UNKNOWN_STOP_REASON: _info("A stop reason is unknown.", _NEWER, _IGNORE_OR_FORMAT),
    FindingName.FINISH_REPEATED: _info(
        "The finish reason came more than once.",
        "Old models repeat it with every event; the last one counts.",
        _IGNORE_OR_FORMAT,
    ),
    FindingName.ROLE_REPEATED: _info(
        "The role of a choice came again after its first chunk.",
        "The gateway joins its own chunks.",
        FORMAT,
    ),
    FindingName.DONE_MARKER: _info(
        "The stream ends with OpenAI's `[DONE]`, which this API does not have.",
        "The gateway speaks OpenAI's API to its upstream.",
        _IGNORE_OR_FORMAT,
    ),
    FindingName.NO_START: _info(
        "A model's events began without its start event.",
        "The start event was lost, or the gateway sends none.",
        FORMAT,
    ),
    FindingName.ODD_MESSAGE_START: _warning(
        "The first event lacks fields that the API promises.",
        "The gateway builds the event from another API's answer.",
        FORMAT,
    ),
    FindingName.NO_SEQUENCE_NUMBERS: _warning(
        "Events lack the sequence numbers that the API promises, so lost events cannot be seen.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.NO_OUTPUT_INDEX: _info(
        "An event about an output item does not say which one.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.NO_ITEMS: _info(
        "Content came, but no output item was added for it.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.ITEM_INDEX_REUSED: _info(
        "Two output items have the same index.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.ITEM_NOT_DONE: _info(
        "The response is completed while an output item is still open.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.NO_ALT_SSE: _warning(
        "A JSON array of responses came instead of an event stream.",
        "`?alt=sse` is missing from the path, or was lost on the way.",
        "Add `?alt=sse` to `path`, and let proxies pass on the query.",
    ),
    FindingName.ATTRIBUTION_ERROR: _info(
        "Sourcegraph could not check the answer for attribution.",
        "Its attribution service failed; the answer itself is not affected.",
        "Look for the error in Sourcegraph's log.",
    ),
    FindingName.PARTIAL_CONTENT: _warning(
        "The answer is HTTP 206, although no range was requested.",
        "A proxy or cache answers with a part of its content; clients may refuse it.",
        "Disable caching for this path.",
    ),
    FindingName.TWO_LENGTHS: _warning(
        "The answer has both `content-length` and `transfer-encoding`.",
        "A proxy adds one and keeps the other: request smuggling exploits this disagreement.",
        "Let the proxy remove `content-length` from chunked answers.",
    ),
    FindingName.TWO_CONTENT_TYPES: _warning(
        "The answer has two different values of `content-type`.",
        "A proxy adds its own and keeps the other: clients differ in which one they use.",
        "Remove the one added by the proxy.",
    ),
    FindingName.BYTES_AFTER_ANSWER: _warning(
        "More bytes came after the end of the answer than `content-length`, the last chunk or the status allows.",
        "The length is wrong, or two answers were mixed: clients that keep connections misread the next one.",
        "Let the gateway recompute `content-length` when it changes a body, or send chunks.",
    ),
    FindingName.CLOCK_SKEW: _warning(
        "The gateway's `Date` is more than 2 s off this machine's clock.",
        "One of the two clocks is wrong, and so are dates in Retry-After and in logs.",
        "Synchronise both clocks: `chronyc tracking` or `timedatectl` shows the offset.",
    ),
    FindingName.REDIRECTED: _info(
        "The gateway redirected, and gwtui followed within the same origin.",
        "The gateway, or a proxy before it, serves this path elsewhere.",
        "Use the target as `path` or `url`: it saves a round trip per request.",
    ),
    FindingName.NO_SUBPROTOCOL: _warning(
        "The gateway chose none of the offered WebSocket subprotocols.",
        "It speaks none of them, or a proxy drops Sec-WebSocket-Protocol. Browsers refuse such a connection.",
        "Offer a subprotocol that the gateway speaks, and let proxies pass on the header.",
    ),
    FindingName.ADDRESS_DOWN: _warning(
        "One address of the name fails while others answer.",
        "One instance behind the name is down or unreachable.",
        "Restart that instance, or take its address out of the DNS name.",
    ),
    FindingName.ADDRESS_FALLBACK: _warning(
        "Other addresses of the name failed before one answered.",
        "The name has addresses that do not answer, which delays every new connection.",
        "Take the dead addresses out of the DNS name, or repair IPv6 on the way.",
    ),
    FindingName.ADDRESS_CHANGED: _info(
        "The name has another address now, so the kept connection was closed.",
        "The gateway moved or was scaled: clients that keep connections stay with the old address.",
        "If this was not planned, check who changed the DNS name.",
    ),
    FindingName.STALE_CONNECTION: _warning(
        "A kept connection was dead, and the request was sent over a new one.",
        "The gateway, or a proxy, firewall or NAT before it, drops idle connections sooner than the probe's interval.",
        "Raise the idle timeout of the gateway or proxy above that of its clients, or let it close connections.",
    ),
    FindingName.CERTIFICATE_EXPIRES: _warning(
        "The gateway's certificate expires soon, or has expired.",
        "It was not renewed, or the renewed one is not in use.",
        _RENEW,
    ),
    FindingName.CLIENT_CERTIFICATE_EXPIRES: _warning(
        "The endpoint's client certificate expires soon, or has expired.",
        "It was not renewed, or the renewed one is not in use.",
        f"Check `tls.client_cert`. {_RENEW}",
    ),
    FindingName.TLS_FILES_NOT_RELOADED: _warning(
        "Changed TLS files cannot be used; the previous ones stay in use.",
        "A renewal failed half-way. Until it is repaired, the previous files stay in use.",
        "Correct the file that the evidence names; `gwtui config check` checks it.",
    ),
}

UNKNOWN = _info(
    "A finding that this version of gwtui does not know.",
    "The session was recorded by another version.",
    "Look it up in the README of the version that recorded the session.",
)


def entry_of(name: FindingName) -> FindingEntry:
    """What is known about findings of that name; of a name from another version, that it is one."""
    return FINDINGS.get(name, UNKNOWN)
