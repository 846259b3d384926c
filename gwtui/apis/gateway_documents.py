"""The documents that a gateway has about itself: `/gateway/health`, `/gateway/metrics`, `/gateway/audit`.

They are read tolerantly, as each gateway leaves out, renames or adds something: what is missing or of another type is
not told, and spoils nothing else. They are read within limits, as their length is the gateway's choice, and nothing in
them is believed: texts are clean and short, numbers are finite and not negative.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from gwtui.model.gateway_figures import COUNT_FIELDS, GatewayFigures, NamedCounts
from gwtui.text.sanitize import clean

DOCUMENT_BYTES = 2 * 1024 * 1024
"""A longer document is not read."""
MOST_NAMES = 20
"""Providers, or models, that are kept: the busiest."""
MOST_ATTEMPTS = 20
"""Attempts of one request that are kept."""
MAX_NUMBER = 1e15
"""What counts more than that is not believed."""
NAME = 60
"""Characters of a name that are kept."""
ATTEMPT_LISTS = ("attempts", "provider_attempts", "upstream_attempts", "tried")
"""Where entries keep the providers that were asked, in their order."""
ATTEMPT_COUNTS = ("attempts", "attempt_count")
_PROVIDER_NAMES = ("provider", "provider_name", "upstream", "name")
_COUNT_NAMES = {"requests": ("requests", "request_count", "count")}
"""Names of counters below `by_provider` and `by_model` that differ from those of the summary."""
_BAD_WORDS = ("error", "fail", "timeout", "timed out", "refused", "reset", "unavailable", "rate", "open")
"""What the outcome of an attempt has in it that brought no answer."""
_REFUSED = ("breaker", "circuit", "skipped")
"""What the outcome of an attempt has in it that was not made."""
_STATUS = re.compile(r"[0-9]{3}")
_T = TypeVar("_T")


class DocumentError(ValueError):
    """There is no such document. The text says why, on one line."""


class Attempt(msgspec.Struct, frozen=True):
    """A provider that the gateway asked for one request."""

    provider: str
    failed: bool = False
    outcome: str = ""
    """In the gateway's words."""


class GatewayEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway noted of one request."""

    provider: str = ""
    """Who answered."""
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    attempts: tuple[Attempt, ...] = ()
    attempt_count: int | None = None
    """How often a provider was asked."""
    breaker: str = ""
    """The state of its circuit breaker, in the gateway's words."""


class HealthDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway says of its health and its routes."""

    default_provider: str = ""
    fallback_chain: tuple[str, ...] = ()
    unwell: tuple[str, ...] = ()
    """Providers that it does not call healthy."""


class MetricsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's counters, and its latest requests."""

    figures: GatewayFigures
    recent: bytes = b""
    """The list of entries as it came: only those that are looked for are read."""

    @property
    def recent_count(self) -> int:
        """The number of these entries."""
        return len(_part(msgspec.Raw(self.recent), list[msgspec.Raw], []))


class _Metrics(msgspec.Struct):
    summary: msgspec.Raw = msgspec.Raw()
    by_provider: msgspec.Raw = msgspec.Raw()
    by_model: msgspec.Raw = msgspec.Raw()
    recent: msgspec.Raw = msgspec.Raw()


def read_metrics(body: bytes) -> MetricsDocument:
    """`/gateway/metrics`. Raises `DocumentError`."""
    document = _decoded(body, _Metrics, "an object")
    summary = _part(document.summary, dict[str, Any], {})
    figures = GatewayFigures(
        **_counts(summary, {name: (f"total_{name}", name) for name in COUNT_FIELDS}),
        by_provider=_named_counts(document.by_provider, "provider"),
        by_model=_named_counts(document.by_model, "model"),
    )
    if not figures.is_told:
        raise DocumentError("it has no `summary` with counters")
    return MetricsDocument(figures=figures, recent=bytes(document.recent))


def read_health(body: bytes) -> HealthDocument:
    """`/gateway/health`. Raises `DocumentError`."""
    return health_of(_decoded(body, dict[str, Any], "an object"))


def health_of(document: Any) -> HealthDocument:
    """The same of a decoded document."""
    document = document if isinstance(document, Mapping) else {}
    parts = (document.get("routing"), document.get("providers"))
    routing, providers = (each if isinstance(each, Mapping) else {} for each in parts)
    chain = routing.get("fallback_chain")
    chain = chain if isinstance(chain, list) else []
    return HealthDocument(
        default_provider=_text(routing.get("default_provider")),
        fallback_chain=tuple(text for each in chain[:MOST_ATTEMPTS] if (text := _text(each))),
        unwell=tuple(_text(name) for name, state in list(providers.items())[:MOST_NAMES] if state is False),
    )


def read_audit(body: bytes) -> bytes:
    """The entries of `/gateway/audit`, as their list came. Raises `DocumentError`."""
    raw = _decoded(body, msgspec.Raw, "JSON")
    parts = _part(raw, dict[str, msgspec.Raw], None)
    if parts is None:
        return bytes(raw)
    lists = (text for each in parts.values() if (text := bytes(each).strip()).startswith(b"["))
    return next((text for text in lists if text[1:-1].strip()), b"")


def entries_in(document: Any) -> list[Any]:
    """The entries of a decoded audit, wherever it keeps its list."""
    if isinstance(document, list):
        return document
    lists = [each for each in document.values() if isinstance(each, list)] if isinstance(document, Mapping) else []
    return next((each for each in lists if each), [])


