"""What reading a whole answer takes in every API: judgements with the API's rule ids, and errors in a 200."""

from __future__ import annotations

from gwtui.apis.base import Answer
from gwtui.apis.errors import body_error
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean


def judged(rules: str, verdict: Verdict, rule: str, reason: str) -> Judgement:
    """A judgement whose rule id begins with what the ids of the API's rules begin with."""
    return Judgement(verdict=verdict, rule=f"{rules}.{rule}", reason=clean(reason))


def error_in_answer(rules: str, status: int, body: bytes) -> Answer | None:
    """The answer where it is an error in spite of its good status; None where it is not."""
    error = body_error(body)
    if error is None:
        return None
    return Answer(judged(rules, error.verdict, "error-in-200", f"HTTP {status} with an error: {error}"))
