"""Plans of benchmarks, `[bench.NAME]`: which endpoints are asked which prompts under which loads.

A plan with several prompts, token limits or loads is a campaign: every endpoint is asked every prompt with every limit
under every load. Each such combination is a *point*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.apis import api_named, api_names, kind_of
from gwtui.config.complaints import name_complaint
from gwtui.config.errors import KeyPath, Problem, did_you_mean
from gwtui.config.paths import absolute
from gwtui.config.schema import problems_of
from gwtui.model import durations
from gwtui.model.enums import Kind
from gwtui.model.profile import Count

AtOnce = Annotated[int, Meta(ge=1, le=100_000)]
PerSecond = Annotated[float, Meta(ge=1e-6, le=10_000)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
DEFAULT_REQUESTS = 100
"""Requests of each point, where a plan says neither a number nor a time."""
AXES = ("max_tokens", "concurrency", "rate")
"""Settings of a plan that may have several values."""


class PromptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A prompt that is in a file of its own."""

    file: str
    """A UTF-8 text; its path may begin with `~`, and is relative to the configuration's file."""


class BenchPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one `gwtui bench --plan NAME` does."""

    name: str
    """The table's name in the file; not a key of its own."""
    profile: str | None = None
    """The profile with the endpoints; by default the file's default profile."""
    endpoints: tuple[str, ...] = ()
    """Names of endpoints of that profile; empty: all that are not paused."""
    prompts: dict[str, str | PromptFile] = {}
    """Name -> what is asked: a text, or `{ file = "PATH" }`; by default each endpoint's own prompt."""
    max_tokens: Count | tuple[Count, ...] | None = None
    """Token limits of the answers; by default each endpoint's own."""
    concurrency: AtOnce | tuple[AtOnce, ...] | None = None
    """Maximum numbers of concurrent requests; by default 1. With `rate` it is a limit, of which there can be one."""
    rate: PerSecond | tuple[PerSecond, ...] | None = None
    """Open loops: requests started per second."""
    requests: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    """Requests of each point; by default 100, and with `for` as many as the time allows."""
    for_: Annotated[float, Meta(ge=0.001, le=durations.LONGEST_S)] | str | None = msgspec.field(
        name="for", default=None
    )
    """How long requests are started at each point, as `30s` or `5m`, or in seconds."""
    warmup: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Requests before each block, not counted."""
    blocks: Annotated[int, Meta(ge=1, le=100)] = 4
    """Parts in which a point is measured, in turns with all others; fewer where they were too short for its load."""
    slo: str | None = None
    """Service-level objectives, as `ttft<500ms,e2e<5s`: how many good answers keep them is the goodput."""
    fail_if: tuple[str, ...] = ()
    """Gates of every point, as `--fail-if` has them; `claude/*/c16: p95_ttft>1s` is for some points."""
    compare: tuple[tuple[str, str], ...] = ()
    """Pairs of endpoints that are compared, at each prompt, token limit and load."""

    @property
    def for_s(self) -> float | None:
        """How long requests are started at each point, in seconds."""
        return float(durations.seconds_of(self.for_)) if isinstance(self.for_, str) else self.for_

    @property
    def requests_each(self) -> int | None:
        """Requests of each point; None: as many as the time allows."""
        return self.requests if self.requests is not None or self.for_ is not None else DEFAULT_REQUESTS

    def values(self, axis: str) -> tuple[Any, ...]:
        """The values of one of `AXES`; none where the plan does not name it."""
        value = getattr(self, axis)
        return () if value is None else value if isinstance(value, tuple) else (value,)


def plan_from(name: str, table: Mapping[str, Any], directory: Path) -> BenchPlan:
    """A plan of a table without faults, in a file of this directory."""
    plan = msgspec.convert({"name": name} | dict(table), BenchPlan)
    prompts = {
        own: PromptFile(file=absolute(prompt.file, directory)) if isinstance(prompt, PromptFile) else prompt
        for own, prompt in plan.prompts.items()
    }
    return msgspec.structs.replace(plan, prompts=prompts)


def plan_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with the plans of a file."""
    plans = raw.get("bench")
    for name, table in plans.items() if isinstance(plans, Mapping) else ():
        path: KeyPath = ("bench", name)
        if (complaint := name_complaint(name) if name else ("is empty", "")) is not None:
            yield Problem(path, f"the plan's name {complaint[0]}", complaint[1])
        own = list(problems_of(table, BenchPlan, path, without="name"))
        yield from own
        if not own:
            yield from _load_problems(table, path)
            yield from _prompt_problems(table, path)
            yield from _endpoint_problems(raw, table, path)


