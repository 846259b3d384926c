"""The session of a benchmark: `--session-dir`, `--no-session`, `--resume` and `--junit`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from gwtui.cli.console import OwnFaultError, Refusal, note
from gwtui.cli.options import FILE, option_group
from gwtui.cli.workload import WorkloadOptions

if TYPE_CHECKING:
    from gwtui.bench.gates.thresholds import Tripped
    from gwtui.bench.run.runner import BenchRun
    from gwtui.bench.session.bench_recording import BenchRecording
    from gwtui.bench.session.bench_session import BenchSession
    from gwtui.bench.session.run_file import RunFile
    from gwtui.bench.work.plan import Plan
    from gwtui.cli.endpoints import Targets
    from gwtui.model.profile import Profile
    from gwtui.recorder.session_reader import UnreadRows

PRUNE_S = 2.0
"""Looking for old sessions ends after this long; the next benchmark goes on with it."""
BESIDE_RESUME = frozenset(
    {
        *("resume", "session_dir", "no_session", "junit", "as_json", "aggregate_csv", "request_csv", "deadline_s"),
        *("fail_if", "allow_undecided", "baseline", "baseline_endpoints", "config_file", "prompts"),
    }
)
"""Options that may be given with `--resume`: none of them says what is to be sent."""

session_options = option_group(
    click.option(
        "--session-dir",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Directory of this benchmark's session.  [default: a new one beside the other sessions]",
    ),
    click.option("--no-session", is_flag=True, help="Keep nothing but what is printed and asked for by other options."),
    click.option(
        "--resume",
        type=click.Path(path_type=Path),
        metavar="SESSION",
        help="Go on with an interrupted benchmark: what is there is not sent again.",
    ),
    click.option("--junit", type=FILE, metavar="FILE", help="Write the gates as test cases, as JUnit XML."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions(WorkloadOptions):
    """What the options say of the session."""

    session_dir: Path | None = None
    no_session: bool = False
    resume: Path | None = None
    junit: Path | None = None


def resumed_recording(options: SessionOptions, others: Mapping[str, Any], kind: str = "bench") -> BenchRecording | None:
    """What is to be gone on with; None without `--resume`. `others`: the options that were given, by name, as
    `--requests`. `kind`: of benchmark. Raises a Refusal."""
    from gwtui.bench.session.bench_recording import read_bench
    from gwtui.recorder import session_dir
    from gwtui.recorder.session_reader import SessionError

    if options.no_session and (options.session_dir is not None or options.resume is not None):
        raise Refusal("--no-session keeps no session: leave out --session-dir and --resume")
    if options.resume is None:
        return None
    if options.session_dir is not None:
        raise Refusal("--resume goes on in its own directory: leave out --session-dir")
    if wrong := [shown for name, shown in others.items() if name not in BESIDE_RESUME]:
        raise Refusal(f"--resume goes on as it was begun: leave out {', '.join(wrong)}")
    try:
        recording = read_bench(session_dir(options.resume))
    except SessionError as error:
        raise Refusal(str(error)) from error
    if recording.run.kind != kind:
        how = f"give --plan {recording.run.plan.get('name')} too" if recording.run.kind == "plan" else "begin it anew"
        raise Refusal(f"{recording.directory}: the session of a {recording.run.kind}, and no {kind}: {how}")
    if recording.run.not_whole:
        raise Refusal(
            f"{recording.directory}: {', '.join(recording.run.not_whole)} had a secret written out in the "
            "configuration, and sessions hold none: put it into a variable (env:NAME) and start anew"
        )
    return recording


def refuse_other_prompts(recording: BenchRecording, prompts: Mapping[str, Any] | None) -> None:
    """Raise a Refusal where a benchmark would go on with other prompts. `prompts`: as a `Workload` tells them."""
    was = recording.run.prompts
    if was is None and prompts is not None:
        raise Refusal("--resume goes on as it was begun: leave out --prompts")
    if was is not None and (prompts is None or prompts.get("sha256") != was.get("sha256")):
        what = f"the file {was.get('file')} as it was then (SHA-256 {str(was.get('sha256'))[:12]}...)"
        raise Refusal(f"{recording.directory}: give --prompts with {what}: sessions do not keep it")


def given_options() -> dict[str, str]:
    """The options and arguments of the command line that runs now, by the name of the field, as they are written."""
    ctx = click.get_current_context(silent=True)
    if ctx is None:
        return {}
    named = {param.name or "": param for param in ctx.command.params}
    return {
        name: named[name].opts[0] if isinstance(named[name], click.Option) else named[name].make_metavar(ctx)
        for name in ctx.params
        if name in named and ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }


def resumed_targets(recording: BenchRecording) -> Targets:
    """The endpoints that were loaded. Raises a Refusal where they cannot be asked now, as without their keys."""
    from gwtui.bench.work import targets
    from gwtui.cli.measure import refusing_targets

    with refusing_targets():
        targets.check(recording.profile.endpoints)
    return recording.profile, recording.profile.endpoints


def resumed_plan(recording: BenchRecording) -> Plan:
    """How they are loaded. Raises a Refusal."""
    import msgspec

    from gwtui.bench.work.plan import Plan

    try:
        return msgspec.convert(recording.run.plan, Plan)
    except msgspec.ValidationError as error:
        raise Refusal(f"{recording.directory}: run.json has no plan: {error}") from error


@dataclass(slots=True)
class Keeping:
    """A benchmark's session while it runs, if it has one. Enter it before the first request; leave it at the end."""

    session: BenchSession | None
    is_asked_for: bool
    """Rows that are lost are a fault then."""
    recording: BenchRecording | None = None
    config_file: Path | None = None
    _told: str = field(default="", init=False)

    @classmethod
    def of(
        cls,
        options: SessionOptions,
        profile: Profile,
        run_file: Callable[[float], RunFile],
        recording: BenchRecording | None = None,
    ) -> Self:
        """`profile` has the endpoints that are loaded. `run_file`: what `run.json` says of a start at that time."""
        from gwtui.bench.session.bench_session import BenchSession

        if recording is not None:
            return cls(BenchSession.resumed(recording), True, recording, options.config_file)
        run = run_file(time.time())
        directory = None if options.no_session else options.session_dir or _new_dir(profile, run)
        if directory is None:
            if not options.no_session:
                note("this benchmark has no session, because there is no home directory: --session-dir chooses one")
            return cls(None, False)
        session = BenchSession(directory, profile, run)
        return cls(session, options.session_dir is not None, None, options.config_file)

    def __enter__(self) -> Self:
        """Raises a Refusal for a directory that is not to be written to."""
        from gwtui.bench.session.bench_session import SessionRefusedError

        if self.session is None:
            return self
        try:
            self.session.__enter__()
        except SessionRefusedError as error:
            raise Refusal(f"{self.session.directory}: no benchmark is kept there, because {error}") from error
        if error_text := self.session.status().error:
            self._told = error_text
            note(f"nothing is written to {self.session.directory} now: {error_text}; measuring goes on")
        elif self.recording is None:
            click.echo(f"gwtui: session {self.session.directory}", err=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises OwnFaultError where rows were lost of a session that was asked for."""
        fault = self.close()
        if self.session is not None:
            _prune(self.session.directory, self.config_file)
        if fault and kind is None:
            raise OwnFaultError(fault)

    def fill(self, run: BenchRun) -> None:
        """Connect the run with the session; of one that is gone on with, count first what is there."""
        from gwtui.bench.session.resume import SessionResults, Stretches

        found: list[Stretches] = []

        def into(recording: BenchRecording, session: BenchSession, unread: UnreadRows) -> int:
            found.append(recording.into(run, session.run_file.resumed_at, unread))
            return sum(done.sent for done in found[0].done.values())

        self.go_on(into)
        if self.session is not None:
            run.kept = SessionResults(self.session, found[0] if found else None)

    def go_on(self, into: Callable[[BenchRecording, BenchSession, UnreadRows], int]) -> None:
        """Of a benchmark that is gone on with, count what is there and say so. `into` counts it, and returns the number
        of requests. Raises OwnFaultError."""
        from gwtui.recorder.session_reader import UnreadRows

        if self.session is None or self.recording is None:
            return
        unread = UnreadRows()
        try:
            there = into(self.recording, self.session, unread)
        except OSError as error:
            raise OwnFaultError(f"{self.session.directory}: cannot be read: {error.strerror or error}") from error
        if str(unread):
            note(str(unread))
        click.echo(f"gwtui: session {self.session.directory} goes on: {there:,} requests are there", err=True)

    def summary(self, text: str) -> None:
        """What came of it, as JSON."""
        if self.session is not None:
            self.session.summary(text)

    def close(self) -> str:
        """Write what waits; say once what was not written. Returns it where it is a fault."""
        if self.session is None:
            return ""
        self.session.close()
        status = self.session.status()
        if not (status.rows_lost or status.error):
            return ""
        lost = f"{status.rows_lost:,} rows were not written to {self.session.directory}" if status.rows_lost else ""
        text = ": ".join(filter(None, (lost, status.error)))
        if self.is_asked_for:
            return text
        if self._told != status.error:
            note(text)
        self._told = status.error
        return ""


def _new_dir(profile: Profile, run: RunFile) -> Path | None:
    """A new directory beside those of other sessions, called after the plan or the profile; None where there is no home
    directory."""
    from gwtui.recorder import new_session_dir

    name = run.plan["name"] if run.kind == "plan" else profile.name
    return new_session_dir("bench" if name == "default" else f"bench-{name}", time.time())


def _prune(directory: Path, config_file: Path | None) -> None:
    """Remove old sessions as the configuration says, with this one among those that are counted."""
    from gwtui.config import ConfigError, load
    from gwtui.recorder import state_dir
    from gwtui.recorder.pruning import prune_sessions, word_of
    from gwtui.recorder.session_dirs import SESSIONS

    state = state_dir()
    if state is None or directory.parent != state / SESSIONS:
        return
    with suppress(ConfigError, OSError):
        kept = load(config_file).sessions
        if not (kept.keep_days or kept.keep_gb):
            return
        end_s = time.monotonic() + PRUNE_S
        pruned = prune_sessions(
            state / SESSIONS,
            now=time.time(),
            keep_days=kept.keep_days,
            keep_gb=kept.keep_gb,
            but=directory.name,
            stopped=lambda: time.monotonic() > end_s,
        )
        if word := word_of(pruned, state / SESSIONS, limited=True):
            note(word)


def junit_of(
    run: BenchRun,
    asked: Sequence[tuple[str, str]],
    tripped: Sequence[Tripped],
    *,
    allow_undecided: bool,
) -> bytes:
    """The gates of a run as JUnit XML."""
    from gwtui.bench.gates.junit import cases_of, junit_xml
    from gwtui.text.units import timestamp

    measured = list(run.measured.values())
    stopped_by = run.stopped_by.name if run.stopped_by else "--deadline" if run.ran_out else ""
    cases = cases_of(asked, measured, tripped, stopped_by)
    return junit_xml(
        cases, seconds=run.seconds, started_at=timestamp(time.time() - run.seconds), allow_undecided=allow_undecided
    )
