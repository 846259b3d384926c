"""Under which name an endpoint's token limit is sent, as far as refusals have taught it in this session."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeAlias

from gwtui.apis.base import API, Ask
from gwtui.apis.requests import model_asked
from gwtui.apis.token_limit import refused_limit, with_limit_in
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean

MOST_REMEMBERED = 1000
"""Gateways and models whose refusals are remembered."""
SECOND = "times are those of the second request"
"""What the finding of a request ends with that was sent twice."""
_Place: TypeAlias = tuple[str | None, ...]
_REFUSED: OrderedDict[_Place, frozenset[str]] = OrderedDict()
"""By what was asked the names that were refused there, for all probers of this process."""


class LimitNames:
    """The names of one endpoint's limit. Where one is refused, the other is sent from then on."""

    def __init__(self, endpoint: Endpoint, api: API) -> None:
        self._endpoint = endpoint
        self._api = api
        model = model_asked(endpoint, api.default_model)
        self._place = (endpoint.api, endpoint.url, endpoint.path, endpoint.connect_to, endpoint.unix, model)

    @property
    def _refused(self) -> frozenset[str]:
        return _REFUSED.get(self._place, frozenset())

    @property
    def _instead(self) -> str:
        """The name to send in place of the refused one; "" where none was refused, or all were."""
        left = [name for name in self._api.limit_fields if name not in self._refused]
        return left[0] if self._refused and left else ""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as it is asked."""
        name = self._instead
        return with_limit_in(self._endpoint, self._api.limit_fields, name) if name else self._endpoint

    def learn(self, ask: Ask, status: int | None, answer: bytes) -> Finding | None:
        """Take in an answer. The finding, where the same is to be asked again under the other name."""
        refused = refused_limit(self._api, status, ask.body, answer)
        if not refused:
            return None
        _REFUSED[self._place] = self._refused | {refused}
        while len(_REFUSED) > MOST_REMEMBERED:
            _REFUSED.popitem(last=False)
        if not self._instead:
            return None
        said = clean(f"HTTP {status}: {self._api.error_reason(answer)}", 120)
        return _finding(refused, self._instead, f"({said}); {SECOND}")

    def remembered(self) -> Finding | None:
        """The finding of a request that is asked as an earlier one has taught."""
        name = self._instead
        return _finding(", ".join(sorted(self._refused)), name, "by an earlier request") if name else None


def _finding(refused: str, name: str, more: str) -> Finding:
    return Finding(
        name=FindingName.LIMIT_RENAMED, evidence=f"the limit is sent as {name}: {refused} was refused {more}"
    )
