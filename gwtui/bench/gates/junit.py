"""The gates of a benchmark as JUnit XML, which CI systems show as tests: a suite per endpoint, a case per gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from gwtui.bench.gates.thresholds import Tripped
from gwtui.bench.results.measured import Measured
from gwtui.text.sanitize import clean

MAX_TEXT = 4096
SUCCESS = "at least one success"
"""The case that every endpoint has, as an endpoint without one ends the command with 1."""
WHOLE = "ran to its end"


@dataclass(frozen=True, slots=True)
class GateCase:
    """A gate at one endpoint."""

    suite: str
    """The endpoint, or point."""
    name: str
    """The gate as it was written."""
    reason: str = ""
    """Why it was not passed; empty where it was."""
    undecided: bool = False
    """Too little was measured: a failure, unless that is allowed."""


def cases_of(
    gates: Sequence[tuple[str, str]], measured: Sequence[Measured], tripped: Sequence[Tripped], stopped_by: str = ""
) -> list[GateCase]:
    """Every gate that was judged. `gates`: the expressions, each with an endpoint that it is about. `stopped_by`: what
    ended the benchmark early."""
    bad = {(each.endpoint, each.gate): each for each in tripped}
    cases = [GateCase("benchmark", WHOLE, f"stopped by {stopped_by}" if stopped_by else "")]
    for each in measured:
        cases.append(GateCase(each.endpoint, SUCCESS, "" if each.ok else f"none of {each.total} requests succeeded"))
        for gate, endpoint in gates:
            if endpoint == each.endpoint:
                found = bad.get((endpoint, gate))
                cases.append(
                    GateCase(
                        endpoint, gate, found.reason if found else "", undecided=found is not None and found.undecided
                    )
                )
    return cases


def junit_xml(cases: Sequence[GateCase], *, seconds: float, started_at: str, allow_undecided: bool = False) -> bytes:
    """The whole file. `started_at`: RFC 3339."""
    whole = {"name": "gwtui bench", "time": f"{seconds:.3f}"}
    root = ElementTree.Element("testsuites", whole | _counts(cases, allow_undecided))
    for name in dict.fromkeys(case.suite for case in cases):
        own = [case for case in cases if case.suite == name]
        attributes = {"name": _text(name), "timestamp": started_at, "errors": "0"}
        suite = ElementTree.SubElement(root, "testsuite", attributes | _counts(own, allow_undecided))
        for case in own:
            _add(suite, case, allow_undecided)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add(suite: ElementTree.Element, case: GateCase, allow_undecided: bool) -> None:
    element = ElementTree.SubElement(suite, "testcase", classname=_text(case.suite), name=_text(case.name))
    if not case.reason:
        return
    kind = "undecided" if case.undecided else "tripped"
    message = _text(f"{kind}: {case.reason}" if case.undecided else case.reason)
    if case.undecided and allow_undecided:
        ElementTree.SubElement(element, "skipped", message=message)
    else:
        ElementTree.SubElement(element, "failure", message=message, type=kind)


def _counts(cases: Sequence[GateCase], allow_undecided: bool) -> dict[str, str]:
    skipped = sum(case.undecided and allow_undecided for case in cases)
    failures = sum(bool(case.reason) for case in cases) - skipped
    return {"tests": str(len(cases)), "failures": str(failures), "skipped": str(skipped)}


def _text(text: str) -> str:
    """What XML 1.0 may hold."""
    return "".join(char for char in clean(text, MAX_TEXT) if char not in "\ufffe\uffff")
