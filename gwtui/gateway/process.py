"""The embedded gateway in a process of its own, for `gwtui demo`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gwtui.gateway.scenario import Scenario

_PATIENCE_S = 2.0
"""How long each way of ending the process may take before a harder one."""


class GatewayError(OSError):
    """The gateway's process did not start. The text holds what it said."""


_LOG_LINES = 10
"""Lines of its log that explain its end."""


def _runs() -> None:
    return None


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """A running gateway."""

    pid: int
    port: int
    raw_port: int | None = None
    """Where faults are that need a bare socket."""
    end: Callable[[], tuple[str, str] | None] = _runs
    """How it ended, and the last lines of its log; None while it runs."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def raw_url(self) -> str:
        return f"http://127.0.0.1:{self.raw_port}"


def spawn_gateway(scenario: Path | None = None) -> AbstractContextManager[GatewayProcess]:
    """The embedded gateway on a free loopback port, playing the scenario (by default the demo's story).

    It ends with the `with`, and when this process ends, however that happens. Entering raises `GatewayError`. Files of
    the current directory do not pass for its modules.
    """
    command = [sys.executable, "-P", "-m", "gwtui", "gateway", "--port", "0", "--json", "--stop-with-stdin"]
    return running([*command, "--scenario", str(scenario)] if scenario is not None else command)


@contextmanager
def running(command: Sequence[str]) -> Iterator[GatewayProcess]:
    """Run a command that prints `{"port": N, "raw_port": M}` once it listens, and ends when its standard input does."""
    with ExitStack() as stack:
        try:
            errors = stack.enter_context(tempfile.TemporaryFile())
            process = stack.enter_context(_started(command, errors))
        except OSError as error:
            raise GatewayError(f"The embedded gateway did not start: {error}") from error
        try:
            yield GatewayProcess(process.pid, *_announced_ports(process, errors), lambda: _how_ended(process, errors))
        finally:
            _end(process)


def _started(command: Sequence[str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  the command is our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,  # a Ctrl-C in the terminal is for the monitor, which then ends the gateway
    )


def _announced_ports(process: subprocess.Popen[bytes], errors: IO[bytes]) -> tuple[int, int | None]:
    line = process.stdout.readline() if process.stdout is not None else b""
    try:
        ports = json.loads(line)
        return int(ports["port"]), ports.get("raw_port")
    except (ValueError, KeyError, TypeError):
        _end(process)
        errors.seek(0)
        said = (errors.read() or line).decode(errors="replace").strip()
        raise GatewayError(f"The embedded gateway did not start: {said or 'it said nothing'}") from None


def _how_ended(process: subprocess.Popen[bytes], errors: IO[bytes]) -> tuple[str, str] | None:
    code = process.poll()
    if code is None:
        return None
    errors.seek(0)
    log = errors.read().decode(errors="replace").strip().splitlines()
    how = f"exited {code}" if code >= 0 else f"was killed by {_signal_name(-code)}"
    return f"The embedded gateway {how}", "\n".join(log[-_LOG_LINES:])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    for harder in (process.terminate, process.kill):
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            harder()


_BACKLOG = 2048


def serve(
    host: str,
    port: int,
    scenario: Scenario,
    ready: Callable[[int], None],
    *,
    raw_port: int = 0,
    raw_ready: Callable[[int], None] | None = None,
    stop_with_stdin: bool = False,
) -> int | None:
    """Serve until SIGTERM or SIGINT, whose number is returned, or with `stop_with_stdin` until standard input ends.

    `raw_ready`, then `ready` are called with their port as soon as both are bound: `raw_port` is the one of the bare
    sockets. Raises `OSError` when one cannot be bound.
    """
    with listen(host, port) as listener, listen(host, raw_port) as raw:
        if raw_ready is not None:
            raw_ready(raw.getsockname()[1])
        ready(listener.getsockname()[1])
        from gwtui.gateway.hosting import host_gateway

        return host_gateway(listener, raw, scenario, stop_with_stdin=stop_with_stdin)


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises `OSError`."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
