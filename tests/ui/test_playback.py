"""A recording that is played: what moves, how fast, and where it stops."""

from __future__ import annotations

from gwtui.ui.playback import SPEEDS, Playback

SECOND = 10**9


def test_the_moment_moves_by_wall_time_and_speed_and_stops_at_the_end() -> None:
    playback = Playback(10.0, is_playing=True)
    assert playback.advance(0, 100 * SECOND, 50.0) == 0, "it begins to move with the first frame"
    assert playback.advance(0, 100 * SECOND, 50.5) == 5 * SECOND
    playback.change_speed(1)
    assert playback.advance(5 * SECOND, 100 * SECOND, 51.0) == 15 * SECOND
    assert str(playback) == "▶ 20x"
    assert playback.advance(15 * SECOND, 100 * SECOND, 55.5) is None
    assert str(playback) == "‖ 20x"


def test_time_in_which_it_is_paused_is_not_made_up_for() -> None:
    playback = Playback(1.0, is_playing=False)
    assert playback.advance(7, 100 * SECOND, 1.0) == 7
    playback.play()
    assert playback.advance(7, 100 * SECOND, 60.0) == 7
    playback.pause()
    assert playback.advance(7, 100 * SECOND, 90.0) == 7
    playback.play()
    assert playback.advance(7, 100 * SECOND, 99.0) == 7
    assert playback.advance(7, 100 * SECOND, 100.0) == 7 + SECOND


def test_speeds_have_ends_and_one_that_was_given_stays_until_it_is_changed() -> None:
    playback, seen = Playback(1.0, is_playing=False), []
    for _ in range(8):
        seen.append(playback.speed)
        playback.change_speed(1)
    assert tuple(seen) == (*SPEEDS, SPEEDS[-1])
    given = Playback(5_000.0, is_playing=False)
    given.change_speed(1)
    assert given.speed == 5_000.0
    given.change_speed(-1)
    assert given.speed == SPEEDS[-1]
    slow = Playback(0.5, is_playing=False)
    slow.change_speed(-1)
    assert slow.speed == 0.5
    slow.change_speed(1)
    assert slow.speed == 1.0
