"""A decoded capture without keys, so far as they are known here."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from gwtui.decode.decode import Decoded
from gwtui.probes.capture import HALF_EVENTS
from gwtui.probes.masking import EventMask, masked_finding, masked_headers
from gwtui.secrets import Redactor


def masked(decoded: Decoded, redact: Redactor) -> Decoded:
    """The same with every key masked."""
    if not redact:
        return decoded
    beginning, end = EventMask(redact), EventMask(redact)
    return replace(
        decoded,
        judgement=msgspec.structs.replace(decoded.judgement, reason=redact(decoded.judgement.reason)),
        findings=tuple(masked_finding(finding, redact) for finding in decoded.findings),
        events=(*map(beginning, decoded.events[:HALF_EVENTS]), *map(end, decoded.events[HALF_EVENTS:])),
        model_served=redact(decoded.model_served),
        text=redact(decoded.text),
        headers=masked_headers(decoded.headers, redact),
        body_excerpt=redact(decoded.body_excerpt),
    )
