"""`gwtui selftest` put together."""

from __future__ import annotations

import os

from gwtui.cli.console import OwnFaultError, Refusal, say


def selftest(seconds: float, *, as_json: bool) -> int:
    """Measure what is known, and tell how far off that was."""
    from gwtui.gateway.process import GatewayError
    from gwtui.selftest.report import as_text, run
    from gwtui.selftest.trial import TrialError

    if os.name != "posix":
        raise Refusal("the self-test needs a system with pseudo-terminals, such as Linux or macOS")
    try:
        results = run(seconds)
    except (TrialError, GatewayError) as error:
        raise OwnFaultError(f"the self-test did not come to its end: {error}") from error
    say(results.to_json() if as_json else as_text(results))
    return 0
