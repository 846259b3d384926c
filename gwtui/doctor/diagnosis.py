"""What all answers together say of a base URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gwtui.apis import ASKED_APIS
from gwtui.doctor.products import fronts_of, product_of
from gwtui.doctor.questions import Answered, DoctorTarget, known_models, untried, why_to_stop
from gwtui.model.profile import Endpoint
from gwtui.model.records import Request


@dataclass(frozen=True, slots=True)
class APIDiagnosis:
    """One API, by the request that tells most of it."""

    endpoint: Endpoint
    request: Request
    works: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a base URL is. All text is clean and masked."""

    url: str
    product: str
    """Empty where nothing shows it."""
    evidence: str
    fronts: tuple[str, ...]
    """What is in front of it."""
    models: tuple[str, ...]
    apis: tuple[APIDiagnosis, ...]
    requests: int
    """How many were sent."""
    untried: tuple[str, ...]
    """APIs that were left out because no more requests were."""
    stopped: str
    """Why no more were; empty where nothing was left to ask."""
    first: Request | None
    """The first request: what came of it where no API was tried."""

    @property
    def working(self) -> tuple[Endpoint, ...]:
        """The endpoints that gave a good answer."""
        return tuple(each.endpoint for each in self.apis if each.works)


def diagnose(target: DoctorTarget, answered: Sequence[Answered]) -> Diagnosis:
    """Of each API the answer that was good counts, or else the first."""
    seen = [each.seen for each in answered]
    product, evidence = product_of(seen)
    of_apis = [each for each in answered if each.question.topic in ASKED_APIS]
    counts = {each.question.topic: each for each in (*reversed(of_apis), *(each for each in of_apis if each.ok))}
    order = dict.fromkeys(each.question.topic for each in of_apis)
    return Diagnosis(
        url=target.url,
        product=product,
        evidence=evidence,
        fronts=fronts_of(seen),
        models=known_models(answered),
        apis=tuple(APIDiagnosis(each.endpoint, each.request, each.ok) for each in map(counts.__getitem__, order)),
        requests=sum(each.sent for each in answered),
        untried=untried(target, answered),
        stopped=why_to_stop(answered),
        first=answered[0].request if answered else None,
    )
