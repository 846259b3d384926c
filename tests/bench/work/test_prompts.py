"""Files of prompts: three forms of lines, bad lines by their numbers, an order, and what requests ask of them."""

from __future__ import annotations

import csv
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support.answering import answering
from support.monitor_stage import endpoint

from gwtui.apis.question import Said
from gwtui.bench.work import prompts as module
from gwtui.bench.work.prompts import Prompts, PromptsError
from gwtui.bench.work.targets import TargetError
from gwtui.bench.work.workload import Workload, check_questions
from gwtui.cli import bench

ANSWER = json.dumps({"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]}).encode()


def written(directory: Path, *lines: Any) -> Path:
    path = directory / "p.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_bytes("".join(f"{text}\n" for text in texts).encode("utf-8", "surrogateescape"))
    return path


def numbered(*texts: str) -> list[dict[str, str]]:
    return [{"prompt": text} for text in texts]


FORMS = [
    ({"prompt": "why?"}, [Said("user", "why?")]),
    (
        {"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"}], "model": "m"},
        [Said("system", "be brief"), Said("user", "why?")],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "w"}, {"type": "text", "text": "hy?"}]}]},
        [Said("user", "why?")],
    ),
    ([{"role": "developer", "content": "be brief"}, {"role": "user", "content": "why?"}],
     [Said("system", "be brief"), Said("user", "why?")]),
    (
        {"id": "x", "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yes"},
         {"from": "human", "value": "why?"}, {"from": "gpt", "value": "because"}]},
        [Said("user", "hi"), Said("assistant", "yes"), Said("user", "why?")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "talk"), FORMS)
def test_a_line_is_asked_until_its_last_question(line: Any, talk: list[Said], tmp_path: Path) -> None:
    with Prompts(written(tmp_path, "", line)) as prompts:
        found = prompts.at(1)
    assert (found.line, list(found.talk)) == (2, talk)


def test_the_same_question_has_the_same_hash_in_every_form(tmp_path: Path) -> None:
    lines = [FORMS[0][0], FORMS[2][0], {"conversations": [{"from": "human", "value": "why?"}]}, {"prompt": "who?"}]
    with Prompts(written(tmp_path, *lines)) as prompts:
        hashes = [prompts.at(number).hash for number in range(1, 5)]
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: no JSON"),
        ("\udcff", "line 2: no JSON"),
        ("[" * 100_000, "line 2: "),
        ("7", "line 2: no object, but int"),
        ("[", "line 2: a JSON array: put each of its objects on a line"),
        ({"text": "a"}, "line 2: it has text, and none of messages, conversations and prompt"),
        ({"prompt": 7}, "line 2: its prompt is no text"),
        ({"prompt": ""}, "line 2: there is no text of a user"),
        ({"messages": []}, "line 2: there is no text of a user"),
        ({"messages": ["a"]}, "line 2: a message is no object"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "line 2: a message is from 'tool'"),
        ({"messages": [{"role": "user", "content": 7}]}, "line 2: the content of a message is neither"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "'image_url': only text is sent"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, "'str': only text is sent"),
        ({"conversations": [{"from": "gpt", "value": "a"}]}, "line 2: there is no text of a user"),
    ],
)
def test_a_bad_line_is_named_by_its_number(line: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(PromptsError) as error:
        Prompts(written(tmp_path, {"prompt": "a"}, line))
    assert said in str(error.value)
    assert str(error.value).startswith("p.jsonl: ")
    assert "\n" not in str(error.value)


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    """With a byte order mark, and with its line ends."""
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "one"}\r\n\r\n{"prompt": "two"}\r\n')
    with Prompts(path) as prompts:
        assert [prompts.at(number).talk[0].text for number in (1, 2, 3)] == ["one", "two", "one"]


def test_some_bad_lines_are_named_and_the_others_counted(tmp_path: Path) -> None:
    with pytest.raises(PromptsError, match="line 5: no object, but int; and 4 more") as error:
        Prompts(written(tmp_path, *range(9)))
    assert "line 6" not in str(error.value)


def test_an_empty_file_and_an_endless_line_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PromptsError, match="there is no prompt in it"):
        Prompts(written(tmp_path, "", " "))
    monkeypatch.setattr(module, "MOST_LINE", 1 << 20)
    with pytest.raises(PromptsError, match="line 1: it is longer than 1 MiB"):
        Prompts(written(tmp_path, {"prompt": "a" * (1 << 20)}))


@given(st.text())
def test_any_line_is_a_prompt_or_is_named(line: str) -> None:
    with suppress(module._LineError):
        assert module._talk_of(line.encode("utf-8", "surrogatepass"))[-1].role == "user"


