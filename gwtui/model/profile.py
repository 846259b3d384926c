"""Profiles as data: what to probe, how, and what counts as well.

The fields are their own manual: type, default and one line each. `gwtui.config` reads and writes them as TOML;
`config.example.toml` shows them all. Keys and header values hold *references* to secrets (`env:NAME`,
`file:PATH`, `cmd:COMMAND`, `keyring:SERVICE/USER`, `aws:PROFILE`), never secrets.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gwtui.model.metrics import LATENCIES, Metric

SHORTEST_INTERVAL_S = 0.05
"""What is asked more often is a burst or a benchmark, not a watch."""
LONGEST_S = 86_400.0
CHOICES = "choices"
"""The key in a type's `Meta.extra` under which those of an enum's members are that a setting may have."""

Seconds = Annotated[float, Meta(ge=0.001, le=LONGEST_S)]
Interval = Annotated[float, Meta(ge=SHORTEST_INTERVAL_S, le=LONGEST_S)]
Milliseconds = Annotated[float, Meta(ge=0.001, le=LONGEST_S * 1000)]
Dollars = Annotated[float, Meta(ge=0, le=1_000_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Status = Annotated[int, Meta(ge=100, le=599)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Days = Annotated[float, Meta(ge=0, le=36_500)]
Latency = Annotated[Metric, Meta(extra={CHOICES: LATENCIES})]
Limit = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A TOML table: unknown keys are refused, defaults are not written out."""


class Deadlines(_Table, frozen=True, kw_only=True):
    """How long to wait for each phase of one probe. Unlike a client's read timeout, none restarts at every read."""

    connect_s: Seconds = 5.0
    """From the start of the connection to its end, DNS and TLS included."""
    first_byte_s: Seconds = 60.0
    """From the last request byte sent to the first response byte, or from a ping to its answer."""
    first_event_s: Seconds = 60.0
    """From the last request byte sent to the first event of a stream; comments and keep-alives do not count."""
    first_token_s: Seconds = 120.0
    """From the last request byte sent to the first generated content of a stream."""
    event_gap_s: Seconds = 60.0
    """From one step of an answer to the next (content, a start or a stop), once content came. Signs of life do not
    count: comments, pings, empty deltas, repeated events of status."""
    idle_s: Seconds = 30.0
    """Between two reads of a response that has begun."""
    total_s: Seconds = 300.0
    """From the start of the probe to its end."""


class Thresholds(_Table, frozen=True, kw_only=True):
    """When an endpoint changes its state. Every rule has hysteresis, so a state does not flap."""

    down_after: Count = 3
    """Failures in a row that make an endpoint `down`."""
    up_after: Count = 2
    """Good results in a row that end `down`."""
    degraded_fail_share: Share | None = None
    """A share of failed results in the window at which it is `degraded`, instead of more failures than usual; it ends
    at half of that. By default what is usual decides."""
    degraded_min_failures: Count | None = None
    """Failures in the window below which it does not become `degraded`; by default 2 where a share is set."""
    slow_metric: Latency | None = None
    """The one latency that makes it `slow`; by default TTFT and TPOT for streams, RTT for WebSockets, E2E for the
    rest."""
    slow_percentile: Annotated[float, Meta(ge=0.001, le=99.999)] = 50.0
    """Which percentile of that latency (of a stream its TTFT) has a limit in `slow_over_ms`."""
    slow_over_ms: Milliseconds | None = None
    """A limit beside the endpoint's usual, in ms; `slow` by it ends at 80 % of it. By default no limit."""
    slow_for_s: Annotated[float, Meta(ge=0, le=LONGEST_S)] = 10.0
    """How long the percentile must stay over that limit."""
    findings_degrade: tuple[str, ...] = ("buffered", "combed", "damaged", "sequential")
    """Findings that make an endpoint `degraded` where 3 of 5 streams have them."""
    relearn_after: str = "24h"
    """How long a change lasts until it is what is usual, as `30m`, `24h` or `7d`."""
    window_s: Seconds = 60.0
    """The time that shares and percentiles of these rules cover."""


