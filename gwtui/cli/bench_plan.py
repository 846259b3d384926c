"""`gwtui bench --plan NAME`: a campaign, from its plan in the configuration to its table and its gates."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from signal import Signals
from typing import TYPE_CHECKING

from gwtui.cli.bench_sessions import Keeping, resumed_recording
from gwtui.cli.console import Refusal, carry_out, note, refusing, say, shown
from gwtui.cli.endpoints import over
from gwtui.cli.gates import complain
from gwtui.cli.measure import exit_code, outputs_of, refusing_targets, text_style
from gwtui.cli.options import given
from gwtui.cli.user_files import OutputFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gwtui.bench.campaign.campaign import Campaign
    from gwtui.bench.campaign.campaign_run import CampaignRun
    from gwtui.bench.gates.baseline import Baseline
    from gwtui.bench.gates.thresholds import Tripped
    from gwtui.bench.session.bench_recording import BenchRecording
    from gwtui.bench.session.run_file import RunFile
    from gwtui.cli.bench import BenchOptions
    from gwtui.config import Config
    from gwtui.config.bench_plans import BenchPlan
    from gwtui.config.errors import ConfigFault
    from gwtui.model.profile import Profile

_TAKEN = frozenset(
    {
        "plan_name", "profile_name", "config_file", "endpoints", "requests", "for_s", "deadline_s", "warmup",
        "max_tokens", "omit", "stream", "aggregate_csv", "request_csv", "as_json", "concurrency", "rate", "fail_if",
        "allow_undecided", "slo", "session_dir", "no_session", "junit", "baseline", "resume",
    }
)  # fmt: skip
"""The options that a plan goes with; with all others it is refused."""


def bench_plan(options: BenchOptions, name: str) -> int:
    """Carry out the plan of that name, and print the results. Returns the exit code."""
    from gwtui.bench.campaign import campaign_report
    from gwtui.bench.campaign.campaign_outlook import notes_of
    from gwtui.bench.campaign.campaign_run import CampaignRun
    from gwtui.bench.gates import ratio_gates

    recording = resumed_recording(options, {}, "plan")
    campaign = campaign_for(options, name)
    if recording is not None:
        _refuse_changed(campaign, recording)
    outputs = outputs_of(options, options.junit)
    junit = OutputFile(options.junit) if options.junit is not None else None
    for text in notes_of(campaign):
        note(text)
    baseline = _baseline(campaign, options)
    run = CampaignRun(campaign, keeps_rows=options.request_csv is not None, deadline_s=options.deadline_s)

    def report_results() -> bool:
        named = [each for each in run.named() if each.offered]
        answers = baseline.judged(named) if baseline is not None else []
        tripped = [*run.tripped(), *ratio_gates.tripped(answers)]
        compared = baseline.told(named, answers, time.time()) if baseline is not None else {}
        told = campaign_report.campaign_json(run, tripped, compared)
        keeping.summary(told)
        lines = baseline.lines(named, answers, time.time()) if baseline is not None else []
        say(told if options.as_json else campaign_report.campaign_text(run, text_style(), lines))
        for file, output in outputs.items():
            rows = campaign_report.point_lines if file == "aggregate_csv" else campaign_report.request_lines
            output.write(b"".join(rows(run)))
        if junit is not None:
            ratios = [(each.gate, each.endpoint) for each in answers]
            junit.write(_junit(run, [*run.asked(), *ratios], tripped, options))
        return complain(tripped, options)

    def last_words() -> None:
        report_results()
        keeping.close()

    with Keeping.of(options, campaign.loaded, _run_file(campaign, options), recording) as keeping:
        run.session = keeping.session
        keeping.go_on(run.go_on)
        _, number = carry_out(_carried_out(run), last_words)
        run.stopped_by = None if number is None else Signals(number)
        bad = report_results()
    return exit_code(run, tripped=bad)


def _baseline(campaign: Campaign, options: BenchOptions) -> Baseline | None:
    """The earlier measurement that each point is compared with. Raises a Refusal."""
    from gwtui.bench.campaign.campaign import nothing_of
    from gwtui.bench.gates import baseline
    from gwtui.cli.user_files import progress
    from gwtui.recorder import session_dir

    if options.baseline is None:
        if campaign.ratios:
            raise Refusal(f"gate {campaign.ratios[0].expression.text!r} compares: give --baseline SESSION or FILE")
        return None
    points = [replace(nothing_of(point), endpoint=point.name) for point in campaign.points]
    with refusing_targets(), progress() as add:
        return baseline.load(session_dir(options.baseline), (), campaign.ratios, points, add)


def _refuse_changed(campaign: Campaign, recording: BenchRecording) -> None:
    """Raise a Refusal where the campaign does not have a point of the session."""
    from gwtui.bench.session.run_file import Point

    points = {each.name: each for each in campaign.points}
    for was in recording.run.points:
        now = points.get(was.name)
        point = now and Point.of(now.endpoint, now.load, name=now.name, axes=now.axes)
        if point != replace(was, ended=False):
            raise Refusal(
                f"{recording.directory}: {was.name} is not what plan {campaign.plan.name} says now: begin it anew"
            )


def _run_file(campaign: Campaign, options: BenchOptions) -> Callable[[float], RunFile]:
    """What `run.json` says of a plan that is begun at a wall time."""
    from gwtui.bench.campaign.campaign_report import plan_told
    from gwtui.bench.session.run_file import RunFile

    return lambda at: RunFile.new(
        plan_told(campaign),
        at=at,
        endpoints=campaign.loaded.endpoints,
        kind="plan",
        gates=campaign.plan.fail_if,
        allow_undecided=options.allow_undecided,
    )


def _junit(
    run: CampaignRun, asked: Sequence[tuple[str, str]], tripped: Sequence[Tripped], options: BenchOptions
) -> bytes:
    """The gates of every point as JUnit XML. `asked`: the expressions, each with a point that it is about."""
    from gwtui.bench.gates.junit import cases_of, junit_xml
    from gwtui.text.units import timestamp

    stopped_by = run.stopped_by.name if run.stopped_by else "--deadline" if run.ran_out else ""
    cases = cases_of(asked, run.named(), tripped, stopped_by)
    started_at = timestamp(time.time() - run.seconds)
    return junit_xml(cases, seconds=run.seconds, started_at=started_at, allow_undecided=options.allow_undecided)


async def _carried_out(run: CampaignRun) -> None:
    """Drive it, once it was said what of its open loops is out of this machine's reach."""
    from gwtui.bench.run.machine_limits import out_of_reach, send_capacity

    point = max(run.campaign.points, key=lambda each: each.load.rate or 0.0)
    if point.load.rate is not None:
        capacity = await send_capacity(point.endpoint)
        if capacity is not None and point.load.rate > capacity:
            note(out_of_reach(point.load.rate, capacity))
    await run.drive()


