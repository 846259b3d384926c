"""A diagnosis of a base URL: as TOML whose comments tell what was found, and as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis import url_for
from gwtui.apis.headers import without_query
from gwtui.config.store import profile_text
from gwtui.doctor import APIDiagnosis, Diagnosis
from gwtui.model.profile import Endpoint
from gwtui.report.lines import Styler, plain, toned
from gwtui.text import units
from gwtui.text.sanitize import clean
from gwtui.text.tables import TextColumn, labelled, table

PROFILE = "default"
"""The profile of the endpoints that are printed."""
_SHOWN = 8
"""Models that are named."""


def doctor_text(diagnosis: Diagnosis, styled: Styler = plain) -> str:
    """All of it is TOML: what was found are comments, and the endpoints that work follow."""
    found = [clean(without_query(diagnosis.url)), *labelled(_facts(diagnosis)), *_apis(diagnosis, styled)]
    comments = "\n".join(f"# {line}".rstrip() for line in (*found, "", _conclusion(diagnosis)))
    endpoints = profile_text(PROFILE, diagnosis.working)
    return f"{comments}\n\n{endpoints}".rstrip() if endpoints else comments


def doctor_json(diagnosis: Diagnosis) -> bytes:
    """One JSON object."""
    told: dict[str, Any] = {
        "url": without_query(diagnosis.url),
        "product": diagnosis.product,
        "evidence": diagnosis.evidence,
        "in_front": diagnosis.fronts,
        "models": diagnosis.models,
        "apis": [_object(each) for each in diagnosis.apis],
        "requests": diagnosis.requests,
        "untried": diagnosis.untried,
        "stopped": diagnosis.stopped,
        "first_verdict": diagnosis.first.verdict if diagnosis.first is not None else None,
        "first_reason": diagnosis.first.reason if diagnosis.first is not None else "",
        "toml": profile_text(PROFILE, diagnosis.working),
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def _facts(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    models, first = diagnosis.models, diagnosis.first
    more = f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    is_silent = first is None or first.status is None
    product = f"{diagnosis.product}: {diagnosis.evidence}" if diagnosis.product else "nothing shows it"
    listed = f"{len(models):,}: {', '.join(models[:_SHOWN])}{more}" if models else "it lists none"
    return [
        ("product", "" if is_silent and not diagnosis.apis else product),
        ("in front", ", ".join(diagnosis.fronts)),
        ("models", "" if is_silent and not diagnosis.apis else listed),
        ("sent", units.many(diagnosis.requests, "request")),
        ("untried", ", ".join(diagnosis.untried)),
        ("stopped", diagnosis.stopped),
        ("answer", f"{first.verdict}: {first.reason}" if first is not None and not diagnosis.apis else ""),
    ]


def _apis(diagnosis: Diagnosis, styled: Styler) -> list[str]:
    if not diagnosis.apis:
        return []
    rows = [
        (
            toned(("✔ " if each.works else "✖ ") + each.endpoint.api, each.request.outcome, styled),
            each.request.verdict.replace("_", " "),
            _where(each.endpoint),
            "" if each.works else each.request.reason.partition("; asked: ")[0],
        )
        for each in diagnosis.apis
    ]
    return ["", *table(rows, (TextColumn(), TextColumn(), TextColumn(most=100), TextColumn()), "  ")]


def _conclusion(diagnosis: Diagnosis) -> str:
    if not diagnosis.working:
        return "No endpoint gave a good answer: there is nothing to add."
    return "Each endpoint below gave a good answer. Save this as a configuration, or add them to yours."


def _where(endpoint: Endpoint) -> str:
    return clean(without_query(url_for(endpoint)), 160)


def _object(each: APIDiagnosis) -> dict[str, Any]:
    request = each.request
    return {
        "api": each.endpoint.api,
        "works": each.works,
        "url": _where(each.endpoint),
        "model": request.model,
        "status": request.status,
        "verdict": request.verdict,
        "rule": request.rule,
        "reason": request.reason,
        "findings": [finding.name for finding in request.findings],
        "ttft_ms": units.milliseconds(request.ttft_ns),
    }
