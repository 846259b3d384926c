"""`gwtui check` as a person or a build server uses it: what it prints, writes and exits with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner, Result
from support.checked import target
from support.gateways import Gateway, serving
from support.oswords import REFUSED
from support.scripted import free_port

from gwtui.checks.files import as_json, as_junit
from gwtui.checks.planning import checks_for
from gwtui.checks.registry import CHECKS
from gwtui.checks.table import head, lines_of, listing, summary
from gwtui.cli import check
from gwtui.model.check_results import CheckOutcome, CheckResult
from gwtui.text.tables import TextStyle


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving("default = { ttft_ms = 5, gap_ms = 2, tokens = 20 }") as gateway:
        yield gateway


def run(*arguments: str) -> Result:
    return CliRunner().invoke(check.command, arguments)


def described(gateway: Gateway, *arguments: str) -> Result:
    return run("--api", "openai-chat", "--url", gateway.url, *arguments)


@pytest.fixture
def config(tmp_path: Path, gateway: Gateway) -> Path:
    path = tmp_path / "config.toml"
    endpoints: list[dict[str, object]] = [
        {"name": "good", "api": "openai-chat", "model": "gpt-4o-mini"},
        {"name": "bad", "api": "openai-chat", "model": "fault:truncated"},
        {"name": "asleep", "api": "openai-chat", "paused": True},
        {"name": "ping", "api": "http", "path": "/v2/http", "body": "ping", "expect": "pong"},
    ]
    lines = ['default_profile = "main"', "[profiles.main]"]
    for endpoint in endpoints:
        lines += ["[[profiles.main.endpoints]]", f'url = "{gateway.url}"']
        lines += [f"{name} = {json.dumps(value)}" for name, value in endpoint.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_good_endpoint_exits_with_0_and_a_bad_one_with_1(config: Path) -> None:
    good = run("good", "--config", str(config), "--only", "stream,stream-headers")
    assert (good.exit_code, "✔ pass  stream " in good.output) == (0, True), good.output
    bad = run("bad", "--config", str(config), "--only", "stream")
    assert (bad.exit_code, "✖ fail  stream " in bad.output) == (1, True), bad.output
    assert "likely" in bad.output
    assert "to do" in bad.output


def test_without_an_endpoint_all_of_the_profile_that_are_not_paused_are_checked(config: Path) -> None:
    result = run("--config", str(config), "-p", "main", "--only", "stream", "--only", "ping", "--json")
    document = json.loads(result.output)
    assert {each["endpoint"]: [r["name"] for r in each["results"]] for each in document["endpoints"]} == {
        "good": ["stream"],
        "bad": ["stream"],
        "ping": ["ping"],
    }
    assert document["summary"] == {"pass": 2, "warn": 0, "fail": 1, "not_applicable": 0}
    assert result.exit_code == 1


def test_the_junit_file_has_a_case_per_check(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    names = ("connection", "stream", "breaker", "invalid-key")
    result = described(gateway, "--model", "fault:truncated", "--only", ",".join(names), "--junit", str(file))
    assert result.exit_code == 1
    root = ElementTree.parse(file).getroot()
    (suite,) = root.findall("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped"), suite.get("errors")) == (
        "4",
        "1",
        "1",
        "0",
    )
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert set(cases) == set(names)
    failure = cases["stream"].find("failure")
    assert failure is not None
    assert "truncated" in (failure.get("message") or "")
    assert "remedy" in (failure.text or "")
    assert cases["breaker"].find("skipped") is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--only", "steam"), "did you mean stream?"),
        (("--only", "qqq"), "known: agent-type"),
        (("--only", ","), "--only names no check"),
        (("--only", "ping"), "None of these checks"),
        (("--tool", "codi"), "did you mean cody?"),
        (("--tool", "compare", "--only", "ping"), "None of these checks"),
        (("--api", "openai-realtime"), "over a WebSocket"),
        (("--api", "openai-realtime", "--tool", "cody"), "over a WebSocket"),
        (("http://h",), "Give the URL once"),
        (("--models", ","), "--models names no model"),
        (("--models", "a,b,c,d,e,f,g,h,i,j"), "10 models"),
        (("--junit", "/no/such/directory/file.xml"), "cannot write"),
        (("--url", "ftp://h"), "url"),
        (("--api", "nonsense"), "api"),
        (("--key", "sk-literal"), "key"),
    ],
)
def test_bad_input_is_one_clear_line_and_exits_with_2(gateway: Gateway, arguments: tuple[str, ...], words: str) -> None:
    result = described(gateway, *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert "Traceback" not in result.output


def test_what_is_not_in_the_configuration_is_named(config: Path, tmp_path: Path) -> None:
    for arguments, words in (
        (("nobody", "--config", str(config)), "no endpoint 'nobody'"),
        (("good", "--config", str(config), "-p", "other"), 'there is no profile "other"'),
        (("good", "--config", str(tmp_path / "missing.toml")), "missing.toml"),
        (("--api", "openai-chat"), "missing: --url"),
        ((), "there is no profile"),
    ):
        result = run(*arguments)
        assert (result.exit_code, words in result.output) == (2, True), result.output


def test_the_list_names_every_check_and_sends_nothing() -> None:
    result = run("--list")
    assert result.exit_code == 0
    for each in CHECKS:
        assert each.name in result.output or each.name == "ping"
    assert "requests at most" in result.output
    url = f"http://127.0.0.1:{free_port()}"
    assert run("--api", "http", "--url", url, "--list").exit_code == 0


def test_a_tool_needs_a_url_and_no_more(gateway: Gateway) -> None:
    result = run(gateway.url, "--tool", "cody", "--only", "ping,answer,stream", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.output)
    assert {each["endpoint"]: [r["name"] for r in each["results"]] for each in document["endpoints"]} == {
        "ws(s): gateway": ["ping"],
        "http(s): gateway": ["ping"],
        "gateway: anthropic": ["answer", "stream"],
        "gateway: fireworks": ["answer", "stream"],
    }


def test_a_tool_says_its_own_words_in_its_order(gateway: Gateway, config: Path) -> None:
    by_url = run(gateway.url, "--tool", "llm-gateway", "--only", "audit,answer,health").output
    of_profile = run("good", "--config", str(config), "--tool", "llm-gateway", "--only", "answer,health").output
    for output, words in ((by_url, ["1 Health", "2 Non-streaming", "7 Audit"]), (of_profile, ["1 Health", "2 Non-"])):
        places = [output.index(each) for each in words]
        assert places == sorted(places), output
        assert "✔ pass  answer" in output
    described = run(gateway.url, "--api", "openai-chat", "--tool", "compare", "--only", "stream")
    assert "One request, several models" in described.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tool", "fallback"), "or name a URL: gwtui check --tool fallback URL"),
        (("--tool", "fallback", "127.0.0.1:8080"), "a URL begins with http:// or https://"),
        (("gateway.example.com",), "a URL begins with http:// or https://"),
    ],
)
def test_a_url_that_is_missing_is_asked_for(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    empty = tmp_path / "config.toml"
    empty.write_text("")
    result = run(*arguments, "--config", str(empty))
    assert (result.exit_code, words in result.output) == (2, True), result.output


@pytest.mark.parametrize("name", check.TOOL_NAMES)
def test_the_list_of_a_tool_sends_nothing(name: str) -> None:
    result = run("--tool", name, "--list")
    assert (result.exit_code, "requests at most" in result.output) == (0, True), result.output


@pytest.mark.parametrize("arguments", [(), ("--tool", "compare"), ("--api", "openai-chat"), ("--tool", "cody")])
def test_a_url_that_cannot_be_checked_is_refused_and_not_repeated(arguments: tuple[str, ...]) -> None:
    result = run("http://user:s3cr3t@127.0.0.1:1", *arguments)
    assert result.exit_code == 2, result.output
    assert "s3cr3t" not in result.output
    assert arguments or "--api NAME" in result.output


def test_one_model_cannot_be_named_for_several_endpoints() -> None:
    result = run("http://h", "--tool", "sourcegraph", "--model", "m")
    assert (result.exit_code, "--model: --tool sourcegraph asks several" in result.output) == (2, True), result.output


def test_where_nothing_listens_it_says_so_and_what_to_do() -> None:
    result = run("--api", "anthropic-messages", "--url", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert "✖ fail  connection" in result.output
    assert REFUSED in result.output
    assert "Start the gateway" in result.output


RESULT = CheckResult(
    now_ns=0,
    endpoint="gw",
    name="stream",
    title="a title",
    section="Answers",
    outcome=CheckOutcome.FAIL,
    evidence="truncated: " + "it ended much too early " * 6,
    cause="A proxy cut it <&\"' \\x1b.",
    remedy="Look into its log. " * 5,
    details=("model  start  " + "x" * 90,),
    facts={"events": 4},
)
SKIPPED = CheckResult(
    now_ns=0,
    endpoint="gw",
    name="steady",
    title="t",
    section="Answers",
    outcome=CheckOutcome.NOT_APPLICABLE,
    evidence="not tried",
)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_lines_keep_to_the_width(width: int) -> None:
    style = TextStyle(width)
    of = target()
    lines = [*head(of, CHECKS, style), *lines_of(RESULT, style), *lines_of(SKIPPED, style, RESULT)]
    lines += listing(of, checks_for(of), style)
    assert max(map(len, lines)) <= width
    assert sum(line == "Answers" for line in lines_of(RESULT, style) + lines_of(SKIPPED, style, RESULT)) == 1


def test_colour_only_paints() -> None:
    plain, painted = TextStyle(100), TextStyle(100, colour=True)
    lines = lines_of(RESULT, painted)
    assert any("\x1b[" in line for line in lines)
    assert [click.unstyle(line) for line in lines] == lines_of(RESULT, plain)


def test_the_same_words_are_not_repeated() -> None:
    again = lines_of(SKIPPED, TextStyle(100), SKIPPED)
    assert again == ["  · n/a   steady              as above"]
    assert "as above" not in "".join(lines_of(RESULT, TextStyle(100), RESULT))


def test_the_summary_counts() -> None:
    assert (
        summary([RESULT, SKIPPED, SKIPPED], 1_500_000_000, TextStyle(80)) == "✖ 1 fail  · 2 n/a    0 requests in 1.50 s"
    )


def test_files_survive_any_text() -> None:
    results = {"gw <&>": [RESULT, SKIPPED]}
    root = ElementTree.fromstring(as_junit(results))
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert RESULT.cause in (failure.text or "")
    document = json.loads(as_json(results))["endpoints"][0]["results"]
    assert (document[0]["cause"], document[0]["facts"], document[1]["outcome"]) == (
        RESULT.cause,
        {"events": 4},
        "not applicable",
    )


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("gwtui.model.check_results", {"httpx", "httpcore", "websockets", "textual", "click"}),
        ("gwtui.checks.planning", {"httpx", "httpcore", "websockets", "textual"}),
        ("gwtui.cli.check", {"httpx", "httpcore", "websockets", "textual", "msgspec", "asyncio"}),
        ("gwtui.checks.runner", {"textual", "starlette", "uvicorn"}),
    ],
)
def test_a_module_does_not_load_what_it_may_not_know(module: str, never: set[str]) -> None:
    program = f"import {module}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(loaded.stdout.split()) & never
