"""How proxies are written: URLs, and the hosts that NO_PROXY leaves out. Pure: nothing is resolved here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

DIRECT = "direct"
"""Means no proxy, even if the environment names one."""
PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""The kinds of proxies, with the port of each where the URL names none."""
_ALIASES = {"": "http", "socks": "socks5h"}
_URL = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?:(?P<login>.*)@)?"
    r"(?P<host>\[[0-9a-f:.%]+\]|[^\[\]@:/?#${}\s]+)(?::(?P<port>\d{1,5}))?/?",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(?P<user>(?:\$\{[^}]*\}|[^:])*)(?::(?P<password>.*))?")

_IP: TypeAlias = IPv4Address | IPv6Address


class ProxyURLError(ValueError):
    """The text is no URL of a proxy. Says why, without a part of it that could be a secret."""


@dataclass(frozen=True, slots=True)
class ProxyURL:
    scheme: str
    """One of `PORTS`."""
    host: str
    port: int
    user: str = field(default="", repr=False)
    """As it is written: percent-encoded, or with references."""
    password: str | None = field(default=None, repr=False)
    """As it is written; None where the login has no colon."""


def parse_proxy(text: str) -> ProxyURL:
    """Read a URL such as `socks5h://user:password@proxy.example.com:1080`. Raises `ProxyURLError`."""
    found = _URL.fullmatch(text.strip())
    if found is None:
        raise ProxyURLError("holds no URL of a proxy, such as http://proxy.example.com:3128")
    scheme = (found["scheme"] or "").lower()
    scheme = _ALIASES.get(scheme, scheme)
    if scheme not in PORTS:
        raise ProxyURLError(f"names a proxy of the kind {scheme[:20]}: gwtui uses {', '.join(PORTS)}")
    port = int(found["port"]) if found["port"] is not None else PORTS[scheme]
    if not 0 < port < 65_536:
        raise ProxyURLError("names a port that cannot be")
    login = _LOGIN.fullmatch(found["login"] or "")
    if login is None:
        raise ProxyURLError("holds a login with a line break")
    return ProxyURL(scheme, found["host"].strip("[]"), port, login["user"], login["password"])


def leaves_out(no_proxy: str, host: str, port: int) -> bool:
    """Whether NO_PROXY names the host: `*`, a domain, an address or a network (`10.0.0.0/8`), each with `:port` or
    without. A domain covers its subdomains; networks cover hosts that are written as addresses."""
    host = host.lower().rstrip(".")
    address = _address(host)
    return any(_names(entry, host, address, port) for entry in re.split(r"[,\s]+", no_proxy.lower()) if entry)


def _names(entry: str, host: str, address: _IP | None, port: int) -> bool:
    if entry == "*":
        return True
    try:
        network = ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    else:
        return address is not None and address.version == network.version and address in network
    name, colon, number = entry.rpartition(":")
    if colon and re.fullmatch(r"[0-9]{1,5}", number):
        return int(number) == port and _names(name, host, address, port)
    domain = entry.removeprefix("*").strip(".")
    return address is None and bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _address(host: str) -> _IP | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
