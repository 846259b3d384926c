"""Rules for connections: when a kept one is used again, which address the next one goes to, and findings about both.

Pure: the time and the name's addresses are passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean
from gwtui.text.units import duration

_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[^\s:/@\[\]]+)):(?P<port>[0-9]{1,5})")

Address: TypeAlias = tuple[int, tuple[Any, ...]]
"""Family, and socket address in that family's form."""


class Renewal(Enum):
    """Why a kept connection is not used again."""

    FRESH = "the endpoint wants a connection for each probe"
    AGE = "it is older than the endpoint allows"
    ADDRESS = "its address is no longer one of the name's"


@dataclass(frozen=True, slots=True)
class Policy:
    """What an endpoint says about its connections."""

    keep: bool = True
    max_age_ns: int | None = None
    """A connection older than this is not used again; None: at any age."""
    each: bool = False
    """Every address of the name is probed in turn, each over a connection of its own."""


@dataclass(frozen=True, slots=True)
class Made:
    """A connection as it was made."""

    at_ns: int
    address: Address | None = None
    """The name's address that it goes to; None where no name was looked up."""


def policy_of(endpoint: Endpoint) -> Policy:
    """The endpoint's connection settings."""
    return Policy(
        keep=endpoint.connection == "keep",
        max_age_ns=None if endpoint.max_connection_s is None else round(endpoint.max_connection_s * 1e9),
        each=endpoint.addresses == "each",
    )


def renewal(policy: Policy, made: Made, addresses: Sequence[Address], now_ns: int) -> Renewal | None:
    """Why the connection is not used again; None: it is.

    `addresses`: those of the name as they were looked up last; none where nothing is known of them.
    """
    if not policy.keep:
        return Renewal.FRESH
    if addresses and made.address is not None and made.address not in addresses:
        return Renewal.ADDRESS
    if policy.max_age_ns is not None and now_ns - made.at_ns >= policy.max_age_ns:
        return Renewal.AGE
    return None


def in_turn(addresses: Iterable[Address], number: int) -> Address:
    """The address that the probe of this number goes to. The order in which a resolver answers does not matter."""
    ordered = sorted(addresses)
    return ordered[(number - 1) % len(ordered)]


def host_and_port(text: str) -> tuple[str, int]:
    """`host:port` or `[::1]:port` in two parts. Raises `ValueError`."""
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65_536:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return found["ipv6"] or found["host"], int(found["port"])


def spelled(address: tuple[Any, ...] | str) -> str:
    """A socket address as people write it."""
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_fallback(refusals: Iterable[str], address: str) -> Finding:
    """The finding where other addresses failed before one answered."""
    return Finding(
        name=FindingName.ADDRESS_FALLBACK,
        evidence=clean(f"{'; '.join(refusals)}; then {address} answered"),
    )


def address_changed(name: str, made: Made, addresses: Sequence[Address]) -> Finding:
    """The finding where a connection is not used again because its address is gone."""
    was = made.address[1][0] if made.address is not None else "the address in use"
    now = ", ".join(str(where[0]) for _, where in sorted(addresses))
    return Finding(
        name=FindingName.ADDRESS_CHANGED,
        evidence=clean(f"{name} is now {now}; the kept connection to {was} was closed"),
    )


def stale_connection(idle_ns: int | None, detail: str) -> Finding:
    """The finding where a kept connection turned out to be dead, and the request was sent over a new one."""
    idle = f"idle for {duration(idle_ns)}" if idle_ns is not None else "kept"
    return Finding(
        name=FindingName.STALE_CONNECTION,
        evidence=clean(f"the connection, {idle}, was dead ({detail}); sent over a new one"),
    )
