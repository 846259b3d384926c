"""The README stays true: its tables are those of the program, its commands are those that exist and that CI runs.

`UPDATE_GOLDENS=1` writes the tables anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gwtui import cli
from gwtui.apis import api_named, api_names
from gwtui.apis.base import API
from gwtui.codec.csv_schema import CHECK_COLUMNS, INCIDENT_COLUMNS, PING_COLUMNS, REQUEST_COLUMNS
from gwtui.model.findings import FINDINGS
from gwtui.model.metrics import Metric
from gwtui.model.verdicts import VERDICTS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def verdicts() -> str:
    rows = [f"| `{verdict}` | {entry.meaning} |" for verdict, entry in VERDICTS.items()]
    return "\n".join(("| verdict | means |", "|---|---|", *rows))


def findings() -> str:
    rows = [
        f"| `{name}` | {entry.severity} | {entry.meaning} | {entry.cause} | {entry.remedy} |"
        for name, entry in FINDINGS.items()
    ]
    return "\n".join(("| finding | severity | means | likely cause | remedy |", "|---|---|---|---|---|", *rows))


def columns() -> str:
    files = (
        ("requests.csv", REQUEST_COLUMNS),
        ("pings.csv", PING_COLUMNS),
        ("incidents.csv", INCIDENT_COLUMNS),
        ("checks.csv", CHECK_COLUMNS),
    )
    return "\n\n".join(f"`{name}`: " + ", ".join(f"`{column}`" for column in each) for name, each in files)


def metrics() -> str:
    rows = [
        f"| `{metric}` | {metric.label} | {metric.about.meaning} | {metric.about.unit.value} | "
        f"{', '.join(metric.about.forms)} | `{metric.about.column}` |"
        for metric in Metric
    ]
    return "\n".join(("| metric | on screen | what it is | unit | of | column |", "|---|---|---|---|---|---|", *rows))


def apis() -> str:
    found = [(name, api) for name in api_names() if (api := api_named(name)) is not None]
    rows = [f"| `{name}` | {api.title} | {_path(api)} |" for name, api in found]
    return "\n".join(("| api | what it is | default path |", "|---|---|---|", *rows))


def _path(api: API) -> str:
    return f"`{api.default_path}`" if api.default_path else "any"


@pytest.mark.parametrize("table", [verdicts, findings, columns, metrics, apis])
def test_a_table_of_the_readme_is_that_of_the_program(table: Callable[[], str]) -> None:
    name, truth = table.__name__, table()
    text = README.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if os.environ.get("UPDATE_GOLDENS"):
        text = block.sub(lambda found: f"{found[1]}\n{truth}\n\n{found[2]}", text)
        README.write_text(text, encoding="utf-8")
    found = block.search(text)
    assert found is not None
    assert found[0].removeprefix(found[1]).removesuffix(found[2]).strip() == truth


def test_every_command_that_is_named_exists() -> None:
    code = "\n".join(re.findall(r"`[^`\n]+`|^    .*$", README.read_text(), re.MULTILINE))
    named = set(re.findall(r"gwtui ([a-z]+)\b", code))
    known = set(cli.gwtui.commands)
    assert named - {"watch"} <= known
    assert {name for name, command in cli.gwtui.commands.items() if not command.hidden} - {"watch"} <= named


def test_ci_runs_the_two_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "pip install . && gwtui demo" in README.read_text()
    assert "pip install -e '.[test]' && pytest" in README.read_text()
    assert "pip install --quiet ." in script
    assert "gwtui demo" in script
    assert re.search(r"^pip install --quiet -e '\.\[test\]' && suite .+ pytest$", script, re.MULTILINE)


def test_what_the_readme_shows_is_there() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text()):
        assert (ROOT / path).is_file()
