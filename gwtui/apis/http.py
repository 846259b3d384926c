"""Plain HTTP: any method and body; an expected status and, if wanted, an expected body. No model is involved."""

from __future__ import annotations

from gwtui.apis.base import API, Answer, Ask, AskError, StreamReader
from gwtui.apis.errors import error_reason
from gwtui.apis.expect import (
    Expectation,
    ExpectError,
    expectation,
    expected_statuses,
    json_expectation,
    spelled_statuses,
)
from gwtui.apis.requests import encode, http_url, key_header
from gwtui.framing.whole import WHOLE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean, excerpt


class PlainHTTP(API):
    """Any request; the answer is compared with `expect_status`, `expect` and `expect_json`."""

    name = "http"
    kind = Kind.HTTP
    framing = WHOLE
    title = "Plain HTTP"
    default_path = ""
    default_model = ""

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        if not endpoint.method.isalpha():
            raise AskError("`method` is not an HTTP method: use GET, POST, HEAD ...")
        expected_body(endpoint)
        expected_json(endpoint)
        is_expected_status(endpoint, 200)
        url = http_url(endpoint, self)
        headers = list(key_header(endpoint, key, "bearer"))
        body = b""
        if isinstance(endpoint.body, str):
            body = endpoint.body.encode("utf-8", "replace")
            headers.append(("Content-Type", "text/plain; charset=utf-8"))
        elif endpoint.body is not None:
            body = encode(endpoint.body)
            headers.append(("Content-Type", "application/json"))
        return Ask(endpoint.method.upper(), url, tuple(headers), body)

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """Plain answers are judged as a whole, so this API has no reader."""
        raise AskError(f"`api = {self.name!r}` does not read streams")

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if not is_expected_status(endpoint, status):
            words = f"HTTP {status} instead of {spelled_statuses(endpoint.expect_status)}"
            return Answer(Judgement(verdict=Verdict.WRONG_STATUS, rule="http.status", reason=words))
        expected = expected_body(endpoint)
        mismatch = expected.mismatch(body) if expected is not None else None
        if mismatch is not None and mismatch.undecided:
            return Answer(Judgement(verdict=Verdict.LOCAL, rule="http.expect", reason=mismatch.reason))
        if mismatch is not None:
            words = f"{mismatch.reason}, and this came: {excerpt(body) or 'nothing'}"
            return Answer(Judgement(verdict=Verdict.WRONG_BODY, rule="http.body", reason=clean(words)))
        values = expected_json(endpoint)
        different = values.mismatch(body) if values is not None else None
        if different is not None:
            words = f"{different.reason}; this came: {excerpt(body)}" if different.unread else different.reason
            return Answer(Judgement(verdict=Verdict.WRONG_BODY, rule="http.json", reason=clean(words)))
        words = f"HTTP {status}" if expected is values is None else f"HTTP {status} and the expected body"
        return Answer(Judgement(verdict=Verdict.COMPLETE, rule="http.answered", reason=words))

    def refusal_reason(self, endpoint: Endpoint, body: bytes) -> str:
        """What of `expect_json` is different, which tells more than the beginning of a health document."""
        values = expected_json(endpoint)
        different = values.mismatch(body) if values is not None else None
        return error_reason(body) or (different.reason if different is not None and not different.unread else "")


def is_expected_status(endpoint: Endpoint, status: int) -> bool:
    """Whether the endpoint's `expect_status` covers the status. Raises `AskError` for one that is wrong."""
    try:
        return any(status in statuses for statuses in expected_statuses(endpoint.expect_status))
    except ExpectError as error:
        raise AskError(f"`expect_status` {error}") from error


def expected_body(endpoint: Endpoint) -> Expectation | None:
    """What the body has to be; None where any is right. Raises `AskError` for an `expect` that is wrong."""
    try:
        return expectation(endpoint.expect) if endpoint.expect is not None else None
    except ExpectError as error:
        raise AskError(f"`expect` {error}") from error


def expected_json(endpoint: Endpoint) -> Expectation | None:
    """What values of a JSON body have to be; None where any are right. Raises `AskError` for an impossible path."""
    try:
        return json_expectation(endpoint.expect_json) if endpoint.expect_json else None
    except ExpectError as error:
        raise AskError(f"`expect_json` {error}") from error


HTTP = PlainHTTP()
