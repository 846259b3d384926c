"""Restores the terminal after gwtui was killed, from a process that outlives it.

It waits for the end of this process on a pipe. What it costs is a shell that sleeps.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import Any

if sys.platform != "win32":
    import termios

LEAVE_S = 0.5
"""How long its end is waited for."""

_GIVE_BACK = "".join(
    (
        r"\033[?2026l",  # what was held back is drawn
        r"\033[?1000l\033[?1003l\033[?1015l\033[?1006l\033[?1016l",  # no mouse reports
        r"\033[?2004l\033[?1004l\033[?2048l\033[<u",  # no marks around what is pasted, no focus, no size, plain keys
        r"\033[23;2t",  # the title of before
        r"\033[?7h\033[?1049l\033[?25h\033[0m",  # lines wrap, the screen of before, the cursor, no colours
        r"\ngwtui was killed; the terminal is as it was before\n",
    )
)
"""As `printf` takes it."""
_SCRIPT = f"""
exec 3>&1
while read -r word; do last=$word; done
[ "$last" = held ] || exit 0
case $(stty -a <&3) in *-isig*) stty "$@" <&3;; esac
printf '{_GIVE_BACK}'
"""
"""Modes are set back only where signals are still off: a shell that was faster has set its own, and needs them."""

_MODES = {
    0: ("IXON", "IXOFF", "ICRNL", "INLCR", "IGNCR"),
    3: ("ECHO", "ICANON", "IEXTEN", "ISIG"),
}
"""By their place in what `tcgetattr` gives: the modes that a screen changes. `stty` has the same names for them."""


class Keeper:
    """`held` when the terminal is taken, `free` when it is given back, `close` in the end. It needs a shell."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def held(self, fd: int) -> None:
        """The terminal is about to be taken; its modes are still those of before."""
        if self._process is None and sys.platform != "win32":
            with suppress(OSError, termios.error):
                self._process = _started(fd, termios.tcgetattr(fd))
        self._send(b"held\n")

    def free(self) -> None:
        """The terminal was given back."""
        self._send(b"free\n")

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(LEAVE_S)

    def _send(self, word: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(word)


def _started(fd: int, attributes: list[Any]) -> subprocess.Popen[bytes]:
    """A shell in a session of its own: neither keys nor signals to this program's group reach it."""
    return subprocess.Popen(  # noqa: S603 - the script is ours
        ["/bin/sh", "-c", _SCRIPT, "gwtui-keeper", *_modes(attributes)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=fd,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _modes(attributes: list[Any]) -> list[str]:
    """What `stty` takes: `echo` where it was on, `-echo` where it was off."""
    return [
        name.lower() if attributes[place] & getattr(termios, name) else f"-{name.lower()}"
        for place, names in _MODES.items()
        for name in names
    ]
