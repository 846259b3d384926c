"""Where keys are: the environment, a file, what a command prints, the system's keyring, AWS's own chain. Each is read
again.

A command and a keyring may prompt, so they may take long: up to `ANSWER_S`, then they are given up. A command's
whole process group ends with its answer, and with gwtui, however that ends.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from gwtui.secrets.references import KeyReferenceError, NoRoomError
from gwtui.text.untrusted_files import expanded, open_at_once

MAX_FILE_BYTES = 64 * 1024
ANSWER_S = 10.0

_WATCH = ("/bin/sh", "-c", 'read -r line; kill -s KILL -- "-$1"', "sh")
"""Kills the process group whose number follows, once its own standard input has ended."""

_ARGUMENTS = slice(45, 47)
"""Where the command line begins and ends in memory, among the fields of proc_pid_stat(5) after the name."""
_NO_LIBRARY, _REFUSED, _NOT_FOUND = 3, 4, 5
_KEYRING = f"""
import sys
try:
    import keyring, keyring.errors
except ImportError:
    sys.exit({_NO_LIBRARY})
try:
    found = keyring.get_password(*sys.argv[1:])
except (keyring.errors.KeyringError, OSError, RuntimeError, EOFError) as error:
    print(type(error).__name__)
    sys.exit({_REFUSED})
if found is None:
    sys.exit({_NOT_FOUND})
sys.stdout.buffer.write(found.encode())
"""
"""Prints what the keyring holds, or the kind of its refusal, whose words may hold part of a key."""

_AWS = f"""
import sys
try:
    import botocore.session, botocore.exceptions
except ImportError:
    sys.exit({_NO_LIBRARY})
try:
    found = botocore.session.Session(profile=sys.argv[1] or None).get_credentials()
    found = found and found.get_frozen_credentials()
except (botocore.exceptions.BotoCoreError, OSError, ValueError) as error:
    print(type(error).__name__)
    sys.exit({_REFUSED})
if not found or not found.secret_key:
    sys.exit({_NOT_FOUND})
sys.stdout.buffer.write(":".join((found.access_key, found.secret_key, found.token or "")).encode())
"""
"""Prints the credentials that AWS's own chain finds: variables, files, a command, SSO, or the machine's role."""

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})


def from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise KeyReferenceError(f"the environment variable {name} is not set: export {name}=... and start gwtui again")
    return value


def from_file(place: str) -> str:
    path = expanded(place)
    try:
        with open(path, "rb", opener=open_at_once) as file:
            _refuse_unsafe(os.fstat(file.fileno()), path)
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _trouble(f"the key file {path} cannot be read", error) from error
    if len(data) > MAX_FILE_BYTES:
        raise KeyReferenceError(f"the key file {path} is larger than {MAX_FILE_BYTES // 1024} KiB: the wrong one?")
    return _text(data, f"the key file {path}")


def hide_argument(value: str) -> bool:
    """Overwrite the value of an option in this process's command line, as the list of processes shows it. False where
    that cannot be done, as on systems without /proc."""
    secret = re.compile(rb"(?<=[\0=])" + re.escape(os.fsencode(value)) + rb"(?=\0)")
    try:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        begins, ends = (int(field) for field in fields[_ARGUMENTS])
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            memory.seek(begins)
            line, found = secret.subn(lambda match: b"*" * len(match[0]), memory.read(ends - begins))
            memory.seek(begins)
            memory.write(line)
    except (OSError, ValueError):
        return False
    return found > 0


def from_command(line: str) -> str:
    """What the command prints. No shell reads its line; it has no terminal and nothing to read, and what it says on
    standard error is not shown, because it may be part of the key."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise KeyReferenceError(f"the key command cannot be read: {error}") from error
    if not words:
        raise KeyReferenceError("the key command is empty")
    name = f"the key command {Path(words[0]).name}"
    with _group(words, name) as process:
        data = _in_time(lambda: _output(process), name)
    if len(data) > MAX_FILE_BYTES:
        raise KeyReferenceError(f"{name} prints more than {MAX_FILE_BYTES // 1024} KiB: the wrong one?")
    if process.returncode:
        raise KeyReferenceError(f"{name} ended with code {process.returncode}: run it in a shell to see why")
    return _text(data, f"what {name} prints")


