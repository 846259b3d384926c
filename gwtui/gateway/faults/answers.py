"""Answers that are not the stream that was asked for, and what the gateway does when its upstreams fail."""

from __future__ import annotations

from gwtui.gateway.behaviour import BehaviourSpec
from gwtui.gateway.fault import HTML, Fault
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

PAGE = "<!doctype html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"

ANSWERS = (
    Fault(
        name="json",
        says="One JSON answer although a stream was requested",
        verdict=Verdict.NOT_A_STREAM,
        reason="silent fallback",
        behaviour=BehaviourSpec(no_stream=True),
    ),
    Fault(
        name="html",
        says="An HTML page with status 200",
        verdict=Verdict.NOT_A_STREAM,
        reason="Maintenance",
        behaviour=BehaviourSpec(status=200, headers=HTML, body=PAGE),
    ),
    Fault(
        name="empty-200",
        says="Status 200, and not a byte",
        verdict=Verdict.EMPTY,
        reason="empty body",
        behaviour=BehaviourSpec(status=200, body=""),
    ),
    Fault(
        name="204",
        says="Status 204",
        verdict=Verdict.EMPTY,
        reason="http.204",
        behaviour=BehaviourSpec(status=204, body=""),
    ),
    Fault(
        name="error-200",
        says="Status 200, and a JSON error",
        verdict=Verdict.NOT_A_STREAM,
        reason="upstream went away",
        behaviour=BehaviourSpec(status=200, body={"error": {"type": "server_error", "message": "upstream went away"}}),
    ),
    Fault(
        name="wrong-type",
        says="The stream has the content type text/plain",
        verdict=Verdict.NOT_A_STREAM,
        reason="text/plain",
        behaviour=BehaviourSpec(headers={"content-type": "text/plain"}),
    ),
    Fault(
        name="other-model",
        says="A different model answers than the requested one",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.MODEL_DIFFERS,),
        behaviour=BehaviourSpec(served_model="another-model"),
    ),
    Fault(
        name="retried",
        says="A header says that the gateway tried three times",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.RETRIES,),
        behaviour=BehaviourSpec(headers={"x-litellm-attempted-retries": "2"}),
    ),
    Fault(
        name="upstream-first",
        says="The first provider fails, the next one in the chain answers",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.FALLBACKS, FindingName.MODEL_DIFFERS),
        behaviour=BehaviourSpec(upstream_fails=1),
    ),
    Fault(
        name="upstream-all",
        says="All providers fail; after five such failures the breakers open",
        verdict=Verdict.SERVER_ERROR,
        reason="all upstream attempts failed",
        behaviour=BehaviourSpec(upstream_fails=1000),
    ),
    Fault(
        name="breaker",
        says="The same, until the breaker is open and fails fast",
        verdict=Verdict.UNAVAILABLE,
        reason="breaker",
        behaviour=BehaviourSpec(upstream_fails=1000),
        probes=6,
    ),
    Fault(
        name="upstream-stream",
        says="The upstream fails to stream; the gateway requests a whole answer instead",
        verdict=Verdict.NOT_A_STREAM,
        reason="silent fallback",
        findings=(FindingName.RETRIES,),
        behaviour=BehaviourSpec(upstream_fails=1000, upstream_failure="stream"),
    ),
    Fault(
        name="no-fallback",
        says="The upstream fails to stream, and fallbacks are disabled: a 500 that says so",
        verdict=Verdict.SERVER_ERROR,
        reason="fallback is disabled",
        behaviour=BehaviourSpec(upstream_fails=1000, upstream_failure="stream", no_fallback=True),
    ),
    Fault(
        name="upstream-timeout",
        says="No provider answers within the gateway's timeout",
        verdict=Verdict.GATEWAY_TIMEOUT,
        reason="did not answer",
        behaviour=BehaviourSpec(upstream_fails=1000, upstream_failure="timeout"),
    ),
)
