"""Checks of plain answers, whole and streamed: form, headers, and order. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gwtui.apis import APIS
from gwtui.apis.event_keys import missing_keys
from gwtui.checks.check import (
    Check,
    CheckAnswer,
    blamed,
    describe,
    failed,
    good_one,
    not_applicable,
    nothing_good,
    passed,
    warned,
)
from gwtui.checks.evidence import Evidence, Probed, finding_of, object_in
from gwtui.checks.request_plans import LONG_TOKENS
from gwtui.checks.request_sets import RequestSet
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.records import Finding, Request
from gwtui.model.verdicts import Verdict
from gwtui.text import units
from gwtui.text.sanitize import clauses, clean
from gwtui.verdict.classify import JSON_ANSWER

SECTION = "Answers"
MALFORMED = frozenset(
    {
        FindingName.UNNAMED_EVENTS,
        FindingName.BAD_JSON,
        FindingName.IDS_DIFFER,
        FindingName.EVENTS_AFTER_END,
        FindingName.ODD_MESSAGE_START,
        FindingName.NO_SEQUENCE_NUMBERS,
        FindingName.FOREIGN_CHUNK,
        FindingName.DAMAGED,
        FindingName.ERROR_AFTER_END,
    }
)
"""Findings about the form of events."""
UNNAMED = ".unnamed-events"
"""How the rules end that refuse events without a name."""
HABITS = frozenset(
    {
        FindingName.ROLE_REPEATED,
        FindingName.FINISH_REPEATED,
        FindingName.FINISH_ODD,
        FindingName.SEQUENCE_NUMBERS,
        FindingName.DONE_DIFFERS,
        FindingName.NO_OUTPUT_INDEX,
        FindingName.NO_ITEMS,
        FindingName.ITEM_INDEX_REUSED,
        FindingName.ITEM_NOT_DONE,
    }
)
"""Those that lose nothing, and that strict clients may fail at."""
LONG_EVENTS = 100
"""Events that a stream needs to count as long..."""
LARGE_BYTES = 4096
"""... and bytes that an answer needs to count as large: one buffer of a proxy (nginx: `proxy_buffer_size`, a page)."""
_LIMIT = re.compile(r"\b(?:length|max_tokens|MAX_TOKENS|max_output_tokens)\b")
"""Finish reasons that name a limit, as verdicts quote them."""


def judge_answer(evidence: Evidence) -> CheckAnswer:
    """Fails where the answer without streaming is not a good one, or has no usage where its API promises it."""
    probed = good_one(evidence, RequestSet.ANSWER)
    if isinstance(probed, CheckAnswer):
        return probed
    request = probed.request
    tokens = request.input_tokens, request.output_tokens
    usage = (
        "tokens not reported" if tokens == (None, None) else f"{_known(tokens[0])} tokens in, {_known(tokens[1])} out"
    )
    words = f"one JSON answer, {len(request.text):,} characters, {usage}, after {units.duration(request.duration_ns)}"
    facts = {"duration_ms": units.milliseconds(request.duration_ns) or 0.0}
    if request.output_tokens is None and APIS[request.api].tells_usage:
        cause = "The gateway drops the usage, or its upstream does not report it."
        return failed(
            f"{words}: no usage", cause, "Let the gateway pass `usage` on: cost tracking depends on it.", facts=facts
        )
    return passed(words, facts=facts)


def judge_stream(evidence: Evidence) -> CheckAnswer:
    """Fails where the stream is not complete; warns where only its end marker is missing."""
    probed = good_one(evidence, RequestSet.STREAM)
    if isinstance(probed, CheckAnswer):
        return probed
    request = probed.request
    words = (
        f"{request.events} events in {units.duration(request.duration_ns)}, first token after "
        f"{units.duration(request.ttft_ns)}; {request.reason}"
    )
    facts = {
        "events": request.events,
        "ttft_ms": units.milliseconds(request.ttft_ns) or 0.0,
        "duration_ms": units.milliseconds(request.duration_ns) or 0.0,
    }
    if request.verdict is Verdict.COMPLETE_UNTERMINATED:
        return warned(words, request.verdict.entry.cause, "Pass the stream on to its last event.", facts=facts)
    return passed(words, facts=facts)


def judge_headers(evidence: Evidence) -> CheckAnswer:
    """Fails on another `content-type` than that of the API's streams; warns where caches may keep the stream."""
    probed = evidence.one(RequestSet.STREAM)
    if probed is None:
        return not_applicable("nothing was sent")
    request = probed.request
    if request.status is None:
        return not_applicable(describe(request))
    if not 200 <= request.status < 300:
        return not_applicable(f"HTTP {request.status} came instead of a stream")
    values = {
        "content-type": request.content_type,
        **{name: request.headers.get(name, "") for name in ("cache-control", "x-accel-buffering", "transfer-encoding")},
    }
    words = "; ".join(f"{name}: {value or 'not sent'}" for name, value in values.items())
    if not _is_stream(request):
        due = APIS[request.api].framing.media_type
        return failed(
            words,
            "The gateway fell back to a whole answer, or a proxy replaced the headers.",
            f"Send `Content-Type: {due}`: clients accept nothing else as a stream.",
        )
    if not {"no-cache", "no-store"} & {part.strip().lower() for part in values["cache-control"].split(",")}:
        return warned(words, "Caches and proxies may store or delay such a stream.", "Send `Cache-Control: no-cache`.")
    return passed(words)


