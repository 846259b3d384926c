"""`gwtui watch`, and what every command shares that shows a feed: a front end on screen or headless."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli.console import (
    EXIT_OWN_FAULT,
    OwnFaultError,
    Refusal,
    finish,
    is_screen,
    loading,
    refusing,
    say,
    styled,
    width,
)
from gwtui.cli.options import LOST_ROWS, config_option, exit_codes, exit_with, profile_option, run_options, seconds

if TYPE_CHECKING:
    from gwtui.config import Config
    from gwtui.feeds import Feed
    from gwtui.gateway.process import GatewayProcess
    from gwtui.headless import Printer
    from gwtui.model.commands import Start, Upkeep
    from gwtui.model.profile import Profile
    from gwtui.model.view import View


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How to watch, whatever is watched."""

    stop_after_s: float | None = None
    interval_s: float | None = None
    """For all endpoints, instead of what the profile says."""
    session_dir: Path | None = None
    headless: bool = False
    as_json: bool = False
    screen_reader: bool = False
    """Print what changes as lines: the configuration asks for it."""
    upkeep: Upkeep | None = None
    """What is remembered beyond the session; nothing of a demo."""

    @property
    def on_screen(self) -> bool:
        in_lines = self.headless or self.as_json or self.screen_reader
        return not in_lines and is_screen(sys.stdin) and is_screen(sys.stdout)


@click.command(
    "watch",
    short_help="Watch the endpoints of a profile, live.",
    epilog=exit_codes("without a screen: an endpoint is down or gave no good answer", own=LOST_ROWS),
)
@profile_option("The profile to watch.")
@config_option
@click.option(
    "--interval", "interval_s", metavar="DURATION", callback=seconds, help="Probe all endpoints at this interval."
)
@run_options
def command(config_file: Path | None, profile_name: str | None, **options: Any) -> None:
    """Watch the endpoints of a profile, live.

    Every request becomes a row in this session's files. Without a terminal, or with --headless, gwtui prints one line
    per interval and a summary at the end.
    """
    exit_with(watch(config_file, profile_name, WatchOptions(**options)))


def watch(config_file: Path | None, profile_name: str | None, run: WatchOptions) -> int:
    """Watch a profile of the configuration, on screen or headless. Returns the exit code.

    On screen, a configuration without a profile is accepted: the user is asked what to watch.
    """
    with loading():
        from gwtui.config import load

    with refusing():
        config = load(config_file)
        run = replace(run, screen_reader=config.ui.screen_reader)
        to_choose = run.on_screen and not config.profiles and profile_name is None
        profile = None if to_choose else config.profile(profile_name)
    run = replace(run, upkeep=_upkeep(config))
    if run.on_screen:
        return on_screen(config, profile, run)
    if profile is None or not profile.endpoints:
        raise Refusal(f"{config.path}: the profile has no endpoints (gwtui config example shows how to write one)")
    return headless(profile, run)


def headless(profile: Profile, run: WatchOptions, gateway: GatewayProcess | None = None) -> int:
    """Print what the engine finds, as text or JSON lines. Returns the exit code."""
    from gwtui.headless import LineWriter, watch_lines
    from gwtui.session import hosted
    from gwtui.session.watchdog import Watchdog

    start = _start(profile, run)
    with Watchdog() as watchdog, LineWriter(say) as line_writer:
        printer = printer_of(run, line_writer)
        feed = _with(gateway, hosted(start, printer.record, watchdog))
        return finish(watch_lines(feed, printer, start.profile.interval_s))


def with_screen_reader(run: WatchOptions) -> WatchOptions:
    """As the user's own configuration asks for; where no screen would be drawn it is not read."""
    from gwtui.config import load

    if not run.on_screen:
        return run
    with refusing():
        return replace(run, screen_reader=load(None).ui.screen_reader)


def printer_of(run: WatchOptions, write: Callable[[str | bytes], object]) -> Printer:
    """What prints without a screen: JSON lines, what changes, or a table that grows."""
    from gwtui.headless import JSONLines, SpokenLines, TextLines

    if run.as_json:
        return JSONLines(write)
    # Who asks for a table gets one, whatever the configuration says.
    return SpokenLines(write) if run.screen_reader and not run.headless else TextLines(write, width(), styled)


def _with(gateway: GatewayProcess | None, feed: Feed) -> Feed:
    """The feed, which ends when the embedded gateway does that it is about."""
    from gwtui.feeds.feeds import beside
    from gwtui.model.records import FeedEnded
    from gwtui.text.sanitize import clean_text

    if gateway is None:
        return feed

    def gone() -> FeedEnded | None:
        if (end := gateway.end()) is None:
            return None
        return FeedEnded(text=end[0], failed=True, fatal=True, detail=clean_text(end[1], 4096))

    return beside(feed, gone)


