"""A configuration is read from where it is meant to be, with all its tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.configs import GOOD, SECRET, saved

from gwtui import config
from gwtui.config import Config, ConfigError
from gwtui.model.profile import TLS, Deadlines, Endpoint, Profile, Thresholds


def test_a_profile_is_read_with_all_its_tables(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        'default_profile = "prod"\n[ui]\ntheme = "gwtui-light"\n'
        '[ui.keys]\nprobe.pause = "p"\n"view.freeze" = ["f", "f5"]\n'
        "[profiles.prod]\ninterval_s = 2\n[profiles.prod.thresholds]\ndown_after = 5\n[profiles.prod.deadlines]\n"
        f"idle_s = 1.5\n[[profiles.prod.endpoints]]\n{GOOD}[profiles.prod.endpoints.tls]\ninsecure = true\n"
        "[profiles.empty]\n",
    )
    read = config.load(path)
    endpoint = Endpoint(name="e", api="http", url="http://127.0.0.1", tls=TLS(insecure=True))
    prod = Profile(
        name="prod",
        interval_s=2.0,
        thresholds=Thresholds(down_after=5),
        deadlines=Deadlines(idle_s=1.5),
        endpoints=(endpoint,),
    )
    keys = {"probe.pause": "p", "view.freeze": "f,f5"}
    assert read == Config(path, (prod, Profile(name="empty")), "prod", read.ui, keys)
    assert read.ui.theme == "gwtui-light"
    assert read.profile() is read.profiles[0]
    assert read.profile("empty") is read.profiles[1]


def test_without_a_file_there_is_an_empty_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWTUI_CONFIG", str(tmp_path / "none.toml"))
    assert config.load() == Config(tmp_path / "none.toml")
    assert config.check() == []
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "none.toml")


def test_the_file_is_where_the_variable_says_or_where_the_platform_keeps_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("GWTUI_CONFIG", "~/mine.toml")
    assert config.config_path() == tmp_path / "mine.toml"
    monkeypatch.delenv("GWTUI_CONFIG")
    assert config.config_path().parts[-2:] == ("gwtui", "config.toml")


def test_the_profile_that_is_meant(tmp_path: Path) -> None:
    one, two = Profile(name="one"), Profile(name="two")
    assert Config(tmp_path, (one,)).profile() is one
    assert Config(tmp_path, (one, two), "two").profile() is two
    with pytest.raises(ConfigError, match=r"default_profile is not set .*one, two"):
        Config(tmp_path, (one, two)).profile()
    with pytest.raises(ConfigError, match=r'there is no profile "three" .*one, two'):
        Config(tmp_path, (one, two)).profile("three")
    with pytest.raises(ConfigError, match=r"there is no profile .*gwtui config add"):
        Config(tmp_path).profile()


def test_an_endpoint_can_be_described_outside_a_file() -> None:
    alone = config.endpoint_from({"api": "http", "url": "http://h", "model": None})
    assert alone == Endpoint(name="http", api="http", url="http://h")
    assert config.endpoint_from({"url": "http://i", "key": "env:A"}, alone) == Endpoint(
        name="http", api="http", url="http://i", key="env:A"
    )
    with pytest.raises(ConfigError) as refused:
        config.endpoint_from({"api": "htp", "url": "h", "key": SECRET})
    assert {fault.key for fault in refused.value.faults} == {"api", "url", "key"}
    assert SECRET not in str(refused.value)
