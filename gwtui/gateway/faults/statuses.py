"""Refusals: every class of status, every form of `Retry-After`, the pages of proxies before a gateway, redirects."""

from __future__ import annotations

from typing import Any

from gwtui.gateway.fault import HTML, Fault, answer_fault
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

NGINX = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx/1.25.3</center>\r\n</body>\r\n</html>\r\n"
)
ALB = (
    "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n"
    "<center><h1>504 Gateway Time-out</h1></center>\r\n</body>\r\n</html>\r\n"
)
CLOUDFLARE = (
    "<!DOCTYPE html><html><head><title>gateway.example | {0}: origin</title><style>body{{margin:0}}</style></head>"
    "<body><h1>Error {0}</h1><p>Ray ID: 8f1c2d3e4a5b6c7d</p></body></html>"
)
RAY = "8f1c2d3e4a5b6c7d-FRA"
ELSEWHERE = "http://elsewhere.invalid/v1/chat/completions?key=secret"
BREAKER = {"error": {"type": "circuit_open", "message": "The model is currently unavailable."}}
QUOTA = {"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "You exceeded your quota."}}

BALANCE = {"error": {"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}}
CREDIT = {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low."}}
PARAMETER = {"error": {"message": "Unsupported parameter: 'max_tokens'.", "param": "max_tokens", "code": "unsupported"}}
RETRY_INFO = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}],
    }
}


def _status(status: int, says: str, verdict: Verdict, reason: str = "", **behaviour: Any) -> Fault:
    return _refusal(str(status), status, says, verdict, reason, **behaviour)


def _refusal(name: str, status: int, says: str, verdict: Verdict, reason: str = "", **behaviour: Any) -> Fault:
    return answer_fault(name, says, verdict, reason or f"HTTP {status}", status=status, **behaviour)


def _waits(name: str, retry_after: int | str, reason: str, says: str) -> Fault:
    said = f"429, and `retry-after` is {says}"
    return _refusal(f"429-{name}", 429, said, Verdict.RATE_LIMITED, reason, retry_after=retry_after)


def _cloudflare(status: int, verdict: Verdict, says: str) -> Fault:
    headers = {**HTML, "cf-ray": RAY, "server": "cloudflare"}
    body = CLOUDFLARE.format(status)
    return _status(status, f"Cloudflare: {says}", verdict, f"cf-ray {RAY}", headers=headers, body=body)


STATUSES = (
    _status(400, "The request is refused as malformed", Verdict.BAD_REQUEST, "invalid_request_error"),
    _status(401, "The key is not accepted", Verdict.AUTH),
    _status(403, "The key lacks a permission", Verdict.AUTH),
    _status(404, "There is no such model", Verdict.NOT_FOUND),
    _status(413, "The request is too large", Verdict.BAD_REQUEST),
    _status(422, "The request cannot be processed", Verdict.BAD_REQUEST),
    _status(429, "Too many requests, without a time to wait", Verdict.RATE_LIMITED),
    _waits("seconds", 7, "retry after 7 s", "7"),
    _waits("decimal", "1.5", "retry after 2 s", "1.5"),
    _waits("date", "Fri, 20 Nov 2126 05:00:00 GMT", "retry after 3600 s", "a date far ahead"),
    _waits("utc", "Fri, 20 Nov 2126 05:00:00 UTC", "retry after 3600 s", "a date that says UTC"),
    _waits("past", "Fri, 20 Nov 2020 05:00:00 GMT", "retry after 0 s", "a date that has passed"),
    _waits("junk", "soon", "retry-after says 'soon'", "no time at all"),
    _waits("huge", 1_000_000_000, "retry after 3600 s", "thirty years"),
    _waits("negative", -1, "retry-after says '-1'", "negative"),
    _refusal(
        "429-ms",
        429,
        "429, and `retry-after-ms` is 2500",
        Verdict.RATE_LIMITED,
        "retry after 3 s",
        headers={"retry-after-ms": "2500"},
    ),
    _refusal(
        "429-retry-info",
        429,
        "429, and Google's `RetryInfo` in its body says 37 s",
        Verdict.RATE_LIMITED,
        "retry after 37 s",
        body=RETRY_INFO,
    ),
    _status(402, "The account has no credit left", Verdict.QUOTA, "Insufficient Balance", body=BALANCE),
    _refusal("400-credit", 400, "400 because the credit is used up", Verdict.QUOTA, "credit balance", body=CREDIT),
    _refusal(
        "400-parameter",
        400,
        "400 that names a parameter, and goes on to whatever is sent instead",
        Verdict.BAD_REQUEST,
        "it names `max_tokens`",
        body=PARAMETER,
        findings=(FindingName.LIMIT_RENAMED,),
    ),
    _refusal("429-quota", 429, "429 because the quota is used up", Verdict.QUOTA, "quota", body=QUOTA),
    _status(500, "The gateway fails", Verdict.SERVER_ERROR),
    _status(
        502, "nginx without an upstream, in HTML", Verdict.BAD_GATEWAY, "502 Bad Gateway", headers=HTML, body=NGINX
    ),
    _status(
        503,
        "A circuit breaker is open",
        Verdict.UNAVAILABLE,
        "breaker",
        body=BREAKER,
        findings=(FindingName.BREAKER_OPEN,),
    ),
    _refusal(
        "503-retry", 503, "Unavailable, with a time to retry", Verdict.UNAVAILABLE, "retry after 9 s", retry_after=9
    ),
    _status(
        504, "A load balancer gave up waiting, in HTML", Verdict.GATEWAY_TIMEOUT, "Time-out", headers=HTML, body=ALB
    ),
    _cloudflare(520, Verdict.BAD_GATEWAY, "the origin's answer makes no sense"),
    _cloudflare(521, Verdict.BAD_GATEWAY, "the origin refuses connections"),
    _cloudflare(522, Verdict.GATEWAY_TIMEOUT, "the origin does not take the connection"),
    _cloudflare(523, Verdict.BAD_GATEWAY, "the origin cannot be reached"),
    _cloudflare(524, Verdict.GATEWAY_TIMEOUT, "the origin does not answer"),
    _refusal("520-no-ray", 520, "A 520 without Cloudflare", Verdict.SERVER_ERROR),
    _status(529, "The provider is overloaded", Verdict.OVERLOADED),
    _refusal(
        "redirect-host",
        307,
        "A redirect to another host",
        Verdict.REDIRECT,
        "elsewhere.invalid",
        headers={"location": ELSEWHERE},
    ),
    _refusal(
        "redirect-loop",
        308,
        "A redirect to itself",
        Verdict.REDIRECT,
        "/v1/chat/completions",
        headers={"location": "/v1/chat/completions"},
    ),
    _refusal("redirect-nowhere", 302, "A redirect without a Location", Verdict.REDIRECT, "without a Location"),
)
