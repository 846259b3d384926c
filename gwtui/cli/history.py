"""`gwtui history`: what endpoints did in earlier sessions, and what counts as usual."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gwtui.cli import completion
from gwtui.cli.console import OwnFaultError, Refusal, refusing, say, shown, styled
from gwtui.cli.options import NumberRange, config_option, json_option

if TYPE_CHECKING:
    from gwtui.history.identity import EndpointIdentity
    from gwtui.history.store import Store

_DAYS = 7.0


class _ShowByDefault(click.Group):
    """`gwtui history chat` is `gwtui history show chat`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[ENDPOINT] [OPTIONS] | COMMAND [ARGS]...")


_profile_option = click.option(
    "-p", "--profile", metavar="NAME", help="Only endpoints of this profile.", shell_complete=completion.profiles
)


@click.group("history", cls=_ShowByDefault, short_help="Show what endpoints did over days, and what is usual.")
def command() -> None:
    """Show what endpoints did in all sessions of the last days: availability, failures, latencies, incidents.

    Sessions of watch add to it each minute; it is also what tells them what is usual for an endpoint. An endpoint is
    the same as long as its profile, name, API, URL, path, model and request are. With ENDPOINT its days or hours are
    shown one by one, and its incidents. `gwtui help history show` lists the options.

    \b
      gwtui history -p prod
      gwtui history chat --days 2 --by hour
      gwtui history accept chat
    """


@command.command("show", short_help="Show availability, failures and latencies (the default).")
@click.argument("endpoint", required=False, shell_complete=completion.endpoints)
@_profile_option
@click.option(
    "--days", type=NumberRange(min=0, min_open=True, max=36_500), default=_DAYS, show_default=True, metavar="N"
)
@click.option("--by", type=click.Choice(["day", "hour"]), help="A line for each.  [default: day, with an ENDPOINT]")
@json_option
def show(endpoint: str | None, profile: str | None, days: float, by: str | None, as_json: bool) -> None:
    """Show availability, failures by verdict, p50 and p95 of latencies, and incidents, of one endpoint or all."""
    import time

    from gwtui.history.periods import PeriodLength, chronicles

    span = PeriodLength(by) if by is not None else PeriodLength.DAY
    with _opened() as store:
        found = list(chronicles(store, now=time.time(), days=days, name=endpoint, profile=profile, by=span))
        known = store.identities()
    if endpoint is not None and not found:
        raise Refusal(f"there is no {shown(endpoint)} in the history of these days{_hint(known)}")
    apart = span if by is not None or endpoint is not None else None
    if as_json:
        import msgspec

        from gwtui.report.history import history_object

        say(msgspec.json.encode({"endpoints": [history_object(each, by=apart) for each in found]}))
        return
    from gwtui.report.history import history_text

    say(history_text(found, days, apart=apart, styled=styled) if found else "Nothing in the history of these days.")


@command.command("accept", short_help="Let a lasting change of an endpoint be what is usual.")
@click.argument("endpoint", shell_complete=completion.endpoints)
@_profile_option
def accept(endpoint: str, profile: str | None) -> None:
    """Let what an endpoint does now be what is usual for it: since its incident began, or else from now on.

    What came before counts no more. Sessions that run notice it within a minute.
    """
    import time

    from gwtui.history.periods import accept
    from gwtui.text.units import timestamp

    now = time.time()
    with _opened() as store:
        for identity in _newest(store, endpoint, profile):
            acceptance = accept(store, identity, now)
            since = "from now on" if acceptance.since == now else f"since {timestamp(acceptance.since)[:19]}Z"
            place = f" from {identity.vantage}" if identity.vantage else ""
            say(
                shown(
                    f"{identity.name}{place}: usual is what it does {since}. Running sessions notice within a minute."
                )
            )


@command.command("prune", short_help="Forget what is older than keep_days.")
@click.option("--days", type=NumberRange(min=0, max=36_500), metavar="N", help="Keep N days.  [default: keep_days]")
@config_option
def prune(days: float | None, config_file: Path | None) -> None:
    """Forget what is older than `keep_days` of the table [history] in the configuration, and give its room back.

    Sessions of watch do the same when they begin, but leave the file as large as it is.
    """
    import time

    from gwtui.config import load
    from gwtui.history.usual import hour_of
    from gwtui.text.units import many

    if days is None:
        with refusing():
            days = load(config_file).history.keep_days
        if not days:
            raise Refusal("keep_days is 0, so nothing is forgotten: name the days to keep with --days")
    with _opened() as store:
        forgotten = store.prune(hour_of(time.time() - days * 86_400))
        store.shrink()
        size = store.path.stat().st_size
    say(f"{many(forgotten, 'hour')} of endpoints forgotten; the history takes {size / 1e6:,.1f} MB.")


@contextmanager
def _opened() -> Iterator[Store]:
    """The history, which has to be there."""
    from gwtui.history.database import DamagedError, HistoryError
    from gwtui.history.store import HISTORY, Store
    from gwtui.recorder import state_dir

    state = state_dir()
    if state is None or not os.path.lexists(state / HISTORY):
        raise Refusal("there is no history yet: gwtui watch begins one")
    try:
        with Store(state / HISTORY) as store:
            yield store
    except DamagedError as error:
        text = f"{error}: move it away, and gwtui watch begins a new one"
        raise OwnFaultError(text) from error
    except HistoryError as error:
        raise OwnFaultError(str(error)) from error


def _newest(store: Store, endpoint: str, profile: str | None) -> list[EndpointIdentity]:
    """Of each place the endpoint as it was probed last. Raises a Refusal where it is not clear which is meant."""
    known = store.identities()
    named = [(number, each) for number, each in known if each.name == endpoint and profile in (None, each.profile)]
    profiles = sorted({each.profile for _, each in named})
    if not named:
        raise Refusal(f"there is no {shown(endpoint)} in the history{_hint(known)}")
    if len(profiles) > 1:
        raise Refusal(f"several profiles have {shown(endpoint)}: choose one with -p: {shown(', '.join(profiles))}")
    newest = {each.vantage: each for _, each in sorted(named, key=lambda pair: store.last_hour(pair[0]))}
    return list(newest.values())


def _hint(known: list[tuple[int, EndpointIdentity]]) -> str:
    names = ", ".join(dict.fromkeys(each.name for _, each in known))
    return f"; there are: {shown(names)}" if names else ""