class TLS(_Table, frozen=True, kw_only=True):
    """How the gateway's certificate is checked, for `https` and `wss`.

    Paths may begin with `~`, and are relative to the configuration's file. Files that change are read anew.
    """

    ca_file: str | None = None
    """A PEM file of certificate authorities to trust instead of the system's."""
    client_cert: str | None = None
    """A PEM file with a client certificate (and its key, unless `client_key` names it)."""
    client_key: str | None = None
    """A PEM file with the client certificate's key."""
    client_key_password: str | None = None
    """Where the password of an encrypted key is: a reference, as for `key`. gwtui never prompts for it."""
    server_name: str | None = None
    """The name to ask for and to check, where it is not the URL's host."""
    insecure: bool = False
    """Do not verify anything. Shown on screen for as long as it is on."""


class Price(_Table, frozen=True, kw_only=True):
    """What an endpoint's tokens cost: for `cost_usd`, and for a budget in US dollars."""

    input_per_million: Dollars = 0.0
    """US dollars for a million input tokens."""
    output_per_million: Dollars = 0.0
    """US dollars for a million output tokens."""

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        """What that number of tokens costs."""
        return (input_tokens * self.input_per_million + output_tokens * self.output_per_million) / 1e6


class Budget(_Table, frozen=True, kw_only=True):
    """How much the requests of all endpoints together may take; then probing pauses. Pings take nothing of it.

    Tokens and dollars are known when an answer has ended, so what was under way at the limit goes beyond it.
    """

    requests: Limit | None = None
    """Maximum number of requests, bursts, trials and checks included."""
    tokens: Limit | None = None
    """Maximum number of input and output tokens, as reported by the answers; one that reports none counts as
    `max_tokens`."""
    usd: Annotated[float, Meta(ge=0.000_001, le=1_000_000_000)] | None = None
    """Maximum US dollars, from the `price` of the endpoints."""
    per: Literal["hour", "session"] = "hour"
    """What it is for; hours are counted from the start of the session."""


class Turn(_Table, frozen=True, kw_only=True):
    """One request of a conversation: a `prompt`, or the `result` of the tool that the answer before it called."""

    prompt: str | None = None
    """What the user says."""
    result: str | None = None
    """What each tool call of the answer before gave; it is sent in the API's own form, after that answer."""
    tool: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """The tool that the answer has to call; it is declared in the request, unless `body` declares tools."""


MOST_TURNS = 16
"""The maximum number of turns of a conversation."""


