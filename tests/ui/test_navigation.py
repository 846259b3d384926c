"""Steps from one query to the next."""

from __future__ import annotations

from dataclasses import replace

from support import views

from gwtui.model.columns import OPTIONAL_COLUMNS
from gwtui.model.metrics import LATENCIES, Metric
from gwtui.model.query import Query, Window
from gwtui.model.view import RequestRow, View
from gwtui.ui.navigation import (
    WINDOWS,
    next_order,
    ordered_by,
    other_metric,
    other_request,
    other_window,
    shown_number,
    shown_trace_id,
    why_no_request,
)
from gwtui.ui.panels.endpoint_table import COLUMNS


def recent(*numbers: int) -> tuple[RequestRow, ...]:
    return tuple(RequestRow(number, views.AT, "complete", 400, f"trace-{number}") for number in numbers)


def looking_at(request: int | None, shown: int | None, *numbers: int) -> View:
    """A view of request `shown`, of which `numbers` have ended."""
    done = views.request(number=shown) if shown in numbers else None
    stream = views.stream(number=shown, request=done) if shown is not None else None
    return replace(views.calm(), query=Query(request=request), stream=stream, recent=recent(*numbers))


def test_windows_stop_at_their_ends() -> None:
    assert other_window(Query(window=Window.S30), -1).window is Window.S30
    assert other_window(Query(window=Window.ALL), 1).window is Window.ALL
    assert [other_window(Query(window=window), 1).window for window in WINDOWS[:-1]] == list(WINDOWS[1:])


def test_metrics_go_round_and_name_every_latency() -> None:
    query = Query()
    seen = []
    for _ in LATENCIES:
        seen.append(query.metric)
        query = other_metric(query, 1)
    assert query.metric is Metric.TTFT
    assert set(seen) == set(LATENCIES)
    assert other_metric(query, -1).metric is Metric.RTT


def test_the_key_orders_names_from_a_on_and_all_else_from_the_greatest() -> None:
    named = next_order(Query(sort="profile"))
    assert (named.sort, named.descending) == ("endpoint", False)
    by_state = next_order(next_order(named))
    assert (by_state.sort, by_state.descending) == ("state", True)


def test_orders_go_through_the_profiles_and_every_column_and_back_to_the_worst_first() -> None:
    query = Query(columns=("cost",))
    seen = []
    columns = [column for column in COLUMNS if column not in OPTIONAL_COLUMNS or column == "cost"]
    for _ in range(len(columns) + 2):
        query = next_order(query)
        seen.append(query.sort)
    assert seen == ["profile", *columns, ""]


def test_a_heading_orders_by_its_greatest_first_and_then_the_other_way_round() -> None:
    once = ordered_by(Query(), "p95")
    assert (once.sort, once.descending) == ("p95", True)
    twice = ordered_by(once, "p95")
    assert (twice.sort, twice.descending) == ("p95", False)
    assert ordered_by(twice, "fail").descending


def test_walking_through_requests() -> None:
    assert other_request(looking_at(None, 5, 4, 3, 2), -1).request == 4, "before the one under way"
    assert other_request(looking_at(4, 4, 4, 3, 2), -1).request == 3
    assert other_request(looking_at(2, 2, 4, 3, 2), -1).request == 2, "the oldest that is kept"
    assert other_request(looking_at(3, 3, 4, 3, 2), 1).request == 4
    assert other_request(looking_at(4, 4, 4, 3, 2), 1).request is None, "past the newest it follows again"
    assert other_request(looking_at(None, None), -1).request is None


def test_what_is_shown_of_a_websocket_is_its_ping() -> None:
    last = views.ping().last
    view = replace(views.calm(), stream=None, probed=last)
    assert shown_number(view) == 41
    assert shown_number(replace(view, probed=None)) is None


def test_the_trace_id_of_the_shown_request_or_of_the_newest_before_it() -> None:
    assert shown_trace_id(looking_at(4, 4, 5, 4)) == (4, "4bf92f3577b34da6a3ce929d0e0e4736")
    assert shown_trace_id(looking_at(None, 6, 5, 4)) == (5, "trace-5")
    assert shown_trace_id(looking_at(None, 6)) is None


def test_why_no_request_is_shown_says_whether_there_was_one() -> None:
    assert why_no_request(looking_at(None, None)) == "There is no request yet"
    said = why_no_request(looking_at(None, None, 3, 2))
    assert "#3 is no longer kept in full" in said
