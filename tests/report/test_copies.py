"""What of a shown request can be copied: complete, correct, and without any key."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta, timezone

import msgspec
import pytest
from markdown_it import MarkdownIt
from support import story, views

from gwtui.codec.csv_schema import ping_of, request_of
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding, Phases, Request
from gwtui.model.verdicts import Verdict
from gwtui.model.view import View
from gwtui.report.copies import Copy, copies_of
from gwtui.secrets.resolver import resolve

CET = timezone(timedelta(hours=1), "CET")
KEY = "made-up-key-4711"
EVIL = "<script>x</script> `a` ``b | [c](https://e.example) **d** @all\n# 1"


def view_of(request: Request | None = None, endpoint: Endpoint = story.CLAUDE) -> View:
    stream = views.stream(request=request) if request is not None else views.stream(request=None)
    return replace(views.calm(), stream=stream, selected=endpoint)


def named(view: View) -> dict[str, Copy]:
    return {each.name: each for each in copies_of(view, CET)}


def test_all_of_a_request() -> None:
    found = named(view_of(views.request(Verdict.TRUNCATED, request_id="req_1", headers={"cf-ray": "8f0"})))
    assert [(each.key, each.missing) for each in found.values()] == [(key, "") for key in "trcsvm"]
    assert found["trace-id"].text == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert found["request-id"].text == "req_1"
    assert found["curl"].text.startswith("curl ")
    heading, row = csv.reader(found["row"].text.splitlines())
    again = request_of(dict(zip(heading, row, strict=True)))
    assert (again.endpoint, again.number, again.verdict) == ("gateway-claude", 184, Verdict.TRUNCATED)


def test_the_raw_stream_is_all_that_is_kept_with_its_times() -> None:
    view = view_of(views.request())
    assert view.stream is not None
    found = named(replace(view, stream=replace(view.stream, lines_dropped=7)))["stream"]
    lines = found.text.splitlines()
    assert len(lines) == len(view.stream.lines)
    first = view.stream.lines[0]
    assert lines[0] == f"+{first.since_sent_ns / 1e9:.3f} s  {first.event.name}  {first.event.raw}"
    assert found.about == "7 older events not kept"


def test_the_ticket_says_all_that_a_provider_asks_for() -> None:
    request = views.request(
        Verdict.TRUNCATED,
        reason="no message_stop",
        rule="anthropic.no-stop",
        event_number=12,
        request_id="req_1",
        headers={"cf-ray": "8f0"},
        body_excerpt="line 1\nline 2",
        findings=(Finding(name=FindingName.MODEL_DIFFERS, evidence="asked x"),),
        phases=Phases(dns_ns=2_000_000, address="192.0.2.7:443"),
    )
    text = named(view_of(request))["ticket"].text
    for said in (
        "## `truncated`: `gateway-claude #184`",
        "UTC",
        "CET",
        "`req_1`",
        "`anthropic.no-stop`, decided by event 12",
        "`POST https://gateway.example.com/v1/messages`",
        "`192.0.2.7:443`",
        "- `cf-ray`: `8f0`",
        "    line 2",
        "- `DNS`: `2.00 ms`",
        "`model_differs` `asked x`",
        "### The last 8 events",
    ):
        assert said in text, said


def test_what_a_gateway_says_is_no_markup_in_a_ticket() -> None:
    request = views.request(Verdict.TRUNCATED, reason=EVIL, rule=EVIL, body_excerpt=EVIL, headers={EVIL: EVIL})
    tokens = MarkdownIt().parse(named(view_of(request))["ticket"].text)
    kinds = {each.type for token in tokens for each in (token, *(token.children or ()))}
    assert not kinds & {"html_block", "html_inline", "link_open", "em_open"}
    assert sum(token.type == "heading_open" for token in tokens) == 5


def test_what_is_not_there_says_why() -> None:
    running = named(view_of(None))
    assert {name: each.missing for name, each in running.items() if each.missing} == {
        "trace-id": "it is under way",
        "request-id": "it is under way",
        "row": "it is under way",
        "ticket": "it is under way",
    }
    bare = named(view_of(views.request(trace_id="")))
    assert bare["trace-id"].missing == "it has none"
    assert bare["request-id"].missing == "the gateway gave none"
    broken = named(view_of(views.request(), msgspec.structs.replace(story.CLAUDE, url="gopher://x")))
    assert broken["curl"].missing.startswith("`url` must begin with")
    assert copies_of(replace(views.calm(), stream=None, probed=None), CET) == ()


def test_a_ping_has_them_too() -> None:
    view = replace(views.calm(), stream=None, probed=story.ping(1, 0, Verdict.CLOSED), selected=story.SOCKET)
    found = named(view)
    assert [name for name, each in found.items() if each.missing] == ["stream"]
    heading, row = csv.reader(found["row"].text.splitlines())
    assert ping_of(dict(zip(heading, row, strict=True))).verdict is Verdict.CLOSED
    assert found["curl"].about == "the WebSocket's handshake alone"
    assert "closed" in found["ticket"].text


def test_nothing_that_is_copied_holds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARRY_KEY", KEY)
    resolve("env:CARRY_KEY")
    request = views.request(
        Verdict.TRUNCATED,
        reason=f"refused {KEY}",
        rule=KEY,
        trace_id=KEY,
        request_id=KEY,
        body_excerpt=KEY,
        headers={KEY: KEY},
        model=KEY,
    )
    endpoint = msgspec.structs.replace(story.CLAUDE, key="env:CARRY_KEY", prompt=f"say {KEY}", headers={"X": KEY})
    view = view_of(request, endpoint)
    assert view.stream is not None
    lines = tuple(replace(each, event=msgspec.structs.replace(each.event, raw=KEY)) for each in view.stream.lines)
    for copy in copies_of(replace(view, stream=replace(view.stream, lines=lines)), CET):
        assert copy.text
        assert KEY not in copy.text
