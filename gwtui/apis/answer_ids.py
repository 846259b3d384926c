"""The id of the message within an answer, by which gateways and providers note a request."""

from __future__ import annotations

import msgspec

from gwtui.text.sanitize import clean

ID = 128
"""Characters of an id that are kept."""


class _Inner(msgspec.Struct, frozen=True):
    id: str = ""


class _Outer(msgspec.Struct, frozen=True):
    id: str = ""
    response_id: str = msgspec.field(default="", name="responseId")
    """Gemini's."""
    message: _Inner = _Inner()
    """In the first event of an Anthropic stream."""
    response: _Inner = _Inner()
    """In the first events of OpenAI's Responses."""


_decoder = msgspec.json.Decoder(_Outer)


def answer_id_in(payload: str | bytes) -> str:
    """The id in a whole answer, or in one of the first events of a stream; "" if it has no id."""
    if not payload:
        return ""
    try:
        found = _decoder.decode(payload)
    except (ValueError, RecursionError):
        return ""
    return clean((found.message.id or found.response.id or found.id or found.response_id)[:ID])
