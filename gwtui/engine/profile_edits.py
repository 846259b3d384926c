"""Changes to a running profile: a profile and a wish in, a new profile out, or a refusal in words. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from gwtui.apis import api_names
from gwtui.apis.gateway_metrics import GATEWAY_METRICS
from gwtui.model.profile import LONGEST_S, SHORTEST_INTERVAL_S, Endpoint, Profile


class CommandError(ValueError):
    """A command that cannot be carried out; the text says why."""


def find(profile: Profile, name: str) -> Endpoint:
    """The endpoint of that name."""
    endpoint = profile.endpoint(name)
    if endpoint is None:
        raise CommandError(f"There is no endpoint called {name}")
    return endpoint


def check_api(endpoint: Endpoint) -> None:
    if endpoint.api not in api_names():
        raise CommandError(
            f"{endpoint.name}: there is no API called {endpoint.api}; known are {', '.join(api_names())}"
        )


def put(profile: Profile, endpoint: Endpoint, replaces: str | None) -> Profile:
    """With the endpoint added, or in the place of the one called `replaces`."""
    check_api(endpoint)
    if replaces is not None:
        find(profile, replaces)
    metrics = profile.endpoint(endpoint.metrics) if endpoint.metrics is not None else None
    if endpoint.metrics is not None and (metrics is None or metrics.api != GATEWAY_METRICS.name):
        raise CommandError(
            f"{endpoint.name}: there is no endpoint {endpoint.metrics} with the API {GATEWAY_METRICS.name}"
        )
    if endpoint.name != replaces and profile.endpoint(endpoint.name) is not None:
        raise CommandError(f"There is already an endpoint called {endpoint.name}")
    if replaces is None:
        return replace(profile, endpoints=(*profile.endpoints, endpoint))
    return replace(profile, endpoints=tuple(endpoint if each.name == replaces else each for each in profile.endpoints))


def remove(profile: Profile, name: str) -> Profile:
    """Without the endpoint of that name."""
    gone = find(profile, name)
    return replace(profile, endpoints=tuple(each for each in profile.endpoints if each is not gone))


def set_interval(profile: Profile, interval_s: float, name: str | None) -> Profile:
    """With one endpoint, or all, probed every `interval_s` seconds."""
    if not SHORTEST_INTERVAL_S <= interval_s <= LONGEST_S:
        raise CommandError(f"An interval is {SHORTEST_INTERVAL_S:g} to {LONGEST_S:g} seconds, not {interval_s:g}")
    if name is None:
        everyone = tuple(replace(each, interval_s=None) for each in profile.endpoints)
        return replace(profile, interval_s=interval_s, endpoints=everyone)
    return put(profile, replace(find(profile, name), interval_s=interval_s), name)
