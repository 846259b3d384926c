"""Which signals ask this program to end: all whose usual effect is the end, but for those that cannot say so.

KILL and STOP cannot be caught. ILL, BUS, FPE, SEGV and EMT are the processor's word on a fault, which would come again
at once. A closed pipe is reported by the write to it, and so is a limit on a file's size.
"""

from __future__ import annotations

import signal
import sys

if sys.platform != "win32":
    import resource

_OF_OTHER_EFFECT = ("CHLD", "CLD", "CONT", "INFO", "URG", "WINCH", "STOP", "TSTP", "TTIN", "TTOU")
_NOT_TO_CATCH = ("KILL", "ILL", "BUS", "FPE", "SEGV", "EMT", "PIPE")
_XFSZ = getattr(signal, "SIGXFSZ", None)


def ending() -> frozenset[int]:
    """Their numbers, those of real time included."""
    others = {getattr(signal, f"SIG{name}", None) for name in (*_OF_OTHER_EFFECT, *_NOT_TO_CATCH)}
    return frozenset(int(number) for number in signal.valid_signals() - others)


def heeded() -> frozenset[int]:
    """Those of them that were not ignored when the program began, as under `nohup`.

    The interpreter itself always ignores the limit on a file's size.
    """
    return frozenset(number for number in ending() if number == _XFSZ or signal.getsignal(number) is not signal.SIG_IGN)


def unhide() -> None:
    """Give the signal of the limit on a file's size its usual effect where there is no limit: the interpreter ignores
    it, and then nothing but a request to end is left that it can mean."""
    if _XFSZ is not None and asks(_XFSZ):
        signal.signal(_XFSZ, signal.SIG_DFL)


def asks(number: int) -> bool:
    """Whether a process sent the signal. Else the system did, for a limit that a write reports too."""
    if sys.platform == "win32" or number != _XFSZ:
        return True
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
