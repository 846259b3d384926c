"""When certificates expire, read from their bytes, and the finding about one that soon will. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text.units import elapsed

DAY_S = 86_400
LAST_DAY_S = DAY_S
"""An endpoint is `degraded` when a certificate ends so soon."""
_FOUND = {"server": FindingName.CERTIFICATE_EXPIRES, "client": FindingName.CLIENT_CERTIFICATE_EXPIRES}
"""The finding by whose certificate it is."""
_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18
"""Tags of DER: the version, which is left out where it is 1, and the two forms of a time (X.690 8.19, 11.7, 11.8)."""


def expires_at(der: bytes) -> float | None:
    """The `notAfter` of an X.509 certificate in DER, as seconds since the epoch (RFC 5280 4.1.2.5); None if the bytes
    are not a certificate."""
    try:
        _, at, _ = _element(der, _element(der, 0)[1])
        tag, _, end = _element(der, at)
        at = end
        # Serial number, algorithm and issuer come before the validity; without a version the first is behind us.
        for _ in range(3 if tag == _VERSION else 2):
            at = _element(der, at)[2]
        _, not_before, _ = _element(der, at)
        tag, start, end = _element(der, _element(der, not_before)[2])
        return _time(tag, der[start:end].decode("ascii"))
    except (IndexError, ValueError):
        return None


def expiry(whose: str, at: float | None, warn_days: float, now: float) -> tuple[Finding, ...]:
    """The finding about a certificate of the `server` or the `client` that expires within `warn_days`; none else.

    `at` and `now`: wall time, UTC. None for `at`: there is no such certificate.
    """
    if at is None or at - now > warn_days * DAY_S:
        return ()
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    left_ns = round(abs(at - now) * 1e9)
    words = f"expires on {when}, in {elapsed(left_ns)}" if at > now else f"expired on {when}, {elapsed(left_ns)} ago"
    return (
        Finding(
            name=_FOUND[whose],
            evidence=f"the {whose}'s certificate {words}",
            degrades=at - now <= LAST_DAY_S,
        ),
    )


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of the contents of the element at a place (X.690 8.1)."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        digits = length & 0x7F
        length = int.from_bytes(der[start : start + digits], "big")
        start += digits
    return tag, start, start + length


def _time(tag: int, text: str) -> float | None:
    """RFC 5280 4.1.2.5.1: years of two digits from 50 on are those of the 1900s."""
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        return None
    if not text.endswith("Z"):
        raise ValueError(text)
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC).timestamp()
