"""The example configuration is valid, shipped, and documents every field there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from gwtui import config
from gwtui.apis import api_names
from gwtui.config.bench_plans import BenchPlan
from gwtui.config.file import UI, File, HistoryLimits, SessionLimits
from gwtui.config.paths import shipped
from gwtui.config.themes import load_all
from gwtui.model.profile import TLS, Budget, Deadlines, Endpoint, Maintenance, Price, Profile, Thresholds


def documented() -> str:
    """The example's reference, uncommented."""
    reference = config.example().split("# ── Reference ")[1]
    return "\n".join(line[1:] for line in reference.splitlines() if re.match(r"#[\[a-z]", line))


def test_the_example_is_valid_and_shipped() -> None:
    path = shipped("config.example.toml")
    read = config.load(path)
    assert [profile.name for profile in read.profiles] == ["local", "openai", "others", "sourcegraph"]
    assert read.profile().name == "local"
    assert config.example() == path.read_text(encoding="utf-8")
    apis = {endpoint.api for profile in read.profiles for endpoint in profile.endpoints}
    assert apis <= set(api_names())


def test_the_example_names_keys_and_themes_that_exist() -> None:
    from gwtui.ui.keymap import KEYS

    themes, _ = load_all(None)
    assert config.load(shipped("config.example.toml")).keys.keys() <= {key.id for key in KEYS}
    assert [theme.name for theme in themes if theme.name not in config.example()] == []


def test_the_reference_of_the_example_is_valid_when_uncommented(tmp_path: Path) -> None:
    text = documented()
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    assert config.check(path) == []
    assert all(" # " in line for line in text.splitlines() if "=" in line), "every setting has its line of words"


def test_the_reference_names_every_field_with_its_default() -> None:
    raw = tomllib.loads(documented())
    profile = raw["profiles"]["reference"]
    endpoint = profile["endpoints"][0]
    tables: list[tuple[type[msgspec.Struct], dict[str, Any], set[str]]] = [
        (File, raw, set()),
        (UI, raw["ui"], set()),
        (HistoryLimits, raw["history"], set()),
        (SessionLimits, raw["sessions"], set()),
        (BenchPlan, raw["bench"]["reference"], {"name"}),
        (Profile, profile, {"name"}),
        (Budget, profile["budget"], set()),
        (Thresholds, profile["thresholds"], set()),
        (Deadlines, profile["deadlines"], set()),
        (Maintenance, profile["maintenance"][0] | profile["maintenance"][1], set()),
        (Endpoint, endpoint, set()),
        (Price, endpoint["price"], set()),
        (TLS, endpoint["tls"], set()),
    ]
    for struct, table, beside in tables:
        fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        assert table.keys() == fields.keys() - beside, struct.__name__
        for name, value in table.items():
            if isinstance(fields[name].default, bool | int | float | str):
                assert value == fields[name].default, f"{struct.__name__}.{name}"
    lines = {match[1]: match[0] for match in re.finditer(r"^(\w+) = .*", documented(), re.MULTILINE)}
    for field in msgspec.structs.fields(Endpoint):
        if field.name in lines and field.default is None:
            assert "Default: " in lines[field.name]
        elif field.name in lines and field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
            assert "Required" in lines[field.name]
