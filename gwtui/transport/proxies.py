"""Forward proxies: the endpoint's own, or those that the environment names where the profile says so; else gwtui
connects directly, and says so where that may be why nothing was reached.

A proxy's faults are reported as its own. Its user and password are shown nowhere.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from gwtui.model.enums import Outcome
from gwtui.model.profile import TLS, Endpoint
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.secrets.references import is_reference, references_in
from gwtui.secrets.resolver import read, remember, resolve_within
from gwtui.text.sanitize import clauses
from gwtui.transport.connection_policy import spelled
from gwtui.transport.proxy_urls import DIRECT, ProxyURLError, leaves_out, parse_proxy
from gwtui.transport.request import PORTS

NOT_CONNECTED = frozenset({Verdict.DNS, Verdict.REFUSED, Verdict.UNREACHABLE, Verdict.CONNECT_TIMEOUT})
_SCHEMES = {"ws": "http", "wss": "https"}


class ProxyError(ConnectionError):
    """The proxy failed or refused, so that nothing is known of the gateway."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy. `str` of it is for everybody to see."""

    host: str
    port: int
    scheme: str = "http"
    """`http`, `https`, `socks5` (names are looked up here) or `socks5h` (names are looked up by the proxy)."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    tls: TLS = field(default_factory=TLS)
    """How the proxy's own certificate is checked, for `https`."""

    def __str__(self) -> str:
        return f"proxy {spelled((self.host, self.port))}"

    @property
    def forwards(self) -> bool:
        """Whether it can be asked for a whole URL, in place of a tunnel."""
        return self.scheme in ("http", "https")

    @property
    def authorization(self) -> str:
        """The value of `Proxy-Authorization`; "" without a user."""
        login = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(login).decode()}" if self.user else ""


def proxy_of(endpoint: Endpoint, *, use_environment: bool) -> Proxy | None:
    """The proxy that the endpoint is reached by. Raises `ProxyError` for one that cannot be used, and
    `KeyReferenceError` where its login cannot be read."""
    if endpoint.unix is not None or endpoint.proxy == DIRECT:
        return None
    tls = endpoint.tls or TLS()
    trust = TLS(ca_file=tls.ca_file, insecure=tls.insecure)
    if endpoint.proxy is not None and is_reference(endpoint.proxy):
        text, name = read(endpoint.proxy), f"what `proxy` refers to ({endpoint.proxy.partition(':')[0]}:)"
        if "://" not in text:  # a key by mistake, which is not to be shown as a host
            raise ProxyError(f"{name} holds no URL of a proxy")
        proxy = _proxy(text, name, trust)
        remember(endpoint.proxy, proxy.password)
        return proxy
    if endpoint.proxy is not None:
        return _proxy(endpoint.proxy, "`proxy`", trust)
    name, found = _found(endpoint.url) if use_environment else ("", "")
    return _proxy(found, name, trust) if found else None


def secrets_of_proxy(proxy: Proxy | None) -> tuple[str, ...]:
    """What must be masked."""
    if proxy is None:
        return ()
    return tuple(filter(None, (proxy.password, proxy.authorization.removeprefix("Basic "))))


def reason_of(judgement: Judgement, endpoint: Endpoint, proxy: Proxy | None) -> str:
    """The reason, with the proxy that was in between, or that was meant to be where nothing was reached."""
    verdict, reason = judgement.verdict, judgement.reason
    if proxy is not None:
        is_missing = verdict.outcome is Outcome.FAILED and str(proxy) not in reason
        return clauses(reason, f"by way of the {proxy}") if is_missing else reason
    name = _found(endpoint.url)[0] if verdict in NOT_CONNECTED and endpoint.proxy is None else ""
    return f"{reason} ({name} is set, but gwtui connects directly: `use_proxies` is off)" if name else reason


def _found(url: str) -> tuple[str, str]:
    """The variable that names a proxy for this URL, and what it holds; empty if no variable does."""
    parts = urlsplit(url)
    proxies = getproxies_environment()
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    name = next((name for name in (scheme, "all") if proxies.get(name)), "")
    if not name or leaves_out(proxies.get("no", ""), parts.hostname or "", parts.port or PORTS.get(scheme, 0)):
        return "", ""
    return f"{name.upper()}_PROXY", proxies[name]


def _proxy(text: str, name: str, trust: TLS) -> Proxy:
    try:
        url = parse_proxy(text)
    except ProxyURLError as error:
        raise ProxyError(f"{name} {error}") from None
    user, password = _filled_in(url.user), _filled_in(url.password or "")
    if url.password is None and references_in(url.user):
        user, _, password = user.partition(":")
    return Proxy(url.host, url.port, url.scheme, user, password, trust)


def _filled_in(text: str) -> str:
    """A part of a login: what its references say is taken as it is, else it is percent-encoded."""
    return resolve_within(text) if references_in(text) else unquote(text)