class Endpoint(_Table, frozen=True, kw_only=True):
    """One thing to probe."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    """Unique in the profile; what the screen and the files call it."""
    api: str
    """How to ask and how to read the answer: `anthropic-messages`, `openai-chat`, `http`, `websocket`, ..."""
    url: str
    """The base URL: `http`, `https`, `ws` or `wss`. Its query may hold references, as header values may."""
    path: str | None = None
    """Appended to the base URL; by default the API's own. `{model}` in it becomes the model's name."""
    method: str = "POST"
    """The HTTP method (`http` only)."""
    model: str | None = None
    """The model to ask for; by default the API's own example model."""
    expect_model: str | None = None
    """The model that has to answer, where that is not the one asked for, as with a deployment's or an alias's name."""
    prompt: str | None = None
    """What to ask, as one user message; by default the API's own short prompt."""
    messages: tuple[dict[str, Any], ...] | None = None
    """A whole conversation in the API's own form, instead of `prompt`; with `turns`, what comes before them."""
    turns: tuple[Turn, ...] = ()
    """A conversation of several requests instead of `prompt`, one after the other at each probe: each carries the
    answers before it. The first that fails ends it."""
    nonce: bool = False
    """Put a fresh number in front of every request's first text and question, so that no cache has either; not where
    `body` has the question."""
    max_tokens: Count = 256
    """The token limit of the answer."""
    stream: bool = True
    """Ask for a stream of events (`false`: for one JSON answer)."""
    body: dict[str, Any] | str | None = None
    """A table of further fields of the request body, laid over the API's own; a text for `http` (the body)
    and `websocket` (the frame to send)."""
    omit: tuple[str, ...] = ()
    """Fields of the request's body that are not sent, as `stream_options`, `stream_options.include_usage`, or
    `max_tokens` for the token limit whatever the API calls it."""
    fields: dict[str, str] = {}
    """What this gateway calls the fields and events of an API without a standard (`compare-stream` only):
    our name -> its name."""
    expect: str | None = None
    """The expected body (`http`) or answer frame (`websocket`): a text, `re:PATTERN`, `json:PATH=VALUE` or `any`; by
    default any body, and `pong`."""
    expect_json: dict[str, Any] = {}
    """Values that a JSON body must have (`http` only): path -> a text, a number, `true` or `false`, as
    `{ status = "healthy", "providers.anthropic" = true }`. Paths as in `expect`."""
    expect_status: Status | str | tuple[Status | str, ...] = 200
    """The expected status (`http` only): 204, "2xx", "200-299", or several of them."""
    ping: Literal["text", "frame"] = "text"
    """What a ping is (`websocket` only): a text message that is answered by one, or a protocol ping (RFC 6455 5.5.2),
    whose payload may be `body`."""
    subprotocols: tuple[str, ...] = ()
    """Subprotocols to offer, best first (`websocket` only); the header `Sec-WebSocket-Protocol` may name them too."""
    tolerate: tuple[str, ...] = ()
    """What is known of this gateway and fine: a rule, such as `openai.done-without-finish`, whose breach then is only a
    finding, or a finding, which then is not made."""
    follow_redirects: bool = False
    """Follow redirects to the same scheme, host and port; to any other never (not for `websocket`)."""
    headers: dict[str, str] = {}
    """Further request headers. A value may be a reference, or hold some: `token ${env:NAME}`."""
    key: str | None = None
    """Where the key is: `env:NAME`, `file:PATH`, `cmd:COMMAND`, `keyring:SERVICE/USER`, or `aws:PROFILE/REGION`, which
    signs the requests of Bedrock's APIs; profile and region may be left out."""
    auth: Literal["bearer", "token", "x-api-key", "api-key", "x-goog-api-key"] | None = None
    """How the key is sent; by default the API's own way."""
    connection: Literal["keep", "fresh"] = "keep"
    """Keep the connection from one probe to the next, or make a fresh one for each."""
    max_connection_s: Seconds | None = None
    """How long a connection is kept; by default for as long as it works and its address is the name's."""
    addresses: Literal["first", "each"] = "first"
    """Connect to the name's first address that answers, or probe each of its addresses in turn, over a connection of
    its own. Not by way of a proxy, which looks the name up itself."""
    connect_to: str | None = None
    """Connect to this `host:port` instead of the URL's; the `Host` header and the name in TLS stay the URL's."""
    unix: str | None = None
    """Connect to the Unix socket of this path instead of the URL's host and port, which stay in the request."""
    proxy: str | None = None
    """The proxy to go by way of: `http`, `https`, `socks5` (names looked up here) or `socks5h` (by the proxy), with the
    login as references: `socks5h://${env:LOGIN}@proxy:1080`; a reference to such a URL; or `direct`. By default the
    environment's, where `use_proxies` says so."""
    interval_s: Interval | None = None
    """Seconds between two probes, at least 0.05; by default the profile's."""
    cert_warn_days: Days | None = None
    """Warn when a certificate expires within this number of days; by default the profile's."""
    overlap: Annotated[int, Meta(ge=1, le=64)] = 2
    """How many scheduled probes may be under way at once; further ticks count as missed.
    Of a WebSocket it is always one, because it keeps one connection."""
    paused: bool = False
    """Start without probing."""
    price: Price | None = None
    """What its tokens cost, for a budget in US dollars, and to compare with what the gateway says."""
    metrics: str | None = None
    """The name of the endpoint with the metrics of its gateway (`api = "gateway-metrics"`): who answered is looked up
    there after each request."""
    provider: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Who makes the model's answers, as `anthropic`: endpoints with one provider may have one incident. By default what
    the API and the model's name say."""
    tags: tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...] = ()
    """Words by which endpoints are grouped, as `us-east-1`. In the table an endpoint stands below its first one."""
    expect_provider: str | None = None
    """The provider that has to answer, where `metrics` is set; by default the gateway's choice."""
    deadlines: Deadlines | None = None
    """Deadlines of this endpoint instead of the profile's."""
    thresholds: Thresholds | None = None
    """Thresholds of this endpoint instead of the profile's."""
    tls: TLS | None = None
    """TLS settings of this endpoint."""


