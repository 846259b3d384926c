"""Playing a recording: the moment that is looked at moves on by wall time x speed. No clock, no widgets."""

from __future__ import annotations

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Those that the keys lead to."""


class Playback:
    """Whether a recording is played, and how many times as fast as it happened."""

    def __init__(self, speed: float, *, is_playing: bool) -> None:
        self.speed = speed
        self._is_playing = is_playing
        self._then_s: float | None = None
        """When the moment was moved last."""

    @property
    def is_playing(self) -> bool:
        return self._is_playing

    def __str__(self) -> str:
        return f"{'▶' if self._is_playing else '‖'} {self.speed:g}x"

    def play(self) -> None:
        self._is_playing = True

    def pause(self) -> None:
        self._is_playing, self._then_s = False, None

    def change_speed(self, step: int) -> None:
        """The next faster speed for 1, the next slower for -1; at the ends it stays."""
        if step > 0:
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), max(self.speed, SPEEDS[-1]))
        else:
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), min(self.speed, SPEEDS[0]))

    def advance(self, at_ns: int | None, end_ns: int, now_s: float) -> int | None:
        """The moment to look at now, `now_s` by a clock of seconds that never goes back. None: the end, where it
        stops."""
        if not self._is_playing:
            return at_ns
        since_s, self._then_s = now_s - (self._then_s if self._then_s is not None else now_s), now_s
        if at_ns is not None and (next_ns := at_ns + round(since_s * self.speed * 1e9)) < end_ns:
            return next_ns
        self.pause()
        return None
