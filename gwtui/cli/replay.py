"""`gwtui replay`: a session's files as a feed, on the same screen as a live one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli import completion
from gwtui.cli.console import Refusal, finish, refusing, say
from gwtui.cli.options import NumberRange, exit_codes, exit_with, screen_options
from gwtui.cli.watch import WatchOptions, printer_of, show, with_screen_reader

if TYPE_CHECKING:
    from gwtui.feeds import Feed
    from gwtui.model.profile import Profile
    from gwtui.recorder.session_reader import Session


@click.command(
    "replay",
    short_help="Replay a recorded session.",
    epilog=exit_codes(
        "without a screen: an endpoint was down or gave no good answer",
        usage="the command line or the session is wrong",
    ),
)
@click.argument(
    "directory",
    required=False,
    type=click.Path(path_type=Path),
    metavar="[DIR]",
    shell_complete=completion.sessions,
)
@click.option(
    "--speed",
    type=NumberRange(min=0, min_open=True, max=10_000),
    metavar="N",
    help="Play it N times as fast as it happened.  [default: all at once, on screen paused at the first incident]",
)
@screen_options
def command(directory: Path | None, speed: float | None, **options: Any) -> None:
    """Replay a recorded session on the same screen, from the files in DIR.

    DIR is a path or the name of a recorded session; the default is the latest session. Nothing is probed and nothing
    is written. Events are shown of the streams that the session kept (`record_streams`), check results are not.

    \b
      gwtui replay
      gwtui replay 2026-11-20T14-03-22Z-prod --speed 20
    """
    exit_with(replay(directory, speed, WatchOptions(**options)))


def replay(directory: Path | None, speed: float | None, run: WatchOptions) -> int:
    """Show a session that was recorded; without a directory the latest one. Returns the exit code."""
    session = _apart(recorded_session(directory))
    run = with_screen_reader(run)
    if run.on_screen:
        return _on_screen(session, speed)
    from gwtui.feeds.replay import replay as feed_of
    from gwtui.headless import watch_lines
    from gwtui.session.watchdog import Watchdog

    with Watchdog():
        return finish(watch_lines(feed_of(session, speed), printer_of(run, say), session.profile.interval_s))


def recorded_session(directory: Path | None) -> Session:
    """The session in a directory, or of that name among those recorded; without either the latest. Raises a Refusal."""
    from gwtui.recorder import latest_session_dir, session_dir
    from gwtui.recorder.session_reader import SessionError, read_session

    directory = latest_session_dir() if directory is None else session_dir(directory)
    if directory is None:
        raise Refusal("there is no session yet: gwtui watch or gwtui demo record one")
    try:
        return read_session(directory)
    except SessionError as error:
        raise Refusal(str(error)) from error


def _apart(session: Session) -> Session:
    """Under another name, so that it is not mistaken for the profile of that name."""
    from dataclasses import replace

    from msgspec import structs

    return replace(session, profile=structs.replace(session.profile, name=f"{session.profile.name} (replay)"))


def _on_screen(session: Session, speed: float | None) -> int:
    from gwtui.config import load
    from gwtui.feeds.replay import replay as feed_of

    with refusing():
        config = load(None)

    def open_feed(_profile: Profile, _is_demo: bool) -> Feed:
        return feed_of(session, speed, stay=True)

    return show(config, session.profile, open_feed)
