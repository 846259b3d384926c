"""A gateway and an instance as endpoints to load, and a check that endpoints can be loaded at all.

The predecessor was called like that: `--gateway URL --sgd KEY --sourcegraph URL --sgp KEY`, for completions of a
provider or, without any model, for connectivity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gwtui.apis import url_for
from gwtui.apis.base import AskError
from gwtui.config.templates import FEATURE, made_with, snippet
from gwtui.model.profile import Endpoint
from gwtui.secrets.references import SCHEMES, KeyReferenceError, is_reference, references_in
from gwtui.secrets.resolver import resolve

SPECIAL_HEADER = "cody-core-gc-test"
SPECIAL_VALUE = "M2R{+6VI?1,M3n&<vpw1&AK>"
"""What the predecessor sent in it. It marks tests; it is in the predecessor's public source, and no key."""
SCHEMES_OF_URLS = ("http://", "https://", "ws://", "wss://")

PROVIDERS = {
    "anthropic": ("cody-gateway-anthropic", "sourcegraph-stream"),
    "fireworks": ("cody-gateway-fireworks", "sourcegraph-code"),
}
"""Per provider the kinds of ready-made endpoints: at a gateway, and at an instance."""

_PINGS = (
    ("ws(s): gateway", "gateway", "cody-gateway-ws"),
    ("http(s): gateway", "gateway", "cody-gateway-http"),
    ("ws(s): sourcegraph", "sourcegraph", "sourcegraph-ws"),
    ("http(s): sourcegraph", "sourcegraph", "sourcegraph-http"),
    ("http(s): http-then-ws", "sourcegraph", "sourcegraph-http-then-ws"),
)
"""The names of rows, what each pings, and its kind of ready-made endpoint."""


class TargetError(ValueError):
    """There is nothing to load, or it cannot be loaded as asked. The text says so on one line, and what to do."""


@dataclass(frozen=True, slots=True)
class SourcegraphTarget:
    """A gateway and an instance, from the options of `src gateway benchmark`."""

    gateway: str | None = None
    sgd: str | None = None
    sourcegraph: str | None = None
    sgp: str | None = None
    special_header: str | None = None
    """The value of `SPECIAL_HEADER`."""

    def completions(self, providers: Sequence[str], changes: Mapping[str, Any]) -> tuple[Endpoint, ...]:
        """Endpoints of these providers. Raises TargetError, or ConfigError for fields that cannot be."""
        self._check()
        headers = {**FEATURE, **self._special()}
        places = (("gateway", self.gateway, self.sgd, "bearer"), ("sourcegraph", self.sourcegraph, self.sgp, "token"))
        found = []
        for provider in providers:
            suffix = f"-{provider}" if len(providers) > 1 else ""
            for (place, url, key, auth), kind in zip(places, PROVIDERS[provider], strict=True):
                if url is not None:
                    own = {"name": f"{place}{suffix}", "url": url, "key": key, "auth": auth}
                    found.append(made_with({"stream": False, **own, "headers": headers, **changes}, kind))
        return tuple(found)

    def pings(self) -> tuple[Endpoint, ...]:
        """Endpoints without a model, which tell a slow network from a slow model. Raises as `completions` does."""
        self._check()
        found = []
        for name, place, kind in _PINGS:
            url, key = (self.gateway, None) if place == "gateway" else (self.sourcegraph, self.sgp)
            if url is not None:
                headers = {**snippet(kind).headers, **self._special()}
                auth = "token" if key is not None else None
                found.append(made_with({"name": name, "url": url, "key": key, "auth": auth, "headers": headers}, kind))
        return tuple(found)

    def _special(self) -> dict[str, str]:
        return {SPECIAL_HEADER: self.special_header} if self.special_header is not None else {}

    def _check(self) -> None:
        if self.gateway is None and self.sourcegraph is None:
            raise TargetError("Say what to load: --gateway URL, --sourcegraph URL or both")
        for option, url in (("--gateway", self.gateway), ("--sourcegraph", self.sourcegraph)):
            if url is not None and not url.lower().startswith(SCHEMES_OF_URLS):
                raise TargetError(
                    f"{option} must begin with {', '.join(SCHEMES_OF_URLS[:-1])} or {SCHEMES_OF_URLS[-1]}"
                )
        for option, key in (("--sgd", self.sgd), ("--sgp", self.sgp)):
            if key is not None and not is_reference(key):
                name = f"{option[2:].upper()}_KEY"
                raise TargetError(
                    f"{option} takes where the key is, never the key: others could read it in the list of processes. "
                    f"Put it into a variable and give {option} env:{name}, or give {option} {SCHEMES}"
                )


def check(endpoints: Sequence[Endpoint]) -> None:
    """Raises TargetError for what would fail every request: an invalid URL, a missing key."""
    for endpoint in endpoints:
        try:
            url_for(endpoint)
            for text in (endpoint.key or "", *endpoint.headers.values()):
                for reference in references_in(text):
                    resolve(reference)
        except (AskError, KeyReferenceError) as error:
            raise TargetError(f"{endpoint.name}: {error}") from None
