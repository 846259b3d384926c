"""What an answer that came to its end is worth: what a user gets of it, and whether its finish reason means failure.

The same for streams and whole answers, in every API. Tokens that were counted prove nothing: a natural end needs
something visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gwtui.apis.base import Usage
from gwtui.apis.finish_reasons import CUTS, Ending, Reason, Vocabulary
from gwtui.apis.payload import Arguments
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.token_limit import LIMIT_TABLES, SETTING
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean
from gwtui.text.units import many

QUOTED = 300
"""Characters of a refusal that are kept."""
NEARLY = 0.9
"""From that share of the requested tokens on, it was the request's own limit that ended an answer."""
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokensToSample", "max_gen_len")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, as far as it says what an answer may lack."""

    max_tokens: int | None = None
    is_code: bool = False
    """A completion of code: a text that may be empty, and in which white space counts."""
    tolerate: tuple[str, ...] = ()
    """What is known of the gateway, and fine."""


ANYTHING = Wanted()
"""What may have been asked for is not known."""


def wanted_of(endpoint: Endpoint, *, is_code: bool = False) -> Wanted:
    """What the endpoint asks for."""
    if SETTING in endpoint.omit:
        return Wanted(None, is_code, endpoint.tolerate)
    body = endpoint.body if isinstance(endpoint.body, dict) else {}
    limits = [body.get(name) for name in LIMITS]
    for table, name in LIMIT_TABLES:
        inner = body.get(table)
        limits.append(inner.get(name) if isinstance(inner, dict) else None)
    chosen = next((limit for limit in limits if isinstance(limit, int)), endpoint.max_tokens)
    return Wanted(chosen, is_code, endpoint.tolerate)


@dataclass(frozen=True, slots=True)
class Closing:
    """What the end says."""

    judgement: Judgement | None = None
    """Why the answer is not a good one; None where nothing speaks against it."""
    findings: tuple[Finding, ...] = ()


