"""What the user is asked before an order goes to the engine. Nothing is asked where the feed takes no orders."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from gwtui.model.incidents import Incident
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.view import View
from gwtui.ui import navigation
from gwtui.ui.actions import Orders, parse_burst
from gwtui.ui.messages import show_message
from gwtui.ui.screens.ask import AskScreen, ConfirmScreen
from gwtui.ui.screens.checks import cost

BURST, SICK_BURST = "20x5", "1"


class Questions:
    """Each asks on a screen of its own, and gives the order if the answer is not to leave it."""

    def __init__(self, screen: Screen[Any], orders: Orders) -> None:
        self._screen = screen
        self._orders = orders

    async def burst(self, endpoint: Endpoint, *, is_sick: bool) -> None:
        """How many requests to send now: one by default to an endpoint that is sick."""
        title, hint = f"Burst to {endpoint.name}", "requests, or requests x how many at once"
        ask = AskScreen(title, hint, SICK_BURST if is_sick else BURST, parse_burst)
        if (answer := await self._answer(ask)) is not None:
            self._orders.burst((endpoint.name,), answer)

    async def mark(self) -> None:
        """A line for the log."""
        if text := await self._answer(AskScreen("Mark", "a line for the incident log", "")):
            self._orders.mark(text)

    async def acknowledge(self, view: View, under_cursor: Incident | None) -> None:
        """The note with which an incident is acknowledged; it may be empty."""
        incident = navigation.incident_to_acknowledge(view, under_cursor)
        if incident is None:
            show_message(self._screen.app, "No incident is open now")
            return
        ask = AskScreen(f"Acknowledge #{incident.number}, {incident.cause}", "a note, or nothing", "")
        if (note := await self._answer(ask)) is not None:
            self._orders.acknowledge(incident.number, note)

    async def accept(self, endpoint: Endpoint) -> None:
        """Whether what the endpoint does now is what is usual for it."""
        question = f"Take what {endpoint.name} does now as usual?"
        if await self._confirmed(ConfirmScreen(question, "What was learnt before counts no more.")):
            self._orders.accept(endpoint.name)

    async def check(self, endpoint: Endpoint, profile: Profile) -> bool:
        """Whether to run its checks, which cost requests; they are begun then."""
        question = ConfirmScreen(f"Run the checks of {endpoint.name}?", cost(endpoint, profile))
        confirmed = await self._confirmed(question)
        if confirmed:
            self._orders.check(endpoint.name)
        return confirmed

    async def _answer(self, ask: AskScreen) -> str | None:
        return None if self._orders.refused() else await self._screen.app.push_screen_wait(ask)

    async def _confirmed(self, question: ConfirmScreen) -> bool:
        return not self._orders.refused() and await self._screen.app.push_screen_wait(question)
