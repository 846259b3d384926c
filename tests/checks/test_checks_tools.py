"""Earlier tools as lists of checks: every word of them leads to checks and endpoints that exist."""

from __future__ import annotations

import pytest
from support.checked import target

from gwtui.apis import kind_of
from gwtui.checks.registry import CHECKS
from gwtui.checks.tools import TOOLS, Tool, checks_of, endpoints_at
from gwtui.cli.check import TOOL_NAMES
from gwtui.model.enums import Kind


def test_help_names_every_tool() -> None:
    assert tuple(TOOLS) == TOOL_NAMES


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_step_is_a_check_and_comes_once(tool: Tool) -> None:
    names = [name for step in tool.steps for name in step.checks]
    assert set(names) <= {check.name for check in CHECKS}
    assert len(set(names)) == len(names)
    assert all(len(step.words) < 60 for step in tool.steps)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_tool_keeps_its_order_and_its_words(tool: Tool) -> None:
    checks = checks_of(tool, target(api=tool.api))
    known = {name: step.words for step in tool.steps for name in step.checks}
    assert [check.section for check in checks] == [known[check.name] for check in checks]
    assert [check.name for check in checks] == [name for name in known if name in {check.name for check in checks}]


@pytest.mark.parametrize("name", ["cody", "sourcegraph"])
def test_rows_are_endpoints_at_one_base_url(name: str) -> None:
    endpoints = endpoints_at(TOOLS[name], "wss://gateway.example.com", "env:MINE")
    assert [endpoint.name for endpoint in endpoints] == [row for row, _ in TOOLS[name].rows]
    for endpoint in endpoints:
        scheme = "wss" if kind_of(endpoint.api) is Kind.WEBSOCKET else "https"
        assert endpoint.url == f"{scheme}://gateway.example.com"
        assert endpoint.key in (None, "env:MINE")
        assert checks_of(TOOLS[name], target(api=endpoint.api))
    assert any(endpoint.key for endpoint in endpoints)
    assert not any(endpoint.key for endpoint in endpoints_at(TOOLS[name], "https://h", None))
