"""A proxy that the environment names is not used: gwtui measures connections of its own. It says so when one fails."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from gwtui.verdicts import Verdict

NOT_CONNECTED = frozenset({Verdict.DNS, Verdict.REFUSED, Verdict.UNREACHABLE, Verdict.CONNECT_TIMEOUT})
_SCHEMES = {"ws": "http", "wss": "https"}


def unused_proxy(verdict: Verdict, url: str) -> str:
    """What to add to the reason where no connection was made; nothing where no proxy was meant to be used for it."""
    if verdict not in NOT_CONNECTED:
        return ""
    parts = urlsplit(url)
    proxies = getproxies_environment()
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    found = next((name for name in (scheme, "all") if proxies.get(name)), None)
    if found is None or proxy_bypass(parts.hostname or ""):
        return ""
    return f" ({found.upper()}_PROXY is set, but gwtui always connects directly)"
