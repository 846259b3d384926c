"""What a gate can be about besides latencies, verdicts and findings. The help of `bench` lists them, so this loads
nothing else."""

from __future__ import annotations

SHARES = ("fail_rate", "success", "inexact_share")
COUNTS = ("failed", "never_sent")
PER_S = ("goodput", "throughput", "tokens_per_s", "tokens_per_s_total")
MEASURES = (*SHARES, *COUNTS, *PER_S)
