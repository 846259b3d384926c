"""`run.json` in the directory of a bench session: what was to be done, where, by what. Never a key.

A *point* is one endpoint asked one prompt under one load: one line of results. Every row of the session has its name.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self, TypeAlias

import msgspec

from gwtui import installed_version
from gwtui.bench.work.plan import Plan
from gwtui.model.profile import Endpoint
from gwtui.recorder.session_metadata import is_whole
from gwtui.secrets.patterns import public_address
from gwtui.text.units import timestamp

SCHEMA = 1
"""What the keys mean. A further key leaves it as it is; any other change makes it one higher."""

Axis: TypeAlias = str | int | float


class RunFileError(ValueError):
    """A `run.json` that cannot be read. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One endpoint asked one prompt under one load."""

    name: str
    """Unique in the session."""
    endpoint: str
    plan: Plan
    """How the endpoint is loaded."""
    axes: dict[str, Axis] = field(default_factory=dict)
    """What distinguishes it from the other points: `{"prompt": "short", "concurrency": 16}`."""
    api: str = ""
    url: str = ""
    """Without login and query."""
    model: str = ""
    """As configured; empty: the API's own example model."""
    max_tokens: int | None = None
    stream: bool = True
    prompt_sha256: str = ""
    """What is asked: SHA-256 over prompt, messages, turns and body as JSON."""
    ended: bool = False
    """Whether all of it was sent, so that nothing is left to do."""

    @classmethod
    def of(
        cls, endpoint: Endpoint, plan: Plan, *, name: str = "", axes: Mapping[str, Axis] | None = None, prompt: str = ""
    ) -> Self:
        """The point of an endpoint, by default named as it. `prompt`: its hash, where the endpoint does not have it."""
        return cls(
            name=name or endpoint.name,
            endpoint=endpoint.name,
            plan=plan,
            axes=dict(axes or {}),
            api=endpoint.api,
            url=public_address(endpoint.url),
            model=endpoint.model or "",
            max_tokens=endpoint.max_tokens,
            stream=endpoint.stream,
            prompt_sha256=prompt or prompt_hash(endpoint),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it ran, without its name."""

    system: str
    release: str
    architecture: str
    cpus: int
    python: str

    @classmethod
    def here(cls) -> Self:
        return cls(
            system=platform.system(),
            release=platform.release(),
            architecture=platform.machine(),
            cpus=os.cpu_count() or 0,
            python=platform.python_version(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """All of it."""

    schema: int = SCHEMA
    gwtui: str
    """The version of the program."""
    kind: str
    """`bench`, `plan`, `sweep` or `limit search`."""
    started_at: str
    """RFC 3339, UTC; the rows' `sent_ms` and the like count from it."""
    resumed_at: tuple[str, ...] = ()
    machine: Machine
    plan: dict[str, Any]
    """What was asked for, as `kind` has it."""
    prompts: dict[str, Any] | None = None
    """The file of prompts: name, number and SHA-256; None where each endpoint was asked its own."""
    seed: int | None = None
    cold_warm: bool = False
    gates: tuple[str, ...] = ()
    """The expressions of `--fail-if`."""
    allow_undecided: bool = False
    points: tuple[Point, ...] = ()
    """In the order in which they began."""
    not_whole: tuple[str, ...] = ()
    """Endpoints that `profile.toml` has without a secret, so that they cannot be asked again by it."""

    @classmethod
    def new(
        cls,
        plan: Plan | Mapping[str, Any],
        *,
        at: float,
        endpoints: Sequence[Endpoint] = (),
        kind: str = "bench",
        gates: tuple[str, ...] = (),
        allow_undecided: bool = False,
    ) -> Self:
        """Nothing begun yet. `at`: the wall time of the start."""
        table = asdict(plan) if isinstance(plan, Plan) else dict(plan)
        return cls(
            gwtui=installed_version(),
            kind=kind,
            started_at=timestamp(at),
            machine=Machine.here(),
            plan=table,
            gates=gates,
            allow_undecided=allow_undecided,
            not_whole=tuple(each.name for each in endpoints if not is_whole(each)),
        )

    def with_point(self, point: Point) -> Self:
        """With this point, or with it as it is now."""
        if all(each.name != point.name for each in self.points):
            return replace(self, points=(*self.points, point))
        return replace(self, points=tuple(point if each.name == point.name else each for each in self.points))

    def point(self, name: str) -> Point | None:
        return next((each for each in self.points if each.name == name), None)

    def text(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises RunFileError."""
        try:
            schema = msgspec.json.decode(data, type=dict[str, Any]).get("schema")
            if schema != SCHEMA:
                raise RunFileError(f"it has schema {schema!r}, and this version of gwtui reads schema {SCHEMA}")
            return msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, RecursionError) as error:
            raise RunFileError(str(error)) from error


def prompt_hash(endpoint: Endpoint) -> str:
    """SHA-256, in hexadecimal, over what the endpoint is asked."""
    asked = (endpoint.prompt, endpoint.messages, endpoint.turns, endpoint.body)
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()
