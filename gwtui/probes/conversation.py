"""A conversation, measured: each probe sends its next turn, with the answers before it, to the same gateway."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from gwtui.apis.base import API
from gwtui.apis.dialogue import AnswerKeeper, Dialogue, gone_on, lacks_basis, lacks_call, opened, turn_of
from gwtui.model.conversation import is_between
from gwtui.model.enums import FindingName, Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Finding, Record, Request
from gwtui.probes.http import HTTPProber
from gwtui.probes.probe_result import Result
from gwtui.probes.response_reader import BodyIntake, Intake, StreamIntake
from gwtui.probes.stream_capture import StreamKeeper
from gwtui.transport.connection import HTTPConnection
from gwtui.transport.http1_head import ResponseHead


class ConversationProber(HTTPProber):
    """Measures one endpoint's turns over one kept connection. A turn that fails is the last, and the next probe begins
    the conversation anew."""

    def __init__(
        self,
        endpoint: Endpoint,
        profile: Profile,
        api: API,
        dialogue: Dialogue,
        emit: Callable[[Record], None],
        *,
        events: bool = True,
        keeper: StreamKeeper | None = None,
    ) -> None:
        super().__init__(
            endpoint, profile, api, lambda record: emit(self._numbered(record)), events=events, keeper=keeper
        )
        self._whole = endpoint
        """The endpoint with all of its turns; what it is asked in one of them is the prober's endpoint meanwhile."""
        self._dialogue = dialogue
        self._keeper: AnswerKeeper = dialogue.keeper()
        self._turn = 1
        """The turn under way, or the last one, counted from 1."""
        self._begin()

    def _begin(self) -> None:
        self._next_turn, self._so_far = 1, opened(self._whole)

    def goes_on(self) -> bool:
        return self._next_turn > 1

    async def probe(self, number: int, planned_ns: int, trigger: Trigger) -> Request:
        """Send the next turn and measure it. See `Prober.probe`."""
        self._turn = self._next_turn
        self.asks(turn_of(self._whole, self._dialogue, self._so_far, self._whole.turns[self._turn - 1]))
        self._begin()
        result = self._found(await super().probe(number, planned_ns, trigger))
        if is_between(result):
            self._next_turn, self._so_far = self._turn + 1, gone_on(self._endpoint, self._keeper.answer())
        return result

    def _found(self, request: Request) -> Request:
        """The request as the turn that it is, with what keeps the next from being sent."""
        numbered = self._turned(request)
        if not is_between(numbered):
            return numbered
        answer, turns = self._keeper.answer(), self._whole.turns
        name, evidence = FindingName.NO_TOOL_CALL, lacks_call(turns[self._turn - 1], answer)
        if not evidence:
            name, evidence = FindingName.CONVERSATION_STOPPED, lacks_basis(turns[self._turn], answer)
        if not evidence:
            return numbered
        evidence += f"; turn {self._turn + 1} of {len(turns)} was not sent"
        degrades = str(name) not in self._whole.tolerate
        return replace(
            numbered, findings=(*numbered.findings, Finding(name=name, evidence=evidence, degrades=degrades))
        )

    def _numbered(self, record: Record) -> Record:
        return self._turned(record) if isinstance(record, Request) else record

    def _turned(self, request: Request) -> Request:
        return replace(request, turn=self._turn, turns=len(self._whole.turns))

    def _intake(self, result: Result) -> Intake:
        intake = super()._intake(result)
        self._keeper = self._dialogue.keeper()
        if isinstance(intake, StreamIntake):
            intake.keeper = self._keeper
        return intake

    async def _read(self, result: Result, connection: HTTPConnection, head: ResponseHead) -> None:
        await super()._read(result, connection, head)
        if isinstance(result.intake, BodyIntake):
            self._keeper.whole(result.intake.body)