def test_requests_go_round_the_file_and_warm_ups_begin_at_its_end(tmp_path: Path) -> None:
    with Prompts(written(tmp_path, *numbered("a", "b", "c"))) as prompts:
        asked = endpoint("a", "openai-chat")
        workload = Workload(prompts=prompts)
        counted = [workload.asked(asked, number) for number in range(1, 6)]
        warming = [workload.asked(asked, number, warms_up=True) for number in range(1, 4)]
    assert [each and each.endpoint.prompt for each in counted] == ["a", "b", "c", "a", "b"]
    assert [each and each.endpoint.prompt for each in warming] == ["c", "b", "a"]


def test_a_seed_gives_an_order_and_gives_it_again(tmp_path: Path) -> None:
    path = written(tmp_path, *numbered(*map(str, range(50))))

    def order(seed: int | None) -> list[int]:
        with Prompts(path, seed) as prompts:
            return [prompts.at(number).line for number in range(1, 51)]

    assert order(None) == list(range(1, 51))
    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == order(None)


def test_a_pipe_is_read_as_a_file_is() -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"prompt": "a"}\n{"prompt": "b"}\n')
    os.close(writing)
    with Prompts(Path(f"/dev/fd/{reading}")) as prompts:
        assert (len(prompts), prompts.at(2).talk, prompts.name) == (2, (Said("user", "b"),), "a pipe")
    os.close(reading)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"api": "websocket"}, "e: --prompts is for completions"),
        ({"api": "http"}, "e: --prompts is for completions"),
        ({"api": "openai-chat", "body": {"messages": []}}, "its `body` has the question"),
        ({"api": "openai-chat", "turns": ({"prompt": "a"}, {"prompt": "b"})}, "it has `turns`"),
    ],
)
def test_endpoints_whose_question_cannot_be_another_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(TargetError) as error:
        check_questions([endpoint("e", **fields)], "--prompts")
    assert said in str(error.value)


def run(*line: str) -> Any:
    return CliRunner().invoke(bench.command, [*line, "--no-stream", "--json"])


def test_rows_say_which_prompt_was_asked(tmp_path: Path) -> None:
    path, rows = written(tmp_path, *numbered("a", "b", "c")), tmp_path / "rows.csv"
    with answering() as gateway:
        gateway.answer = lambda _: (200, ANSWER)
        line = ["--prompts", str(path), "--requests", "4", "--request-csv", str(rows)]
        result = run("--api", "openai-chat", "--url", gateway.url, *line)
        asked = [each.json["messages"][0]["content"] for each in gateway.asked]
    assert result.exit_code == 0, result.output
    assert asked == ["a", "b", "c", "a"]
    found = [(row["prompt_line"], row["prompt_hash"]) for row in csv.DictReader(rows.read_text().splitlines())]
    assert [line for line, _ in found] == ["1", "2", "3", "1"]
    assert found[0] == found[3]
    assert json.loads(result.stdout)["plan"]["prompts"]["prompts"] == 3


def test_cold_and_warm_are_two_points_that_ask_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, *numbered("a", "b", "c"))
    with answering() as gateway:
        gateway.answer = lambda _: (200, ANSWER)
        line = ["--prompts", str(path), "--requests", "2", "--cold-warm"]
        result = run("--api", "openai-chat", "--url", gateway.url, *line)
        asked = [each.json["messages"][0]["content"] for each in gateway.asked]
    told = json.loads(result.stdout)
    assert [each["endpoint"] for each in told["endpoints"]] == ["openai-chat cold", "openai-chat warm"]
    assert asked[:2] == ["a", "b"], "the warm ones are sent once before, and not counted"
    assert [each["total_requests"] for each in told["endpoints"]] == [2, 2]
    cold = [text for text in asked if text.startswith("[")]
    assert [text.partition("\n")[2] for text in cold] == ["a", "b"]
    assert asked.index(cold[0]) == 2
    assert [text for text in asked if text not in cold] == ["a", "b"] * 2


def test_what_cannot_be_asked_so_is_refused_before_any_request(tmp_path: Path) -> None:
    bad = written(tmp_path, "{")
    with answering() as gateway:
        for line, said in (
            (["--prompts", str(bad)], "--prompts: p.jsonl: line 1: no JSON"),
            (["--prompts", str(tmp_path / "none")], "No such file"),
            (["--nonce", "--cold-warm"], "leave --nonce out"),
        ):
            result = run("--api", "openai-chat", "--url", gateway.url, *line)
            assert (result.exit_code, said in result.output) == (2, True), result.output
        assert not gateway.asked
