"""What the command palette offers: every key of the monitor, found by its name, its synonyms, or by what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from gwtui.ui.keymap import KEYS, Key, shown
from gwtui.ui.screens.monitor import MonitorScreen

SYNONYMS = {
    "app.help": "keys shortcuts symbols mouse",
    "app.manual": "documentation docs verdicts findings words glossary",
    "app.quit": "exit leave close",
    "app.theme": "colours colors dark light",
    "app.themes": "colours colors dark light",
    "endpoint.accept": "normal baseline relearn",
    "endpoint.add": "new create",
    "endpoint.duplicate": "clone copy",
    "endpoint.edit": "change settings form",
    "endpoint.remove": "delete",
    "endpoint.undo": "revert",
    "engine.restart": "reconnect",
    "incident.acknowledge": "ack silence mute note",
    "incident.mark": "annotate note comment deploy",
    "incident.next": "jump",
    "incident.previous": "jump",
    "incident.write_up": "report export postmortem markdown",
    "page.checks": "test concurrency fallback circuit breaker health metrics",
    "page.compare": "difference significance",
    "panel.endpoints": "table maximize fullscreen",
    "panel.incidents": "timeline events maximize fullscreen",
    "panel.latency": "chart maximize fullscreen",
    "panel.pings": "maximize fullscreen",
    "panel.restore": "escape live all",
    "panel.stream": "maximize fullscreen",
    "probe.ask": "probe retry refresh once",
    "probe.ask_all": "probe retry refresh",
    "probe.burst": "benchmark load stress test",
    "probe.faster": "interval rate",
    "probe.pause": "stop start hold endpoint",
    "probe.pause_all": "stop start hold endpoints",
    "probe.slower": "interval rate",
    "request.copy": "clipboard trace",
    "request.copy_menu": "clipboard export curl csv markdown ticket request id raw",
    "request.inspect": "details open show headers trace",
    "request.newer": "next",
    "request.older": "previous",
    "stream.mode": "raw text events models",
    "time.back": "history replay rewind past",
    "time.faster": "replay speed",
    "time.forward": "history replay future",
    "time.next": "history replay jump",
    "time.previous": "history replay jump rewind",
    "time.slower": "replay speed",
    "time.utc": "timezone zone local",
    "view.columns": "fields table",
    "view.filter": "search find",
    "view.freeze": "pause screen hold replay stop",
    "view.group": "tags tag provider model gateway fold",
    "view.log_scale": "chart axis scale",
    "view.metric": "ttft icl tpot chart",
    "view.reverse": "order descending ascending",
    "view.sort": "order rank",
    "view.window_longer": "zoom range",
    "view.window_shorter": "zoom range",
}
"""Further words that people would type for an action, by its id."""

SCORES = (("name", 4.0, 2.5), ("also", 3.0, 2.0), ("help", 2.0, 1.0))
"""What a word is worth that stands there as a whole, or that one there begins with."""
BY_WORDS = 100.0
"""All that is found by its words comes before what only has the letters."""


class Offers(Provider):
    """A line each: the key, and what it does."""

    def _all(self) -> Iterator[tuple[Key, Callable[[], object]]]:
        screen = self.screen
        if isinstance(screen, MonitorScreen):
            for key in KEYS:
                if key.id != "app.palette":
                    pressed = shown(screen.remapped.get(key.id, key.keys))
                    yield key._replace(keys=pressed), partial(screen.act, key.action)

    async def discover(self) -> Hits:
        for key, act in self._all():
            yield DiscoveryHit(_line(key.keys, Content(text_of(key))), act, text=text_of(key))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for key, act in self._all():
            text = text_of(key)
            letters = matcher.match(text)
            by_words = words_found(query, key)
            if by_words or letters > 0:
                score = BY_WORDS * (1 + by_words) if by_words else letters
                yield Hit(score, _line(key.keys, matcher.highlight(text)), act, text=text)


def text_of(key: Key) -> str:
    """What an action is called, as in the footer, and what it does."""
    name = key.label or key.name
    text = key.help if name in key.help else f"{name}: {key.help}"
    also = [word for word in SYNONYMS.get(key.id, "").split() if word not in text]
    return f"{text} ({', '.join(also)})" if also else text


def words_found(query: str, key: Key) -> float:
    """How well the words of a query fit an action: 0 if one of them begins none of its words."""
    places = {"name": f"{key.label} {key.name}", "also": SYNONYMS.get(key.id, ""), "help": key.help}
    words = {place: re.findall(r"\w+", text.lower()) for place, text in places.items()}
    asked = re.findall(r"\w+", query.lower())
    worth: list[float] = [
        max(_worth(word, words[place], whole, begun) for place, whole, begun in SCORES) for word in asked
    ]
    return sum(worth) / len(worth) if worth and all(worth) else 0.0


def _worth(word: str, words: list[str], whole: float, begun: float) -> float:
    if word in words:
        return whole
    return begun if any(each.startswith(word) for each in words) else 0.0


def _line(keys: str, text: Content) -> Content:
    return Content.assemble((f"{keys:<11} ", "$ink-accent"), text)
