"""What `gwtui bench` and `gwtui compare` share: options, a measurement, its files and its exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli import endpoints, options
from gwtui.cli.console import EXIT_DOWN, Refusal, carry_out, in_colour, refusing, width
from gwtui.cli.endpoints import Targets
from gwtui.cli.options import FILE, given, seconds
from gwtui.cli.user_files import OutputFile

if TYPE_CHECKING:
    from gwtui.bench.campaign.campaign_run import CampaignRun
    from gwtui.bench.run.runner import BenchRun
    from gwtui.model.profile import Endpoint, Profile
    from gwtui.text.tables import TextStyle

COUNT = click.IntRange(1, 1_000_000_000)
WARMUP = click.IntRange(0, 1_000_000)


def exit_codes(bad: str) -> str:
    """Those of `bench` and `compare`; `bad` says when they end with 1."""
    usage = "the command line, the configuration or a file is wrong"
    return options.exit_codes(bad, usage=usage, signal="; what was measured is printed")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """The options of `bench` that `compare` has too, as click hands them over. None: not given."""

    profile_name: str | None = None
    config_file: Path | None = None
    requests: int | None = None
    """For each endpoint."""
    for_s: float | None = None
    deadline_s: float | None = None
    warmup: int = 0
    max_tokens: int | None = None
    omit: tuple[str, ...] | None = None
    stream: bool | None = None
    aggregate_csv: Path | None = None
    request_csv: Path | None = None
    as_json: bool = False
    fail_if: tuple[str, ...] = ()
    allow_undecided: bool = False

    def changes(self) -> dict[str, Any]:
        """Fields of every endpoint that the options set."""
        return given(max_tokens=self.max_tokens, omit=self.omit, stream=self.stream)

    def requests_or(self, default: int) -> int | None:
        """The number of requests for each endpoint; None: as many as the time allows."""
        return None if self.requests is None and self.for_s is not None else self.requests or default


deadline_option = click.option(
    "--deadline",
    "deadline_s",
    metavar="DURATION",
    callback=seconds,
    help="End after DURATION, whatever is under way.",
)
measure_options = options.option_group(
    options.profile_option("The profile with the endpoints."),
    options.config_option,
    click.option(
        "--for", "for_s", metavar="DURATION", callback=seconds, help="Stop starting requests after DURATION: 30s, 5m."
    ),
    deadline_option,
    click.option("--max-tokens", type=COUNT, metavar="N", help="Maximum number of tokens in each answer."),
    options.omit_option,
    click.option("--stream/--no-stream", default=None, help="Request streams, or whole answers."),
    click.option("--csv", "aggregate_csv", type=FILE, metavar="FILE", help="Write a row per endpoint."),
    click.option("--request-csv", type=FILE, metavar="FILE", help="Write a row per request, failures included."),
    options.json_option,
)
"""The options of `MeasureOptions`, but for the numbers of requests."""


@contextmanager
def refusing_targets() -> Iterator[None]:
    """Faults of targets, thresholds, files and the configuration end the command."""
    from gwtui.bench.results.slo import ExpressionError
    from gwtui.bench.work.targets import TargetError
    from gwtui.codec.csv_rows import CSVError

    with refusing():
        try:
            yield
        except (CSVError, ExpressionError, TargetError) as error:
            raise Refusal(str(error)) from error


def from_profile(names: Sequence[str], options: MeasureOptions) -> Targets:
    """The endpoints of these names; for no names, all that are not paused. Raises a Refusal."""
    from gwtui.bench.work import targets

    profile, found = endpoints.from_profile(options.config_file, options.profile_name, names, options.changes())
    with refusing_targets():
        targets.check(found)
    return profile, found


def drive(run: BenchRun, endpoints: Sequence[Endpoint], profile: Profile, last_words: Callable[[], object]) -> None:
    """Carry the run out until it is done or a signal ends it."""
    from signal import Signals

    _, number = carry_out(run.drive(endpoints, profile), last_words)
    run.stopped_by = None if number is None else Signals(number)


def outputs_of(options: MeasureOptions, junit: Path | None = None) -> dict[str, OutputFile]:
    """The CSV files to write, tried before the first request is sent. `junit`: another one that is written."""
    paths = given(aggregate_csv=options.aggregate_csv, request_csv=options.request_csv)
    for option, path in (("--csv", options.aggregate_csv), ("--request-csv", options.request_csv)):
        if path is not None and path == junit:
            raise Refusal(f"{option} and --junit are two files, and both are {junit}")
    if len(set(paths.values())) < len(paths):
        raise Refusal(f"--csv and --request-csv are two files, and both are {options.request_csv}")
    return {name: OutputFile(path) for name, path in paths.items()}


def write(run: BenchRun, outputs: Mapping[str, OutputFile]) -> None:
    """Write the CSV files of the run. Raises OwnFaultError."""
    from gwtui.bench.results.csv_out import aggregate_lines, request_lines

    for name, output in outputs.items():
        measured = list(run.measured.values())
        lines = aggregate_lines(measured) if name == "aggregate_csv" else request_lines(run.lines())
        output.write(b"".join(lines))


def exit_code(run: BenchRun | CampaignRun, *, tripped: bool) -> int:
    """128 + the signal that ended the run; 1 when a threshold tripped, an endpoint had no success or the deadline ended
    it; else 0."""
    if run.stopped_by is not None:
        return 128 + run.stopped_by
    return EXIT_DOWN if tripped or run.ran_out or any(not each.ok for each in run.measured.values()) else 0


def text_style() -> TextStyle:
    from gwtui.text.tables import TextStyle

    return TextStyle(width(), in_colour())
