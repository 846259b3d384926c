"""Good things to spoil: streams and answers of every API, responses, headers, files."""

from __future__ import annotations

from typing import Any

from support.apis import SCRIPTS
from support.completions import WHOLE
from support.script import Events
from support.scripted import chunk, http

from gwtui.codec.csv_schema import INCIDENT_COLUMNS, PING_COLUMNS, REQUEST_COLUMNS
from gwtui.config import example

STREAMS: dict[str, tuple[Events, ...]] = {
    name: tuple((*script.good, script.error) for script in SCRIPTS if script.api == name)
    for name in dict.fromkeys(script.api for script in SCRIPTS)
}
RARE: dict[str, Events] = {script.api: script.rare for script in reversed(SCRIPTS)}
"""Events that are rarer than those of the plain streams."""
ANSWERS: dict[str, dict[str, Any]] = {script.api: script.whole for script in SCRIPTS}

REFUSALS = (
    b'{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"r"}',
    b'{"error":{"message":"quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
    b'[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE","details":[{"@type":"x"}]}}]',
    b'{"detail":[{"loc":["body"],"msg":"no","type":"t"}]}',
    b'{"error":"busy"}',
    b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center><!-- a --></body></html>",
    b"model m is currently unavailable",
)
HEADERS = (
    *(("retry-after", "7"), ("retry-after", "Fri, 20 Nov 2026 05:00:00 UTC"), ("retry-after-ms", "2500")),
    *(("date", "Fri, 20 Nov 2026 05:00:00 GMT"), ("age", "0"), ("content-type", "text/event-stream; charset=utf-8")),
    *(("location", "https://user:word@host:8443/a?key=x#y"), ("server-timing", 'cache;desc="hit";dur=23.2, app')),
    *(("x-ratelimit-reset-requests", "6m0s"), ("anthropic-ratelimit-tokens-reset", "2026-11-20T05:00:00Z")),
    *(("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"), ("x-amzn-trace-id", "Root=1-67891233-abcdef;Self=x")),
    *(("x-litellm-attempted-retries", "2"), ("x-envoy-attempt-count", "3"), ("x-litellm-attempted-fallbacks", "true")),
    *(("x-cody-resolved-model", "m2"), ("cf-ray", "8c0"), ("content-encoding", "gzip"), ("content-length", "17")),
    *(("x-trace", "abc/def"), ("x-request-id", "r"), ("transfer-encoding", "chunked"), ("server", "nginx")),
)
RESPONSES = (
    http("200 OK", "Content-Type: text/event-stream", body=WHOLE),
    http("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", length=False)
    + b"".join(chunk(WHOLE[at : at + 90]) for at in range(0, len(WHOLE), 90))
    + b"0\r\n\r\n",
    http("200 OK", "Content-Type: text/event-stream", "Connection: close", length=False) + WHOLE,
    http("429 Too Many Requests", "Retry-After: 7", "Content-Type: application/json", body=REFUSALS[1]),
    http("502 Bad Gateway", "Content-Type: text/html", body=REFUSALS[5]),
    http("307 Temporary Redirect", "Location: https://elsewhere.invalid/v1?key=x"),
    b"HTTP/1.1 100 Continue\r\n\r\n" + http("200 OK", body=b"pong"),
)

CONFIGS = (
    example(),
    """default_profile = "prod"
[ui]
theme = "gwtui-dark"
keys = { "probe.pause" = "p", view.freeze = ["space", "f"] }

[profiles.prod]
interval_s = 2
budget = { requests = 10, usd = 1.5 }
[[profiles.prod.endpoints]] # the first
name = "a"
api = "openai-chat"
url = "https://gateway.example.com:8443/v1?x=1"
key = "env:KEY"
headers = { X-Team = "blue", Authorization = "token ${env:KEY}" }
body = { temperature = 0.2, stop = ["a", 1979-05-27] }
price = { input_per_million = 0.25 }
deadlines = { total_s = 10 }
[[profiles.prod.endpoints]]
name = 'b'
api = "websocket"
url = "wss://gateway.example.com"
body = '''
ping'''
tls.insecure = true
""",
)
SCENARIOS = (
    """seed = 7
[default]
ttft_ms = [200, 400]
jitter = 0.5
[gateway]
breaker_open_s = 2.5
fallback_chain = ["openai"]
[[rule]]
model = "gpt-*"
from_s = 10
to_s = 20
every_s = 60
status = 503
headers = { x-a = "b" }
body = { error = { message = "no" } }
[[rule]]
fault = "429-ms"
share = 0.5
tokens = [5, 9]
""",
)
THEMES = ('name = "mine"\ndark = false\n[colors]\nprimary = "#aabbcc"\nup = "#00ff00"\n',)
CSVS = (
    ",".join(REQUEST_COLUMNS) + "\n",
    ",".join(PING_COLUMNS) + "\n",
    "Endpoint,Average (ms),Median (ms),P5 (ms),P75 (ms),P80 (ms),P95 (ms),Total (ms),Success Rate\n"
    "a,500.5,450,100,600,700,900,1000.25,987/1000\n",
    "Endpoint,Duration (ms),Trace ID\na,500.5,t\na,12,\n",
    "endpoint,started_at,outcome,duration_ms,ttft_ms,mean_icl_ms,tpot_ms\n"
    'a,2026-01-31T14:03:22.123Z,ok,500.5,100,10,9.5\n"b,""c",2026-01-31T14:03:23Z,failed,,,,\n',
)
SESSIONS = (
    ",".join(REQUEST_COLUMNS) + "\n"
    'a,1,810.09,05,2026-01-31T14:03:22.100Z,openai-chat,m,m-1,true,200,ok,complete,openai.done,"a ""b""",202.5,405.0,'
    '405.0,20.0,40.0,12.0,80.0,20,10,12,40,4096,0.0,kernel,r1,schedule,,false,buffered;retries,,1.0,,,false,,,,,"{""via"":""x""}",7\n'
    "a,2,,05,2026-01-31T14:03:24.100Z,openai-chat,m,,true,,failed,refused,end.refused,'=1,,,,,,,,0,0,,,0,-1.5,user,,burst,,true"
    ",,,,,,false,,,,,,\n",
    ",".join(PING_COLUMNS)
    + "\na,1,12.4,04,2026-01-31T14:03:22.000Z,ok,pong,websocket.pong,,1,,,,,0.1,kernel,,schedule,false,,\n",
    ",".join(INCIDENT_COLUMNS) + "\n2026-01-31T14:03:23.000Z,state,a,down,up,5 refused in a row,2,05\n",
)
"""Rows as a session's files have them."""
FILTERS = ("haiku -state:up ttft>500 fail>=1% verdict:truncated p95<=1.5s name:a", "")
GATES = ("p95_ttft>800ms", "gateway: avg_e2e >= 2s", "fail_rate>1%", "truncated>0", "tokens_per_s<20", "success<99%")