def judge_format(evidence: Evidence) -> CheckAnswer:
    """Fails on events that break the API's form; warns on habits that lose nothing, as a role that comes again."""
    probed = evidence.one(RequestSet.STREAM)
    if probed is None:
        return not_applicable("nothing was sent")
    request = probed.request
    if request.verdict is Verdict.OUT_OF_ORDER:
        return _unnamed(request) if request.rule.endswith(UNNAMED) else blamed(request)
    if not request.events:
        return not_applicable(f"no event came: {describe(request)}")
    if odd := [each for each in request.findings if each.name in MALFORMED]:
        return failed(_named(odd), odd[0].likely_cause, odd[0].entry.remedy)
    if lacking := _lacking(probed):
        return failed(
            lacking,
            "The gateway puts events of its own into the stream, or drops part of one.",
            "Send its own notes as comments (`: text`): SDKs read these keys without asking whether they are there.",
        )
    if habits := [each for each in request.findings if each.name in HABITS]:
        return warned(_named(habits), habits[0].likely_cause, habits[0].entry.remedy)
    if not probed.ok:
        return not_applicable(
            f"{request.events} well-formed events, but the stream did not end well: {describe(request)}"
        )
    names = list(dict.fromkeys(event.name for event in probed.events))
    return passed(f"all {request.events} events are well-formed and in order: {', '.join(names[:8])}")


def _unnamed(request: Request) -> CheckAnswer:
    """A failure: events without their names."""
    return failed(
        describe(request),
        "The gateway or a proxy on the way rewrites the stream and drops its `event:` lines.",
        "Pass on both lines of every event, `event:` and `data:`.",
    )


def _named(findings: Sequence[Finding]) -> str:
    return clauses(*(f"{each.name.value.replace('_', ' ')}: {each.evidence}" for each in findings))


def _lacking(probed: Probed) -> str:
    """The first event that lacks what every event of its kind has, in words; "" where all have it."""
    keys = APIS[probed.request.api].event_keys
    for read in probed.reads if keys else ():
        for number, event in enumerate(read.events, read.first_event):
            if event.kind in (EventKind.ERROR, EventKind.KEEPALIVE):
                continue
            data = object_in(event.raw)
            if data is not None and "error" not in data and (missing := missing_keys(keys, data)):
                return f"event {number} has no {' and no '.join(f'`{key}`' for key in missing)}: {clean(event.raw, 80)}"
    return ""


def judge_silent_fallback(evidence: Evidence) -> CheckAnswer:
    """Warns where a request for a stream got one JSON answer."""
    sent = list(evidence.streams())
    streamed = [each for each in sent if each.request.status == 200 and _is_stream(each.request)]
    whole = [each for each in sent if each.request.rule == JSON_ANSWER]
    if not whole and not streamed:
        return not_applicable(f"no stream was answered: {describe(sent[0].request)}" if sent else "nothing was sent")
    if not whole:
        return passed(f"{len(streamed)} of {len(sent)} requests for a stream got one, none got one JSON answer")
    first = whole[0].request
    return warned(
        f"{len(whole)} of {len(sent)} requests for a stream got one JSON answer, after "
        f"{units.duration(first.duration_ns)} (model {first.model_served or 'not named'})",
        "Streaming failed upstream and the gateway fell back to not streaming, or it does not stream this model.",
        "Look for the fallback in the gateway's log; tell users that these answers arrive late and all at once.",
    )


def judge_model_served(evidence: Evidence) -> CheckAnswer:
    """Warns where another model answered than the one asked for."""
    known = [each for need in (RequestSet.STREAM, RequestSet.ANSWER) for each in evidence.all(need)]
    if (nothing := nothing_good(known)) is not None:
        return nothing
    good = [each.request for each in known if each.ok]
    for request in good:
        if found := finding_of(request, FindingName.MODEL_DIFFERS):
            return warned(found.evidence, found.likely_cause, found.entry.remedy)
    served = {request.model_served for request in good if request.model_served}
    if not served:
        return not_applicable("the answers do not name a model")
    words = f"asked for {good[0].model or 'its own model'}, served by {', '.join(sorted(served))}"
    provoked = [each.request for each in evidence.provoked() if each.ok]
    provoked = [each for each in provoked if finding_of(each, FindingName.MODEL_DIFFERS)]
    if provoked:
        words += f"; asked for {provoked[0].model}, which fails, served by {provoked[0].model_served}"
    return passed(words)


