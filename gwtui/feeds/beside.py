"""A feed that ends with something it needs, such as a process that it watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from gwtui.feeds.feeds import Feed
from gwtui.feeds.silence import LOOK_S
from gwtui.model.commands import Command
from gwtui.model.records import FeedEnded, Record


def beside(feed: Feed, gone: Callable[[], FeedEnded | None]) -> Feed:
    """The feed until `gone`, which is asked every now and then, gives the end of what it needs; then with that end."""
    return _Beside(feed, gone)


class _Beside:
    def __init__(self, feed: Feed, gone: Callable[[], FeedEnded | None]) -> None:
        self._feed = feed
        self._iterator = aiter(feed)
        self._gone = gone
        self._next: asyncio.Task[list[Record]] | None = None
        self._end: FeedEnded | None = None

    @property
    def refuses(self) -> str:
        return self._feed.refuses

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        if self._next is None:
            self._next = asyncio.create_task(self._come())
        while not (await asyncio.wait({self._next}, timeout=LOOK_S))[0]:
            self._look()
        batch, self._next = self._next.result(), None
        if not batch:
            raise StopAsyncIteration
        self._look()
        return [*batch[:-1], self._end] if self._end is not None and isinstance(batch[-1], FeedEnded) else batch

    async def _come(self) -> list[Record]:
        return await anext(self._iterator, [])

    def _look(self) -> None:
        if self._end is None and (end := self._gone()) is not None:
            self._end = end
            self._feed.stop()

    def send(self, command: Command) -> None:
        self._feed.send(command)

    def stop(self) -> None:
        self._feed.stop()

    def hold(self, held: bool) -> bool:
        return self._feed.hold(held)

    async def aclose(self) -> None:
        waiting, self._next = self._next, None
        if waiting is not None:
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
        await self._feed.aclose()
