"""What a gate can be about besides latencies, verdicts and findings. The help of `bench` lists them, so this loads
nothing else."""

from __future__ import annotations

COUNTS = ("failed", "never_sent")
MEASURES = (
    *("fail_rate", "success", "inexact_share"),
    *COUNTS,
    "not_steady",
    *("goodput", "throughput", "tokens_per_s", "tokens_per_s_total"),
)
"""`gate_figures` says what each is."""
COMPARING = ("slower", "fails_more")
"""What needs a baseline besides ratios."""
