"""The truth bench in its short form: every section runs and measures something. Values are not asserted."""

from __future__ import annotations

import sys

import pytest
from bench.__main__ import NAMES, sections
from bench.figures import line, median, quantile, ratio


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("name", NAMES)
def test_a_section_measures_something(name: str) -> None:
    section = next(section for section in sections(records=1_000) if section.name == name)
    figures = list(section.run(True))
    assert figures
    for figure in figures:
        assert figure.what
        assert figure.measured
        assert figure.measured in line(figure)


def test_figures_are_by_nearest_rank() -> None:
    assert median([3.0, 1.0, 2.0, 4.0]) == 2.0
    assert quantile(range(1, 101), 0.99) == 99
    assert quantile([5.0], 0.99) == 5.0
    assert ratio(3, 2) == "1.50x"
