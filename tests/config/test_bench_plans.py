"""Plans of benchmarks in TOML: what they mean, and every fault with its line, key and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwtui import config
from gwtui.config import ConfigError
from gwtui.config.bench_plans import PromptFile

ENDPOINTS = """\
[[profiles.p.endpoints]]
name = "claude"
api = "anthropic-messages"
url = "http://127.0.0.1:1"
[[profiles.p.endpoints]]
name = "gpt"
api = "openai-chat"
url = "http://127.0.0.1:1"
[[profiles.p.endpoints]]
name = "own"
api = "openai-chat"
url = "http://127.0.0.1:1"
body = { messages = [{ role = "user", content = "Hi" }] }
paused = true
[[profiles.p.endpoints]]
name = "health"
api = "http"
url = "http://127.0.0.1:1"
paused = true
"""
FIRST = ENDPOINTS.count("\n") + 2
"""The line below the header of the plan."""


def faults_of(tmp_path: Path, plan: str) -> list[tuple[int | None, str, str]]:
    """Line of the plan (from 1), key below it, and message of each fault."""
    path = tmp_path / "config.toml"
    path.write_text(f"{ENDPOINTS}[bench.n]\n{plan}\n")
    faults = [(each.line, each.key.removeprefix("bench.n."), str(each)) for each in config.check(path)]
    return [(line and line - FIRST + 1, key, text.partition(f"{key}: ")[2]) for line, key, text in faults]


def test_a_plan_is_read_with_its_defaults_and_its_files_beside_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = 'prompts = { short = "Hi", long = { file = "long.txt" } }\nrate = [0.5, 2]\nconcurrency = 50\nfor = "2m"\n'
    path.write_text(f"{ENDPOINTS}[bench.n]\n{text}[bench.plain]\n")
    read = config.load(path)
    plan = read.plan("n")
    assert plan.prompts == {"short": "Hi", "long": PromptFile(file=str(tmp_path / "long.txt"))}
    assert (plan.values("rate"), plan.values("concurrency"), plan.values("max_tokens")) == ((0.5, 2.0), (50,), ())
    assert (plan.for_s, plan.requests_each) == (120.0, None)
    assert (read.plan("plain").for_s, read.plan("plain").requests_each) == (None, 100)


def test_a_plan_that_is_not_there_is_named_with_its_nearest(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"{ENDPOINTS}[bench.nightly]\n")
    with pytest.raises(ConfigError, match=r'there is no plan "nighty" \(did you mean nightly\?\)'):
        config.load(path).plan("nighty")


@pytest.mark.parametrize(
    ("plan", "line", "key", "says"),
    [
        ("request = 4", 1, "request", "unknown key (did you mean requests?)"),
        ("concurrency = [1, 0]", 1, "concurrency[1]", "expected a whole number >= 1"),
        ("concurrency = [1, 4, 1]", 1, "concurrency", "has 1 twice"),
        ("rate = []", 1, "rate", "names no value"),
        ("rate = -2", 1, "rate", "expected a number >= 1e-06"),
        ("concurrency = [1, 4]\nrate = 5", 1, "concurrency", "is an axis, and so is rate"),
        ('for = "1 week"', 1, "for", "is not a duration"),
        ('prompts.a = { file = "y", fil = "x" }', 1, "prompts.a.fil", "unknown key (did you mean file?)"),
        ('prompts.a = " "', 1, "prompts.a", "is empty"),
        ('prompts."a " = "Hi"', 1, 'prompts."a "', "the prompt's name begins or ends with a space"),
        ('\nendpoints = ["claude", "gtp"]', 2, "endpoints[1]", "is not an endpoint of profile p (did you mean gpt?)"),
        ('endpoints = ["gpt", "gpt"]', 1, "endpoints", "has gpt twice"),
        ('profile = "pp"', 1, "profile", "is not a profile of this file (did you mean p?)"),
        ('compare = [["claude"]]', 1, "compare[0]", "must be a pair of two endpoints"),
        ('compare = [["claude", "claude"]]', 1, "compare[0]", "must be a pair of two endpoints"),
        ('compare = [["claude", "own"]]', 1, "compare[0][1]", "is not an endpoint of this plan"),
        ('endpoints = ["health"]\nmax_tokens = 5', 2, "max_tokens", "health is asked no prompt"),
        ('endpoints = ["own"]\nprompts.a = "Hi"', 2, "prompts", "own would not ask them: its body has messages"),
    ],
)
def test_a_fault_of_a_plan_has_its_line_and_says_what_to_do(
    tmp_path: Path, plan: str, line: int, key: str, says: str
) -> None:
    (fault,) = faults_of(tmp_path, plan)
    assert fault[:2] == (line, key)
    assert fault[2].startswith(says)


def test_without_a_default_profile_a_plan_has_to_name_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profiles.a]\n[profiles.b]\n[bench.n]\n")
    (fault,) = config.check(path)
    assert str(fault) == f"{path}:3: bench.n: profile is missing (known: a, b)"