class Maintenance(_Table, frozen=True, kw_only=True):
    """A time in which endpoints are measured and no incident is opened: once, or again and again by `cron`."""

    start: str | None = msgspec.field(name="from", default=None)
    """When it begins, as `2026-12-24 22:00`, or with an offset, as `2026-12-24T22:00:00Z`."""
    end: str | None = msgspec.field(name="to", default=None)
    """When it ends."""
    cron: str | None = None
    """When it begins each time, in the five fields of cron: minute, hour, day of the month, month, day of the week."""
    lasts: str | None = None
    """How long it then lasts, as `30m`, `2h` or `1d`."""
    zone: str | None = None
    """The time zone of these times, as `UTC`, `Europe/Berlin` or `+01:00`; by default this machine's."""
    endpoints: tuple[str, ...] = ()
    """The names of the endpoints that it is for; empty: all."""
    note: Annotated[str, Meta(max_length=200)] = ""
    """What is done in it."""


class Profile(_Table, frozen=True, kw_only=True):
    """A named set of endpoints and the options they share."""

    name: str = "default"
    """The table's name in the file; not a key of its own."""
    interval_s: Interval = 5.0
    """Seconds between two probes of an endpoint, at least 0.05."""
    use_proxies: bool = False
    """Go by way of the proxies that the environment names: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY."""
    cert_warn_days: Days = 14.0
    """Warn when the certificate of a gateway or a client expires within this number of days; in its last day the
    endpoint is `degraded`. 0: no sooner than it has expired."""
    record_text: bool = False
    """Keep the text of the streams in the session directory, and all streams as with `record_streams = "all"`."""
    record_streams: Literal["none", "bad", "sample", "all"] = "bad"
    """Which streams are kept as they came, with the stamp of every read, in `streams/` of the session directory: bad
    ones, `sample`: also the first good one per endpoint and 10 minutes."""
    streams_mb: Annotated[float, Meta(ge=0.001, le=1_000_000)] = 100.0
    """The maximum size of `streams/` (in 1,000,000 bytes); then the oldest good ones are removed, then the oldest bad
    ones."""
    rotate_mb: Annotated[float, Meta(ge=0.001, le=1_000_000)] = 100.0
    """A file of the session directory is put aside at this size (in 1,000,000 bytes), and a new one begun."""
    budget: Budget | None = None
    """How much all requests together may take before probing pauses."""
    deadlines: Deadlines = Deadlines()
    thresholds: Thresholds = Thresholds()
    endpoints: tuple[Endpoint, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    """Times in which nothing that is wrong opens an incident."""

    @property
    def streams_kept(self) -> str:
        """Which streams are kept: `record_streams`, or all where texts are recorded."""
        return "all" if self.record_text and self.record_streams != "none" else self.record_streams

    def endpoint(self, name: str) -> Endpoint | None:
        """The endpoint of that name, or None."""
        return next((endpoint for endpoint in self.endpoints if endpoint.name == name), None)

    def interval_of(self, endpoint: Endpoint) -> float:
        """Seconds between two probes of the endpoint."""
        return endpoint.interval_s if endpoint.interval_s is not None else self.interval_s

    def cert_warn_days_of(self, endpoint: Endpoint) -> float:
        """A certificate is reported from this number of days before it expires."""
        return endpoint.cert_warn_days if endpoint.cert_warn_days is not None else self.cert_warn_days

    def deadlines_of(self, endpoint: Endpoint) -> Deadlines:
        return endpoint.deadlines if endpoint.deadlines is not None else self.deadlines

    def thresholds_of(self, endpoint: Endpoint) -> Thresholds:
        return endpoint.thresholds if endpoint.thresholds is not None else self.thresholds

    def judged(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with all that decides its state, and nothing that only says when it is probed."""
        thresholds = self.thresholds_of(endpoint)
        return msgspec.structs.replace(
            endpoint, interval_s=None, overlap=1, paused=False, price=None, thresholds=thresholds
        )
