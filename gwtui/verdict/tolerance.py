"""What a user knows of a gateway and finds fine: a named rule becomes a finding, a named finding is not made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from gwtui.apis.rules import is_tolerated
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding, Request
from gwtui.model.verdicts import Verdict
from gwtui.verdict.classify import Judged


def tolerant(endpoint: Endpoint, judged: Judged) -> Judged:
    """The same, as good as it is to this endpoint. Breaches in the middle of a stream are tolerated by its reader."""
    judgement = judged.judgement
    if not is_tolerated(judgement.rule, endpoint.tolerate) or judgement.verdict is Verdict.COMPLETE:
        return judged
    words = f"{judgement.rule}: {judgement.reason}"
    before = next((found for found in judged.findings if found.name is FindingName.TOLERATED), None)
    found = Finding(name=FindingName.TOLERATED, evidence=words if before is None else f"{before.evidence}; {words}")
    others = (each for each in judged.findings if each is not before)
    good = msgspec.structs.replace(judgement, verdict=Verdict.COMPLETE, reason=f"tolerated: {judgement.reason}")
    return replace(judged, judgement=good, findings=(*others, found))


def not_tolerated(endpoint: Endpoint, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without those that the endpoint tolerates."""
    return tuple(finding for finding in findings if str(finding.name) not in endpoint.tolerate)


def with_findings(request: Request, endpoint: Endpoint, later: Iterable[Finding]) -> Request:
    """The request with what was found after it was judged, in place of earlier findings of the same names."""
    added = tuple(later)
    names = {finding.name for finding in added}
    kept = (finding for finding in request.findings if finding.name not in names)
    return msgspec.structs.replace(request, findings=(*kept, *not_tolerated(endpoint, added)))
