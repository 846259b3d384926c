"""What an endpoint may tolerate, and what is left of it."""

from __future__ import annotations

import re
from pathlib import Path

from support.streams import feed, named, names, unnamed

import gwtui.apis
from gwtui.apis import SAVED_APIS
from gwtui.apis.base import StreamReader
from gwtui.apis.rules import TOLERABLE, is_tolerated, line_to_tolerate
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

NO_STREAM = "whole-message"
"""What breaks this rule is no stream, which nobody can read as one."""


def test_each_rule_of_the_course_of_a_stream_may_be_tolerated() -> None:
    sources = Path(gwtui.apis.__file__).parent.rglob("*.py")
    broken = {
        rule
        for path in sources
        for rule in re.findall(r'(?:break_rule|_unopened)\(\s*"([^"]+)"', path.read_text("utf-8"))
    }
    known = {rule.partition(".")[2] for rule in TOLERABLE}
    assert broken - known == {NO_STREAM}


def reader(api: str, *tolerate: str) -> StreamReader:
    return SAVED_APIS[api].reader(Endpoint(name="e", api=api, url="http://h", tolerate=tolerate))


def chunk(**fields: object) -> FramedEvent:
    return unnamed({"choices": [{"index": 0, **fields}]})


TEXT, STOP, DONE = chunk(delta={"content": "a"}), chunk(delta={}, finish_reason="stop"), unnamed("[DONE]")
TWICE = [TEXT, STOP, chunk(delta={}, finish_reason="length"), DONE]


def test_a_tolerated_breach_is_a_finding_with_its_rule() -> None:
    for name in ("openai.second-finish", "second-finish"):
        following = feed(reader("openai-chat", name), TWICE)
        assert following.end().verdict is Verdict.COMPLETE
        (found,) = following.findings
        assert found.name is FindingName.TOLERATED
        assert found.evidence == (
            "openai.second-finish: event 3: finish_reason length after finish_reason stop in event 2"
        )


def test_every_api_reads_what_its_endpoint_tolerates() -> None:
    sources = {path: path.read_text("utf-8") for path in Path(gwtui.apis.__file__).parent.rglob("*.py")}
    made = [line.strip() for text in sources.values() for line in text.splitlines() if "= StreamNotes(" in line]
    assert made
    assert [line for line in made if "tolerate" not in line] == []


def test_what_is_not_tolerated_still_counts() -> None:
    following = feed(reader("openai-chat", "openai.second-finish"), [*TWICE[:-1], TEXT, DONE])
    assert following.end().rule == "openai.content-after-finish"
    assert feed(reader("openai-chat", "anthropic.delta-index"), TWICE).end().rule == "openai.second-finish"
    assert feed(reader("openai-chat", "openai.second-finish"), TWICE[:1]).end().verdict is Verdict.TRUNCATED


def test_unnamed_events_of_anthropic_can_be_tolerated() -> None:
    start = {"id": "m", "role": "assistant", "content": [], "model": "claude-haiku-5-5", "usage": {"a": 1}}
    events = [
        named("message_start", message=start),
        named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        named("content_block_delta", index=0, delta={"type": "text_delta", "text": "a"}),
        named("content_block_stop", index=0),
        named("message_delta", delta={"stop_reason": "end_turn"}, usage={}),
        named("message_stop"),
    ]
    following = feed(
        reader("anthropic-messages", "unnamed-events"), [FramedEvent("message", event.data) for event in events]
    )
    assert following.end().verdict is Verdict.COMPLETE
    assert names(following.findings) == [FindingName.TOLERATED]


def test_only_rules_of_that_kind_are_tolerated() -> None:
    assert not is_tolerated("transport.reset", ("transport.reset",))
    assert not is_tolerated("openai.error-event", ("openai.error-event",))


def test_the_line_to_paste() -> None:
    found = (FindingName.ROLE_REPEATED, FindingName.TOLERATED)
    assert line_to_tolerate("openai.second-finish", found, failed=True) == 'tolerate = ["openai.second-finish"]'
    assert line_to_tolerate("openai.done", found, failed=False) == 'tolerate = ["role_repeated"]'
    assert line_to_tolerate("transport.reset", found, failed=True) == ""
    assert line_to_tolerate("openai.done", (), failed=False) == ""
