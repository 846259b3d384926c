"""README and manual stay true: their tables are those of the program, the commands are those that exist and that CI
runs.

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
from gwtui.text.manual import PAGES, page_of, topics

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


def pages() -> str:
    rows = [
        f"| [{topic}]({PAGES.relative_to(ROOT).as_posix()}/{topic}.md) | {page_of(topic).about} |" for topic in topics()
    ]
    return "\n".join(("| page | about |", "|---|---|", *rows))


@pytest.mark.parametrize(
    ("table", "document"),
    [
        (verdicts, PAGES / "verdicts.md"),
        (findings, PAGES / "findings.md"),
        (columns, PAGES / "files.md"),
        (metrics, PAGES / "metrics.md"),
        (apis, PAGES / "apis.md"),
        (pages, README),
    ],
)
def test_a_table_is_that_of_the_program(table: Callable[[], str], document: Path) -> None:
    name, truth = table.__name__, table()
    text = document.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if os.environ.get("UPDATE_GOLDENS"):
        text = block.sub(lambda found: f"{found[1]}\n{truth}\n\n{found[2]}", text)
        document.write_text(text, encoding="utf-8")
    found = block.search(text)
    assert found is not None
    assert found[0].removeprefix(found[1]).removesuffix(found[2]).strip() == truth


def test_the_readme_is_a_front_door() -> None:
    assert README.read_text().count("\n") <= 250


@pytest.mark.parametrize("document", [README, *sorted(PAGES.iterdir())], ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert all("://" in target or (document.parent / target).is_file() for target in targets)


def test_every_command_that_is_named_exists() -> None:
    texts = "\n".join(document.read_text(encoding="utf-8") for document in (README, *PAGES.iterdir()))
    code = "\n".join(re.findall(r"`[^`\n]+`|^    .*$", texts, re.MULTILINE))
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
