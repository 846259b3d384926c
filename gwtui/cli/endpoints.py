"""Which endpoints a command line names: some of a profile, or one that it describes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gwtui.cli.console import Refusal, refusing

if TYPE_CHECKING:
    from gwtui.model.profile import Endpoint, Profile

Targets: TypeAlias = "tuple[Profile, tuple[Endpoint, ...]]"


def profile_of(config_file: Path | None, name: str | None, endpoints: Collection[str]) -> Profile:
    """The profile of that name, or the default one, for endpoints of these names. Raises a Refusal."""
    from gwtui.config import load

    try:
        with refusing():
            return load(config_file).profile(name)
    except Refusal:
        for endpoint in endpoints:
            _refuse_url(endpoint)
        raise


def chosen(profile: Profile, names: Collection[str]) -> tuple[Endpoint, ...]:
    """The endpoints of these names, or all that are not paused, in the order of the profile. Raises a Refusal."""
    for name in names:
        if profile.endpoint(name) is None:
            _refuse_url(name)
            known = ", ".join(each.name for each in profile.endpoints) or "none"
            raise Refusal(f"There is no endpoint {name!r} in profile {profile.name!r}. It has: {known}")
    found = tuple(each for each in profile.endpoints if (each.name in names if names else not each.paused))
    if not found:
        raise Refusal(f"Profile {profile.name!r} has no endpoint that is not paused")
    return found


def from_profile(
    config_file: Path | None, profile_name: str | None, names: Collection[str], changes: Mapping[str, Any]
) -> Targets:
    """A profile and the `chosen` endpoints of it, with these changes. Raises a Refusal."""
    from gwtui.config import endpoint_from

    profile = profile_of(config_file, profile_name, names)
    with refusing():
        return profile, tuple(endpoint_from(over(each, changes), each) for each in chosen(profile, names))


def over(base: Endpoint | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, where those to omit come on top of those that the endpoint omits itself."""
    if base is None or "omit" not in fields:
        return dict(fields)
    return {**fields, "omit": tuple(dict.fromkeys((*base.omit, *fields["omit"])))}


def _refuse_url(name: str) -> None:
    """Raise a Refusal where a name that is not found is a URL, which may hold a secret and is not repeated."""
    if "://" in name:
        raise Refusal("A URL is not the name of an endpoint: use --api NAME --url URL")


def refuse_undescribed(fields: Mapping[str, Any]) -> None:
    """Raise a Refusal where the fields are too few to describe an endpoint."""
    if missing := [f"--{name}" for name in ("api", "url") if name not in fields]:
        raise Refusal(f"Name an ENDPOINT, or describe one with --api and --url (missing: {', '.join(missing)})")
