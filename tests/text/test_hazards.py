"""A hostile gateway gets nothing but visible text into what commands print and into files, and no formula.

Its texts are those of `support.hazards`. The screen is tested beside this.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from support.commanding import gwtui
from support.gateways import Gateway, serving
from support.hazards import HAZARD, MARKUP, NAME, OWN_RULES, SCENARIO, Hostile, hazards_in, hostile_session, toml
from support.texts import texts_of

FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@＝＋－＠]")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


@pytest.fixture
def hostile(gateway: Gateway, tmp_path: Path) -> Iterator[Hostile]:
    with hostile_session(gateway, tmp_path) as hostile:
        yield hostile


def checked_lines(expected: Result) -> list[str]:
    """What a command printed, once it is known to be nothing but visible text."""
    assert expected.exit_code in (0, 1), expected.output
    assert hazards_in(expected.stdout + expected.stderr) == []
    return expected.stdout.splitlines()


def test_lines_without_a_screen(hostile: Hostile) -> None:
    printed = "\n".join(checked_lines(gwtui("watch", *hostile.options, "--headless", "--for", "2s")))
    assert all(name in printed for name in hostile.names)
    assert MARKUP[:20] in printed


def test_json_lines(hostile: Hostile) -> None:
    records = [json.loads(line) for line in checked_lines(gwtui("watch", *hostile.options, "--json", "--for", "2s"))]
    assert {record["endpoint"] for record in records if record["type"] == "request"} <= set(hostile.names)
    assert [text for record in records for text in texts_of(record) if hazards_in(text)] == []
    assert any("hacked" in text for record in records for text in texts_of(record))


def test_the_files_of_a_session(hostile: Hostile) -> None:
    gwtui("watch", *hostile.options, "--json", "--for", "2s")
    for path in (path for path in hostile.rows.rglob("*") if path.is_file()):
        assert hazards_in(path.read_text(encoding="utf-8")) == [], path.name
    seen = []
    for path in hostile.rows.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            heading, *rows = csv.reader(file)
        assert all(len(row) == len(heading) for row in rows)
        assert path.read_bytes().count(b"\n") == len(rows) + 1, "one record is one line"
        seen += [cell for row in rows for cell in row]
    assert [cell for cell in seen if FORMULA.match(cell) and not _is_number(cell)] == []
    assert any("hacked" in cell for cell in seen)
    assert any(cell.startswith(f"'{NAME}") for cell in seen)
    assert HAZARD in texts_of(tomllib.loads((hostile.rows / "profile.toml").read_text(encoding="utf-8")))


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?[0-9.]+", cell) is not None


def test_every_command(hostile: Hostile, tmp_path: Path) -> None:
    """Whatever a command is asked about such a gateway, as text and as JSON where it has that."""
    config = hostile.options[:4]
    text, body, error = (f"{NAME}{name}" for name in OWN_RULES)
    csvs = ("--csv", str(tmp_path / "figures.csv"), "--request-csv", str(tmp_path / "rows.csv"))
    for arguments in (
        *(("probe", name, *config) for name in hostile.names),
        ("bench", *config, "--requests", "2", *csvs),
        ("compare", text, error, *config, "--requests", "3"),
        ("check", text, *config),
        ("check", error, *config),
        ("check", body, *config),
    ):
        checked_lines(gwtui(*arguments))
        as_json = checked_lines(gwtui(*arguments, "--json"))
        assert [each for each in texts_of(json.loads("\n".join(as_json))) if hazards_in(each)] == []
    for path in (tmp_path / "figures.csv", tmp_path / "rows.csv"):
        assert hazards_in(path.read_text(encoding="utf-8").replace("\r\n", "\n")) == []
    checked_lines(gwtui("compare", str(tmp_path / "rows.csv")))


def test_a_capture(tmp_path: Path) -> None:
    """Hostile in every part of an event, and in the headers."""
    event = json.dumps({"model": HAZARD, "choices": [{"delta": {"content": HAZARD}, "finish_reason": HAZARD}]})
    name = re.sub(r"[\r\n]", "", HAZARD)
    head = f"HTTP/1.1 200 {name}\r\ncontent-type: text/event-stream\r\nx-request-id: {name}\r\nserver: {name}\r\n\r\n"
    path = tmp_path / "capture"
    path.write_text(f"{head}event: {name}\ndata: {event}\n\nid: {name}\n{name}\n\n", encoding="utf-8", newline="")
    for more in ((), ("--json",)):
        printed = checked_lines(gwtui("decode", str(path), "--api", "openai-chat", *more))
        assert any("hacked" in line for line in printed)


REFUSED = {
    "an unknown key": f"{toml(HAZARD)} = 1",
    "a name": f"[[profiles.a.endpoints]]\nname = {toml(HAZARD)}\napi = 'http'\nurl = 'http://a'",
    "an API": f"[[profiles.a.endpoints]]\nname = 'a'\napi = {toml(HAZARD)}\nurl = 'http://a'",
    "a URL": f"[[profiles.a.endpoints]]\nname = 'a'\napi = 'http'\nurl = {toml(f'http://{HAZARD}')}",
    "a header": f"[[profiles.a.endpoints]]\nname='a'\napi='http'\nurl='http://a'\nheaders.{toml(HAZARD)} = 'a'",
    "a profile": f"[profiles.{toml(HAZARD)}]",
    "TOML that is none": "a = \x1b]52;c;eA==\x07",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_configuration_that_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    for arguments in (("config", "check", str(path)), ("watch", "--config", str(path), "--headless")):
        result = gwtui(*arguments)
        assert result.exit_code == 2
        assert result.output
        assert hazards_in(result.output) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("gateway", "--scenario"), f"[gateway]\ndefault_provider = {toml(HAZARD)}"),
        (("compare",), f"endpoint,{HAZARD}"),
        (("decode", "--api", "gemini"), HAZARD),
    ],
    ids=["a scenario", "a CSV file", "a capture"],
)
def test_a_file_that_is_refused(arguments: tuple[str, ...], text: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8", newline="")
    result = gwtui(*arguments, str(path))
    assert result.exit_code == 2
    assert result.output.startswith("gwtui: ")
    assert hazards_in(result.output) == []
