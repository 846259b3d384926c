"""A gateway and a configuration that are hostile wherever they can be, and what of it may be printed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import trustme
from support.commanding import Canned
from support.gateways import Gateway
from support.scripted import http

from gwtui.gateway.faults import FAULT_HEADER, FAULTS

ACTION = "[@click=app.quit]x[/]"
MARKUP = f"{ACTION} [/usr/bin]"
SEQUENCES = {
    "clipboard": "\x1b]52;c;aGFja2Vk\x07",
    "title": "\x1b]0;hacked\x1b\\",
    "link": "\x1b]8;;http://hacked.invalid\x1b\\x\x1b]8;;\x1b\\",
    "DCS": "\x1bP$q\x1b\\",
    "APC": "\x1b_Gi=31;AAAA\x1b\\",
    "PM": "\x1b^hacked\x1b\\",
    "SOS": "\x1bXhacked\x1b\\",
    "reset": "\x1bc",
    "clear": "\x1b[2J\x1b[1;1H",
    "C1 CSI": "\x9b31m",
    "C1 OSC": "\x9d52;c;aGFja2Vk\x9c",
    "C1 DCS": "\x90q\x9c",
    "controls": "\x07\x08\x0b\x0c\x0e\x7f",
    "reordered": "\u202egnihtyna\u202c\u2066x\u2069",
    "invisible": "\u200b\u200d\u2060\ufeff\u00ad\U000e0041",
    "lines": "\r\n\x85\u2028\u2029",
}
HAZARD = "".join(SEQUENCES.values()) + MARKUP


def toml(value: Any) -> str:
    """A value as TOML in ASCII."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, str):
        return (
            '"' + "".join(char if char.isascii() and char.isalnum() else f"\\U{ord(char):08x}" for char in value) + '"'
        )
    return json.dumps(value)


SCENARIO = f"""
[[rule]]
model = "*"
text = {toml(HAZARD)}
served_model = {toml(HAZARD)}

[[rule]]
model = "body"
status = 500
body = {toml(HAZARD)}

[[rule]]
model = "error"
error_after = 3
error_message = {toml(HAZARD)}
error_type = {toml(HAZARD)}
"""
OWN_RULES = ("text", "body", "error")
NAME = "=1 [b]"
"""Begins the names of all endpoints: odd, and legal."""


class Target(NamedTuple):
    """An endpoint that is hostile in one way."""

    name: str
    fields: dict[str, Any]

    def toml(self) -> str:
        lines = [f"{key} = {toml(value)}" for key, value in {"name": f"{NAME}{self.name}", **self.fields}.items()]
        return "\n".join(["[[profiles.hostile.endpoints]]", *lines, ""])


def targets(gateway: Gateway) -> Iterator[Target]:
    """Where a gateway can put a text. Some of it is in the catalogue of faults, some in the scenario here."""
    for name, fault in FAULTS.items():
        if name.startswith("hostile-") and name.removeprefix("hostile-") not in OWN_RULES:
            url = gateway.raw_url if fault.is_raw else gateway.url
            own = {"expect": HAZARD} if fault.api == "websocket" else {"model": HAZARD, "prompt": HAZARD}
            fields = {"api": fault.api, "url": url, "headers": {FAULT_HEADER: name}, **own, **fault.asks}
            yield Target(name.removeprefix("hostile-"), fields)
    for name in OWN_RULES:
        yield Target(name, {"api": "openai-chat", "url": gateway.url, "model": name, "prompt": HAZARD})


@contextmanager
def certified(directory: Path) -> Iterator[Target]:
    """An endpoint whose certificate was issued by an authority with a hostile name."""
    authority = trustme.CA(organization_name=f"\x1b]0;hacked\x07{ACTION}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    with Canned(http("200 OK", body=b"ok"), context) as server:
        tls = {"ca_file": str(directory / "ca.pem")}
        yield Target("cert", {"api": "http", "url": server.url, "tls": tls})


class Hostile(NamedTuple):
    """A configuration that watches nothing else."""

    options: tuple[str, ...]
    """Of the commands that watch."""
    names: list[str]
    rows: Path
    """Where they put the session's files."""


@contextmanager
def hostile_session(gateway: Gateway, directory: Path) -> Iterator[Hostile]:
    """A gateway that plays `SCENARIO`, and its session in that directory."""
    path = directory / "hostile.toml"
    with certified(directory) as last:
        watched = [*targets(gateway), last]
        path.write_text("[ui]\nbell = false\n[profiles.hostile]\n" + "\n".join(each.toml() for each in watched))
        rows = directory / "rows"
        options = ("--config", str(path), "-p", "hostile", "--interval", "600ms", "--session-dir", str(rows))
        yield Hostile(options, [f"{NAME}{each.name}" for each in watched], rows)


def hazards_in(text: str) -> list[str]:
    """Characters that a terminal obeys, hides, or reorders its neighbours by; line ends are none."""
    return sorted({char for char in text if not char.isprintable() and char != "\n"})
