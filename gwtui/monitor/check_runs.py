"""The newest run of checks of every endpoint, collected from its records."""

from __future__ import annotations

from collections.abc import Collection

from gwtui.model.check_results import CheckResult, CheckRun
from gwtui.model.view import ChecksView


class CheckRuns:
    """Follows the runs. A result that no run has announced is left out."""

    def __init__(self) -> None:
        self._runs: dict[str, CheckRun] = {}
        self._results: dict[str, dict[str, CheckResult]] = {}

    def follow(self, run: CheckRun) -> None:
        before = self._runs.get(run.endpoint)
        if before is None or before.started_at != run.started_at:
            self._results[run.endpoint] = {}
        self._runs[run.endpoint] = run

    def add(self, result: CheckResult) -> None:
        run = self._runs.get(result.endpoint)
        if run is not None and any(result.name == check.name for check in run.planned):
            self._results[result.endpoint][result.name] = result

    def keep(self, endpoints: Collection[str]) -> None:
        """Let go of all others."""
        for name in self._runs.keys() - set(endpoints):
            del self._runs[name], self._results[name]

    def view(self, endpoint: str, at_ns: int) -> ChecksView | None:
        """The checks that had ended by that moment. None: it was not checked in this session, or not yet."""
        run = self._runs.get(endpoint)
        if run is None:
            return None
        results = tuple(result for result in self._results[endpoint].values() if result.now_ns <= at_ns)
        return ChecksView(run, results) if results or run.now_ns <= at_ns else None
