"""Several answers in one stream, OpenAI's choices and Gemini's candidates: one that was not requested is reported."""

from __future__ import annotations

from collections.abc import Collection

from gwtui.apis.stream_notes import StreamNotes
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Judgement, Verdict


class Alternatives:
    """Which of the requested answers began in one stream. `word` is what the API calls one."""

    def __init__(self, notes: StreamNotes, finding: FindingName, word: str, asked: int) -> None:
        self._notes = notes
        self._finding = finding
        self._word = word
        self._asked = asked
        self._began_at: dict[int, int] = {}
        """Per answer the number of its first event."""

    def begin(self, index: int) -> str:
        """Take the first event of an answer. Returns its note."""
        self._began_at[index] = self._notes.number
        if index < self._asked:
            return ""
        return self._notes.note(self._finding, f"{self._word} {index} was not asked for")

    def stray(self, unended: Collection[int]) -> Judgement | None:
        """The first that was not requested, if all unfinished ones were not."""
        first = min(unended, default=0)
        if first < self._asked or len(unended) == len(self._began_at):
            return None
        at = self._began_at[first]
        words = f"event {at}: {self._word} {first} was not asked for, and never ends"
        return self._notes.judgement(Verdict.OUT_OF_ORDER, f"{self._word}-index", words, at)
