"""An edit from the screen keeps what a person wrote, changes only what changed, and loses nothing when it fails."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.configs import GOOD, SECRET, saved

from gwtui import config
from gwtui.config import ConfigError
from gwtui.model.profile import TLS, Deadlines, Endpoint, Profile, Thresholds

LETTER = """# On call? Read this first.
default_profile = "prod"   # Ada chose it

[profiles.prod]
interval_s = 2 # quick

# The one everybody asks about.
[[profiles.prod.endpoints]]
name = "claude"  # as on the dashboard
api = "anthropic-messages"
  url = "https://one.example.com"   # not the old one
max_tokens = 256 # said aloud, though it is the default
# stream = false

  [profiles.prod.endpoints.headers]
  X-Sourcegraph-Should-Trace = "true" # for the trace id

# Nights only.
[[profiles.prod.endpoints]]
name = "ping"
api = "websocket"
url = "wss://two.example.com"

[profiles.prod.thresholds] # at the end on purpose
down_after = 5
"""


def test_a_changed_endpoint_changes_its_lines_only(tmp_path: Path) -> None:
    path = saved(tmp_path, LETTER)
    endpoint = config.load(path).profile().endpoints[0]
    changed = replace(endpoint, name="haiku", url="https://new.example.com", interval_s=7.5)
    assert config.save_endpoint(path, "prod", changed, "claude") == LETTER
    expected = (
        LETTER.replace('"claude"  #', '"haiku"  #')
        .replace("https://one.", "https://new.")
        .replace("is the default\n", "is the default\ninterval_s = 7.5\n")
    )
    assert path.read_text() == expected
    assert config.load(path).profile().endpoints[0] == changed


def test_an_endpoint_saved_as_it_was_changes_no_byte(tmp_path: Path) -> None:
    path = saved(tmp_path, LETTER)
    for endpoint in config.load(path).profile().endpoints:
        config.save_endpoint(path, "prod", endpoint, endpoint.name)
    assert path.read_text() == LETTER


def test_an_added_endpoint_stands_behind_the_others(tmp_path: Path) -> None:
    path = saved(tmp_path, LETTER)
    added = Endpoint(name="new", api="http", url="http://127.0.0.1:1", headers={"A": "b"}, deadlines=Deadlines())
    config.save_endpoint(path, "prod", added)
    text = (
        '[[profiles.prod.endpoints]]\nname = "new"\napi = "http"\nurl = "http://127.0.0.1:1"\n'
        'headers = { A = "b" }\ndeadlines = {}\n\n'
    )
    assert path.read_text() == LETTER.replace("[profiles.prod.thresholds]", f"{text}[profiles.prod.thresholds]")
    assert config.load(path).profile().endpoints[-1] == added


def test_a_removed_endpoint_goes_alone_and_can_come_back(tmp_path: Path) -> None:
    path = saved(tmp_path, LETTER)
    before = config.remove_endpoint(path, "prod", "claude")
    assert before == LETTER
    gone = LETTER[LETTER.index("[[profiles") : LETTER.index("# Nights only")]
    assert path.read_text() == LETTER.replace(gone, "")
    config.remove_endpoint(path, "prod", "ping")
    assert config.load(path).profile().endpoints == ()
    config.restore(path, before)
    assert path.read_text() == LETTER
    assert config.remove_endpoint(path, "prod", "not there") == LETTER
    assert path.read_text() == LETTER


def test_a_profile_outlives_its_last_endpoint(tmp_path: Path) -> None:
    path = saved(tmp_path, f'default_profile = "p"\n[[profiles.p.endpoints]]\n{GOOD}')
    config.remove_endpoint(path, "p", "e")
    assert config.load(path).profile() == Profile(name="p")


def test_a_file_and_a_profile_are_made_when_missing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    endpoint = Endpoint(name="e", api="http", url="http://127.0.0.1")
    assert config.save_endpoint(path, "my profile", endpoint) == ""
    assert path.read_text() == f'[[profiles."my profile".endpoints]]\n{GOOD}'
    assert config.load(path).profile() == Profile(name="my profile", endpoints=(endpoint,))
    config.restore(path, "")
    assert not path.exists()


def test_settings_are_saved_one_by_one(tmp_path: Path) -> None:
    path = saved(tmp_path, LETTER)
    config.save_setting(path, "ui.theme", "gwtui-light")
    assert path.read_text() == f'{LETTER}\n[ui]\ntheme = "gwtui-light"\n'
    config.save_setting(path, "ui.theme", "gwtui-dusk")
    assert config.load(path).ui.theme == "gwtui-dusk"
    config.save_setting(path, "default_profile", "prod")
    assert path.read_text() == f'{LETTER}\n[ui]\ntheme = "gwtui-dusk"\n'
    with pytest.raises(ConfigError, match="unknown key"):
        config.save_setting(path, "ui.theem", "x")
    with pytest.raises(ConfigError, match="is not a profile"):
        config.save_setting(path, "default_profile", "prd")
    assert config.load(path).ui.theme == "gwtui-dusk"


EDITS: list[Callable[[Path], object]] = [
    lambda path: config.save_endpoint(path, "prod", Endpoint(name="e", api="http", url="http://127.0.0.1")),
    lambda path: config.remove_endpoint(path, "prod", "e"),
    lambda path: config.save_setting(path, "ui.theme", "x"),
]


@pytest.mark.parametrize("text", ["a = \n", "[profiles.prod]\nintervl_s = 1\n", "profiles = 5\n"])
@pytest.mark.parametrize("edit", EDITS, ids=["save", "remove", "setting"])
def test_a_file_with_faults_is_not_touched(tmp_path: Path, text: str, edit: Callable[[Path], object]) -> None:
    path = saved(tmp_path, text)
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        edit(path)
    assert path.read_text() == text


REFUSED: list[tuple[str, Endpoint, str | None, str]] = [
    ("prod", Endpoint(name="ping", api="http", url="http://h"), None, 'there is already an endpoint "ping"'),
    ("prod", Endpoint(name="ping", api="http", url="http://h"), "claude", 'there is already an endpoint "ping"'),
    ("prod", Endpoint(name="x", api="http", url="http://h", key=SECRET), None, "where the key is"),
    ("prod", Endpoint(name="x", api="htp", url="http://h"), None, "did you mean http"),
    ("prod", Endpoint(name="x", api="openai-chat", url="http://h", body={"a": None}), None, "TOML has no null"),
    ("prod", Endpoint(name="x", api="openai-chat", url="http://h", prompt="\ud800"), None, "half a character"),
    ("a\x1bb", Endpoint(name="x", api="http", url="http://h"), None, "invisible characters"),
]


@pytest.mark.parametrize(("profile", "endpoint", "replaces", "says"), REFUSED)
def test_what_cannot_be_saved_leaves_the_file_as_it_is(
    tmp_path: Path, profile: str, endpoint: Endpoint, replaces: str | None, says: str
) -> None:
    path = saved(tmp_path, LETTER)
    with pytest.raises(ConfigError) as refused:
        config.save_endpoint(path, profile, endpoint, replaces)
    assert says in str(refused.value)
    assert SECRET not in str(refused.value)
    assert path.read_text() == LETTER


INLINE = "[profiles.prod]\nendpoints = [{ name = 'a', api = 'http', url = 'http://h' }] # short\n"
DOTTED = "profiles.prod.interval_s = 2.0\nprofiles.prod.record_text = true\ndefault_profile = 'prod'\n[ui]\n"


@pytest.mark.parametrize("text", [INLINE, DOTTED, LETTER, LETTER.replace("\n", "\r\n"), LETTER.rstrip(), ""])
def test_other_ways_to_write_the_same_can_be_edited_too(tmp_path: Path, text: str) -> None:
    path = saved(tmp_path, text)
    one = Endpoint(name="n1", api="openai-chat", url="http://h", body={"a": {"b": ["x" * 50, "y" * 50, 1.5]}})
    config.save_endpoint(path, "prod", one)
    config.save_endpoint(path, "prod", replace(one, name="n2"))
    changed = replace(one, name="n3", body={"a": {"c": True}}, tls=TLS(insecure=True), prompt="two\nlines")
    config.save_endpoint(path, "prod", changed, "n1")
    assert config.load(path).profile("prod").endpoints[-2:] == (changed, replace(one, name="n2"))
    config.remove_endpoint(path, "prod", "n3")
    config.remove_endpoint(path, "prod", "n2")
    before = tomllib.loads(text)
    if "endpoints" in before.get("profiles", {}).get("prod", {}):
        assert tomllib.loads(path.read_text()) == before


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
seconds = st.floats(0.05, 86_400)
json_tables = st.dictionaries(
    texts,
    st.recursive(
        st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


endpoints = st.builds(
    Endpoint,
    name=names,
    api=st.sampled_from(["anthropic-messages", "openai-chat"]),
    url=st.sampled_from(["http://h", "https://[::1]:8443/base"]),
    path=optional(st.just("/v1/x?api-version=2")),
    method=st.sampled_from(["GET", "POST"]),
    model=optional(texts),
    prompt=optional(texts),
    messages=optional(st.lists(json_tables, max_size=3).map(tuple)),
    max_tokens=st.integers(1, 1_000_000),
    stream=st.booleans(),
    body=optional(json_tables),
    expect=optional(texts),
    expect_status=st.integers(100, 599) | st.just("2xx") | st.just(("200-299", 404)),
    headers=st.dictionaries(st.from_regex(r"X-[A-Z]{1,2}", fullmatch=True), st.sampled_from(["", "a é", "${env:A}b"])),
    key=optional(st.sampled_from(["env:KEY", "file:~/k e y"])),
    auth=optional(st.sampled_from(["bearer", "token", "x-api-key", "api-key"])),
    interval_s=optional(seconds),
    overlap=st.integers(1, 64),
    paused=st.booleans(),
    deadlines=optional(st.builds(Deadlines, idle_s=seconds, total_s=seconds)),
    thresholds=optional(st.builds(Thresholds, down_after=st.integers(1, 9), slow_metric=optional(st.just("ttft")))),
    tls=optional(st.builds(TLS, ca_file=optional(texts.map("/{}".format)), insecure=st.booleans())),
)


@settings(max_examples=30, deadline=None)
@given(endpoints, endpoints, endpoints)
def test_what_is_saved_is_what_is_loaded_and_the_rest_keeps_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, first: Endpoint, second: Endpoint, third: Endpoint
) -> None:
    path = saved(tmp_path_factory.mktemp("round"), LETTER)
    first, second, third = (replace(each, name=f"{n}{each.name}"[:64]) for n, each in enumerate((first, second, third)))
    config.save_endpoint(path, "prod", first)
    config.save_endpoint(path, "prod", second)
    assert config.load(path).profile().endpoints[2:] == (first, second)
    config.save_endpoint(path, "prod", third, first.name)
    assert config.load(path).profile().endpoints[2:] == (third, second)
    config.remove_endpoint(path, "prod", third.name)
    config.remove_endpoint(path, "prod", second.name)
    assert path.read_text() == LETTER
