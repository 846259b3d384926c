"""Results for programs: one JSON object, and JUnit's XML for build servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import msgspec

from gwtui.model.check_results import CheckOutcome, CheckResult
from gwtui.text.units import milliseconds, timestamp

Results = Mapping[str, Sequence[CheckResult]]
"""The results of each endpoint, by its name."""


def as_json(results: Results) -> str:
    """One object: per endpoint its results, and over all the number of each outcome."""
    every = [result for each in results.values() for result in each]
    told = {
        "endpoints": [
            {"endpoint": name, "results": [_as_object(result) for result in each]} for name, each in results.items()
        ],
        "summary": {
            outcome.value.replace(" ", "_"): sum(result.outcome is outcome for result in every)
            for outcome in CheckOutcome
        },
        "requests": sum(result.requests for result in every),
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _as_object(result: CheckResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "section": result.section,
        "outcome": result.outcome.value,
        "evidence": result.evidence,
        "cause": result.cause,
        "remedy": result.remedy,
        "facts": result.facts,
        "details": result.details,
        "requests": result.requests,
        "started_at": timestamp(result.started_at),
        "duration_ms": milliseconds(result.duration_ns),
    }


def as_junit(results: Results) -> bytes:
    """A test suite per endpoint and a test case per check. A warning is a case that passed and has something to say."""
    root = ElementTree.Element(
        "testsuites", {"name": "gwtui check", **_counts([r for each in results.values() for r in each])}
    )
    for name, each in results.items():
        began = timestamp(each[0].started_at) if each else timestamp(0)
        # JUnit's times are local and without a zone; these are UTC, to the second.
        attributes = {"name": name, "timestamp": began[:19], "hostname": "", **_counts(each)}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for result in each:
            _add_case(suite, result)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_case(suite: ElementTree.Element, result: CheckResult) -> None:
    seconds = f"{result.duration_ns / 1e9:.3f}"
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"{result.endpoint}.{result.section}", name=result.name, time=seconds
    )
    labelled = (("likely cause", result.cause), ("remedy", result.remedy))
    more = [f"{label}: {text}" for label, text in labelled if text]
    if result.outcome is CheckOutcome.FAIL:
        failure = ElementTree.SubElement(case, "failure", message=result.evidence, type="fail")
        failure.text = "\n".join([result.evidence, *more, *result.details])
    elif result.outcome is CheckOutcome.NOT_APPLICABLE:
        ElementTree.SubElement(case, "skipped", message=result.evidence)
    else:
        out = ElementTree.SubElement(case, "system-out")
        out.text = "\n".join([f"{result.outcome}: {result.evidence}", *more, *result.details])


def _counts(results: Sequence[CheckResult]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(result.outcome is CheckOutcome.FAIL for result in results)),
        "errors": "0",
        "skipped": str(sum(result.outcome is CheckOutcome.NOT_APPLICABLE for result in results)),
        "time": f"{sum(result.duration_ns for result in results) / 1e9:.3f}",
    }