class AnswerOutcome:
    """Follows what came of one answer. Its memory does not grow with the answer."""

    def __init__(self, rules: str, words: Vocabulary, wanted: Wanted, *, whole: bool = False) -> None:
        """`whole`: the answer is no stream, and its failures have the verdicts of one."""
        self._rules = rules
        self._words = words
        self._wanted = wanted
        self._failed = Verdict.SERVER_ERROR if whole else Verdict.ERROR_IN_STREAM
        self._wrong = Verdict.WRONG_BODY if whole else Verdict.OUT_OF_ORDER
        self.contents = 0
        """Events, or parts, with generated content."""
        self.is_visible = False
        self._has_tool = False
        self._is_blank = False
        """Whether white space came."""
        self._thought = 0
        """Characters of reasoning."""
        self._refusal = ""
        self._is_half = False
        """Whether the arguments of a tool call are not whole."""
        self._tags = ThoughtTags() if whole else None
        """Thinking in a whole text; readers of streams tell it themselves."""

    @property
    def contents_text(self) -> str:
        """`1 event with content`."""
        return f"{many(self.contents, 'event')} with content"

    def take(self, kind: EventKind, text: str) -> None:
        """Take a piece of what was generated; nothing where the text is empty."""
        if self._tags is not None:
            kind, text = self._tags.classify(kind, text)
        if not text or not kind.is_content:
            return
        self.contents += 1
        if kind is EventKind.REASONING:
            self._thought += len(text)
        elif kind is EventKind.TOOL:
            self.take_tool()
        elif text.strip() or self._wanted.is_code:
            self.is_visible = True
        else:
            self._is_blank = True

    def take_tool(self) -> None:
        """A tool is called."""
        self._has_tool = self.is_visible = True

    def take_arguments(self, arguments: object) -> None:
        """Take all the arguments of a tool call, where they are a text."""
        whole = Arguments()
        whole.add(arguments if isinstance(arguments, str) else "")
        self._is_half |= not whole.whole()

    def take_other(self) -> None:
        """A part came that users see and that is no text: an image, audio, what a tool found."""
        self.is_visible = True

    def refuse(self, words: str) -> None:
        """Take the words in which the model, or the API, refuses."""
        if len(self._refusal) < QUOTED:
            self._refusal += words[:QUOTED]

    def closing(self, reasons: Iterable[str], usage: Usage) -> Closing:
        """What is due to an answer with these finish reasons, each cleaned, and "" where one is missing."""
        came = set(reasons)
        words = sorted(came - {""})
        told = f"{self._words.field} {', '.join(words) or 'missing'}"
        known = {word: self._words.meaning(word) for word in words}
        endings = {reason.ending: word for word, reason in known.items() if reason is not None}
        findings = [
            *self._unsaid(came),
            *self._unknown(known),
            *self._stopped(endings),
            *self._unannounced(endings, told),
        ]
        judgement = self._failure(endings, told, usage)
        if judgement is None and not self.is_visible and not self._is_refused(endings):
            judgement = self._nothing(endings, told, usage, findings)
        return Closing(judgement, tuple(findings))

    def _is_refused(self, endings: dict[Ending, str]) -> bool:
        return bool(self._refusal) or not endings.keys().isdisjoint({Ending.FILTERED, Ending.REFUSED})

    def _unsaid(self, came: set[str]) -> Iterator[Finding]:
        """A refusal says itself why the answer ended."""
        is_missing = not came or "" in came
        if is_missing and not self._words.is_optional and not self._refusal:
            yield _finding(FindingName.NO_STOP_REASON, f"the answer ended without `{self._words.field}`")

    def _unknown(self, known: dict[str, Reason | None]) -> Iterator[Finding]:
        if strange := [word for word, meaning in known.items() if meaning is None]:
            words = f"{self._words.field} {', '.join(strange)} is not known"
            yield _finding(FindingName.UNKNOWN_FINISH_REASON, words)

    def _stopped(self, endings: dict[Ending, str]) -> Iterator[Finding]:
        """What a filter or a policy did, and what the API does not name."""
        word, refused = endings.get(Ending.FILTERED, ""), endings.get(Ending.REFUSED, "")
        if self._refusal or refused or (word and not self.is_visible):
            told = f"{self._words.field} {refused or word}" if refused or word else ""
            yield _finding(FindingName.REFUSED, ": ".join(filter(None, (told, self._refusal))))
        elif word:
            words = f"{self._words.field} {word} after {many(self.contents, 'part')} with content"
            yield _finding(FindingName.FILTERED, words)
        if self.is_visible and (word := endings.get(Ending.UNSAID, "")):
            words = f"{self._words.field} {word} does not say why the answer ended"
            yield _finding(FindingName.UNKNOWN_FINISH_REASON, words)

    def _unannounced(self, endings: dict[Ending, str], told: str) -> Iterator[Finding]:
        if self._has_tool and self._words.announces_tools and endings.keys() == {Ending.NATURAL}:
            yield _finding(FindingName.TOOL_UNANNOUNCED, f"a tool is called, and the answer ends with {told}")

    def _failure(self, endings: dict[Ending, str], told: str, usage: Usage) -> Judgement | None:
        """What is wrong by the reason itself."""
        failed = endings.get(Ending.FAILED) or ("" if self.is_visible else endings.get(Ending.UNSAID, ""))
        if failed:
            meaning = self._words.meaning(failed)
            seen = f" (seen with {meaning.seen})" if meaning is not None else ""
            return self._judged(self._failed, "finish-error", f"{told}{seen}; {self._came(usage)}")
        if self._is_half and CUTS.isdisjoint(endings):
            words = f"{told}, but the arguments of a tool call are not a complete JSON object"
            return self._judged(self._wrong, "tool-json", words)
        missing = Ending.TOOLS in endings and self._words.announces_tools and not self._has_tool
        if missing and self.is_visible:
            words = f"{told}, but no tool is called: clients wait for one"
            return self._judged(self._wrong, "tool-missing", words)
        return None

    def _nothing(
        self, endings: dict[Ending, str], told: str, usage: Usage, findings: list[Finding]
    ) -> Judgement | None:
        """What an end without anything visible is; some are lawful."""
        if Ending.PAUSED in endings:
            return None
        if Ending.LIMIT in endings or Ending.WINDOW in endings:
            findings.append(_finding(FindingName.NO_VISIBLE_OUTPUT, f"{told}: {self._eaten(endings, usage)}"))
            return None
        if self._wanted.is_code and endings:
            findings.append(_finding(FindingName.NOTHING_GENERATED, f"{told} at once; {self._came(usage)}"))
            return None
        return self._judged(Verdict.EMPTY, "no-content", f"{told}, but nothing visible came: {self._came(usage)}")

    def _eaten(self, endings: dict[Ending, str], usage: Usage) -> str:
        """Whose limit it was, and what ate it."""
        if Ending.LIMIT not in endings:
            return f"the model's context window is full; {self._came(usage)}: shorten the prompt"
        limit, used = self._wanted.max_tokens, usage.output_tokens
        thought = usage.reasoning_tokens or (used if self._thought else None)
        if limit and used and used < NEARLY * limit:
            return f"{used:,} tokens, of {limit:,} asked for: the limit is the gateway's or the model's own"
        of = f" of {limit:,}" if limit else ""
        if thought:
            return f"{thought:,}{of} tokens were thinking; raise max_tokens"
        if self._thought:
            return f"all that came was thinking, {self._thought:,} characters; raise max_tokens ({limit or 'unset'})"
        return f"{used:,}{of} tokens, none of them visible; raise max_tokens" if used else self._came(usage)

    def _came(self, usage: Usage) -> str:
        """What did come, in words."""
        came = []
        if usage.reasoning_tokens:
            came.append(f"{usage.reasoning_tokens:,} tokens of reasoning, no message")
        elif self._thought:
            came.append(f"{self._thought:,} characters of reasoning, no message")
        if self._is_blank:
            came.append("white space")
        known = [
            (f"{n:,}", way) for n, way in ((usage.input_tokens, "in"), (usage.output_tokens, "out")) if n is not None
        ]
        counts = ", ".join(" tokens ".join(each) if at == 0 else " ".join(each) for at, each in enumerate(known))
        return "; ".join((*came, counts or "no usage"))

    def _judged(self, verdict: Verdict, rule: str, words: str) -> Judgement:
        return Judgement(verdict=verdict, rule=f"{self._rules}.{rule}", reason=clean(words))


def _finding(name: FindingName, words: str) -> Finding:
    return Finding(name=name, evidence=clean(words))
