"""How the help of `gwtui bench` and `gwtui compare` is laid out: options by what they are for, and what a gate is."""

from __future__ import annotations

import click

from gwtui.cli.options import FlagsAsGo

GROUPS: dict[str, tuple[str, ...]] = {
    "What to measure": (
        *("--plan", "--profile", "--config", "--api", "--url", "--path", "--key", "--model"),
        *("--since", "--window", "--usual"),
    ),
    "What to ask": ("--prompts", "--nonce", "--cold-warm", "--max-tokens", "--omit", "--stream"),
    "How much, and when": (
        *("--requests", "--for", "--deadline", "--warmup", "--concurrency", "--rate", "--arrivals", "--seed"),
        *("--replay", "--speed", "--together", "--interleave", "--sweep", "--find-limit", "--max-requests"),
    ),
    "What has to hold": ("--slo", "--fail-if", "--allow-undecided", "--baseline", "--baseline-endpoint"),
    "What to keep": (
        *("--json", "--csv", "--request-csv", "--junit"),
        *("--session-dir", "--no-session", "--resume"),
    ),
    "Cody Gateway and Sourcegraph": (
        *("--gateway", "--sgd", "--sourcegraph", "--sgp", "--provider", "--connectivity", "--use-special-header"),
    ),
}
"""Headings, and the options below each in their order; what is in none comes last."""
WIDEST_OPTION = 26
"""Columns of an option; the text of a longer one begins below it."""


class MeasureHelp(FlagsAsGo):
    """A command whose help has its options in groups, and says what `--fail-if` takes."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = {
            max(param.opts, key=len): record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)) is not None
        }
        for heading, names in GROUPS.items():
            _section(formatter, heading, [records.pop(name) for name in names if name in records])
        _section(formatter, "Other", list(records.values()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from gwtui.bench.gates.measures import COMPARING, MEASURES
        from gwtui.model.metrics import LATENCIES

        formatter.write_paragraph()
        formatter.write_text("Gates (--fail-if); 'NAME: p95_e2e>2s' is for one endpoint:")
        rows = [
            ("p95_ttft>800ms", f"avg, median, min, max or a percentile of {', '.join(LATENCIES)}"),
            ("fail_rate>1%", ", ".join(MEASURES)),
            ("truncated", "a verdict or a finding that no request may have; also truncated>5%"),
            ("p95_ttft>1.2x", f"a ratio to the baseline, by its 95 % interval; {', '.join(COMPARING)}"),
        ]
        with formatter.indentation():
            formatter.write_dl(rows, col_max=WIDEST_OPTION)
        formatter.write_paragraph()
        formatter.write_text(
            "Requests that were never sent count as failed. A gate is undecided, and ends with 1 unless "
            "--allow-undecided, where the results are too few or the limit is within the interval."
        )
        super().format_epilog(ctx, formatter)


def _section(formatter: click.HelpFormatter, heading: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(heading):
            formatter.write_dl(rows, col_max=WIDEST_OPTION)
