"""What `gwtui bench` loads: endpoints of a profile, one that is described, or a gateway and an instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gwtui.cli.console import Refusal, note
from gwtui.cli.endpoints import Targets, refuse_undescribed
from gwtui.cli.measure import from_profile, refusing_targets

if TYPE_CHECKING:
    from gwtui.cli.bench import BenchOptions


def targets_of(options: BenchOptions) -> Targets:
    """The endpoints that the command line names, in one of three ways."""
    described = options.described()
    if sum((bool(options.endpoints), bool(described), options.by_url)) > 1:
        raise Refusal("say what to load in one way: ENDPOINTs of a profile, --api and --url, or --gateway and so on")
    if options.by_url:
        return _gateway_and_instance(options)
    if described:
        return _described({**described, **options.changes()})
    return from_profile(options.endpoints, options)


def _described(fields: Mapping[str, Any]) -> Targets:
    from gwtui.bench.work.targets import check
    from gwtui.config import endpoint_from
    from gwtui.model.profile import Profile

    refuse_undescribed(fields)
    with refusing_targets():
        endpoints = (endpoint_from(fields),)
        check(endpoints)
    return Profile(endpoints=endpoints), endpoints


def _gateway_and_instance(options: BenchOptions) -> Targets:
    from gwtui.bench.work.targets import SourcegraphTarget, check
    from gwtui.model.profile import Profile

    target = SourcegraphTarget(options.gateway, options.sgd, options.sourcegraph, options.sgp, options.special_header)
    changes = options.changes()
    if options.connectivity and (options.providers or changes):
        raise Refusal("--connectivity requests no model: leave out --provider, --model, --max-tokens and --stream")
    if not options.like_src:
        _note_keys(options)
    providers = tuple(dict.fromkeys(options.providers)) or ("anthropic",)
    with refusing_targets():
        endpoints = target.pings() if options.connectivity else target.completions(providers, changes)
        check(endpoints)
    return Profile(endpoints=endpoints), endpoints


def _note_keys(options: BenchOptions) -> None:
    """Say which key was given for nothing, and which is missing."""
    for name, key, side, url in (
        ("--sgd", options.sgd, "--gateway", options.gateway),
        ("--sgp", options.sgp, "--sourcegraph", options.sourcegraph),
    ):
        if key is not None and url is None:
            note(f"{name} was given and is not used: there is no {side}")
        needs_key = not (options.connectivity and name == "--sgd")
        if key is None and url is not None and needs_key:
            note(f"{side} is asked without a key: there is no {name}")
        if key is not None and url is not None and not needs_key:
            note(f"{name} was given and is not used: pings of a gateway need no key")
