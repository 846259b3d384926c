"""The request of an endpoint in bytes: made once for as long as its key and headers stay the same, with fresh ids each
time."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from gwtui.apis.base import Ask, Signature
from gwtui.apis.nonce import fresh_number
from gwtui.text.sanitize import clean
from gwtui.transport.proxies import Proxy
from gwtui.transport.request import RequestError, Target, head_of, target_of

ID_HEADERS = ("traceparent", "x-request-id")


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids that exist even when the gateway answers nothing. Fresh for every request that leaves."""

    trace_id: str
    span_id: str
    request_id: str

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """W3C Trace Context 3.2, and the de-facto request id."""
        trace, request = ID_HEADERS
        return ((trace, f"00-{self.trace_id}-{self.span_id}-01"), (request, self.request_id))


def fresh_ids() -> Ids:
    digits = secrets.token_hex(24)
    return Ids(digits[:32], digits[32:], str(uuid.uuid4()))


def overlaid(*layers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers of several layers, where a name of a later layer replaces the same name of all earlier ones."""
    headers: list[tuple[str, str]] = []
    for layer in layers:
        more = list(layer)
        names = {name.lower() for name, _ in more}
        headers = [(name, value) for name, value in headers if name.lower() not in names] + more
    return headers


def sent_ids(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The trace id and the request id that these request headers carry, cleaned."""
    values = {name.lower(): value for name, value in headers}
    parts = values.get("traceparent", "").split("-")
    return clean(parts[1] if len(parts) > 1 else ""), clean(values.get("x-request-id", ""))


def signed_headers(signature: Signature, method: str, url: str, body: bytes) -> tuple[tuple[str, str], ...]:
    """The headers that sign this request for AWS (Signature Version 4), as of now: host and body, and no other header.

    botocore is needed for nothing else, so it is loaded late.

    Raises `RequestError`.
    """
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError as error:
        raise RequestError("a request for AWS is signed by the botocore library: pip install 'gwtui[aws]'") from error
    access_key, _, rest = signature.credentials.partition(":")
    secret_key, _, token = rest.partition(":")
    if not access_key or not secret_key:
        raise RequestError("the key for AWS is not ACCESS_KEY_ID:SECRET_KEY:TOKEN")
    request = AWSRequest(method=method, url=url, data=body)
    SigV4Auth(Credentials(access_key, secret_key, token or None), signature.service, signature.region).add_auth(request)
    return tuple((str(name), str(value)) for name, value in request.headers.items())


class PreparedRequest:
    """What an endpoint asks for, complete but for the ids."""

    def __init__(self, ask: Ask, url: str, headers: Iterable[tuple[str, str]], number: bytes = b"") -> None:
        """`url` and `headers`: with what their references refer to. `number`: what each request has a fresh one of.

        Raises `RequestError`.
        """
        self.method = ask.method
        self.target = target_of(url)
        self.url = url
        self._headers = tuple(headers)
        self._body = ask.body
        self._number = number
        self._signature = ask.signature
        self._switches = ask.switches
        self._names = {name.lower() for name, _ in self._headers}
        self._own_ids = [header for header in self._headers if header[0].lower() in ID_HEADERS]
        self._made: tuple[Proxy | None, bytes] | None = None
        """The head for the endpoint's own target, and the proxy that it is for."""

    @property
    def switches(self) -> bool:
        """Whether it opens a WebSocket."""
        return self._switches

    def question(self) -> bytes:
        """Its body, with a fresh number wherever it has one."""
        return self._body.replace(self._number, fresh_number()) if self._number else self._body

    def in_bytes(
        self, target: Target, proxy: Proxy | None, more: Iterable[tuple[str, str]] = ()
    ) -> tuple[bytes, tuple[str, str]]:
        """The request to that target, and its trace id and request id. `proxy`: one that is asked for the URL itself.
        `more`: headers of this request alone.

        Raises `RequestError`, and `UnicodeError` for what HTTP cannot carry.
        """
        ids = fresh_ids()
        fresh = [header for header in ids.headers if header[0] not in self._names]
        sent = sent_ids((*self._own_ids, *fresh)) if self._own_ids else (ids.trace_id, ids.request_id)
        if target is not self.target:
            head = self._head(target, proxy)
        else:
            if self._made is None or self._made[0] != proxy:
                self._made = proxy, self._head(target, proxy)
            head = self._made[1]
        body = b"" if self._switches else self.question()
        if self._signature is not None:
            fresh += signed_headers(self._signature, self.method, target.url, body)
        lines = "".join(f"{name}: {value}\r\n" for name, value in (*fresh, *more))
        return b"".join((head, lines.encode("ascii"), b"\r\n", body)), sent

    def _head(self, target: Target, proxy: Proxy | None) -> bytes:
        asked = target.path if proxy is None else target.url
        login = [("Proxy-Authorization", proxy.authorization)] if proxy is not None and proxy.authorization else []
        return head_of(
            self.method, asked, target.authority, (*self._headers, *login), 0 if self._switches else len(self._body)
        )
