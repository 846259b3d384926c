"""From references to values. Commands and keyrings are called rarely, and never by the event loop that probes.

What the environment or a file says is read at every use, so a new key counts at once. What a command or a keyring
said is kept in memory for `KEPT_S`, a failure for `FAILURE_KEPT_S`: a password manager must not be asked at every
probe. Commands run side by side, at most `MOST_AT_ONCE`; a keyring, which may have to be unlocked, gets one question
at a time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from gwtui.model.profile import Endpoint
from gwtui.secrets.redaction import Redactor
from gwtui.secrets.references import (
    SCHEMES,
    KeyReferenceError,
    NoRoomError,
    filled_in,
    held,
    is_reference,
    is_sendable,
    references_in,
    split,
)
from gwtui.secrets.sources import from_aws, from_command, from_environment, from_file, from_keyring

KEPT_S = 300.0
FAILURE_KEPT_S = 30.0
NO_ROOM_KEPT_S = 1.0
MOST_AT_ONCE = 16
"""Questions that are asked at the same time: each takes two processes and two threads."""
MARGIN_S = 20.0
"""What expires sooner is asked for again by `make_ready`, so that it does not expire during the probe it is for."""

_READ: dict[str, Callable[[str], str]] = {"env": from_environment, "file": from_file, "option": held}
_ASKED: dict[str, Callable[[str], str]] = {"cmd": from_command, "keyring": from_keyring, "aws": from_aws}


@dataclass(frozen=True, slots=True)
class _Answer:
    value: str
    error: KeyReferenceError | None
    until_s: float
    """When it is forgotten, by the monotonic clock."""


class Kept:
    """What commands and keyrings said. Never on disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[str, _Answer] = {}
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._room = threading.Semaphore(MOST_AT_ONCE)

    def value(self, reference: str) -> str:
        """What is kept, or else what is said now, which may take long. Raises KeyReferenceError."""
        answer = self._answers.get(reference)
        if answer is None or answer.until_s <= self._clock():
            answer = self.ask(reference)
        if answer.error is not None:
            raise type(answer.error)(*answer.error.args)
        return answer.value

    def is_ready(self, reference: str) -> bool:
        """Whether `value` will not have to ask within `MARGIN_S`. A failure that is kept is ready too."""
        answer = self._answers.get(reference)
        return answer is not None and self._clock() < answer.until_s - (MARGIN_S if answer.error is None else 0.0)

    def ask(self, reference: str) -> _Answer:
        """Resolve it, unless another thread did meanwhile."""
        with self._asking["keyring" if split(reference)[0] == "keyring" else reference], self._room:
            if not self.is_ready(reference):
                self._answers[reference] = self._asked(reference)
            return self._answers[reference]

    def _asked(self, reference: str) -> _Answer:
        scheme, place = split(reference)
        try:
            value = _checked(_ASKED[scheme](place), f"what {scheme}: gives")
        except KeyReferenceError as error:
            kept_s = NO_ROOM_KEPT_S if isinstance(error, NoRoomError) else FAILURE_KEPT_S
            return _Answer("", error, self._clock() + kept_s)
        return _Answer(value, None, self._clock() + KEPT_S)


_kept = Kept()
_seen: dict[str, tuple[str, ...]] = {}
"""By reference the value that it was last resolved to in this process, and the one before."""


def resolve(reference: str) -> str:
    """The key itself, without surrounding white space. Raises KeyReferenceError.

    In an event loop that must not wait, `make_ready` comes first.
    """
    value = read(reference)
    remember(reference, value)
    return value


def read(reference: str) -> str:
    """As `resolve`, for a text that is no key as a whole: it is not masked. `remember` what in it is one."""
    if not is_reference(reference):
        raise KeyReferenceError(f"a key is given as {SCHEMES}")
    scheme, place = split(reference)
    return _kept.value(reference) if scheme in _ASKED else _checked(_READ[scheme](place), reference)


def remember(reference: str, value: str) -> None:
    """Mask the value from now on wherever it comes back."""
    before = [each for each in _seen.get(reference, ()) if each != value]
    _seen[reference] = (*before[-1:], value)


def redactor(*further: str) -> Redactor:
    """Masks all that was resolved in this process, whichever endpoint it is for, and these secrets."""
    return _redactor(tuple(dict.fromkeys((*(value for values in list(_seen.values()) for value in values), *further))))


@lru_cache(maxsize=8)
def _redactor(secrets: tuple[str, ...]) -> Redactor:
    return Redactor(secrets)


def masked(text: str) -> str:
    """The text without any key, for logs and tracebacks."""
    return redactor()(text)


def resolve_headers(endpoint: Endpoint) -> list[tuple[str, str]]:
    """The endpoint's further headers, references replaced by what they refer to. Raises KeyReferenceError."""
    return [(name, _resolved(name, value)) for name, value in endpoint.headers.items()]


def learn(*endpoints: Endpoint) -> None:
    """Know the keys of these endpoints that are read at once, so that they are masked; what fails is left out."""
    for reference in {each for endpoint in endpoints for each in references_of(endpoint) if each != endpoint.proxy}:
        if split(reference)[0] in _READ:
            with suppress(KeyReferenceError):
                resolve(reference)


def resolve_url(url: str) -> str:
    """The URL with what the references in its query refer to, percent-encoded. Raises KeyReferenceError."""
    place, mark, query = url.partition("?")
    values = {reference: quote(resolve(reference), safe="") for reference in references_in(query)}
    return f"{place}{mark}{filled_in(query, values)}" if values else url


def resolve_within(text: str) -> str:
    """The text, with its references replaced by what they refer to. Raises KeyReferenceError."""
    return filled_in(text, {reference: resolve(reference) for reference in references_in(text)})


async def make_ready(*endpoints: Endpoint) -> None:
    """Get the endpoints' keys, all at the same time, so that `resolve` does not wait for a command or a keyring."""
    references = dict.fromkeys(reference for endpoint in endpoints for reference in references_of(endpoint))
    missing = [each for each in references if split(each)[0] in _ASKED and not _kept.is_ready(each)]
    if missing:
        await asyncio.gather(*map(_ask_in_thread, missing))


async def _ask_in_thread(reference: str) -> None:
    """Not in one of the loop's own threads: names are resolved by those, and must not wait for keys. Where no
    thread can be started, asking fails at once."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def run() -> None:
        _kept.ask(reference)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(done.set)

    try:
        threading.Thread(target=run, name="keys", daemon=True).start()
    except RuntimeError:
        _kept.ask(reference)
    else:
        await done.wait()


def references_of(endpoint: Endpoint) -> Iterable[str]:
    """Every reference of the endpoint, as it is written."""
    password = endpoint.tls.client_key_password if endpoint.tls is not None else None
    texts = [
        *filter(None, (endpoint.key, endpoint.proxy, password, endpoint.url, endpoint.path)),
        *endpoint.headers.values(),
    ]
    return (reference for text in texts for reference in references_in(text))


def _checked(value: str, name: str) -> str:
    value = value.strip()
    if not value:
        raise KeyReferenceError(f"{name} is empty")
    if not is_sendable(value):
        raise KeyReferenceError(f"{name} holds line breaks or characters that no HTTP header can carry")
    return value


def _resolved(name: str, value: str) -> str:
    text = resolve_within(value)
    if not is_sendable(text):
        raise KeyReferenceError(f"the header {name} holds line breaks or characters that no HTTP header can carry")
    return text