def campaign_for(options: BenchOptions, name: str) -> Campaign:
    """The campaign that the configuration and the command line describe. Raises a Refusal."""
    from gwtui.bench.campaign.campaign import campaign_of
    from gwtui.bench.work import targets
    from gwtui.config import load

    refuse_others(options)
    with refusing():
        config = load(options.config_file)
        written = config.plan(name)
        profile = config.profile(options.profile_name or written.profile)
    plan = overridden(written, options)
    with refusing_targets():
        profile = changed(profile, plan, options)
        campaign = campaign_of(plan, profile, written.fail_if)
        targets.check(list({point.endpoint.name: point.endpoint for point in campaign.points}.values()))
    return campaign


def refuse_others(options: BenchOptions) -> None:
    """Raise a Refusal where an option is given that a plan leaves no room for."""
    for field in fields(options):
        if field.name not in _TAKEN and getattr(options, field.name) != field.default:
            option = f"--{field.name.removesuffix('_s').replace('_', '-')}"
            raise Refusal(f"{option} and --plan exclude each other: a plan says by itself what is loaded, and in turns")


def overridden(plan: BenchPlan, options: BenchOptions) -> BenchPlan:
    """The plan with what the command line says instead. Raises a Refusal for what contradicts the plan."""
    import msgspec

    changes = given(
        concurrency=options.concurrency,
        rate=options.rate,
        max_tokens=options.max_tokens,
        warmup=options.warmup or None,
        slo=",".join(each.text for each in options.slo) or None,
    )
    if options.rate is not None and plan.rate is None and plan.concurrency is not None:
        raise Refusal(f"--rate: plan {plan.name} has concurrency, and is no open loop: give --concurrency")
    if options.requests is not None or options.for_s is not None:
        changes |= {"requests": options.requests, "for_": options.for_s}
    if options.endpoints:
        changes["endpoints"] = _chosen(plan, options.endpoints)
        changes["compare"] = tuple(pair for pair in plan.compare if set(pair) <= set(options.endpoints))
    return _limited(msgspec.structs.replace(plan, **changes, fail_if=(*plan.fail_if, *options.fail_if)))


