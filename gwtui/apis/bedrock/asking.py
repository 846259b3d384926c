"""What both APIs of Bedrock have in common: where the model stands, how the key is sent, what came as an exception."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gwtui.apis.base import AskError, Signature
from gwtui.apis.errors import ErrorForm, event_error
from gwtui.apis.payload import as_json
from gwtui.apis.requests import key_header, model_asked, url_of_model
from gwtui.framing.base import FramedEvent
from gwtui.framing.event_stream import ExceptionFrame
from gwtui.model.profile import Endpoint

SERVICE = "bedrock"
URL = "https://bedrock-runtime.us-east-1.amazonaws.com"
BEARER = "env:AWS_BEARER_TOKEN_BEDROCK"
AWS = "aws:"
"""What the reference to a key begins with that signs requests instead of being sent."""
COMMENT = (
    'The key is a Bedrock API key. With `key = "aws:PROFILE/REGION"` requests are signed instead, by the credentials '
    "of AWS's own chain (pip install 'gwtui[aws]'); profile and region may be left out."
)
"""What is special about ready-made endpoints."""
FORM = ErrorForm('{"message": "..."}', is_bare=True)
_REGION = re.compile(r"(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
"""In the name of a host: `bedrock-runtime.us-east-1.amazonaws.com`, and endpoints in a VPC."""


def url(endpoint: Endpoint, path: str, default_model: str) -> str:
    """Where a request goes. Model ids have colons, ARNs slashes: both are quoted, as AWS's own clients do.

    Raises `AskError`.
    """
    return url_of_model(endpoint, path, model_asked(endpoint, default_model), unquoted="")


def authorization(
    endpoint: Endpoint, key: str | None, url: str
) -> tuple[tuple[tuple[str, str], ...], Signature | None]:
    """The header of a bearer key, or else what signs the request. Raises `AskError`."""
    if endpoint.key is None or not endpoint.key.startswith(AWS):
        return key_header(endpoint, key, "bearer"), None
    return (), Signature(SERVICE, _region(endpoint.key, url), key or "")


def _region(reference: str, url: str) -> str:
    named = reference.rpartition("/")[2] if "/" in reference else ""
    found = _REGION.search(urlsplit(url).hostname or "")
    if not named and found is None:
        raise AskError("`key`: the host names no region, and a signature needs one: write `aws:PROFILE/REGION`")
    return named or (found[1] if found is not None else "")


def exception_of(event: FramedEvent) -> FramedEvent | None:
    """An exception as an event with an error; None for any other event. A gateway may pass one on as a mere event."""
    if not isinstance(event, ExceptionFrame) and not event.event.endswith("Exception"):
        return None
    error = {"type": event.event, "message": event_error(event.data).message}
    return FramedEvent("error", as_json({"error": error}))
