"""Which checks apply to an endpoint, and how many requests they take, before anything is sent. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.apis import SOCKET_APIS, kind_of
from gwtui.checks.check import Check
from gwtui.checks.registry import CHECKS
from gwtui.checks.request_plans import request_plan
from gwtui.checks.request_sets import HEAVY, CheckTarget, RequestSet
from gwtui.model.profile import Endpoint


def why_none(endpoint: Endpoint) -> str:
    """Why there are no checks of the endpoint, whatever their names; "" where there are."""
    api = endpoint.api
    return f"{api} is asked over a WebSocket, and checks send HTTP requests or pings" if api in SOCKET_APIS else ""


def checks_for(target: CheckTarget, names: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks that are asked of this kind of endpoint, in their order; with names, only those."""
    if why_none(target.endpoint):
        return ()
    kind = kind_of(target.endpoint.api)
    return tuple(check for check in CHECKS if kind in check.kinds and (not names or check.name in names))


def requests_of(checks: Sequence[Check], target: CheckTarget) -> list[int]:
    """The most requests that each check adds to those before it. What several checks need is sent once."""
    seen: set[RequestSet] = set()
    counts = []
    for check in checks:
        needs = set(needs_of(check)) - seen
        seen |= needs
        counts.append(sum(request_plan(need, target).most for need in needs))
    return counts


def needs_of(check: Check) -> tuple[RequestSet, ...]:
    """What it needs, in the order of gathering; heavy requests come after plain ones that show whether to dare."""
    needs = set(check.needs)
    if needs & HEAVY:
        needs |= {RequestSet.STREAM}
    return tuple(need for need in RequestSet if need in needs)
