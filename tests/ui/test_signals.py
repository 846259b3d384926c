"""Which signals ask for the end."""

from __future__ import annotations

import os
import signal

import pytest

from gwtui.model.signals import asks, ending, heeded, unhide

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_all_that_end_a_program_ask_for_its_end() -> None:
    names = ("HUP", "INT", "QUIT", "ABRT", "TERM", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "SYS", "TRAP")
    assert {getattr(signal, f"SIG{name}") for name in names} <= ending()


def test_none_does_that_is_for_something_else_or_comes_back_at_once() -> None:
    names = (
        "KILL",
        "STOP",
        "TSTP",
        "CONT",
        "CHLD",
        "WINCH",
        "TTIN",
        "TTOU",
        "URG",
        "PIPE",
        "SEGV",
        "ILL",
        "FPE",
        "BUS",
    )
    assert not {getattr(signal, f"SIG{name}") for name in names} & ending()


def test_the_limit_on_a_files_size_is_an_error_of_the_write(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert signal.SIGXFSZ in heeded()
    assert asks(signal.SIGXFSZ)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000_000, resource.RLIM_INFINITY))
    assert not asks(signal.SIGXFSZ)
    assert asks(signal.SIGTERM)


def test_the_interpreter_hides_no_signal_that_can_only_ask_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    before = signal.getsignal(signal.SIGXFSZ)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000_000, resource.RLIM_INFINITY))
    try:
        unhide()
        assert signal.getsignal(signal.SIGXFSZ) == before, "the write itself fails"
        monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        unhide()
        assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGXFSZ, before)


def test_what_was_ignored_when_the_program_began_stays_so() -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        assert signal.SIGUSR1 not in heeded()
    finally:
        signal.signal(signal.SIGUSR1, before)
