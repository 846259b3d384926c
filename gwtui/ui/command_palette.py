"""What the command palette offers: every key of the monitor, found by its name or by what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from gwtui.ui.keymap import KEYS, shown
from gwtui.ui.screens.monitor import MonitorScreen


class Offers(Provider):
    """A line each: the key, and what it does."""

    def _all(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        screen = self.screen
        if isinstance(screen, MonitorScreen):
            for key in KEYS:
                if key.id != "app.palette":
                    text = key.help if key.name in key.help else f"{key.name}: {key.help}"
                    text += f" ({key.also})" if key.also else ""
                    yield shown(screen.remapped.get(key.id, key.keys)), text, partial(screen.act, key.action)

    async def discover(self) -> Hits:
        for keys, text, act in self._all():
            yield DiscoveryHit(_line(keys, Content(text)), act, text=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for keys, text, act in self._all():
            if (score := matcher.match(text)) > 0:
                yield Hit(score, _line(keys, matcher.highlight(text)), act, text=text)


def _line(keys: str, text: Content) -> Content:
    return Content.assemble((f"{keys:<11} ", "$ink-accent"), text)