def judge_long_stream(evidence: Evidence) -> CheckAnswer:
    """Fails where a stream of at least `LONG_EVENTS` events is not complete, or the endpoint does not allow one."""
    probed = good_one(evidence, RequestSet.LONG_STREAM)
    if isinstance(probed, CheckAnswer):
        return probed
    request = probed.request
    size = f"{units.many(request.events, 'event')}, {units.count(request.bytes)} bytes"
    if request.events < LONG_EVENTS and len(request.text) >= LARGE_BYTES:
        return not_applicable(
            f"too few events: {size}, {units.count(len(request.text))} characters of text",
            "This gateway sends its text in large pieces: see the checks `incremental`, `steady` and `large-answer`.",
        )
    if request.events < LONG_EVENTS:
        return _too_short(request, f"{size}; a long stream has at least {LONG_EVENTS} events")
    words = f"complete: {size}, {units.duration(request.duration_ns)}"
    return passed(words, facts={"events": request.events, "bytes": request.bytes})


def judge_large_answer(evidence: Evidence) -> CheckAnswer:
    """Fails where an answer of at least `LARGE_BYTES` is not complete, or the endpoint does not allow one."""
    probed = good_one(evidence, RequestSet.LARGE_ANSWER)
    if isinstance(probed, CheckAnswer):
        return probed
    request = probed.request
    if request.bytes < LARGE_BYTES:
        size = f"{units.count(request.bytes)} bytes, {units.count(len(request.text))} characters of text"
        return _too_short(request, f"{size}; a large answer has at least {units.count(LARGE_BYTES)} bytes")
    words = f"complete: {units.count(request.bytes)} bytes after {units.duration(request.duration_ns)}"
    return passed(words, facts={"bytes": request.bytes})


def _too_short(request: Request, came: str) -> CheckAnswer:
    """An answer that is whole and too short to test anything, judged by what ended it."""
    tokens = request.output_tokens
    told = f"{came}; {request.reason}" + (f", after {units.count(tokens)} output tokens" if tokens is not None else "")
    if not _LIMIT.search(request.reason):
        return not_applicable(
            f"the model stopped by itself: {told}", "Check a model that counts to 250 when it is asked to."
        )
    if tokens is not None and tokens >= LONG_TOKENS:
        return not_applicable(
            f"the {units.count(LONG_TOKENS)} tokens asked for are used up: {told}",
            "Check a model that does not spend its tokens on reasoning.",
        )
    return failed(
        f"a limit below the {units.count(LONG_TOKENS)} tokens asked for ended it: {told}",
        "The gateway or its upstream lowers `max_tokens`, for this key or this model.",
        "Raise that limit, or tell users of it: their long answers end there.",
        facts={"output_tokens": tokens} if tokens is not None else None,
    )


def _is_stream(request: Request) -> bool:
    return APIS[request.api].framing.is_type(request.content_type)


def _known(value: int | None) -> str:
    return "unknown" if value is None else units.count(value)


CHECKS = (
    Check(
        name="answer",
        title="A non-streaming request gets JSON with content and usage",
        section=SECTION,
        needs=(RequestSet.ANSWER,),
        judge=judge_answer,
    ),
    Check(
        name="stream",
        title="A streaming request gets a complete stream",
        section=SECTION,
        needs=(RequestSet.STREAM,),
        judge=judge_stream,
    ),
    Check(
        name="stream-headers",
        title="Stream headers are correct and prevent buffering",
        section=SECTION,
        needs=(RequestSet.STREAM,),
        judge=judge_headers,
    ),
    Check(
        name="event-format",
        title="Events have names and data, in the API's order",
        section=SECTION,
        needs=(RequestSet.STREAM,),
        judge=judge_format,
    ),
    Check(
        name="model-served",
        title="The requested model answers",
        section=SECTION,
        needs=(RequestSet.STREAM, RequestSet.ANSWER, RequestSet.PROVOKED),
        judge=judge_model_served,
    ),
    Check(
        name="silent-fallback",
        title="A streaming request does not get one JSON answer",
        section=SECTION,
        needs=(RequestSet.STREAM,),
        judge=judge_silent_fallback,
    ),
    Check(
        name="long-stream",
        title="A long stream is complete",
        section=SECTION,
        needs=(RequestSet.LONG_STREAM,),
        judge=judge_long_stream,
    ),
    Check(
        name="large-answer",
        title="A large answer is complete",
        section=SECTION,
        needs=(RequestSet.LARGE_ANSWER,),
        judge=judge_large_answer,
    ),
)
