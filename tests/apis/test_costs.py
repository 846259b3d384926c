"""What an answer cost is read where gateways tell it, and never invented."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from support.streams import json_values

from gwtui.apis.costs import MOST_USD, header_cost, usage_cost
from gwtui.apis.tokens import merged, token_usage


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"cost": 0.00014}, 0.00014),
        ({"cost": 0}, 0.0),
        ({"cost": {"total_cost": 0.006, "request_cost": 0.005}}, 0.006),
        ({"cost": "0.1"}, None),
        ({"cost": True}, None),
        ({"cost": -1}, None),
        ({"cost": MOST_USD}, None),
        ({"cost": math.nan}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_usage_object_tells_it(usage: object, usd: float | None) -> None:
    assert usage_cost(usage) == usd


@pytest.mark.parametrize(
    ("value", "usd"), [("9.5e-06", 9.5e-06), (" 0.25 ", 0.25), ("None", None), ("nan", None), ("-1", None), ("", None)]
)
def test_a_header_tells_it(value: str, usd: float | None) -> None:
    assert header_cost([("X-LiteLLM-Response-Cost", value)]) == usd


def test_the_last_one_that_is_told_counts() -> None:
    first, last = token_usage({"cost": 0.1}), token_usage({"prompt_tokens": 1, "cost": 0.2})
    assert merged(last, first).cost_usd == 0.2
    assert merged(token_usage({"prompt_tokens": 1}), first).cost_usd == 0.1


@given(json_values("total_cost"))
def test_no_value_is_too_strange(value: object) -> None:
    usd = usage_cost({"cost": value})
    assert usd is None or 0 <= usd < MOST_USD
