"""Ready-made endpoints put into a configuration file."""

from __future__ import annotations

from pathlib import Path

from gwtui.cli.console import refusing


def kinds() -> dict[str, str]:
    """The kinds there are, with what each is for."""
    from gwtui.config.templates import SNIPPETS

    return {kind: snippet.title for kind, snippet in SNIPPETS.items()}


def add(kind: str, profile_name: str | None, config_file: Path | None, given: dict[str, str]) -> str:
    """Add the endpoint and say where it is now. The profile is the one named, the file's default, or its only one."""
    from gwtui.config import config_path, load
    from gwtui.config.templates import add as add_snippet

    path = config_file if config_file is not None else config_path()
    with refusing():
        config = load(path) if path.exists() else load()
        only = config.profiles[0].name if len(config.profiles) == 1 else "default"
        profile = profile_name or config.default_profile or only
        endpoint = add_snippet(path, profile, kind, given)
    return f"{path}: {endpoint.name} is in profile {profile} now; its URL is {endpoint.url}"
