"""What stands between a gateway and its users, and what that does to answers: real nginx, real HAProxy, and a cork."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from support.gateways import Gateway, serving
from support.listening import connected_to, listening
from support.probing import endpoint
from support.proxies import haproxy, nginx
from support.scripted import free_port
from support.streams import names

from gwtui.apis import APIS
from gwtui.gateway.faults import FAULT_HEADER
from gwtui.model.enums import FindingName, Kind
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.prober import probe_once

SCENARIO = """
[default]
tokens = 8
gap_ms = 1

[[rule]]
model = "long"
tokens = 100
gap_ms = 8

[[rule]]
model = "longer"
tokens = 150
gap_ms = 10

[[rule]]
model = "longest"
tokens = 270
gap_ms = 10

[[rule]]
model = "stall"
stall_after = 6

[[rule]]
model = "silent"
ttft_ms = 60_000

[[rule]]
model = "cut"
cut_after = 4
"""
NGINX = """
location /default/ {{ proxy_pass http://{gateway}/; }}
location /buffered/ {{ proxy_pass http://{gateway}/; proxy_ignore_headers X-Accel-Buffering; }}
location /unbuffered/ {{
  proxy_pass http://{gateway}/;
  proxy_ignore_headers X-Accel-Buffering;
  proxy_buffering off;
}}
location /gzip/ {{ proxy_pass http://{gateway}/; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; }}
location /kept/ {{ proxy_pass http://{gateway}/; proxy_http_version 1.1; proxy_set_header Connection ""; }}
location /impatient/ {{
  proxy_pass http://{gateway}/;
  proxy_ignore_headers X-Accel-Buffering;
  proxy_read_timeout 500ms;
}}
location /raw/ {{ proxy_pass http://{raw}/; }}
location /down/ {{ proxy_pass http://{closed}/; }}
location /small/ {{ proxy_pass http://{gateway}/; client_max_body_size 10; }}
location /elsewhere/ {{ return 307 https://user:word@elsewhere.invalid/v1?key=secret; }}
location /upgrade/ {{
  proxy_pass http://{gateway}/;
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection upgrade;
  proxy_read_timeout 500ms;
}}
"""
HAPROXY = """
  use_backend %[path,field(2,/)]
backend plain
  http-request replace-path /plain(/.*) \\1
  server gateway {gateway}
backend no-delay
  option http-no-delay
  http-request replace-path /no-delay(/.*) \\1
  server gateway {gateway}
backend impatient
  timeout server 500ms
  timeout tunnel 500ms
  http-request replace-path /impatient(/.*) \\1
  server gateway {gateway}
backend raw
  http-request replace-path /raw(/.*) \\1
  server gateway {raw}
backend down
  retries 0
  server gateway {closed}
backend disabled
  server gateway {gateway} disabled
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def proxies(gateway: Gateway) -> dict[str, str]:
    """URLs by the name of the proxy; filled as tests ask for one."""
    places = {"gateway": gateway.url, "raw": gateway.raw_url, "closed": f"http://127.0.0.1:{free_port()}"}
    return {name: urlsplit(url).netloc for name, url in places.items()}


@pytest.fixture(scope="module")
def behind_nginx(proxies: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nginx(NGINX.format(**proxies), tmp_path_factory.mktemp("nginx")) as url:
        yield url


@pytest.fixture(scope="module")
def behind_haproxy(proxies: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with haproxy(HAPROXY.format(**proxies), tmp_path_factory.mktemp("haproxy")) as url:
        yield url


async def probed(target: Endpoint) -> Request:
    record, _ = await probe_once(target, Profile())
    assert isinstance(record, Request)
    return record


async def pinged(target: Endpoint) -> Ping:
    record, _ = await probe_once(target, Profile())
    assert isinstance(record, Ping)
    return record


class Pace(NamedTuple):
    """What has to be found in a stream that is long enough."""

    location: str
    found: list[FindingName]
    reads: tuple[int, int]
    """The fewest and the most of the reads that 104 events may come in."""


UNHELD = (50, 104)
NGINX_PACES = (
    Pace("default", [], UNHELD),  # the gateway asks for it by X-Accel-Buffering
    Pace("buffered", [FindingName.BUFFERED], (2, 20)),
    Pace("unbuffered", [], UNHELD),
    Pace("gzip", [], UNHELD),  # not compressed, as identity was asked for
    Pace("kept", [], UNHELD),
)
HAPROXY_PACES = (Pace("plain", [FindingName.BUFFERED], (3, 20)), Pace("no-delay", [], UNHELD))


async def on_a_calm_try(check: Callable[[], Awaitable[None]], tries: int = 4) -> None:
    """A pace is measured on a machine that others use too: it is believed from the first try nobody disturbed."""
    for left in reversed(range(tries)):
        try:
            return await check()
        except AssertionError:
            if not left:
                raise
    return None


async def check_paces(url: str, paces: tuple[Pace, ...]) -> None:
    """All at once: a stream takes its time, whoever else is streaming."""
    targets = [endpoint("openai-chat", f"{url}/{pace.location}", model="long") for pace in paces]
    for pace, record in zip(paces, await asyncio.gather(*map(probed, targets)), strict=True):
        assert record.verdict is Verdict.COMPLETE, record.reason
        assert names(record.findings) == pace.found, (pace, record.findings)
        assert pace.reads[0] <= record.reads <= pace.reads[1], pace
        assert record.events == 104
        assert "content-encoding" not in record.headers


async def test_what_nginx_holds_back(behind_nginx: str) -> None:
    await on_a_calm_try(partial(check_paces, behind_nginx, NGINX_PACES))


async def test_what_haproxy_holds_back(behind_haproxy: str) -> None:
    await on_a_calm_try(partial(check_paces, behind_haproxy, HAPROXY_PACES))


async def test_haproxy_corks_what_comes_in_chunks(behind_haproxy: str) -> None:
    """For 200 ms at a time, which it takes a dozen reads to be sure of."""

    async def check() -> None:
        record = await probed(endpoint("openai-chat", f"{behind_haproxy}/plain", model="longest"))
        assert record.verdict is Verdict.COMPLETE, record.reason
        assert names(record.findings) == [FindingName.COMBED], record.findings
        assert "held for 200 ms" in record.findings[0].evidence
        assert "option http-no-delay" in record.findings[0].cause

    await on_a_calm_try(check)


async def test_a_cork_of_100_ms_is_combing_and_nothing_else(gateway: Gateway) -> None:
    async def check() -> None:
        async with corking(gateway.url, 0.1) as url:
            record = await probed(endpoint("openai-chat", url, model="longer"))
        assert record.verdict is Verdict.COMPLETE, record.reason
        assert names(record.findings) == [FindingName.COMBED]
        assert "held for 100 ms" in record.findings[0].evidence

    await on_a_calm_try(check)


@asynccontextmanager
async def corking(url: str, period_s: float) -> AsyncIterator[str]:
    """A proxy that collects what the gateway sends for so long, from the first byte that it holds."""
    port = urlsplit(url).port
    assert port is not None

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        async with connected_to(port) as (answers, asks):
            asks.write(head.replace(b"keep-alive", b"close") + await reader.read(65536))
            while data := await answers.read(1):
                await asyncio.sleep(period_s)
                writer.write(data + await answers.read(65536))

    async with listening(serve) as own_port:
        yield f"http://127.0.0.1:{own_port}"


class ProxyAnswer(NamedTuple):
    """The verdict that an answer gets which a proxy made or spoiled."""

    location: str
    model: str
    verdict: Verdict
    reason: str
    """The rule and the reason, as far as they are not left open by an ellipsis."""
    events: int = 0


NGINX_ANSWERS = (
    ProxyAnswer("down", "", Verdict.BAD_GATEWAY, "http.502: HTTP 502: 502 Bad Gateway"),
    ProxyAnswer("raw", "fault:reset-at-once", Verdict.BAD_GATEWAY, "http.502: HTTP 502: 502 Bad Gateway"),
    ProxyAnswer("raw", "fault:huge-header", Verdict.BAD_GATEWAY, "http.502: HTTP 502: 502 Bad Gateway"),
    ProxyAnswer("small", "", Verdict.BAD_REQUEST, "http.413: HTTP 413: 413 Request Entity Too Large"),
    ProxyAnswer(
        "elsewhere",
        "",
        Verdict.REDIRECT,
        "http.307: HTTP 307: redirects to elsewhere.invalid: https://elsewhere.invalid/v1",
    ),
    ProxyAnswer("impatient", "silent", Verdict.GATEWAY_TIMEOUT, "http.504: HTTP 504: 504 Gateway Time-out"),
    ProxyAnswer("unbuffered", "cut", Verdict.TRUNCATED, "openai.eof-before-finish: ended after event 4…", 4),
    ProxyAnswer("raw", "fault:no-last-chunk", Verdict.TRUNCATED, "transport.incomplete: …; ended after event 5…", 5),
    ProxyAnswer("raw", "fault:short-length", Verdict.TRUNCATED, "transport.incomplete: …; ended after event 4…", 4),
    ProxyAnswer("raw", "fault:close-delimited", Verdict.TRUNCATED, "openai.eof-before-finish: ended after event 4…", 4),
    ProxyAnswer("raw", "fault:no-last-chunk-done", Verdict.COMPLETE, "openai.done: …", 16),
)
HAPROXY_ANSWERS = (
    ProxyAnswer("down", "", Verdict.UNAVAILABLE, "http.503: HTTP 503: 503 Service Unavailable No server is available…"),
    ProxyAnswer(
        "disabled", "", Verdict.UNAVAILABLE, "http.503: HTTP 503: 503 Service Unavailable No server is available…"
    ),
    ProxyAnswer(
        "raw", "fault:close-at-once", Verdict.BAD_GATEWAY, "http.502: HTTP 502: 502 Bad Gateway The server returned…"
    ),
    ProxyAnswer(
        "raw", "fault:garbage", Verdict.BAD_GATEWAY, "http.502: HTTP 502: 502 Bad Gateway The server returned…"
    ),
    ProxyAnswer(
        "impatient", "silent", Verdict.GATEWAY_TIMEOUT, "http.504: HTTP 504: 504 Gateway Time-out The server didn't…"
    ),
    ProxyAnswer("impatient", "stall", Verdict.TRUNCATED, "transport.incomplete: …; ended after event 6…", 6),
    ProxyAnswer("plain", "cut", Verdict.TRUNCATED, "openai.eof-before-finish: ended after event 4…", 4),
    ProxyAnswer("raw", "fault:no-last-chunk", Verdict.TRUNCATED, "transport.incomplete: …; ended after event 5…", 5),
)


async def check_answer(url: str, expected: ProxyAnswer) -> None:
    record = await probed(endpoint("openai-chat", f"{url}/{expected.location}", model=expected.model or "any"))
    reason = f"{record.rule}: {record.reason}"
    assert record.verdict is expected.verdict, reason
    assert re.fullmatch(".*".join(map(re.escape, expected.reason.split("…"))), reason), reason
    assert record.events == expected.events
    assert not re.search(r"[<>\n]", reason), "a page is quoted as words"


@pytest.mark.parametrize("expected", NGINX_ANSWERS, ids=lambda expected: f"{expected.location} {expected.model}")
async def test_what_nginx_answers_and_cuts(expected: ProxyAnswer, behind_nginx: str) -> None:
    await check_answer(behind_nginx, expected)


async def test_what_nginx_held_when_it_gave_up_is_lost_or_passed_on_and_never_taken_for_a_whole_answer(
    behind_nginx: str,
) -> None:
    """nginx 1.22 drops all that it holds, later ones pass some of it on."""
    record = await probed(endpoint("openai-chat", f"{behind_nginx}/impatient", model="stall"))
    assert record.verdict is (Verdict.TRUNCATED if record.bytes else Verdict.EMPTY), record.reason
    assert record.events < 6


@pytest.mark.parametrize("expected", HAPROXY_ANSWERS, ids=lambda expected: f"{expected.location} {expected.model}")
async def test_what_haproxy_answers_and_cuts(expected: ProxyAnswer, behind_haproxy: str) -> None:
    await check_answer(behind_haproxy, expected)


COMPLETIONS = [name for name, api in APIS.items() if api.kind is Kind.COMPLETION]


@pytest.mark.parametrize("location", ["buffered", "unbuffered"])
async def test_every_api_is_well_behind_nginx(location: str, behind_nginx: str) -> None:
    await check_apis(f"{behind_nginx}/{location}")


async def test_every_api_is_well_behind_haproxy(behind_haproxy: str) -> None:
    await check_apis(f"{behind_haproxy}/plain")


async def check_apis(url: str) -> None:
    """Each is complete, without a finding but one of pace: a busy machine, or nginx, may hand over a short answer at
    once."""
    records = await asyncio.gather(*(probed(endpoint(name, url)) for name in COMPLETIONS))
    found = {record.api: (record.verdict, {*names(record.findings)} - {FindingName.AT_ONCE}) for record in records}
    assert found == {name: (Verdict.COMPLETE, set()) for name in COMPLETIONS}


WEBSOCKET_ANSWERS = (
    ProxyAnswer("nginx/upgrade", "", Verdict.PONG, "websocket.pong: "),
    ProxyAnswer("nginx/upgrade", "ws-silent", Verdict.CLOSED, "websocket.closed: the connection broke…"),
    ProxyAnswer("nginx/upgrade", "ws-429", Verdict.RATE_LIMITED, "http.429: …retry after 7 s"),
    ProxyAnswer("nginx/unbuffered", "", Verdict.NOT_FOUND, "http.404: HTTP 404: Not Found: GET /v2/websocket"),
    ProxyAnswer("nginx/down", "", Verdict.BAD_GATEWAY, "http.502: HTTP 502: 502 Bad Gateway"),
    ProxyAnswer("haproxy/plain", "", Verdict.PONG, "websocket.pong: "),
    ProxyAnswer("haproxy/impatient", "ws-silent", Verdict.CLOSED, "websocket.closed: the connection broke…"),
    ProxyAnswer("haproxy/plain", "ws-1013", Verdict.CLOSED, "websocket.closed: …1013 bye"),
    ProxyAnswer("haproxy/down", "", Verdict.UNAVAILABLE, "http.503: HTTP 503: 503 Service Unavailable…"),
)


@pytest.mark.parametrize("expected", WEBSOCKET_ANSWERS, ids=lambda expected: f"{expected.location} {expected.model}")
async def test_a_websocket_through_a_proxy(expected: ProxyAnswer, request: pytest.FixtureRequest) -> None:
    name, _, location = expected.location.partition("/")
    url = f"{request.getfixturevalue(f'behind_{name}')}/{location}"
    headers = {FAULT_HEADER: expected.model} if expected.model else {}
    ping = await pinged(endpoint("websocket", url, path="/v2/websocket", headers=headers))
    reason = f"{ping.rule}: {ping.reason}"
    assert ping.verdict is expected.verdict, reason
    assert re.fullmatch(".*".join(map(re.escape, expected.reason.split("…"))), reason), reason


@pytest.mark.parametrize("place", ["nginx/upgrade", "haproxy/plain"])
async def test_messages_of_an_api_through_a_proxy(place: str, request: pytest.FixtureRequest) -> None:
    name, _, location = place.partition("/")
    url = f"{request.getfixturevalue(f'behind_{name}')}/{location}"
    good, cut = [
        await probed(endpoint("openai-realtime", url, model=model)) for model in ("m", "fault:truncated-realtime")
    ]
    assert (good.verdict, names(good.findings)) == (Verdict.COMPLETE, []), good.reason
    assert (cut.verdict, cut.status) == (Verdict.TRUNCATED, 101), cut.reason


async def test_a_proxy_that_does_not_upgrade_is_named(behind_nginx: str) -> None:
    row = await probed(endpoint("openai-realtime", f"{behind_nginx}/unbuffered"))
    assert (row.verdict, row.status) == (Verdict.NOT_FOUND, 404), row.reason
