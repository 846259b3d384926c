"""Every verdict is one entry, and a bad one says why it happens and what to do."""

from __future__ import annotations

from gwtui.model.verdicts import GOOD, VERDICTS, Verdict


def test_every_verdict_has_an_entry_in_the_order_of_the_names() -> None:
    assert list(VERDICTS) == list(Verdict)


def test_a_verdict_that_is_not_good_has_a_cause_and_a_remedy() -> None:
    bad = {verdict: entry for verdict, entry in VERDICTS.items() if verdict not in GOOD}
    assert [verdict for verdict, entry in bad.items() if not (entry.cause and entry.remedy)] == []
    assert all(text.endswith(".") for entry in bad.values() for text in (entry.meaning, entry.cause, entry.remedy))
