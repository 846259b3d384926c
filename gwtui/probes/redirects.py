"""Which redirects are followed: those within an origin."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

from gwtui.apis.headers import Headers, header, without_query
from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean
from gwtui.transport.request import PORTS

MOST_REDIRECTS = 5
"""The maximum number of redirects followed for one request."""
SAME_METHOD = frozenset({307, 308})
"""The request is repeated as it is (RFC 9110 15.4.8 and 15.4.9)."""
ANY_METHOD = frozenset({301, 302, 303})
"""Clients may make a GET of a POST (RFC 9110 15.4.2 to 15.4.4), so only what was one is followed."""


def within_origin(url: str, method: str, status: int | None, headers: Headers) -> str | None:
    """The address of the same scheme, host and port (RFC 6454) that the same request is redirected to; None: of none.

    `url` is the address that answered so.
    """
    location = header(headers, "location").strip()
    if not location or not (status in SAME_METHOD or (status in ANY_METHOD and method == "GET")):
        return None
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        same = _origin(here) == _origin(there)
    except ValueError:
        return None
    return there._replace(fragment="").geturl() if same and "@" not in there.netloc else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def redirect_finding(status: int | None, target: str) -> Finding:
    """What is said of a redirect that was followed."""
    return Finding(
        name=FindingName.REDIRECTED,
        evidence=f"HTTP {status} to {clean(without_query(target), 160)}; times are those of the request made there",
    )
