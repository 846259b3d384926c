"""Findings about the course of a stream: how it ended, and where it differs from its API's documents."""

from __future__ import annotations

from gwtui.model.enums import FindingName
from gwtui.model.findings.entries import FORMAT, FindingEntry, info, warning

_MIXED_IN = "Events of another stream were mixed in."
_OWN_EVENTS = "The gateway writes its own events."
_NEWER = "The API or the model is newer than this version of gwtui, or the gateway invents values."
_IGNORE_OR_FORMAT = "Ignore it if your clients do; otherwise let the gateway send what the API documents."
STREAMS: dict[FindingName, FindingEntry] = {
    FindingName.UNTERMINATED: info(
        "The answer is whole, but the API's end marker is missing.",
        "A proxy or gateway closes the stream as soon as it has seen the stop reason.",
        "Let the proxy or gateway pass on the stream to its last event.",
    ),
    FindingName.NO_STOP_REASON: warning(
        "The answer ended without a stop reason, so a cut answer would look the same.",
        "The server closes over a cut of its upstream, or is an old version that sends none, as of Ollama.",
        "Let the server send the stop reason that its API documents.",
    ),
    FindingName.OPEN_AFTER_END: warning(
        "The response stayed open after the API's end marker.",
        "The gateway does not end the HTTP response when its stream ends.",
        "Let the gateway end the response after the end marker: clients that read to its end hang.",
    ),
    FindingName.BROKEN_AFTER_END: warning(
        "The connection broke after the API's end marker, instead of ending cleanly.",
        "The gateway does not end the HTTP response when its stream ends.",
        "Let the gateway send the last chunk or close cleanly: strict clients report an error.",
    ),
    FindingName.ERROR_AFTER_END: warning(
        "An error outside of any event followed the end of the stream.",
        "The gateway failed after the answer was whole.",
        "Look for that error in the gateway's log by the trace id.",
    ),
    FindingName.EVENTS_AFTER_END: warning(
        "Events, or an error, came after the API's end marker.",
        "Two streams in one body, or a gateway that ends a stream more than once, or fails when all was sent.",
        "Let the gateway end each stream once, and write nothing after it.",
    ),
    FindingName.BAD_JSON: warning(
        "An event does not contain the JSON that the API promises.",
        "The events were cut, merged or mangled on the way.",
        FORMAT,
    ),
    FindingName.DAMAGED: warning(
        "Bytes of the stream were damaged: lines that are no field, bytes that are not UTF-8, names off by a letter.",
        "Something on the way changes or loses bytes, or cuts characters in two.",
        "Compare the quoted bytes with what the upstream sends; look at proxies that rewrite or re-chunk streams.",
    ),
    FindingName.IDS_DIFFER: warning(
        "Chunks of one stream have different ids.",
        "Chunks of another stream were mixed in, or the gateway generates an id per chunk.",
        "Compare the texts of concurrent streams: `gwtui check` requests a different word from each.",
    ),
    FindingName.UNASKED_CHOICE: warning("A choice came that was not requested.", _MIXED_IN, FORMAT),
    FindingName.UNASKED_CANDIDATE: warning("A candidate came that was not requested.", _MIXED_IN, FORMAT),
    FindingName.UNNAMED_EVENTS: warning(
        "Events lack the `event:` line that the API requires; many clients skip such events.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.TOLERATED: info(
        "A rule was broken that the endpoint is set to `tolerate`.",
        "The gateway is known to be odd.",
        "Remove the rule from `tolerate` once the gateway keeps it.",
    ),
    FindingName.UNKNOWN_EVENT: info("An event has an unknown type.", _NEWER, _IGNORE_OR_FORMAT),
    FindingName.UNKNOWN_FINISH_REASON: info("A finish reason is unknown.", _NEWER, _IGNORE_OR_FORMAT),
    FindingName.NO_VISIBLE_OUTPUT: warning(
        "A limit ended the answer before anything visible came.",
        "Thinking took all tokens that were allowed, or the context window is full.",
        "Raise `max_tokens`, or let the model think less.",
    ),
    FindingName.NOTHING_GENERATED: info(
        "A completion of code stopped at once, without any text.",
        "The model had nothing to add to this prompt.",
        "Choose a `prompt` that the model completes, so that empty answers stand out.",
    ),
    FindingName.REFUSED: warning(
        "The model, or the provider, refused to answer.",
        "The prompt meets a policy of the model or the provider.",
        "Read the quoted reason; choose another `prompt`, or a model that answers it.",
    ),
    FindingName.FILTERED: warning(
        "A filter ended the answer after its text had begun.",
        "The text meets a policy of the provider.",
        "Read the named reason; choose another `prompt`, or change the provider's filter.",
    ),
    FindingName.TOOL_UNANNOUNCED: warning(
        "A tool is called, but the finish reason is that of an answer without one: agents do not run it.",
        "The gateway translates another API, or the tool was forced by the request.",
        _IGNORE_OR_FORMAT,
    ),
    FindingName.FINISH_REPEATED: info(
        "The finish reason came more than once.",
        "Old models repeat it with every event, SGLang in a chunk of its own; the last one counts.",
        _IGNORE_OR_FORMAT,
    ),
    FindingName.FINISH_ODD: info(
        "A finish reason stands where none is due, or is a text that means none.",
        "The gateway translates another API, whose every event has one.",
        _IGNORE_OR_FORMAT,
    ),
    FindingName.FOREIGN_CHUNK: warning(
        "An event holds nothing that this API knows: strict clients fail at it.",
        "The gateway adds events of its own, such as warnings.",
        "Let the gateway send such news in comments or headers.",
    ),
    FindingName.ROLE_REPEATED: info(
        "The role of a choice came again after its first chunk.",
        "The gateway joins its own chunks.",
        FORMAT,
    ),
    FindingName.DONE_MARKER: info(
        "The stream ends with OpenAI's `[DONE]`, which this API does not have.",
        "The gateway speaks OpenAI's API to its upstream.",
        _IGNORE_OR_FORMAT,
    ),
    FindingName.NO_START: info(
        "A model's events began without its start event.",
        "The start event was lost, or the gateway sends none.",
        FORMAT,
    ),
    FindingName.ODD_MESSAGE_START: warning(
        "The first event lacks fields that the API promises.",
        "The gateway builds the event from another API's answer.",
        FORMAT,
    ),
    FindingName.NO_SEQUENCE_NUMBERS: warning(
        "Events lack the sequence numbers that the API promises, so lost events cannot be seen.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.SEQUENCE_NUMBERS: info(
        "Events have the sequence number 0, so lost ones cannot be seen; their texts are whole.",
        "The gateway makes events of its own and does not count them.",
        FORMAT,
    ),
    FindingName.DONE_DIFFERS: info(
        "The whole of a text differs from its deltas in white space at its ends.",
        "The gateway trims the text that it repeats.",
        FORMAT,
    ),
    FindingName.NO_OUTPUT_INDEX: info(
        "An event about an output item does not say which one.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.NO_ITEMS: info(
        "Content came, but no output item was added for it.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.ITEM_INDEX_REUSED: info(
        "Two output items have the same index.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.ITEM_NOT_DONE: info(
        "The response is completed while an output item is still open.",
        _OWN_EVENTS,
        FORMAT,
    ),
    FindingName.NO_ALT_SSE: warning(
        "A JSON array of responses came instead of an event stream.",
        "`?alt=sse` is missing from the path, or was lost on the way.",
        "Add `?alt=sse` to `path`, and let proxies pass on the query.",
    ),
    FindingName.ATTRIBUTION_ERROR: info(
        "Sourcegraph could not check the answer for attribution.",
        "Its attribution service failed; the answer itself is not affected.",
        "Look for the error in Sourcegraph's log.",
    ),
    FindingName.NO_TOOL_CALL: warning(
        "A turn of the conversation wanted a tool call, and the answer has none, so the next turn was not sent.",
        "The gateway drops `tools` on the way or the answer's tool calls, or the model does not call tools.",
        "Compare `tools` in the request with what the upstream gets; try a model that is known to call tools.",
    ),
    FindingName.CONVERSATION_STOPPED: warning(
        "The answer gives nothing that the next turn of the conversation could go on from.",
        "It has no content, is far too long, or calls a tool where the profile has no result for one.",
        "Look at the answer with `gwtui probe`; give the next turn a `result` if a tool call is right here.",
    ),
}