def on_screen(config: Config, profile: Profile | None, run: WatchOptions, gateway: GatewayProcess | None = None) -> int:
    """The engine is started before the screen is imported, so the first probe does not wait for it."""
    with loading():
        from gwtui.feeds import live, spawn_engine

    try:
        started = [spawn_engine(_start(profile, run))] if profile is not None else []
    except OSError as error:
        raise OwnFaultError(f"the engine cannot be started: {error.strerror or error}") from error

    def open_feed(profile: Profile, is_demo: bool) -> Feed:
        options = replace(run, upkeep=None) if is_demo else run
        return live(started.pop() if started else spawn_engine(_start(profile, options)))

    return show(config, profile, open_feed, run.stop_after_s, gateway)


def show(
    config: Config,
    profile: Profile | None,
    open_feed: Callable[[Profile, bool], Feed],
    stop_after_s: float | None = None,
    gateway: GatewayProcess | None = None,
) -> int:
    """The screen over feeds until the user leaves it, or each has had its time, then a summary. Returns the exit code.

    `open_feed` takes a profile, and whether it is that of a demo which was started from the screen.

    It is 3 where the engine that was watched last did not end well or rows were not written, unless a signal ended the
    program.
    """
    gateways = [gateway] if gateway is not None else []
    with ExitStack() as stack:

        def start_demo() -> Profile:
            from gwtui.gateway.process import spawn_gateway
            from gwtui.gateway.profile import demo_profile

            gateways.append(stack.enter_context(spawn_gateway()))
            return demo_profile(gateways[-1].url)

        def open_beside(profile: Profile) -> Feed:
            return _with(gateways[-1] if gateways else None, open_feed(profile, bool(gateways)))

        import asyncio

        with loading():
            from gwtui.ui.app import GwtuiApp

            app = GwtuiApp(config, profile, open_beside, start_demo, stop_after_s)
        # Closing the loop would wait for its threads: one may read a disk that hangs.
        code = app.run(loop=asyncio.new_event_loop())
        ends = [end for each in gateways if (end := each.end()) is not None]
    views = app.last_views
    _print_summary(views)
    if not code and ends:
        raise OwnFaultError("\n".join(ends[-1]))
    lacking = any(view.header.unwritten or view.header.rows_lost for view in views)
    return code or (EXIT_OWN_FAULT if app.return_code or app.failed or lacking else 0)


def _print_summary(views: Sequence[View]) -> None:
    """The summary of what was on the screen, also to a signal that comes just now."""
    from gwtui.report import summary
    from gwtui.session.watchdog import Watchdog

    with Watchdog(), suppress(OwnFaultError):  # the terminal may have gone away
        if views:
            say("\n\n".join(summary(view, styled) for view in views))


def _start(profile: Profile, run: WatchOptions) -> Start:
    import time

    from gwtui.model.commands import Start

    with loading():
        from gwtui.recorder import new_session_dir, refusal_of

    if run.session_dir is not None and (fault := refusal_of(run.session_dir)):
        raise Refusal(f"{run.session_dir}: nothing is recorded there, because {fault}")
    directory = _named(run.session_dir or new_session_dir(profile.name, time.time()))
    if directory is None:
        click.echo(
            "gwtui: nothing is recorded, because there is no home directory; choose a directory with --session-dir",
            err=True,
        )
    return Start(
        profile=_at_interval(profile, run.interval_s),
        session_dir=directory,
        stop_after_s=run.stop_after_s,
        upkeep=run.upkeep,
    )


def _upkeep(config: Config) -> Upkeep | None:
    """What is remembered beyond the session; nothing where there is no home directory."""
    from gwtui.model.commands import Upkeep
    from gwtui.recorder import state_dir

    state = state_dir()
    if state is None:
        return None
    return Upkeep(
        state=str(state),
        history_days=config.history.keep_days,
        sessions_days=config.sessions.keep_days,
        sessions_gb=config.sessions.keep_gb,
    )


def _named(directory: Path | None) -> str | None:
    try:
        if directory is not None:
            str(directory).encode()
    except UnicodeEncodeError as error:
        raise Refusal(f"{directory}: the name is not UTF-8; choose another directory with --session-dir") from error
    return None if directory is None else str(directory)


def _at_interval(profile: Profile, interval_s: float | None) -> Profile:
    """The profile with every endpoint at this interval; unchanged for None."""
    from msgspec.structs import replace

    if interval_s is None:
        return profile
    endpoints = tuple(replace(endpoint, interval_s=None) for endpoint in profile.endpoints)
    return replace(profile, interval_s=interval_s, endpoints=endpoints)
