"""Commands: what a front end may ask of a running engine."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from gwtui.model.profile import Endpoint, Profile


class _Command(msgspec.Struct, frozen=True, tag_field="command", omit_defaults=True):
    pass


class Upkeep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered beyond a session, and for how long. Days and GB of 0 are no limit."""

    state: str
    """The directory of the history and of all sessions."""
    history_days: float = 400.0
    sessions_days: float = 0.0
    sessions_gb: float = 0.0


class Start(_Command, tag="start", frozen=True, kw_only=True):
    """The first command: run this profile."""

    profile: Profile
    session_dir: str | None = None
    """Record into this directory; None records nothing."""
    stop_after_s: float | None = None
    """Stop by itself after that many seconds."""
    upkeep: Upkeep | None = None
    """None: what is usual is learnt from this session alone, and forgotten with it."""


class Pause(_Command, tag="pause", frozen=True, kw_only=True):
    """Stop starting probes of one endpoint, or of all. Streams that are under way run on."""

    endpoint: str | None = None


class Resume(_Command, tag="resume", frozen=True, kw_only=True):
    endpoint: str | None = None


class SetInterval(_Command, tag="set_interval", frozen=True, kw_only=True):
    """Probe one endpoint, or all, every `interval_s` seconds from now on."""

    interval_s: float
    endpoint: str | None = None


class PutEndpoint(_Command, tag="put_endpoint", frozen=True, kw_only=True):
    """Add an endpoint, or replace the one called `replaces`."""

    endpoint: Endpoint
    replaces: str | None = None


class RemoveEndpoint(_Command, tag="remove_endpoint", frozen=True, kw_only=True):
    name: str


class Burst(_Command, tag="burst", frozen=True, kw_only=True):
    """Send that many requests to one endpoint now, beside its schedule."""

    endpoint: str
    requests: int
    concurrency: int
    others: tuple[str, ...] = ()
    """Endpoints that get as many, in turns with it: A B B A, so that a drift weighs on all of them alike."""


class AskNow(_Command, tag="ask_now", frozen=True, kw_only=True):
    """Probe these endpoints once at once, also those that are paused or left alone for a while. The rows have the
    trigger `asked` and count as scheduled ones do."""

    endpoints: tuple[str, ...]


class Try(_Command, tag="try", frozen=True, kw_only=True):
    """Probe an endpoint once that need not be in the profile. Its rows have the trigger `trial`."""

    endpoint: Endpoint


class RunChecks(_Command, tag="check", frozen=True, kw_only=True):
    """Ask one endpoint, and the gateway it belongs to, all checks once. Their rows are in no statistics."""

    endpoint: str
    models: tuple[str, ...] = ()
    """Models that have to work beside the endpoint's own."""


class Mark(_Command, tag="mark", frozen=True, kw_only=True):
    """Write a line of the user's into the incident log."""

    text: str


class Acknowledge(_Command, tag="acknowledge", frozen=True, kw_only=True):
    """An incident is taken care of: it is dimmed, and notifiers are silent about it."""

    incident: int
    note: str = ""


class AcceptUsual(_Command, tag="accept_usual", frozen=True, kw_only=True):
    """What an endpoint does now is what is usual for it from now on, and what was learnt before counts no more."""

    endpoint: str


Command: TypeAlias = (
    Start
    | Pause
    | Resume
    | SetInterval
    | PutEndpoint
    | RemoveEndpoint
    | Burst
    | AskNow
    | Try
    | RunChecks
    | Mark
    | Acknowledge
    | AcceptUsual
)