def from_keyring(place: str) -> str:
    """What the system's keyring holds. It is asked by a Python of its own without a terminal: some of its back ends
    would ask there for a password, in the middle of a screen."""
    service, _, user = place.rpartition("/")
    with _group([sys.executable, "-P", "-c", _KEYRING, service, user], "the keyring") as process:
        data = _in_time(lambda: _output(process), "the keyring")
    if len(data) > MAX_FILE_BYTES:
        raise KeyReferenceError(f"the keyring holds more than {MAX_FILE_BYTES // 1024} KiB: the wrong entry?")
    if process.returncode == _NO_LIBRARY:
        raise KeyReferenceError("keyring: needs the keyring library: pip install 'gwtui[keyring]'")
    if process.returncode == _NOT_FOUND:
        raise KeyReferenceError(f"the keyring has nothing for {service}/{user}: keyring set {service} {user}")
    if process.returncode:
        why = _text(data, "the keyring's fault").strip() if process.returncode == _REFUSED else "run it in a shell"
        raise KeyReferenceError(f"the keyring failed: {why}")
    return _text(data, "what the keyring holds")


def from_aws(place: str) -> str:
    """The credentials of AWS's own chain for that profile: access key id, secret key and session token, with colons
    between. The chain is asked by a Python of its own: it may run commands, and ask the machine's network."""
    profile = place.partition("/")[0]
    with _group([sys.executable, "-P", "-c", _AWS, profile], "the search for AWS credentials") as process:
        data = _in_time(lambda: _output(process), "the search for AWS credentials")
    if process.returncode == _NO_LIBRARY:
        raise KeyReferenceError("aws: needs the botocore library: pip install 'gwtui[aws]'")
    if process.returncode == _NOT_FOUND:
        whose = f"the profile {profile}" if profile else "this environment"
        raise KeyReferenceError(f"AWS has no credentials for {whose}: aws configure, or aws sso login")
    if process.returncode:
        why = _text(data, "AWS's fault").strip() if process.returncode == _REFUSED else "run it in a shell"
        raise KeyReferenceError(f"the search for AWS credentials failed: {why}")
    with suppress(ImportError):  # in this thread, so that no event loop waits for it when it signs
        import_module("botocore.auth")
    return _text(data, "what AWS's chain gives")


@contextmanager
def _group(words: list[str], name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a session of its own, of which nothing is left behind. Raises KeyReferenceError."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command, from the user's own configuration
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _trouble(f"{name} cannot be run", error) from error
    try:
        with _watched(process.pid):
            yield process
    finally:
        _end(process)


@contextmanager
def _watched(group: int) -> Iterator[None]:
    """Have a process group killed when this process ends, even by SIGKILL: that ends the input of a shell that waits.

    Without a shell, a command that runs when gwtui is killed runs to its own end.
    """
    try:
        watch = subprocess.Popen(  # noqa: S603 - our own line, and a number
            [*_WATCH, str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise _trouble("the key command cannot be watched", error) from error
    with watch:
        try:
            yield
        finally:
            watch.kill()


def _output(process: subprocess.Popen[bytes]) -> bytes:
    """All that it prints, but not much more than a key may be; then it has ended."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    with process.stdout as printed:
        data = printed.read(MAX_FILE_BYTES + 1)
    if len(data) <= MAX_FILE_BYTES:
        process.wait()
    return data


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of a command running, nor of what it started in its process group."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):  # nobody is left, or on macOS none but a zombie
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _in_time(ask: Callable[[], bytes], name: str) -> bytes:
    """What `ask` gives, within `ANSWER_S`. It runs in a thread of its own, which is left to itself when it is late."""
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(ask()), name="key", daemon=True)
    try:
        asking.start()
    except RuntimeError as error:
        raise NoRoomError(f"{name} cannot be asked: {error}") from error
    asking.join(ANSWER_S)
    if answers:
        return answers[0]
    if not asking.is_alive():
        raise KeyReferenceError(f"{name} failed: see the log")
    raise KeyReferenceError(f"{name} gave no answer within {ANSWER_S:g} s")


def _trouble(text: str, error: OSError | ValueError) -> KeyReferenceError:
    kind = NoRoomError if isinstance(error, OSError) and error.errno in _NO_ROOM else KeyReferenceError
    return kind(f"{text}: {getattr(error, 'strerror', None) or error}")


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise KeyReferenceError(f"{name} is not UTF-8 text") from error


def _refuse_unsafe(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyReferenceError(f"the key file {path} is not a regular file")
    if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyReferenceError(f"the key file {path} is open to other users: chmod 600 {path}")