def find_raw(entries: bytes, ids: Collection[str]) -> GatewayEntry | None:
    """The entry of a list as it came that has one of these ids. Nothing is read that does not have its letters."""
    wanted = [letters for each in ids if each and (letters := json.dumps(each).encode()) in entries]
    for raw in _part(msgspec.Raw(entries), list[msgspec.Raw], []) if wanted else ():
        text = bytes(raw)
        if any(letters in text for letters in wanted):
            entry = find_entry([_part(raw, Any, None)], ids)
            if entry is not None:
                return entry
    return None


def find_entry(entries: Sequence[Any], ids: Collection[str]) -> GatewayEntry | None:
    """The first of these decoded entries that holds one of these ids, wherever; None without one."""
    known = frozenset(filter(None, ids))
    for entry in entries:
        if isinstance(entry, Mapping) and any(text in known for text in texts_in(entry)):
            return entry_of(entry)
    return None


def entry_of(entry: Mapping[str, Any]) -> GatewayEntry:
    """What a decoded entry says."""
    given = next((each for name in ATTEMPT_LISTS if isinstance(each := entry.get(name), list) and each), [])
    attempts = tuple(attempt for each in given[:MOST_ATTEMPTS] if (attempt := _attempt(each)) is not None)
    listed = [each for each in given if each and isinstance(each, str | Mapping)]
    made = sum(not _is_refused(each) for each in listed)
    counts = (_whole(entry.get(name)) for name in ATTEMPT_COUNTS)
    provider = next((text for name in _PROVIDER_NAMES[:2] if (text := _text(entry.get(name)))), "")
    answered = next((each.provider for each in reversed(attempts) if not each.failed), "")
    return GatewayEntry(
        provider=provider or answered,
        model=_text(entry.get("model")),
        input_tokens=_whole(entry.get("input_tokens")),
        output_tokens=_whole(entry.get("output_tokens")),
        cost_usd=_number(entry.get("cost_usd")),
        attempts=attempts,
        breaker=_breaker(entry),
        attempt_count=made if listed else next((count for count in counts if count is not None), None),
    )


def texts_in(value: Any) -> Iterator[str]:
    """Every text inside a JSON value."""
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _breaker(entry: Mapping[str, Any]) -> str:
    """The state that an entry tells under a name with `breaker` or `circuit` in it; "" where it tells none."""
    told = next((value for name, value in entry.items() if "breaker" in name.lower() or "circuit" in name.lower()), "")
    if isinstance(told, Mapping):
        told = next((told[name] for name in ("state", "status") if told.get(name)), "")
    return _text(told)


def _is_refused(attempt: str | Mapping[str, Any]) -> bool:
    """Whether a breaker refused the attempt, so that its provider was not asked."""
    words = " ".join(texts_in(attempt)).lower()
    return any(word in words for word in _REFUSED)


def _attempt(value: Any) -> Attempt | None:
    if isinstance(value, str):
        provider, _, outcome = value.partition(":")
        return Attempt(_text(provider), _is_bad(outcome.strip()), _text(outcome)) if _text(provider) else None
    if not isinstance(value, Mapping):
        return None
    provider = next((text for name in _PROVIDER_NAMES if (text := _text(value.get(name)))), "")
    if not provider:
        return None
    told = [value[name] for name in ("error", "status", "status_code", "outcome", "result") if value.get(name)]
    success = next((value[name] for name in ("success", "ok") if isinstance(value.get(name), bool)), None)
    failed = not success if success is not None else bool(value.get("error")) or any(map(_is_bad, told))
    return Attempt(provider, failed, _text(told[0]) if told else "")


def _is_bad(outcome: object) -> bool:
    """Whether this is how an attempt ends that brought no answer: a status, or words."""
    if isinstance(outcome, str) and not _STATUS.fullmatch(outcome.strip()):
        return any(word in outcome.lower() for word in _BAD_WORDS)
    status = int(outcome) if isinstance(outcome, str) else _number(outcome)
    return status is not None and status >= 400


def _named_counts(raw: msgspec.Raw, kind: str) -> tuple[NamedCounts, ...]:
    """The counts below each name of a mapping, or of a list whose members tell their name."""
    mapping = _part(raw, dict[str, Any], {}) or {
        _text(each.get(kind)): each for each in _part(raw, list[dict[str, Any]], [])
    }
    names = {name: (*_COUNT_NAMES.get(name, (name,)), f"total_{name}") for name in COUNT_FIELDS}
    found = [
        NamedCounts(name=_text(name), **_counts(each, names))
        for name, each in mapping.items()
        if isinstance(each, Mapping) and _text(name)
    ]
    return tuple(sorted(found, key=lambda each: -(each.requests or 0))[:MOST_NAMES])


def _counts(table: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Those counters that the table has under one of these names."""
    found: dict[str, Any] = {}
    for name, keys in names.items():
        read = _number if name in ("cost_usd", "avg_latency_ms") else _whole
        found[name] = next((value for key in keys if (value := read(table.get(key))) is not None), None)
    return found


def _decoded(body: bytes, kind: type[_T], what: str) -> _T:
    if len(body) > DOCUMENT_BYTES:
        raise DocumentError(f"it is longer than {DOCUMENT_BYTES >> 20} MiB")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise DocumentError(f"it is not {what}") from None
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    except (msgspec.DecodeError, UnicodeError):
        raise DocumentError("it is not JSON") from None


def _part(raw: msgspec.Raw, kind: Any, otherwise: Any) -> Any:
    """A part of a document in its type; `otherwise` where it is missing or of another."""
    try:
        return msgspec.json.decode(raw, type=kind) if raw else otherwise
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return otherwise


def _text(value: object) -> str:
    """A text or a number as a short clean text; "" for all else."""
    if isinstance(value, str):
        return clean(value[: NAME * 4].strip(), NAME)
    number = _number(value)
    return "" if number is None else f"{number:g}"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MAX_NUMBER else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
