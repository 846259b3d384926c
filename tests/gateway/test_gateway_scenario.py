"""Scenarios: which request meets which behaviour, and when its bytes are due."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.framing import timeline
from gwtui.gateway.scenario import ScenarioError, load_scenario, parse_scenario
from gwtui.gateway.texts import pieces, tokens_of
from gwtui.gateway.timeline import Part, TimedEvent, whole_answer_s

S = 1_000_000_000
CHAT = "/v1/chat/completions"

RULES = """
[default]
ttft_ms = 100
gap_ms = 10

[[rule]]
model = "gpt-*"
ttft_ms = 200

[[rule]]
model = "gpt-4*"
from_s = 10
to_s = 20
status = 503

[[rule]]
path = "/v2/*"
from_s = 5
to_s = 6
every_s = 60
drop = true

[[rule]]
model = "claude"
every_nth = 3
cut_after = 7

[[rule]]
model = "both"
cut_after = 1
buffer = true

[[rule]]
model = "both"
cut_after = 2
"""


@pytest.mark.parametrize(
    ("path", "model", "at_s", "nth", "expected"),
    [
        (CHAT, "other", 0, 1, {"ttft_ms": 100, "gap_ms": 10}),
        (CHAT, "gpt-3", 0, 1, {"ttft_ms": 200, "gap_ms": 10}),
        (CHAT, "gpt-3", 15, 1, {"status": None}),
        (CHAT, "gpt-4", 9.99, 1, {"status": None}),
        (CHAT, "gpt-4", 10, 1, {"status": 503, "ttft_ms": 200}),
        (CHAT, "gpt-4", 19.99, 1, {"status": 503}),
        (CHAT, "gpt-4", 20, 1, {"status": None}),
        ("/v2/websocket", "", 5.5, 1, {"drop": True}),
        ("/v2/websocket", "", 6, 1, {"drop": None}),
        ("/v2/websocket", "", 65.5, 1, {"drop": True}),
        ("/v2/websocket", "", 64.9, 1, {"drop": None}),
        ("/v2/websocket", "", 4.9, 1, {"drop": None}),
        ("/other/websocket", "", 5.5, 1, {"drop": None}),
        (CHAT, "claude", 0, 2, {"cut_after": None}),
        (CHAT, "claude", 0, 3, {"cut_after": 7}),
        (CHAT, "claude", 0, 6, {"cut_after": 7}),
        (CHAT, "both", 0, 1, {"cut_after": 2, "buffer": True}),
    ],
)
def test_every_rule_that_matches_lays_its_fields_over_the_former(
    path: str, model: str, at_s: float, nth: int, expected: dict[str, Any]
) -> None:
    behaviour = parse_scenario(RULES).behaviour(path, model, at_s, nth)
    assert {name: getattr(behaviour, name) for name in expected} == expected


def test_a_scenario_plays_the_same_way_every_time() -> None:
    text = "[default]\nttft_ms = [100, 900]\ngap_ms = [5, 50]\ntokens = [10, 90]"
    once = [parse_scenario(text).behaviour(CHAT, "m", 0, nth) for nth in range(1, 50)]
    again = [parse_scenario(text).behaviour(CHAT, "m", 99, nth) for nth in range(1, 50)]
    other_seed = [parse_scenario("seed = 2\n" + text).behaviour(CHAT, "m", 0, nth) for nth in range(1, 50)]
    assert once == again
    assert len({behaviour.ttft_ms for behaviour in once}) == 49
    assert once[0].ttft_ms != other_seed[0].ttft_ms


def test_fixing_one_number_leaves_the_other_draws_alone() -> None:
    drawn = parse_scenario("[default]\nttft_ms = [100, 900]\ngap_ms = [5, 50]\ntokens = [10, 90]")
    fixed = parse_scenario("[default]\nttft_ms = 100\ngap_ms = [5, 50]\ntokens = [10, 90]")
    for nth in range(1, 20):
        one, two = drawn.behaviour(CHAT, "m", 0, nth), fixed.behaviour(CHAT, "m", 0, nth)
        assert (one.gap_ms, one.tokens) == (two.gap_ms, two.tokens)


def test_a_span_of_milliseconds_holds_nine_draws_of_ten_and_leans_to_its_low_end() -> None:
    scenario = parse_scenario("[default]\nttft_ms = [200, 800]")
    draws = sorted(scenario.behaviour(CHAT, "m", 0, nth).ttft_ms for nth in range(1, 2001))
    assert 0.87 < sum(200 <= draw <= 800 for draw in draws) / len(draws) < 0.93
    assert 370 < quantiles(draws, n=2)[0] < 430  # the median is the geometric mean, 400
    assert draws[-1] > 800


def test_a_span_of_tokens_reaches_both_its_ends() -> None:
    scenario = parse_scenario("[default]\ntokens = [3, 6]")
    assert {scenario.behaviour(CHAT, "m", 0, nth).tokens for nth in range(1, 200)} == {3, 4, 5, 6}


def test_a_share_hits_about_that_share_of_the_requests() -> None:
    scenario = parse_scenario("[[rule]]\nshare = 0.25\ndrop = true")
    hits = sum(scenario.behaviour("/v2/websocket", "", 0, nth).drop is True for nth in range(1, 2001))
    assert 440 < hits < 560


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed = ", ""),
        ("sede = 1", "sede"),
        ("[[rule]]\nttft = 3", "rule[0]: "),
        ("[default]\nmodel = 'x'", "default: "),
        ("[[rule]]\nttft_ms = 'fast'", "rule[0].ttft_ms: "),
        ("[[rule]]\n[[rule]]\nttft_ms = [1, 2, 3]", "rule[1].ttft_ms: "),
        ("[[rule]]\nttft_ms = [9, 3]", "rule[0]: `ttft_ms`"),
        ("[[rule]]\nttft_ms = -1", "rule[0]: `ttft_ms`"),
        ("[[rule]]\ngap_ms = nan", "rule[0]: `gap_ms`"),
        ("[[rule]]\ngap_ms = inf", "rule[0]: `gap_ms`"),
        ("[default]\ntokens = [2, 1]", "default: `tokens`"),
        ("[default]\ntokens = 1.5", "default.tokens: Expected"),
        ("[[rule]]\nfrom_s = 9\nto_s = 9", "rule[0]: `to_s`"),
        ("[[rule]]\nevery_s = 9", "rule[0]: `every_s`"),
        ("[[rule]]\nevery_nth = 0", "rule[0].every_nth: Expected"),
        ("[[rule]]\nshare = 1.5", "rule[0].share: Expected"),
        ("[[rule]]\nstatus = 99", "rule[0].status: Expected"),
        ('[[rule]]\nheaders = { a = "b\\r\\nc: d" }', "rule[0]: the header 'a'"),
        pytest.param(f"seed = {'[' * 5000}", "nested too deeply", id="depth"),
        pytest.param(f"seed = {'9' * 5000}", "4300 digits", id="digits"),
    ],
)
def test_a_wrong_scenario_names_its_file_and_key(text: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario(text, "story.toml")
    assert str(error.value).startswith("story.toml: ")
    assert expected in str(error.value)


@pytest.mark.parametrize("content", [None, b"seed = 1 # \xff"])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "story.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScenarioError, match=r"story\.toml"):
        load_scenario(path)


EVENTS = [
    TimedEvent(Part.OPENING, b"<"),
    *(TimedEvent(Part.TOKEN, letter) for letter in (b"a", b"b", b"c", b"d")),
    TimedEvent(Part.CLOSING, b"."),
    TimedEvent(Part.CLOSING, b">"),
]


def test_a_good_answer_keeps_its_pace() -> None:
    plan = timeline(EVENTS, b"!", Behaviour(ttft_ms=1000, gap_ms=10))
    assert [send.data for send in plan.sends] == [event.data for event in EVENTS]
    assert [round(send.at_s, 6) for send in plan.sends] == [0.85, 1, 1.01, 1.02, 1.03, 1.03, 1.03]
    assert not plan.stalls


def test_jitter_strays_around_the_gap_and_never_turns_back() -> None:
    events = [TimedEvent(Part.TOKEN, b"x")] * 400
    at = [send.at_s for send in timeline(events, b"", Behaviour(gap_ms=10, jitter=0.5)).sends]
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert all(0.0049 < gap < 0.0151 for gap in gaps)
    assert max(gaps) - min(gaps) > 0.008


@pytest.mark.parametrize(
    ("fault", "sent", "stalls"),
    [
        *(({"cut_after": count}, b"<abcd.>"[:count], False) for count in range(9)),
        *(({"stall_after": count}, b"<abcd.>"[:count], True) for count in range(9)),
        *(({"error_after": count}, b"<abcd.>"[:count] + b"!", False) for count in range(9)),
        ({"error_after": 3, "stall_after": 9}, b"<ab!", True),
        ({"buffer": True}, b"<abcd.>", False),
        ({"buffer": True, "cut_after": 3}, b"<ab", False),
        ({"buffer": True, "cut_after": 0}, b"", False),
    ],
)
def test_a_fault_is_a_change_of_the_timeline(fault: dict[str, Any], sent: bytes, stalls: bool) -> None:
    plan = timeline(EVENTS, b"!", Behaviour(ttft_ms=100, gap_ms=10, **fault))
    assert b"".join(send.data for send in plan.sends) == sent
    assert plan.stalls is stalls
    assert [send.at_s for send in plan.sends] == sorted(send.at_s for send in plan.sends)


DAMAGE: list[tuple[dict[str, Any], bytes]] = [
    ({"lose_event": 1}, b"abcd.>"),
    ({"lose_event": 7}, b"<abcd."),
    ({"lose_event": 8}, b"<abcd.>"),
    ({"repeat_event": 1}, b"<<abcd.>"),
    ({"repeat_event": 7}, b"<abcd.>>"),
    ({"swap_event": 1}, b"a<bcd.>"),
    ({"swap_event": 6}, b"<abcd>."),
    ({"swap_event": 7}, b"<abcd.>"),
    ({"after_end": "token"}, b"<abcd.>d"),
    ({"after_end": "stream"}, b"<abcd.><abcd.>"),
    ({"cut_last": 1}, b"<abcd."),
    ({"cut_last": 9}, b""),
    ({"insert": "_"}, b"_<abcd.>"),
    ({"insert": "_", "insert_after": 3}, b"<ab_cd.>"),
    ({"insert": "_", "insert_after": 99}, b"<abcd.>_"),
    ({"comments": 2}, b": ping\n\n: ping\n\n<abcd.>"),
    ({"bom": True}, b"\xef\xbb\xbf<abcd.>"),
    ({"lose_event": 2, "cut_after": 3}, b"<bc"),
]


@pytest.mark.parametrize(("fault", "sent"), DAMAGE)
def test_damage_to_events_shows_in_what_is_sent(fault: dict[str, Any], sent: bytes) -> None:
    sends = timeline(EVENTS, b"!", Behaviour(ttft_ms=100, gap_ms=10, **fault)).sends
    assert b"".join(send.data for send in sends) == sent
    assert [send.at_s for send in sends] == sorted(send.at_s for send in sends)


SSE = b'event: delta\ndata: {"type":"delta","index":0,"sequence_number":4}\n\n'
GARBLED: list[tuple[str, bytes]] = [
    ("half", b'event: delta\ndata: {"type":"delta","index"\n\n'),
    ("index", SSE.replace(b'"index":0', b'"index":7')),
    ("sequence", SSE.replace(b":4}", b":11}")),
    ("name", SSE.replace(b"event: delta", b"event: something_else")),
    ("line", SSE.replace(b"data:", b"dat:")),
    ("nul", b"id: a\0b\n" + SSE),
    ("numbers", SSE.replace(b":4}", b':4,"odd":NaN,"odd":1e999,"odd":-Infinity,"odd":' + b"9" * 400 + b"}")),
    ("utf8", SSE.replace(b":4}", b':4,"odd":"\xff\xfe\xc3( \xed\xa0\x80 \xf0\x9f"}')),
    ("deep", SSE.replace(b":4}", b':4,"deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
]


@pytest.mark.parametrize(("garble", "sent"), GARBLED, ids=[garble for garble, _ in GARBLED])
def test_a_garbled_event_is_spoilt_in_one_place(garble: str, sent: bytes) -> None:
    events = [TimedEvent(Part.TOKEN, SSE)] * 3
    behaviour = Behaviour(garble_event=2, garble=garble)  # type: ignore[arg-type]  # one of the literals
    assert [send.data for send in timeline(events, b"", behaviour).sends] == [SSE, sent, SSE]


@pytest.mark.parametrize(
    ("behaviour", "wire"),
    [
        (Behaviour(line_ends="cr"), SSE.replace(b"\n", b"\r")),
        (Behaviour(line_ends="crlf"), SSE.replace(b"\n", b"\r\n")),
        (Behaviour(no_last_blank=True), SSE[:-1]),
        (Behaviour(no_last_blank=True, line_ends="crlf"), SSE.replace(b"\n", b"\r\n")[:-2]),
    ],
)
def test_lines_end_as_they_are_told_to(behaviour: Behaviour, wire: bytes) -> None:
    for event in (SSE, SSE.replace(b"\n", b"\r\n")):
        if behaviour.line_ends is not None or event is SSE:
            assert [send.data for send in timeline([TimedEvent(Part.TOKEN, event)], b"", behaviour).sends] == [wire]


def test_a_compressed_stream_is_flushed_with_every_event_and_whole_at_its_end() -> None:
    sends = timeline(EVENTS, b"!", Behaviour(gzip=True)).sends
    assert gzip.decompress(b"".join(send.data for send in sends)) == b"<abcd.>"
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    assert [inflate.decompress(send.data) for send in sends] == [event.data for event in EVENTS]


def test_a_proxys_buffer_is_sent_when_it_is_full_and_at_the_end() -> None:
    sends = timeline(EVENTS, b"!", Behaviour(ttft_ms=100, gap_ms=10, burst_bytes=3)).sends
    assert [send.data for send in sends] == [b"<ab", b"cd.", b">"]
    assert [round(send.at_s, 6) for send in sends] == [0.11, 0.13, 0.13]


def test_a_corked_stream_is_sent_at_multiples_of_its_time() -> None:
    sends = timeline(EVENTS, b"!", Behaviour(ttft_ms=100, gap_ms=10, cork_ms=25)).sends
    assert [send.data for send in sends] == [b"<a", b"bc", b"d.>"]
    assert [round(send.at_s, 6) for send in sends] == [0.1, 0.125, 0.15]


def test_a_buffered_answer_is_one_burst_when_its_last_event_is_due() -> None:
    plan = timeline(EVENTS, b"!", Behaviour(ttft_ms=100, gap_ms=10, buffer=True))
    assert [send.data for send in plan.sends] == [b"<abcd.>"]
    assert plan.sends[0].at_s == pytest.approx(0.13)


def test_an_answer_that_is_not_streamed_takes_as_long_as_its_stream() -> None:
    behaviour = Behaviour(ttft_ms=100, gap_ms=10)
    assert whole_answer_s(4, behaviour) == pytest.approx(timeline(EVENTS, b"", behaviour).sends[-1].at_s)
    assert whole_answer_s(0, behaviour) == pytest.approx(0.1)


@given(st.text())
def test_pieces_are_the_text_again(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize("model", ["gpt-4o", "claude-3", "anthropic::claude", "starcoder", "llama-3", "anything", ""])
def test_every_model_has_something_to_say_at_any_length(model: str) -> None:
    assert "".join(tokens_of(model, 1)).strip()
    assert "".join(tokens_of(model, 1)) != "".join(tokens_of(model, 2)) or "llama" in model
    assert [len(tokens_of(model, 1, count)) for count in (0, 1, 500)] == [0, 1, 500]
