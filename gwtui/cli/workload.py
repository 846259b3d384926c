"""What `gwtui bench` sends and when, beyond one question at one rate: its options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwtui.cli.console import Refusal, note
from gwtui.cli.measure import MeasureOptions, refusing_targets
from gwtui.cli.options import NumberRange, given, option_group
from gwtui.cli.user_files import progress

if TYPE_CHECKING:
    from gwtui.bench.work.arrivals import Arrivals
    from gwtui.bench.work.prompts import Prompts
    from gwtui.bench.work.workload import Workload
    from gwtui.model.profile import Endpoint

MOST_REQUESTS, LEAST_REQUESTS = 300, 10
"""Of `--find-limit`, where `--max-requests` does not say how many, and at each endpoint."""

MOST_REPLAYED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadOptions(MeasureOptions):
    """The options of `workload_options`, as click hands them over."""

    rate: float | None = None
    """Requests a second."""
    arrivals: str | None = None
    seed: int | None = None
    prompts: Path | None = None
    nonce: bool = False
    cold_warm: bool = False
    find_limit: bool = False
    max_requests: int | None = None
    replay: Path | None = None
    speed: float = 1.0

    def changes(self) -> dict[str, Any]:
        return given(nonce=self.nonce or None, **MeasureOptions.changes(self))

    def pairs_of(self, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        """The endpoints to load, each twice with `--cold-warm`. Raises a Refusal."""
        from gwtui.bench.work.workload import check_questions, cold_and_warm

        self._refuse_alone()
        if self.nonce and self.cold_warm:
            raise Refusal("--cold-warm asks with a nonce and without one: leave --nonce out")
        with refusing_targets():
            for given_too, option in (
                (self.prompts is not None, "--prompts"),
                (self.nonce, "--nonce"),
                (self.cold_warm, "--cold-warm"),
            ):
                if given_too:
                    check_questions(endpoints, option)
        return cold_and_warm(endpoints) if self.cold_warm else endpoints

    def workload(self, endpoints: tuple[Endpoint, ...]) -> Workload:
        """What the requests ask, of which a file of prompts is read now. Raises a Refusal."""
        from gwtui.bench.work.prompts import Prompts, PromptsError
        from gwtui.bench.work.workload import WARM, Workload

        prompts = None
        if self.prompts is not None:
            try:
                with progress() as count:
                    prompts = click.get_current_context().with_resource(Prompts(self.prompts, self.seed, count))
            except PromptsError as error:
                raise Refusal(f"--prompts: {error}") from error
            except OSError as error:
                raise Refusal(f"--prompts: {self.prompts}: {error.strerror}") from error
        if self.replay is not None:
            return self._replayed(endpoints, prompts)
        primed = (endpoint.name for endpoint in endpoints if self.cold_warm and endpoint.name.endswith(WARM))
        workload = Workload(prompts=prompts, primed=frozenset(primed))
        with refusing_targets():
            workload.priming(self.requests_or(1) if self.cold_warm else 1)
        return workload

    def _refuse_alone(self) -> None:
        """Raise a Refusal for options that say nothing without another."""
        sweep = {"--sweep": getattr(self, "sweep", None)}
        for option, is_given, others in (
            ("--max-requests", self.max_requests, {"--find-limit": self.find_limit, "--replay": self.replay, **sweep}),
            ("--speed", self.speed != 1.0, {"--replay": self.replay}),
            ("--seed", self.seed is not None, {"--arrivals": self.arrivals, "--prompts": self.prompts}),
        ):
            if is_given and not any(others.values()):
                raise Refusal(f"{option} is for {' and '.join(others)}: add one of them, or leave it out")

    def _replayed(self, endpoints: tuple[Endpoint, ...], prompts: Prompts | None) -> Workload:
        from gwtui.bench.work.replayed import read_replay
        from gwtui.bench.work.workload import replayed

        path, most = self.replay or Path(), self.max_requests or MOST_REPLAYED
        for name in ("rate", "arrivals", "requests", "for_s", "cold_warm", "interleave"):
            if getattr(self, name, None):
                option = "--for" if name == "for_s" else f"--{name.replace('_', '-')}"
                raise Refusal(f"--replay has the times and the number of its requests: leave {option} out")
        with refusing_targets(), progress() as count:
            replay = read_replay(path, most, self.speed, keeps_model=bool(getattr(self, "model", "")), progress=count)
            workload = replayed(replay, endpoints, prompts)
        if replay.total > len(replay.rows):
            note(f"{replay.name} has {replay.total:,} requests: the first {most:,} are sent (--max-requests)")
        sent = sum(map(len, workload.rows.values()))
        if sent < len(replay.rows):
            note(f"{len(replay.rows) - sent:,} requests to endpoints that are not loaded are left out")
        return workload

    def arrivals_asked(self) -> Arrivals | None:
        """When requests are due; None where only a rate, or none, is given. Raises a Refusal."""
        from gwtui.bench.work.arrivals import ArrivalsError, arrivals_of

        if self.arrivals is None:
            return None
        try:
            return arrivals_of(self.arrivals, self.rate, self.seed or 0)
        except ArrivalsError as error:
            raise Refusal(f"--arrivals: {error}") from error


workload_options = option_group(
    click.option(
        "--arrivals",
        metavar="LAW",
        help="Open loop with a law of arrivals: poisson 20, bursty:0.25 20, 10..100 over 1m, 10,20,40 every 30s.",
    ),
    click.option(
        "--seed", type=click.IntRange(0), metavar="N", help="Seed of --arrivals; take the --prompts in a random order."
    ),
    click.option(
        "--prompts",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Ask each line of a JSONL file in turn: OpenAI messages, ShareGPT, or a prompt.",
    ),
    click.option("--nonce", is_flag=True, help="A fresh number in front of every prompt, so that no cache has it."),
    click.option(
        "--find-limit",
        is_flag=True,
        help="Find where 429 begins, and when it lifts. --rate: the first rate.",
    ),
    click.option(
        "--max-requests",
        type=click.IntRange(LEAST_REQUESTS, 100_000),
        metavar="N",
        help=f"Maximum of --find-limit, --replay, --sweep.  [default: {MOST_REQUESTS}, {MOST_REPLAYED}, 20000]",
    ),
    click.option(
        "--replay",
        type=click.Path(path_type=Path),
        metavar="FILE|SESSION",
        help="Send the requests of a requests.csv again: at their times, to their models.",
    ),
    click.option(
        "--speed",
        type=NumberRange(0.01, 1000),
        metavar="N",
        default=1.0,
        help="Speed of --replay.  [default: 1]",
    ),
    click.option("--cold-warm", is_flag=True, help="Compare prompts with a nonce and prompts sent before, in turns."),
)
