"""A configuration looked at whole: what the file says, and what only the rest of gwtui knows to be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwtui.config import Config, ConfigFault
    from gwtui.model.profile import TLS, Endpoint


def faults_of(path: Path) -> list[ConfigFault]:
    """Every fault of the file; none when it is good. Themes, keys and the files that it names are looked at when all
    else is."""
    from gwtui.config import check, load

    if faults := check(path):
        return faults
    config = load(path)
    return sorted((*_look_faults(config), *_file_faults(config)), key=lambda fault: fault.line or 0)


def notes_of(config: Config) -> list[str]:
    """What is no fault of the file, but will be one when it is used here and now."""
    return [f"{profile.name}: has no endpoints" for profile in config.profiles if not profile.endpoints] + [
        f"{profile.name}.{endpoint.name}: {problem}"
        for profile in config.profiles
        for endpoint in profile.endpoints
        for problem in _key_problems(endpoint)
    ]


def _key_problems(endpoint: Endpoint) -> Iterator[str]:
    """References that cannot be resolved. Only those whose resolving asks nobody and starts nothing."""
    from gwtui.secrets.references import KeyReferenceError
    from gwtui.secrets.resolver import references_of, resolve

    for reference in dict.fromkeys(references_of(endpoint)):
        if reference.startswith(("env:", "file:")):
            try:
                resolve(reference)
            except KeyReferenceError as error:
                yield str(error)


def _file_faults(config: Config) -> Iterator[ConfigFault]:
    """TLS files that cannot be used."""
    from gwtui.config.errors import ConfigFault, KeyPath, dotted
    from gwtui.config.tomlfile import Lines, read

    lines = Lines(read(config.path))
    for profile in config.profiles:
        for index, endpoint in enumerate(profile.endpoints):
            for field, reason in _tls_file_faults(endpoint.tls) if endpoint.tls is not None else ():
                path: KeyPath = ("profiles", profile.name, "endpoints", index, "tls", field)
                yield ConfigFault(config.path, lines.of(path), dotted(path), reason)


def _tls_file_faults(settings: TLS) -> Iterator[tuple[str, str]]:
    """Setting and reason. A password that cannot be had is a note, as keys are."""
    from gwtui.secrets.references import KeyReferenceError
    from gwtui.transport.tls_files import TLSFileError, check_authorities, check_client

    for check in (check_authorities, lambda tls: check_client(tls, _without_asking)):
        try:
            check(settings)
        except TLSFileError as error:
            yield error.field, error.reason
        except KeyReferenceError:
            continue


def _without_asking(reference: str) -> str:
    """What the reference stands for, where resolving it asks nobody and starts nothing. Raises `KeyReferenceError`."""
    from gwtui.secrets.references import KeyReferenceError
    from gwtui.secrets.resolver import resolve

    if not reference.startswith(("env:", "file:")):
        raise KeyReferenceError("is not asked here")
    return resolve(reference)


def _look_faults(config: Config) -> Iterator[ConfigFault]:
    from textual.theme import BUILTIN_THEMES

    from gwtui.config.errors import ConfigFault, KeyPath, did_you_mean, dotted
    from gwtui.config.themes import load_all
    from gwtui.config.tomlfile import Lines, read
    from gwtui.ui.keymap import EVERY

    lines = Lines(read(config.path))
    themes = {theme.name for theme in load_all(config.path.parent / "themes")[0]} | BUILTIN_THEMES.keys()
    if config.theme not in themes:
        path: KeyPath = ("ui", "theme")
        hint = did_you_mean(config.theme, (name for name in themes if name.startswith("gwtui")))
        yield ConfigFault(config.path, lines.of(path), dotted(path), "there is no such theme", hint)
    known = {key.id for key in EVERY}
    for binding in sorted(config.keys.keys() - known):
        path = ("ui", "keys", *binding.split("."))
        near = did_you_mean(binding, known)
        # Written with quotes it is one key, without a table in a table; whichever is there has the later line.
        line = max(lines.of(path) or 0, lines.of(("ui", "keys", binding)) or 0)
        hint = near if near.startswith("did") else "in gwtui ? lists them"
        yield ConfigFault(config.path, line, dotted(path), "there is no such key binding", hint)
