"""Every fault of a configuration is named with file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.configs import GOOD, SECRET, saved

from gwtui import config
from gwtui.config import ConfigError, ConfigFault
from gwtui.model.profile import Budget, Price


def only_fault(path: Path) -> ConfigFault:
    faults = config.check(path)
    assert len(faults) == 1, faults
    return faults[0]


ENDPOINT_FAULTS: list[tuple[str, str, str]] = [
    ("intervall_s = 5", "intervall_s", "unknown key (did you mean interval_s?)"),
    ("zzzzzz = 5", "zzzzzz", "unknown key (known: addresses, api, auth, body, "),
    ('interval_s = "5"', "interval_s", "expected a number, got text"),
    ("interval_s = 0", "interval_s", "expected a number >= 0.05"),
    ("interval_s = nan", "interval_s", "expected a number >= 0.05"),
    ("interval_s = true", "interval_s", "expected a number, got true or false"),
    ("max_tokens = 1.5", "max_tokens", "expected a whole number"),
    ("expect_status = 99", "expect_status", "expected a whole number >= 100"),
    ("expect_status = 2.5", "expect_status", "expected a whole number or text or an array, got a number"),
    ('stream = "yes"', "stream", "expected true or false, got text"),
    ("headers = []", "headers", "expected a table, got an array"),
    ("headers = { A = 1 }", "headers.A", "expected text, got a whole number"),
    ('messages = ["hi"]', "messages[0]", "expected a table, got text"),
    ("deadlines = { idle = 1 }", "deadlines.idle", "unknown key (did you mean idle_s?)"),
    ("deadlines = 5", "deadlines", "expected a table, got a whole number"),
    ('thresholds = { slow_metric = "ttfd" }', "thresholds.slow_metric", "must be one of ttfb, ttft"),
    (
        'thresholds = { relearn_after = "soon" }',
        "thresholds.relearn_after",
        "is not a duration: a whole number",
    ),
    ('thresholds = { relearn_after = "24" }', "thresholds.relearn_after", "as 30m, 24h or 7d"),
    (
        'thresholds = { findings_degrade = ["combed", "bufered"] }',
        "thresholds.findings_degrade[1]",
        "unknown finding (did you mean buffered?)",
    ),
    ("tls = { insecure = 1 }", "tls.insecure", "expected true or false"),
    (
        'auth = "berer"',
        "auth",
        "must be one of bearer, token, x-api-key, api-key, x-goog-api-key (did you mean bearer?)",
    ),
    (f'auth = "{SECRET}"', "auth", "must be one of bearer"),
    (f'key = "{SECRET}"', "key", "where the key is, not what it is"),
    (f'key = "env:{SECRET}"', "key", "where the key is, not what it is"),
    (f'key = "cmd:echo {SECRET}"', "key", "secret written out in a command"),
    ('key = ""', "key", "where the key is"),
    (f"headers = {{ Authorization = 'Bearer {SECRET}' }}", "headers.Authorization", "secret written out"),
    (f"headers = {{ X-Api-Key = '{SECRET}' }}", "headers.X-Api-Key", "secret written out"),
    (f"headers = {{ api-key = '{SECRET}' }}", "headers.api-key", "secret written out"),
    ("headers = { Cookie = 'a=b' }", "headers.Cookie", "secret written out"),
    ("headers = { X-Auth-Token = 'abc' }", "headers.X-Auth-Token", "secret written out"),
    (f"headers = {{ X-Harmless = 'x {SECRET}' }}", "headers.X-Harmless", "secret written out"),
    ("headers = { Authorization = 'token ${env:A' }", "headers.Authorization", "unfinished reference"),
    ('headers = { A = "a\\r\\nB: c" }', "headers.A", "no HTTP header can carry"),
    ('headers = { A = "☃" }', "headers.A", "no HTTP header can carry"),
    ('headers = { "A B" = "c" }', 'headers."A B"', "is not a header name"),
    ("headers = { Content-Length = '5' }", "headers.Content-Length", "set by gwtui itself"),
    ('method = "GET /"', "method", "is not an HTTP method"),
    ("deadlines = { zzz = 1 }", "deadlines.zzz", "unknown key (known: connect_s, event_gap_s, "),
    ('tolerate = ["openai.done-without-finsh"]', "tolerate[0]", "did you mean openai.done-without-finish?"),
    ('tolerate = ["role_repeated", "roles_repeated"]', "tolerate[1]", "did you mean role_repeated?"),
    ("messages = [{ at = 2026-01-01 }]", "messages", "holds a date"),
    ("messages = [{ at = [inf] }]", "messages", "holds inf or nan"),
    ('path = "https://host/x"', "path", "is a whole URL"),
    (f'proxy = "http://ann:{SECRET}@proxy:3128"', "proxy", "holds a password (say where it is"),
    ('proxy = "http://a:a@proxy:3128"', "proxy", "holds a password"),
    (f'proxy = "http://{SECRET}@proxy:3128"', "proxy", "holds a password"),
    ('proxy = "http://ann:${env:A}x@proxy:3128"', "proxy", "holds a password"),
    ('proxy = "http://ann:${env:A@proxy:3128"', "proxy", "unfinished reference"),
    ('proxy = "socks4://proxy"', "proxy", "of the kind socks4: gwtui uses http, https, socks5, socks5h"),
    ('proxy = "http://proxy:99999"', "proxy", "a port that cannot be"),
    ('proxy = ""', "proxy", "holds no URL of a proxy"),
    (f'proxy = "cmd:echo {SECRET}"', "proxy", "secret written out in a command"),
    ('proxy = "http://proxy"\nunix = "/run/s"', "proxy", "has no effect with unix"),
    ('path = "/x?api_key=abc"', "path", "holds a key in its query"),
    ('path = "/x?for=sk-abcdefgh1234"', "path", "holds a key in its query"),
    ('path = "/x?token=${env:A}&v=sk-abcdefgh1234"', "path", "holds a key in its query"),
    ('path = "/${env:A}/x"', "path", "outside of its query"),
    ('path = "/x?token=${env:A"', "path", "unfinished reference"),
    ('path = "/x y"', "path", "spaces or control characters"),
    ('ping = "frame"', "ping", "for the API websocket only"),
    ('subprotocols = ["a"]', "subprotocols", "for the API websocket only"),
    ("cert_warn_days = -1", "cert_warn_days", "expected a number >= 0"),
    ('headers = { Sec-WebSocket-Key = "x" }', "headers.Sec-WebSocket-Key", "is set by gwtui itself"),
    ('connection = "kept"', "connection", "must be one of keep, fresh"),
    ("max_connection_s = 0", "max_connection_s", "expected a number >= 0.001"),
    ('connect_to = "gateway"', "connect_to", "must be HOST:PORT"),
    ('connect_to = "gateway:0"', "connect_to", "must be HOST:PORT"),
    ('connect_to = "http://gateway:80"', "connect_to", "must be HOST:PORT"),
    ('connect_to = ":443"', "connect_to", "must be HOST:PORT"),
    ('unix = "gateway.sock"', "unix", "must be an absolute path"),
    (f'unix = "/{"x" * 107}"', "unix", "is longer than a socket's path can be"),
]


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('connection = "fresh"\nmax_connection_s = 5', "max_connection_s"),
        ('unix = "/run/gateway.sock"\naddresses = "each"', "addresses"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(tmp_path: Path, lines: str, key: str) -> None:
    fault = only_fault(saved(tmp_path, f"[[profiles.prod.endpoints]]\n{GOOD}\n{lines}\n"))
    assert fault.key == f"profiles.prod.endpoints[0].{key}"
    assert "has no effect" in str(fault)


@pytest.mark.parametrize(("line", "key", "says"), ENDPOINT_FAULTS)
def test_a_fault_of_an_endpoint_is_named_with_line_and_key(tmp_path: Path, line: str, key: str, says: str) -> None:
    path = saved(tmp_path, f"[[profiles.prod.endpoints]]\n{GOOD}\n# a comment\n{line}\n")
    fault = only_fault(path)
    assert (fault.file, fault.line, fault.key) == (path, 7, f"profiles.prod.endpoints[0].{key}")
    assert says in str(fault)
    assert SECRET not in str(fault)
    assert str(fault).startswith(f"{path}:7: profiles.prod.endpoints[0].{key}: ")


@pytest.mark.parametrize(
    ("api", "line", "key", "says"),
    [
        ("compare-stream", 'fields = { chunks = "x" }', "fields.chunks", "unknown name"),
        ("compare-stream", "stream = false", "stream", "only streams"),
        ("openai-completions", 'messages = [{ role = "user" }]', "messages", "this API takes one text, set `prompt`"),
        ("gemini", "body = { generationConfig = 7 }", "body.generationConfig", "must be a table"),
        ("http", 'expect_status = "2x"', "expect_status", "must be a status such as 204, 2xx or 200-299"),
        ("http", 'expect_status = ["2xx", 99]', "expect_status[1]", "expected a whole number >= 100"),
        ("http", "expect_status = []", "expect_status", "contains no status"),
        ("http", 'expect = "re:("', "expect", "is not a regular expression"),
        ("http", 'expect = "json:a"', "expect", "must be json:PATH=VALUE"),
        ("http", "expect_json = [1]", "expect_json", "expected a table, got an array"),
        ("http", "expect_json = { a = [1] }", "expect_json.a", "must be text, a number, true or false"),
        ("http", "expect_json = { a.b = 1979-05-27 }", "expect_json.a.b", "must be text, a number, true or false"),
        ("http", "expect_json = { a = nan }", "expect_json.a", "must be text, a number, true or false"),
        ("http", 'expect_json = { "a..b" = 1 }', "expect_json", "'a..b' is not a path"),
        ("http", "expect_jsno = { a = 1 }", "expect_jsno", "unknown key"),
        ("openai-chat", "expect_json = { a = 1 }", "expect_json", "is for the API http only"),
        ("websocket", "expect_json = { a = 1 }", "expect_json", "is for the API http only"),
        ("websocket", 'expect = "re:("', "expect", "is not a regular expression"),
        ("websocket", 'expect = "pong"\nping = "frame"', "expect", "is for `ping = 'text'`"),
        ("websocket", 'subprotocols = ["a b"]', "subprotocols", "a subprotocol is made of"),
        ("websocket", 'subprotocols = ["key.sk-abcdefgh1234"]', "subprotocols[0]", "holds a secret or a reference"),
    ],
)
def test_what_an_api_cannot_ask_is_a_fault_of_the_file(
    tmp_path: Path, api: str, line: str, key: str, says: str
) -> None:
    path = saved(tmp_path, f'[[profiles.p.endpoints]]\nname = "e"\napi = "{api}"\nurl = "http://h"\n{line}\n')
    fault = only_fault(path)
    assert (fault.line, fault.key) == (5, f"profiles.p.endpoints[0].{key}")
    assert says in fault.message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gateway.example.com", "must begin with"),
        ("ftp://host", "must begin with"),
        ("http://", "has no host"),
        ("https:///path", "has no host"),
        ("http://:80", "has no host"),
        (f"https://user:{SECRET}@host", "user name or password (use key"),
        (f"https://host/?key={SECRET}", "holds a key in its query (use key"),
        (f"https://host/?a=sk-{SECRET}", "holds a key in its query"),
        (f"https://host/?a=1&access_token={SECRET}", "holds a key in its query"),
        ("http://host:99999", "impossible host or port"),
        ("http://[::1", "impossible host or port"),
        ("http://host/#top", "fragment"),
        ("http://ho st", "spaces"),
        ("http://host\\u001b]52;c;x", "control characters"),
        ("wss://host", "are for the APIs websocket and openai-realtime"),
    ],
)
def test_a_bad_url_is_refused_without_being_repeated(tmp_path: Path, url: str, says: str) -> None:
    path = saved(tmp_path, f'[[profiles.p.endpoints]]\nname = "e"\napi = "http"\nurl = "{url}"\n')
    fault = only_fault(path)
    assert (fault.line, fault.key) == (4, "profiles.p.endpoints[0].url")
    assert says in str(fault)
    assert SECRET not in str(fault)


@pytest.mark.parametrize(
    ("api", "extra"),
    [
        ("websocket", 'url = "ws://h"'),
        ("websocket", 'url = "wss://h:1/x"'),
        ("websocket", 'url = "https://h"\nbody = "ping"'),
        ("http", 'url = "http://[::1]:80"\npath = "/x?limit=5&api-version=2"'),
        ("openai-chat", 'url = "https://h/v1/"\nbody = { stream_options = { include_usage = true }, a = [1] }'),
        ("http", 'url = "http://h"\nmethod = "get"\nbody = { json = true }'),
        ("http", 'url = "http://h"\nproxy = "socks5h://${env:USER}:${cmd:op read op://v/p@x}@[::1]:1080"'),
        ("http", 'url = "http://h"\nproxy = "env:PROXY"'),
        ("http", 'url = "http://h"\nproxy = "direct"\nunix = "/run/s"'),
        ("http", 'url = "http://h"\nexpect_status = ["2xx", 404]\nexpect = "json:status=ok"'),
        ("http", 'url = "http://h"\nheaders = { X-Sourcegraph-Should-Trace = "true", cody-core-gc-test = "a b" }'),
        ("http", 'url = "http://h"\nheaders = { Authorization = "token ${env:T}", X-Api-Key = "file:/k/é/日" }'),
        ("http", 'url = "http://h"\nkey = "cmd:pass show gateway"\nheaders = { A = "x ${keyring:gw/me@h}" }'),
    ],
)
def test_what_is_allowed_in_an_endpoint(tmp_path: Path, api: str, extra: str) -> None:
    assert config.check(saved(tmp_path, f'[[profiles.p.endpoints]]\nname = "e"\napi = "{api}"\n{extra}\n')) == []


def test_a_budget_in_dollars_needs_one_price(tmp_path: Path) -> None:
    text = f"[profiles.p.budget]\nusd = 1.5\n[[profiles.p.endpoints]]\n{GOOD}price = {{ output_per_million = 15 }}\n"
    assert config.check(saved(tmp_path, text)) == []
    (read,) = config.load(tmp_path / "config.toml").profiles
    assert (read.budget, read.endpoints[0].price) == (Budget(usd=1.5), Price(output_per_million=15.0))


FILE_FAULTS: list[tuple[str, int | None, str, str]] = [
    ("a = \n", 1, "", "not valid TOML: "),
    ('default_profil = "x"', 1, "default_profil", "unknown key (did you mean default_profile?)"),
    (
        'default_profile = "prd"\n[profiles.prod]',
        1,
        "default_profile",
        "is not a profile of this file (did you mean pro",
    ),
    ("default_profile = 1", 1, "default_profile", "expected text"),
    ("\n[ui]\ntheem = 'x'", 3, "ui.theem", "did you mean theme?"),
    ("[ui]\nkeys = 'p'", 2, "ui.keys", "expected a table"),
    ("[ui.keys]\nprobe.pause = 1", 2, "ui.keys.probe.pause", "must be a key"),
    ('[ui.keys]\n"probe.pause" = []', 2, 'ui.keys."probe.pause"', "must be a key"),
    ("profiles = 1", 1, "profiles", "expected a table"),
    ("[profiles]\nprod = 1", 2, "profiles.prod", "expected a table"),
    ("[profiles.prod]\nname = 'x'", 2, "profiles.prod.name", "unknown key"),
    ("[profiles.prod]\nendpoints = 1", 2, "profiles.prod.endpoints", "expected an array"),
    ("[profiles.prod]\nendpoints = [1]", 2, "profiles.prod.endpoints[0]", "expected a table"),
    ("[profiles.prod.deadlines]\nidle_s = -1", 2, "profiles.prod.deadlines.idle_s", "expected a number >= 0.001"),
    ('[profiles.p.budget]\nper = "hour"', 1, "profiles.p.budget", "sets no limit"),
    ("[profiles.p]\nbudget = { requests = 0 }", 2, "profiles.p.budget.requests", "expected a whole number >= 1"),
    ('[profiles.p.budget]\nper = "day"\ntokens = 1', 2, "profiles.p.budget.per", "must be one of hour, session"),
    ("[profiles.p.budget]\nusd = 1", 2, "profiles.p.budget.usd", "no endpoint has one"),
    ("[profiles.p]\nrotate_mb = 0", 2, "profiles.p.rotate_mb", "expected a number >= 0.001"),
    ('[profiles."a\\u001b]b"]', 1, 'profiles."a\\u001b]b"', "invisible characters"),
    ('[profiles."a\\u202eb"]', 1, 'profiles."a\\u202eb"', "invisible characters"),
    ('[profiles.""]', 1, 'profiles.""', "name is empty"),
    (f"[[profiles.p.endpoints]]\n{GOOD[10:]}", 1, "profiles.p.endpoints[0]", "name is missing"),
    (f"[[profiles.p.endpoints]]\n{GOOD.replace('e', '', 1)}", 2, "profiles.p.endpoints[0].nam", "unknown key"),
]


@pytest.mark.parametrize(("text", "line", "key", "says"), FILE_FAULTS)
def test_a_fault_of_the_file_is_named_with_line_and_key(
    tmp_path: Path, text: str, line: int | None, key: str, says: str
) -> None:
    fault = config.check(saved(tmp_path, text))[-1]
    assert (fault.line, fault.key) == (line, key)
    assert says in str(fault)
    assert str(fault).isprintable()


@pytest.mark.parametrize("name", ["", "a\\u001bb", "a\\u202eb", "a\\u200bb", " a", "a\\n", "x" * 65])
def test_names_hold_nothing_invisible_and_are_not_endless(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, f"[[profiles.p.endpoints]]\n{GOOD.replace('e', name, 2).replace('nam' + name, 'name')}")
    path = saved(tmp_path, f'[[profiles.p.endpoints]]\nname = "{name}"\napi = "http"\nurl = "http://h"\n')
    assert only_fault(path).key == "profiles.p.endpoints[0].name"


@pytest.mark.parametrize(
    ("api", "body", "key", "says"),
    [
        ("websocket", "{ a = 1 }", "body", "must be the text to send"),
        ("openai-chat", '"{}"', "body", "must be a table of request fields"),
        ("openai-chat", "{ stream = true }", "body.stream", "is a separate setting"),
        ("http", "5", "body", "expected text or a table"),
    ],
)
def test_a_body_fits_its_api(tmp_path: Path, api: str, body: str, key: str, says: str) -> None:
    text = f'[[profiles.p.endpoints]]\nname = "e"\napi = "{api}"\nurl = "http://h"\nbody = {body}\n'
    fault = only_fault(saved(tmp_path, text))
    assert (fault.line, fault.key) == (5, f"profiles.p.endpoints[0].{key}")
    assert says in fault.message


def test_an_unknown_api_is_answered_with_the_nearest(tmp_path: Path) -> None:
    path = saved(tmp_path, '[[profiles.p.endpoints]]\nname = "e"\napi = "openai-caht"\nurl = "http://h"\n')
    assert str(only_fault(path)).endswith("endpoints[0].api: unknown API (did you mean openai-chat?)")


def test_all_faults_are_named_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        f'default_profile = "x"\n[profiles.p]\nintervl_s = 1\n[[profiles.p.endpoints]]\n{GOOD}max_tokens = 0\n'
        f'[[profiles.p.endpoints]]\n{GOOD}key = "{SECRET}"\n[[profiles.q.endpoints]]\n{GOOD}',
    )
    faults = config.check(path)
    assert [(fault.line, fault.key) for fault in faults] == [
        (1, "default_profile"),
        (3, "profiles.p.intervl_s"),
        (8, "profiles.p.endpoints[0].max_tokens"),
        (10, "profiles.p.endpoints[1].name"),
        (13, "profiles.p.endpoints[1].key"),
    ]
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert refused.value.faults == tuple(faults)
    assert str(refused.value).count("\n") == 4
    assert SECRET not in str(refused.value)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["default_profile", "ui", "profiles"]),
        st.from_type(type(None))
        | st.recursive(
            st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "http", "http://h", "env:A"]) | st.floats(),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(
                        ["p", "keys", "theme", "endpoints", "name", "api", "url", "key", "headers", "body", "tls"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=20,
        ),
    )
)
def test_no_table_of_any_shape_crashes_the_checks(
    tmp_path_factory: pytest.TempPathFactory, raw: dict[str, Any]
) -> None:
    from gwtui.config.file import faults_of

    for fault in faults_of("", raw, tmp_path_factory.getbasetemp()):
        assert fault.message


@pytest.mark.parametrize(
    ("lines", "key", "says"),
    [
        ('from = "2026-01-01 00:00"', "", 'needs from and to, or cron and lasts (from = "2026-12-24 22:00" and to = '),
        ('cron = "0 2 * * son"\nlasts = "2h"', ".cron", "the day of the week must be 0 to 7, or sun to sat"),
        ('cron = "0 2 * * sun"\nlasts = 2', ".lasts", "expected text, got a whole number"),
        ("from = 2026-01-01T00:00:00Z\nto = 2026-01-02T00:00:00Z", ".from", "write it in quotes"),
        ('cron = "0 2 * * sun"\nlasts = "2h"\nendpoints = ["prode"]', ".endpoints[0]", "is not an endpoint of this"),
        ('cron = "0 2 * * sun"\nlasts = "2h"\nutc = true', ".utc", "unknown key"),
    ],
)
def test_a_fault_of_a_maintenance_window_is_named(tmp_path: Path, lines: str, key: str, says: str) -> None:
    path = saved(tmp_path, f"[[profiles.prod.endpoints]]\n{GOOD}\n[[profiles.prod.maintenance]]\n{lines}\n")
    fault = config.check(path)[0]
    assert fault.key == f"profiles.prod.maintenance[0]{key}"
    assert says in str(fault)
    assert fault.line is not None


def test_faults_of_a_profiles_thresholds_are_named_too(tmp_path: Path) -> None:
    lines = '[profiles.prod.thresholds]\nrelearn_after = "x"\nfindings_degrade = ["y"]\n'
    faults = config.check(saved(tmp_path, f"{lines}[[profiles.prod.endpoints]]\n{GOOD}\n"))
    assert [(fault.line, fault.key) for fault in faults] == [
        (2, "profiles.prod.thresholds.relearn_after"),
        (3, "profiles.prod.thresholds.findings_degrade[0]"),
    ]