def _load_problems(table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    for axis in AXES:
        value = table.get(axis)
        if value == []:
            yield Problem((*path, axis), "names no value", "leave it out for the default")
        elif isinstance(value, list) and (twice := _twice(value)) is not None:
            yield Problem((*path, axis), f"has {twice:g} twice", "leave one of them out")
    limits = table.get("concurrency")
    if "rate" in table and isinstance(limits, list) and len(limits) > 1:
        hint = "with rate, concurrency is one limit, as concurrency = 500; or leave one of them out"
        yield Problem((*path, "concurrency"), "is an axis, and so is rate", hint)
    if isinstance(table.get("for"), str):
        try:
            durations.seconds_of(table["for"])
        except ValueError as error:
            yield Problem((*path, "for"), str(error))


def _twice(values: list[Any]) -> Any:
    return next((value for value, number in Counter(values).items() if number > 1), None)


def _prompt_problems(table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    for name, prompt in table.get("prompts", {}).items():
        where: KeyPath = (*path, "prompts", name)
        if (complaint := name_complaint(name) if name else ("is empty", "")) is not None:
            yield Problem(where, f"the prompt's name {complaint[0]}", complaint[1])
        text = prompt["file"] if isinstance(prompt, Mapping) else prompt
        if not text.strip():
            yield Problem(where, "is empty", "leave it out")


def _endpoint_problems(raw: Mapping[str, Any], table: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """What is wrong with the endpoints that a plan names, and with what it asks of them."""
    profiles = raw.get("profiles")
    profiles = profiles if isinstance(profiles, Mapping) else {}
    only = next(iter(profiles)) if len(profiles) == 1 else None
    profile = table.get("profile", raw.get("default_profile", only))
    if profile is None:
        yield Problem(path, "profile is missing", did_you_mean("", profiles) or "gwtui config example shows one")
        return
    if profile not in profiles:
        if "profile" in table:
            yield Problem((*path, "profile"), "is not a profile of this file", did_you_mean(profile, profiles))
        return
    listed = profiles[profile].get("endpoints") if isinstance(profiles[profile], Mapping) else None
    known = {
        each["name"]: each
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping) and isinstance(each.get("name"), str)
    }
    names = table.get("endpoints") or [name for name, each in known.items() if not each.get("paused")]
    yield from _name_problems(names, known, profile, (*path, "endpoints"))
    yield from _pair_problems(table.get("compare", []), names, (*path, "compare"))
    for name in names:
        if name in known:
            yield from _asking_problems(table, known[name], path)


def _name_problems(names: list[str], known: Mapping[str, Any], profile: str, path: KeyPath) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name not in known:
            yield Problem((*path, index), f"is not an endpoint of profile {profile}", did_you_mean(name, known))
    if (twice := _twice(names)) is not None:
        yield Problem(path, f"has {twice} twice", "leave one of them out")


def _pair_problems(pairs: list[list[str]], names: list[str], path: KeyPath) -> Iterator[Problem]:
    for index, pair in enumerate(pairs):
        if len(pair) != 2 or pair[0] == pair[1]:
            yield Problem((*path, index), "must be a pair of two endpoints", 'compare = [["a", "b"]]')
            continue
        for at, name in enumerate(pair):
            if name not in names:
                yield Problem((*path, index, at), "is not an endpoint of this plan", did_you_mean(name, names))


def _asking_problems(table: Mapping[str, Any], endpoint: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    """Prompts and token limits that an endpoint would never send."""
    name, api = endpoint["name"], endpoint.get("api")
    if api not in api_names():
        return
    if kind_of(api) is not Kind.COMPLETION:
        for key in ("prompts", "max_tokens"):
            if key in table:
                yield Problem((*path, key), f"{name} is asked no prompt (API {api})", "put it into a plan of its own")
        return
    body, fields = endpoint.get("body"), endpoint.get("fields")
    renamed = fields if isinstance(fields, Mapping) else {}
    asked = {renamed.get(each, each) for each in getattr(api_named(api), "question_fields", ())}
    if table.get("prompts") and isinstance(body, Mapping) and (own := asked & body.keys()):
        words = f"{name} would not ask them: its body has {min(own)}"
        yield Problem((*path, "prompts"), words, "leave that out of the endpoint's body")
