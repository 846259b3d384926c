"""The output items of one stream of OpenAI Responses, and their parts: what has begun, what came of it, what ended."""

from __future__ import annotations

from gwtui.apis.openai.responses_events import ResponsesEvent
from gwtui.apis.stream_notes import StreamNotes
from gwtui.model.enums import FindingName

MAX_ITEMS = 1024
MAX_KEPT = 1 << 20
"""Characters of a part above which its whole is not compared with its deltas any more."""
ODD = "The gateway translates another API, or omits events."


class Parts:
    """Follows items and parts, and writes breaches of their order into the stream's notes.

    Gateways that translate another API into this one leave events of items out, or count items in their own way. As
    long as they do so throughout, nothing is lost: that is an oddity, not a breach.
    """

    def __init__(self, notes: StreamNotes) -> None:
        self._notes = notes
        self._added = 0
        self._open: set[int] = set()
        self._came: dict[tuple[object, ...], list[str]] = {}
        """Per open part, what its deltas carried."""

    def item(self, kind: str, index: object) -> str:
        """An `output_item` event. Returns a note where it breaks a rule."""
        if not isinstance(index, int):
            return self._notes.note(FindingName.NO_OUTPUT_INDEX, f"{kind} without an output_index")
        if kind.endswith(".added"):
            return self._add(index)
        if index not in self._open:
            return self._unopened("done-without-item", f"output item {index} is done and was never added")
        self._open.discard(index)
        return ""

    def _unopened(self, rule: str, words: str) -> str:
        if not self._added:
            return self._notes.note(FindingName.NO_ITEMS, f"no output item was added: {words}", ODD)
        return self._notes.break_rule(rule, words)

    def _add(self, index: int) -> str:
        due, self._added = self._added, max(self._added, index + 1)
        again = index < due and index not in self._open
        if len(self._open) < MAX_ITEMS:
            self._open.add(index)
        if again:
            return self._notes.note(FindingName.ITEM_INDEX_REUSED, f"another output item has the index {index}", ODD)
        if index != due:
            return self._notes.break_rule("item-index", f"output item {index} where {due} is due")
        return ""

    def delta(self, name: str, event: ResponsesEvent, piece: str) -> str:
        """A piece of a part. Returns a note where it belongs to no open item."""
        pieces = self._came.setdefault(_part(name, event), []) if len(self._came) < MAX_ITEMS else []
        pieces.append(piece)
        index = event.output_index
        if isinstance(index, int) and index not in self._open:
            return self._unopened("delta-without-item", f"a delta of output item {index}, which is not open")
        return ""

    def done(self, name: str, event: ResponsesEvent, whole: str) -> tuple[bool, str]:
        """The end of a part. Returns whether any delta of it had come, and a note where they come to another whole."""
        came = "".join(self._came.pop(_part(name, event), []))
        if not came or came == whole or len(came) > MAX_KEPT:
            return bool(came), ""
        words = f"the deltas came to {len(came):,} characters, the whole has {len(whole):,}"
        if came.strip() == whole.strip():
            return True, self._notes.note(FindingName.DONE_DIFFERS, f"{words}: they differ in white space at the ends")
        if len(came) == len(whole):
            words = f"the deltas came to another text than the whole of {len(whole):,} characters"
        return True, self._notes.break_rule("whole-differs", words)

    def all_closed(self) -> str:
        """The response is completed. Returns a note where an item is still open."""
        if not self._open:
            return ""
        words = f"the response is completed, output item {min(self._open)} is not done"
        return self._notes.note(FindingName.ITEM_NOT_DONE, words, ODD)


def _part(name: str, event: ResponsesEvent) -> tuple[object, ...]:
    """What tells the parts of a stream apart."""
    indices = (event.output_index, event.content_index, event.summary_index)
    return (name.rpartition(".")[0], *(index if isinstance(index, int | str) else None for index in indices))
