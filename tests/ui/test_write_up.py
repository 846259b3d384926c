"""`w`: an incident or 15 minutes, written up from a session's files or from memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import story
from support.monitor_stage import START_AT, START_NS
from support.stage import Stage, on_stage

from gwtui.model.enums import State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.records import Record, SessionStarted
from gwtui.recorder import Recorder
from gwtui.report.writeup.sources import NoIncidentError, chosen_period
from gwtui.ui import copying

OPENED = LogEntry(
    at=START_AT + 17,
    now_ns=START_NS + 17_000_000_000,
    kind="incident",
    endpoint=story.GPT.name,
    incident=1,
    event=IncidentEvent.OPENED,
    severity=State.DOWN,
    scope=f"endpoint {story.GPT.name}",
    cause="answers cut (truncated)",
    since=START_AT + 14,
    text="down: 3 unavailable in a row",
)


async def written(stage: Stage) -> Path:
    """The file that the key has made."""
    await stage.press("w")
    for worker in [each for each in stage.app.workers if each.group == "write-up"]:
        await worker.wait()
    await stage.pilot.pause()
    (notice,) = stage.notices
    return Path(notice.partition(": ")[2].partition(", ")[0])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_without_files_it_is_written_from_memory_and_says_so(here: Path) -> None:
    async with on_stage(here / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), OPENED)
        assert "w write up" in stage.lines[-1], "the footer shows the key while an incident is open"
        path = await written(stage)
        text = path.read_text()
        assert path == here / "writeup-incident-1.md"
        assert stage.app.clipboard == text
        assert stage.notices == [f"Wrote up incident 1: {path}, and copied"]
        assert (await written(stage)).name == "writeup-incident-1-2.md", "nothing is overwritten"
    assert text.startswith("## `Incident 1: answers cut (truncated)")
    assert "unavailable 4" in text
    assert story.trace(101) in text or "`#1" in text
    assert "Nothing is recorded: written from memory, which has only the newest results" in text


async def test_without_an_incident_it_is_the_last_15_minutes(here: Path) -> None:
    async with on_stage(here / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("w")
        assert stage.notices == ["There is nothing to write up yet"] or "last 15 minutes" in stage.notices[0]
        await stage.show(*story.session())
        path = await written(stage)
    assert path.name.startswith("writeup-the-last-15-minutes")
    assert "gateway-claude" in path.read_text()


async def test_what_is_longer_than_a_clipboard_is_a_file_alone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_COPIED_BYTES", 100)
    async with on_stage(here / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), OPENED)
        path = await written(stage)
        assert stage.notices == [
            f"Wrote up incident 1: {path}, not copied, as it is longer than a terminal's clipboard"
        ]
        assert stage.app.clipboard == ""


@pytest.fixture
def recorded(here: Path) -> Path:
    """A session's directory with the rows of the story."""
    directory = here / "session"
    profile = Profile(name="test", endpoints=story.ENDPOINTS)
    rows: list[Record] = [SessionStarted(started_at=START_AT, now_ns=START_NS, profile=profile)]
    rows += [*story.session(), OPENED]
    with Recorder(directory, profile) as recorder:
        for row in rows:
            recorder.put(row)
    return directory


async def test_of_a_session_it_is_written_from_its_files_into_its_directory(here: Path, recorded: Path) -> None:
    async with on_stage(here / "config.toml", *story.ENDPOINTS) as stage:
        profile = Profile(name="test", endpoints=story.ENDPOINTS)
        start = SessionStarted(started_at=START_AT, now_ns=START_NS, profile=profile, session_dir=str(recorded))
        stage.feed.refuses = "This is a recording"
        await stage.show(start, *story.session(), OPENED)
        path = await written(stage)
    text = path.read_text()
    assert path == recorded / "writeup-incident-1.md"
    assert "written from memory" not in text
    assert "session session" in text
    with Recorder(recorded, profile):
        pass  # the directory is still one that gwtui records into


async def test_files_that_cannot_be_read_are_named_in_it(here: Path) -> None:
    async with on_stage(here / "config.toml", *story.ENDPOINTS) as stage:
        profile = Profile(name="test", endpoints=story.ENDPOINTS)
        gone = SessionStarted(started_at=START_AT, now_ns=START_NS, profile=profile, session_dir=str(here / "gone"))
        await stage.show(gone, *story.session(), OPENED)
        path = await written(stage)
    assert path.parent == here
    assert "The session's files cannot be read" in path.read_text()


async def test_rows_that_were_just_written_are_in_it(here: Path) -> None:
    directory, profile = here / "session", Profile(name="test", endpoints=story.ENDPOINTS)
    start = SessionStarted(started_at=START_AT, now_ns=START_NS, profile=profile, session_dir=str(directory))
    async with on_stage(here / "config.toml", *story.ENDPOINTS) as stage:
        with Recorder(directory, profile) as recorder:
            rows = (start, *story.session(), OPENED)
            await stage.show(*rows)
            for row in rows:
                recorder.put(row)
            text = (await written(stage)).read_text()
    assert "written from memory" not in text
    assert "unavailable 4" in text


@pytest.mark.parametrize(
    ("moment_at", "expected"),
    [(None, (2100.0, 3000.0)), (2000.0, (1550.0, 2450.0)), (100.0, (0.0, 550.0)), (2990.0, (2100.0, 3000.0))],
)
def test_without_an_incident_15_minutes_are_chosen(moment_at: float | None, expected: tuple[float, float]) -> None:
    period = chosen_period(None, moment_at)((), (0.0, 3000.0))
    assert (period.began_at, period.ended_at) == expected


def test_an_incident_that_is_not_in_the_log_is_an_error() -> None:
    with pytest.raises(NoIncidentError, match="incident 7"):
        chosen_period(7, None)((), (0.0, 3000.0))