def _limited(plan: BenchPlan) -> BenchPlan:
    """The plan with a limit for its open loops, which this machine bears. Raises a Refusal for what it does not."""
    import msgspec

    from gwtui.bench.run.machine_limits import in_flight_limit

    limit = in_flight_limit()
    if plan.rate is not None and plan.concurrency is None:
        return msgspec.structs.replace(plan, concurrency=limit.number)
    if (most := max(plan.values("concurrency"), default=1)) > limit.number:
        raise Refusal(f"concurrency {most}: at most {limit.number} requests can be under way here, as {limit.why}")
    return plan


def _chosen(plan: BenchPlan, names: tuple[str, ...]) -> tuple[str, ...]:
    """The endpoints of the command line, in the plan's order. Raises a Refusal."""
    if not plan.endpoints:
        return tuple(dict.fromkeys(names))
    for name in names:
        if name not in plan.endpoints:
            raise Refusal(f"plan {plan.name} has no endpoint {name!r}; it has: {', '.join(plan.endpoints)}")
    return tuple(name for name in plan.endpoints if name in names)


def changed(profile: Profile, plan: BenchPlan, options: BenchOptions) -> Profile:
    """The profile with what the options change of the plan's endpoints."""
    import msgspec

    from gwtui.bench.campaign.campaign import endpoints_of
    from gwtui.config import endpoint_from

    changes = given(omit=options.omit, stream=options.stream)
    mine = {each.name for each in endpoints_of(plan, profile)} if changes else set()
    endpoints = tuple(
        endpoint_from(over(each, changes), each) if each.name in mine else each for each in profile.endpoints
    )
    return msgspec.structs.replace(profile, endpoints=endpoints)


def plan_faults(config: Config) -> Iterator[ConfigFault]:
    """Prompts, objectives and gates of plans that cannot be used."""
    from gwtui.bench.campaign import campaign
    from gwtui.config.errors import ConfigFault, dotted
    from gwtui.config.tomlfile import Lines, read

    lines = Lines(read(config.path))
    for plan in config.plans:
        for each in campaign.plan_faults(plan, config.profile(plan.profile)):
            yield ConfigFault(config.path, lines.of(each.path), dotted(each.path), each.message, each.hint)


def print_plans(config: Config) -> None:
    """What each plan of a configuration without faults will do."""
    from gwtui.bench.campaign.campaign import campaign_of
    from gwtui.bench.campaign.campaign_outlook import plan_lines

    for plan in config.plans:
        for line in ["", *plan_lines(campaign_of(plan, config.profile(plan.profile)))]:
            say(shown(line))
