"""`gwtui completion`: the Tab key in bash, zsh and fish, and what it offers for arguments and options."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from gwtui.cli.console import Refusal, say

if TYPE_CHECKING:
    from gwtui.config import Config
    from gwtui.model.profile import Profile

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_GWTUI_COMPLETE"
"""What the shell's script sets when it asks; click reads it."""
MOST_SESSIONS = 30
"""The newest sessions that are offered."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@click.command("completion", short_help="Print the script that lets Tab complete in your shell.")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def command(shell: str | None) -> None:
    """Print the script that lets Tab complete commands, options, endpoints, profiles, APIs and sessions.

    SHELL is bash, zsh or fish; without it the one you use. Add one line to the file that your shell reads when it
    starts:

    \b
      eval "$(gwtui completion bash)"        # ~/.bashrc
      eval "$(gwtui completion zsh)"         # ~/.zshrc, after compinit
      gwtui completion fish | source         # ~/.config/fish/config.fish
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    found = get_completion_class(name) if name in SHELLS else None
    if found is None:
        raise Refusal(f"which shell? Name it: gwtui completion {'|'.join(SHELLS)}")
    root = click.get_current_context().find_root()
    say(found(root.command, {}, root.info_name or "gwtui", VARIABLE).source().rstrip("\n"))


def endpoints(ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Endpoints of the profile that the command line names, else of all profiles."""
    wanted = ctx.params.get("profile_name") or ctx.params.get("profile")
    return _beginning(
        begun,
        {
            endpoint.name: f"{endpoint.api} {profile.name}"
            for profile in _profiles(ctx)
            if wanted in (None, profile.name)
            for endpoint in profile.endpoints
        },
    )


def profiles(ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of the configuration's profiles."""
    return _beginning(begun, {each.name: f"{len(each.endpoints)} endpoints" for each in _profiles(ctx)})


def plans(ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Plans of benchmarks in the configuration."""
    config = _config(ctx)
    return _beginning(begun, {plan.name: "" for plan in config.plans} if config is not None else {})


def apis(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names that `--api` takes."""
    from gwtui.apis import api_named, api_names

    return _beginning(begun, {name: api.title if (api := api_named(name)) else "" for name in api_names()})


def sessions(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """The newest sessions, by the names of their directories; or directories, where a path is begun."""
    from gwtui.recorder.session_dirs import newest_session_dirs

    if os.sep in begun:
        return [CompletionItem(begun, type="dir")]
    return _beginning(begun, {path.name: "" for path in newest_session_dirs(MOST_SESSIONS)})


def sources(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """What `compare` takes: endpoints, and files or directories, where a path is begun."""
    found = endpoints(ctx, param, begun)
    return found or [CompletionItem(begun, type="file")]


def kinds(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ready-made endpoints, and sets of them."""
    from gwtui.config.templates import SETS, SNIPPETS

    return _beginning(
        begun, {name: each.title for name, each in SNIPPETS.items()} | {name: each.title for name, each in SETS.items()}
    )


def topics(ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Pages of the manual."""
    from gwtui.text.manual import page_of, topics

    return _beginning(begun, {topic: page_of(topic).about for topic in topics()})


def commands_and_topics(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """What `help` takes."""
    root = ctx.find_root().command
    known: Mapping[str, Any] = root.commands if isinstance(root, click.Group) else {}
    shown = {name: each.get_short_help_str() for name, each in known.items() if not each.hidden}
    return [*_beginning(begun, shown), *topics(ctx, param, begun)]


def _profiles(ctx: click.Context) -> Iterable[Profile]:
    config = _config(ctx)
    return config.profiles if config is not None else ()


def _config(ctx: click.Context) -> Config | None:
    """The configuration that the command line names; None where it cannot be read."""
    from gwtui.config import ConfigError, load

    try:
        return load(ctx.params.get("config_file"))
    except ConfigError:
        return None


def _beginning(begun: str, offered: Mapping[str, str]) -> list[CompletionItem]:
    return [CompletionItem(name, help=about or None) for name, about in offered.items() if name.startswith(begun)]
