"""Changes of the profile: sent to the engine, written where they are saved, and taken back without a loss."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from gwtui.config import Config, ConfigError, load, save_setting
from gwtui.model.commands import PutEndpoint, RemoveEndpoint
from gwtui.model.profile import Endpoint, Profile
from gwtui.ui.editing import Editing

FILE = """# On call? Read this first.
[profiles.prod]
interval_s = 2 # quick

# The one everybody asks about.
[[profiles.prod.endpoints]]
name = "claude"  # as on the dashboard
api = "anthropic-messages"
url = "https://one.example.com"

[[profiles.prod.endpoints]]
name = "ping"
api = "websocket"
url = "wss://one.example.com"
"""
NEW = Endpoint(name="gpt", api="openai-chat", url="https://two.example.com")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def editing(path: Path) -> Editing:
    return Editing(load(path), load(path).profile("prod"))


def claude(editing: Editing) -> Endpoint:
    endpoint = editing.endpoint("claude")
    assert endpoint is not None
    return endpoint


def names(editing: Editing) -> list[str]:
    return [endpoint.name for endpoint in editing.profile.endpoints]


def test_an_edit_that_is_applied_leaves_the_file_alone(editing: Editing, path: Path) -> None:
    changed = replace(claude(editing), name="haiku", max_tokens=9)
    assert editing.put(changed, "claude", save=False) == PutEndpoint(endpoint=changed, replaces="claude")
    assert names(editing) == ["haiku", "ping"]
    assert path.read_text() == FILE


def test_an_edit_that_is_saved_keeps_what_the_person_wrote(editing: Editing, path: Path) -> None:
    editing.put(replace(claude(editing), max_tokens=9), "claude", save=True)
    assert path.read_text() == FILE.replace(
        'url = "https://one.example.com"\n', 'url = "https://one.example.com"\nmax_tokens = 9\n'
    )
    assert load(path).profile("prod") == editing.profile


def test_an_addition_is_saved_after_the_others(editing: Editing, path: Path) -> None:
    assert editing.put(NEW, None, save=True) == PutEndpoint(endpoint=NEW)
    assert names(editing) == ["claude", "ping", "gpt"]
    assert path.read_text().startswith(FILE)
    assert load(path).profile("prod") == editing.profile


def test_every_change_is_taken_back_letter_by_letter(editing: Editing, path: Path) -> None:
    before = editing.profile
    old = claude(editing)
    editing.put(replace(old, name="haiku"), "claude", save=True)
    editing.put(NEW, None, save=True)
    editing.remove(NEW)
    editing.put(replace(old, name="opus"), "haiku", save=False)
    assert editing.undo() == ("the change of opus", PutEndpoint(endpoint=replace(old, name="haiku"), replaces="opus"))
    assert editing.undo() == ("the removal of gpt", PutEndpoint(endpoint=NEW))
    assert editing.undo() == ("the change of gpt", RemoveEndpoint(name="gpt"))
    assert editing.undo() == ("the change of haiku", PutEndpoint(endpoint=old, replaces="haiku"))
    assert editing.undo() is None
    assert editing.profile == before
    assert path.read_text() == FILE


def test_a_removal_says_whether_the_file_changed(editing: Editing, path: Path) -> None:
    editing.put(NEW, None, save=False)
    assert editing.remove(NEW) == (RemoveEndpoint(name="gpt"), False)
    assert editing.remove(claude(editing)) == (RemoveEndpoint(name="claude"), True)
    assert "claude" not in path.read_text()
    assert editing.undo() is not None
    assert path.read_text() == FILE


def test_taking_back_keeps_what_was_changed_in_the_file_meanwhile(editing: Editing, path: Path) -> None:
    editing.put(replace(claude(editing), max_tokens=9), "claude", save=True)
    save_setting(path, "ui.theme", "gwtui-dusk")
    editing.undo()
    assert load(path).ui.theme == "gwtui-dusk"
    assert load(path).profile("prod").endpoint("claude") == claude(editing)
    editing.put(NEW, None, save=True)
    save_setting(path, "ui.theme", "gwtui-light")
    editing.undo()
    assert load(path).ui.theme == "gwtui-light"
    assert load(path).profile("prod").endpoint("gpt") is None


def test_the_first_save_makes_the_file_and_taking_it_back_removes_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    editing = Editing(Config(path), Profile(name="prod"))
    editing.put(NEW, None, save=True)
    assert load(path).profile("prod").endpoints == (NEW,)
    editing.undo()
    assert not path.exists()


def test_what_cannot_be_saved_changes_nothing(editing: Editing, path: Path) -> None:
    path.write_text("[profiles.prod\n")
    before = editing.profile
    with pytest.raises(ConfigError):
        editing.put(NEW, None, save=True)
    with pytest.raises(ConfigError):
        editing.remove(claude(editing))
    assert editing.profile == before
    assert editing.undo() is None


def test_what_cannot_be_taken_back_can_be_tried_again(editing: Editing, path: Path) -> None:
    editing.put(NEW, None, save=True)
    saved = path.read_text()
    path.write_text("[profiles.prod\n")
    with pytest.raises(ConfigError):
        editing.undo()
    path.write_text(saved)
    assert editing.undo() is not None
    assert path.read_text() == FILE
