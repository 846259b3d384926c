"""What all answers together say of a base URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gwtui.apis import APIS
from gwtui.doctor.products import fronts_of, product_of
from gwtui.doctor.questions import Answered, Target, known_models, why_to_stop
from gwtui.model.profile import Endpoint
from gwtui.model.records import Request


@dataclass(frozen=True, slots=True)
class APIDiagnosis:
    """One API, by the last request that was made for it."""

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
    stopped: str
    """Why no more were; empty where nothing was left to ask."""
    first: Request | None
    """The first request: what came of it where no API was tried."""

    @property
    def working(self) -> tuple[Endpoint, ...]:
        """The endpoints that gave a good answer."""
        return tuple(each.endpoint for each in self.apis if each.works)


def diagnose(target: Target, answered: Sequence[Answered]) -> Diagnosis:
    """Of each API the best of its answers counts."""
    seen = [each.seen for each in answered]
    product, evidence = product_of(seen)
    last: dict[str, Answered] = {each.question.topic: each for each in answered if each.question.topic in APIS}
    return Diagnosis(
        url=target.url,
        product=product,
        evidence=evidence,
        fronts=fronts_of(seen),
        models=known_models(answered),
        apis=tuple(APIDiagnosis(each.question.endpoint, each.request, each.ok) for each in last.values()),
        requests=len(answered),
        stopped=why_to_stop(answered),
        first=answered[0].request if answered else None,
    )
