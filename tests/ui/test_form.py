"""The endpoint form used: fields by API, bad input, trials, applying, saving, leaving."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from support import story
from support.stage import Stage, on_stage
from textual.widgets import Button, Checkbox, Input, Select, TextArea

from gwtui.config import load
from gwtui.model.commands import PutEndpoint, RemoveEndpoint, Try
from gwtui.model.enums import Trigger
from gwtui.model.profile import TLS, Endpoint
from gwtui.model.records import FeedEnded, Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.ui.formrow import FormRow
from gwtui.ui.screens.form import EndpointForm, trial_text
from gwtui.ui.screens.monitor import MonitorScreen


def row(stage: Stage, name: str) -> FormRow:
    return next(row for row in stage.screen.query(FormRow) if row.field.name == name)


async def give(stage: Stage, name: str, text: str) -> None:
    """Fill a field in."""
    match row(stage, name).children[-1]:
        case Input() as line:
            line.value = text
        case TextArea() as area:
            area.text = text
        case Checkbox() as box:
            box.value = text == "yes"
        case Select() as select:
            select.value = text or Select.NULL
    await stage.pilot.pause()


def result(stage: Stage) -> str:
    return str(stage.screen.query_one("#result").render())


def shown(stage: Stage) -> set[str]:
    return {row.field.name for row in stage.screen.query(FormRow) if row.display}


@pytest.mark.parametrize("api", ["anthropic-messages", "http", "websocket"])
async def test_every_hint_fits_where_it_stands(api: str, tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(80, 24)) as stage:
        await stage.press("e")
        await give(stage, "api", api)
        below = stage.screen.query_one("#hint").content_size.width
        for each in stage.screen.query(FormRow).results():
            editor = each.children[-1]
            room = editor.content_size.width if isinstance(editor, Input) and not editor.value else below
            assert not each.display or len(each.field.hint) <= room, each.field.name


async def test_the_form_shows_the_fields_of_the_chosen_api(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("e")
        assert {"model", "stream", "max_tokens"} <= shown(stage)
        assert {"method", "expect"}.isdisjoint(shown(stage))
        await give(stage, "api", "http")
        assert {"method", "expect", "expect_status"} <= shown(stage)
        assert "model" not in shown(stage)
        await give(stage, "api", "websocket")
        assert {"expect", "body"} <= shown(stage)
        assert {"method", "deadlines.first_token_s"}.isdisjoint(shown(stage))


async def test_an_edit_takes_effect_at_once_and_can_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.press("e")
        await give(stage, "model", "opus")
        await give(stage, "stream", "no")
        await give(stage, "headers", "X-Team: a")
        await give(stage, "deadlines.idle_s", "7")
        await stage.press("ctrl+o")
        (command,) = stage.feed.sent
        assert isinstance(command, PutEndpoint)
        assert command.replaces == "gateway-claude"
        assert (command.endpoint.model, command.endpoint.stream, command.endpoint.headers) == (
            "opus",
            False,
            {"X-Team": "a"},
        )
        assert command.endpoint.deadlines is not None
        assert stage.notices == ["gateway-claude: applied for this session"]
        assert not path.exists()
        await stage.press("u")
        assert stage.feed.sent[-1] == PutEndpoint(endpoint=story.CLAUDE, replaces="gateway-claude")
        await stage.press("u")
        assert stage.notices == ["Nothing to undo"]


async def test_saving_writes_the_file_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n[profiles.test]\ninterval_s = 3 # calm\n")
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.press("a", "enter")
        await give(stage, "name", "added")
        await give(stage, "url", "https://new.example.com")
        await stage.press("ctrl+s")
        added = Endpoint(name="added", api="anthropic-messages", url="https://new.example.com", nonce=True)
        assert stage.feed.sent == [PutEndpoint(endpoint=added)]
        assert load(path).profile("test").endpoints == (added,)
        assert path.read_text().startswith("# mine\n[profiles.test]\ninterval_s = 3 # calm\n")
        assert stage.notices == [f"added: saved to {path}"]
        await stage.press("u")
        assert stage.feed.sent[-1] == RemoveEndpoint(name="added")
        assert path.read_text() == "# mine\n[profiles.test]\ninterval_s = 3 # calm\n"


BAD = (
    ("name", "", "name:"),
    ("name", "gateway-gpt", "'gateway-gpt' already exists"),
    ("url", "gateway", "URL: must begin with"),
    ("url", "ws://x", "URL: ws and wss are for the APIs websocket"),
    ("path", "https://a/b", "path: is a whole URL"),
    ("max_tokens", "many", "max tokens: 'many' is not a number"),
    ("body", "{", "body: not JSON"),
    ("key", "sk-ant-canary0123456789", "key: must say where the key is"),
    ("headers", "nonsense", "headers: write a line each"),
    ("headers", "Host Name: x", "headers"),
    ("interval_s", "0", "interval:"),
    ("overlap", "1.5", "overlap: '1.5' is not a number"),
    ("deadlines.total_s", "-1", "total:"),
    ("thresholds.degraded_fail_share", "7", "degraded at:"),
    ("thresholds.window_s", "nan", "window:"),
)


async def test_files_of_the_form_are_found_from_the_configurations_place(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.press("e")
        await give(stage, "tls.ca_file", "ca.pem")
        await give(stage, "tls.insecure", "yes")
        await stage.press("ctrl+s")
        (command,) = stage.feed.sent
    assert isinstance(command, PutEndpoint)
    assert command.endpoint.tls == TLS(ca_file=str(tmp_path / "ca.pem"), insecure=True)
    assert load(path).profile("test").endpoints[0].tls == command.endpoint.tls


async def test_bad_input_is_named_marked_and_gone_to(tmp_path: Path) -> None:
    found = {}
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("e")
        for name, text, message in BAD:
            field = row(stage, name)
            before = field.text
            await give(stage, name, text)
            await stage.press("ctrl+s")
            focused = stage.screen.focused
            found[name, text] = (
                message in result(stage),
                "canary" not in result(stage),
                field.has_class("-wrong"),
                focused is not None and field in focused.ancestors,
            )
            await give(stage, name, before)
        await stage.press("ctrl+o")
        assert not any(field.has_class("-wrong") for field in stage.app.query(FormRow))
        assert stage.feed.sent == [PutEndpoint(endpoint=story.CLAUDE, replaces="gateway-claude")]
    assert found == {(name, text): (True, True, True, True) for name, text, _ in BAD}


async def test_several_faults_are_reported_together(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("e")
        await give(stage, "url", "gateway")
        await give(stage, "overlap", "99")
        await stage.press("ctrl+o")
        assert {line.partition(":")[0] for line in result(stage).splitlines()} == {"URL", "overlap"}


async def test_trying_once_shows_its_result_and_only_its_own(tmp_path: Path) -> None:
    trial = replace(story.completed(1, 1000), trigger=Trigger.TRIAL)
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(trial)
        await stage.press("e")
        assert result(stage) == ""
        await stage.press("ctrl+t")
        assert stage.feed.sent == [Try(endpoint=story.CLAUDE)]
        assert result(stage) == "Trying …"
        await stage.show(story.completed(2, 2000))
        assert result(stage) == "Trying …"
        await stage.show(replace(trial, number=2, verdict=Verdict.AUTH, reason="HTTP 401"))
        assert result(stage) == "✖ auth: HTTP 401"
        assert stage.screen.query_one("#result").has_class("-wrong")
        await stage.press("ctrl+t")
        await stage.show(replace(trial, number=3))
        assert result(stage) == "✔ complete · TTFT 410 ms · E2E 1.11 s · 26 events"


async def test_a_trial_is_seen_while_the_picture_is_frozen(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("space", "e", "ctrl+t")
        await stage.show(replace(story.completed(1, 1000), trigger=Trigger.TRIAL))
        assert result(stage).startswith("✔ complete")


@pytest.mark.parametrize(
    ("trial", "text"),
    [
        (story.ping(2, 0), "✔ pong · RTT 13.0 ms"),
        (story.ping(2, 0, Verdict.NO_PONG), "✖ no_pong"),
        (story.healthy(3, 0), "✔ complete · E2E 4.00 ms"),
        (story.unavailable(1, 0), "✖ unavailable: HTTP 503: circuit_open"),
    ],
)
def test_a_trial_in_a_line(trial: Request | Ping, text: str) -> None:
    assert trial_text(trial) == text


async def test_without_an_engine_a_trial_says_so(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(FeedEnded(text="engine exited 1", failed=True))
        await stage.press("e", "ctrl+t")
        assert stage.notices == ["The engine is not running: ctrl+r starts it"]
        assert result(stage) == ""


async def test_leaving_with_changes_needs_the_key_twice(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("e")
        await give(stage, "model", "opus")
        await stage.press("escape")
        assert "not applied" in result(stage)
        await stage.press("escape")
        assert isinstance(stage.screen, MonitorScreen)
        assert stage.feed.sent == []


async def test_what_could_not_be_saved_is_in_the_form_again(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profiles.test\n")
    async with on_stage(path, *story.ENDPOINTS) as stage:
        await stage.press("e")
        await give(stage, "model", "opus")
        await stage.press("ctrl+s")
        assert stage.notices[0].startswith(f"Not saved: {path}:1")
        assert isinstance(stage.screen, EndpointForm)
        assert row(stage, "model").text == "opus"
        assert stage.feed.sent == []
        assert path.read_text() == "[profiles.test\n"


async def test_the_hint_of_the_field_under_the_cursor(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("e")
        assert "unique in the profile" in stage.text
        await stage.press("tab", "tab")
        assert "such as https://gateway.example.com" in stage.text


async def test_the_buttons_do_what_the_keys_do(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("e")
        await stage.pilot.click("#try")
        assert stage.feed.sent == [Try(endpoint=story.CLAUDE)]
        await stage.pilot.click("#apply")
        assert isinstance(stage.feed.sent[-1], PutEndpoint)
        await stage.press("e")
        await stage.pilot.click("#leave")
        assert isinstance(stage.screen, MonitorScreen)


async def test_buttons_name_the_users_own_keys_and_stay_short_where_it_is_narrow(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, keys={"form.save": "f2"}) as stage:
        await stage.press("e")
        labels = [str(button.label) for button in stage.screen.query(Button)]
        assert labels == ["Try once  ^t", "Apply  ^o", "Save  f2", "Leave  esc"]
        await stage.press("f2")
        assert stage.config.path.exists()
        await stage.pilot.resize_terminal(40, 12)
        await stage.press("e")
        assert [str(button.label) for button in stage.screen.query(Button)] == ["Try once", "Apply", "Save", "Leave"]
