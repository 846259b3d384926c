"""Navigation as steps from one query to the next. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from gwtui.feeds import WantedStream
from gwtui.model.columns import OPTIONAL_COLUMNS
from gwtui.model.enums import BAD
from gwtui.model.incidents import Incident
from gwtui.model.metrics import BY_RANK
from gwtui.model.profile import Endpoint
from gwtui.model.query import AS_IN_PROFILE, WORST_FIRST, Grouping, Query, Window
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.panels.endpoint_table import COLUMNS

WINDOWS = tuple(Window)


def columns(width: int) -> int:
    """In how many shares charts of a screen that wide cut their window: so few that a share holds several results."""
    return max(16, min(width // 5, 40))


def other_window(query: Query, step: int) -> Query:
    """The next longer window for 1, the next shorter for -1; at the ends it stays."""
    place = WINDOWS.index(query.window) + step
    return replace(query, window=WINDOWS[max(0, min(place, len(WINDOWS) - 1))])


def other_metric(query: Query, step: int) -> Query:
    """The next latency for 1, the one before for -1, round and round."""
    return replace(query, metric=BY_RANK[(BY_RANK.index(query.metric) + step) % len(BY_RANK)])


def next_order(query: Query) -> Query:
    """After the worst first as in the profile, then by each column, names from A on and all else from the greatest."""
    shown = [column for column in COLUMNS if column not in OPTIONAL_COLUMNS or column in query.columns]
    orders = (WORST_FIRST, AS_IN_PROFILE, *shown)
    place = orders.index(query.sort) if query.sort in orders else 0
    order = orders[(place + 1) % len(orders)]
    return replace(query, sort=order, descending=order not in (WORST_FIRST, AS_IN_PROFILE, "endpoint", "api", "why"))


def ordered_by(query: Query, column: str) -> Query:
    """Ordered by the column with its greatest first; the other way round where it was so already."""
    return replace(query, sort=column, descending=not query.descending if query.sort == column else True)


def next_grouping(query: Query, endpoints: Iterable[Endpoint]) -> Query:
    """Grouped by the next thing, with nothing folded; by tags only where there are any."""
    has_tags = any(endpoint.tags for endpoint in endpoints)
    groupings = [each for each in Grouping if has_tags or each is not Grouping.TAG]
    place = groupings.index(query.group) if query.group in groupings else -1
    return replace(query, group=groupings[(place + 1) % len(groupings)], folded=frozenset())


def with_fold(query: Query, group: str) -> Query:
    """The group folded, or unfolded where it was."""
    return replace(query, folded=query.folded ^ {group})


def other_request(view: View, step: int) -> Query:
    """A newer or older probe of the selected endpoint; past the newest it follows again."""
    numbers = sorted(row.number for row in view.recent)
    if not numbers:
        return view.query
    shown = shown_number(view)
    place = (numbers.index(shown) if shown in numbers else len(numbers)) + step
    return replace(view.query, request=numbers[max(0, place)] if place < len(numbers) else None)


def shown_number(view: View) -> int | None:
    """The number of the probe that the stream panel and the details show; None while there is no probe."""
    if view.stream is not None:
        return view.stream.number
    return view.probed.number if view.probed is not None else None


def why_no_request(view: View) -> str:
    """Why no probe is shown."""
    newest = next(iter(view.recent), None)
    if newest is None or view.selected is None:
        return "There is no request yet"
    row = f"; its row is in {view.header.session_dir}" if view.header.session_dir else ""
    return f"{view.selected.name} #{newest.number} is no longer kept in full{row}"


def wanted_stream(view: View) -> WantedStream | None:
    """The probe whose events should be shown and are not kept in memory: the one that was chosen, or that is shown."""
    selected, stream, chosen = view.selected, view.stream, view.query.request
    if selected is None or view.probed is not None or (stream is None and chosen is None):
        return None
    is_chosen = chosen is not None and view.query.endpoint in (None, selected.name)
    if chosen is not None and is_chosen and (stream is None or stream.number != chosen):
        return WantedStream(selected.name, chosen, "")
    if stream is None or stream.lines or stream.request is None or not stream.request.events:
        return None
    return WantedStream(stream.endpoint, stream.number, units.timestamp(stream.started_at))


def shown_trace_id(view: View) -> tuple[int, str] | None:
    """The number and the trace id of the probe that is shown, or of the newest before it while it is under way."""
    shown = view.stream.request if view.stream is not None else view.probed
    row = shown if shown is not None else next(iter(view.recent), None)
    return (row.number, row.trace_id) if row is not None and row.trace_id else None


def worst_incident(view: View) -> Incident | None:
    """Of the open ones the worst: not acknowledged, the most severe, with the most failures."""
    weight = {state: place for place, state in enumerate(BAD)}
    return max(
        view.open_incidents,
        key=lambda each: (not each.acknowledged, weight.get(each.severity, -1), each.failures),
        default=None,
    )


def written_up(view: View, number: int | None) -> str:
    """What is written up, in words: incident `number`, or 15 minutes."""
    if number is not None:
        return f"incident {number}"
    return "the last 15 minutes" if view.query.at_ns is None else f"15 minutes around {units.clock(view.at)}Z"


def file_name(text: str) -> str:
    """The text as part of a file's name: letters, digits and hyphens."""
    return re.sub(r"[^0-9A-Za-z]+", "-", text).strip("-")


def incident_to_acknowledge(view: View, under_cursor: Incident | None) -> Incident | None:
    """The incident under the cursor while it is open; else the newest that is, one that is not acknowledged first."""
    open_ones = {incident.number: incident for incident in view.open_incidents}
    if under_cursor is not None and under_cursor.number in open_ones:
        return open_ones[under_cursor.number]
    return max(open_ones.values(), key=lambda each: (not each.acknowledged, each.number), default=None)
