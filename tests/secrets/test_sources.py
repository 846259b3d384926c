"""Keys that a command or a keyring is asked for: in time, not too often, and without a word of theirs shown."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.oswords import MISSING

from gwtui.model.profile import Endpoint
from gwtui.secrets import sources
from gwtui.secrets.references import KeyReferenceError, NoRoomError
from gwtui.secrets.resolver import Kept, make_ready, resolve, resolve_headers

SECRET = "sk-canary-0123456789abcdef"
"""A canary: tests look for it where it must not be."""


def endpoint(headers: dict[str, str], key: str | None = None) -> Endpoint:
    return Endpoint(name="e", api="http", url="http://127.0.0.1", headers=headers, key=key)


# What a command prints


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """Nothing is kept from one test to the next."""
    clock = Seconds()
    monkeypatch.setattr("gwtui.secrets.resolver._kept", Kept(clock))
    return clock


def python(program: str, *arguments: object) -> str:
    return "cmd:" + shlex.join([sys.executable, "-c", program, *map(str, arguments)])


COUNTED = "import sys; open(sys.argv[1], 'a').write('asked,'); print('key-' + sys.argv[2])"
posix = pytest.mark.skipif(os.name != "posix", reason="processes of POSIX systems")


def test_a_key_is_what_a_command_prints_without_its_line_end() -> None:
    assert resolve(python(f"print({SECRET!r})")) == SECRET
    assert resolve_headers(endpoint({"A": f"token ${{{python('print(7)')}}}"})) == [("A", "token 7")]


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    line = python("import sys; print(sys.argv[1:])", "$HOME", "`id`", ";", ">", tmp_path / "x", "a b")
    assert resolve(line) == f"['$HOME', '`id`', ';', '>', '{tmp_path / 'x'}', 'a b']"
    assert not (tmp_path / "x").exists()


def test_a_command_has_nothing_to_read_and_what_it_says_beside_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert resolve(python("import sys; sys.stderr.write('noise'); print(repr(sys.stdin.read()))")) == "''"
    assert capfd.readouterr() == ("", "")


@posix
def test_a_command_has_no_terminal_to_ask_on() -> None:
    """A session of its own has none, so that nothing draws over the screen."""
    assert resolve(python("import os; print(os.getsid(0) == os.getpid())")) == "True"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (python(f"import sys; print({SECRET!r}); sys.stderr.write({SECRET!r}); sys.exit(3)"), "ended with code 3"),
        (python("pass"), "is empty"),
        (python("print('a' * 100_000)"), "more than 64 KiB"),
        (python("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')"), "not UTF-8"),
        (python(f"print({SECRET!r}); print('x')"), "line breaks"),
        ("cmd:/nowhere/at/all", f"cannot be run: {MISSING}"),
        ("cmd:/", "cannot be run"),
        ("cmd:a 'b", "cannot be read: No closing quotation"),
        ("cmd: ", "is empty"),
    ],
)
def test_a_command_that_gives_no_key_is_reported_without_its_output(reference: str, says: str) -> None:
    for _ in range(2):
        with pytest.raises(KeyReferenceError) as refused:
            resolve(reference)
        assert says in str(refused.value)
        assert SECRET not in str(refused.value)


@posix
@pytest.mark.parametrize("program", ["import time; time.sleep(60)", "import os, time; os.close(1); time.sleep(60)"])
def test_a_command_that_hangs_is_given_up_and_ended(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    monkeypatch.setattr(sources, "ANSWER_S", 0.05)
    with pytest.raises(KeyReferenceError, match=r"gave no answer within 0\.05 s"):
        resolve(python(program))
    command, watch = started
    assert (command.returncode, watch.returncode) == (-signal.SIGKILL, -signal.SIGKILL)


HELPED = (
    "import os, subprocess, sys, time; alive = os.open(sys.argv[1], os.O_WRONLY); "
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], stdout=alive); os.write(alive, b'!'); "
)
"""A command that starts a helper; both hold a FIFO open for as long as they live."""
RESOLVER = "import sys; from gwtui.secrets.resolver import resolve; resolve(sys.argv[1])"


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[int]:
    """The end of a FIFO that is read until all who write to it are gone."""
    os.mkfifo(tmp_path / "alive")
    descriptor = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def heard(descriptor: int) -> bytes:
    """The next byte, which comes soon; none at the end."""
    assert select.select([descriptor], [], [], 10)[0]
    return os.read(descriptor, 1)


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_command_and_its_helpers_end_with_gwtui_however_that_ends(tmp_path: Path, alive: int, number: int) -> None:
    waiting = python(f"{HELPED}time.sleep(60)", tmp_path / "alive")
    with subprocess.Popen([sys.executable, "-c", RESOLVER, waiting], stderr=subprocess.DEVNULL) as resolver:
        assert heard(alive) == b"!"
        resolver.send_signal(number)
        assert heard(alive) == b""


@posix
def test_a_command_that_has_answered_leaves_no_helper_behind(tmp_path: Path, alive: int) -> None:
    assert resolve(python(f"{HELPED}print(7)", tmp_path / "alive")) == "7"
    assert (heard(alive), heard(alive)) == (b"!", b"")


@posix
def test_a_command_is_run_where_there_is_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_WATCH", ("/nowhere/sh",))
    assert resolve(python("print(7)")) == "7"


@posix
async def test_commands_are_run_side_by_side(tmp_path: Path) -> None:
    """Each of them ends only when all the others have begun."""
    paths = [tmp_path / name for name in "abcdef"]
    for path in paths:
        os.mkfifo(path)
    meet = (
        "import os, sys; ends = [os.open(path, os.O_RDWR) for path in sys.argv[1:]]; "
        "[os.write(end, b'.') for end in ends]; [os.read(ends[0], 1) for _ in ends]; print('met')"
    )
    keep = [os.open(path, os.O_RDWR) for path in paths]
    asked = [endpoint({"A": python(meet, path, *(set(paths) - {path}))}) for path in paths]
    await asyncio.wait_for(make_ready(*asked), 10)
    assert [resolve_headers(each) for each in asked] == [[("A", "met")]] * 6
    for end in keep:
        os.close(end)


def test_a_command_is_asked_once_in_a_while(tmp_path: Path, clock: Seconds) -> None:
    log = tmp_path / "log"
    reference = python(COUNTED, log, "a")
    for clock.now in (0.0, 1.0, 299.0):
        assert resolve(reference) == "key-a"
    assert log.read_text() == "asked,"
    clock.now = 300.0
    assert resolve(reference) == "key-a"
    assert log.read_text() == "asked,asked,"


def test_a_failure_is_kept_for_a_shorter_while(tmp_path: Path, clock: Seconds) -> None:
    reference = python("import sys; print(open(sys.argv[1]).read())", tmp_path / "key")
    for clock.now in (0.0, 29.0):
        with pytest.raises(KeyReferenceError, match="ended with code 1"):
            resolve(reference)
        (tmp_path / "key").write_text("now-there")
    clock.now = 30.0
    assert resolve(reference) == "now-there"


def test_a_command_that_finds_no_room_here_is_asked_again_soon(
    tmp_path: Path, clock: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    reference = python(COUNTED, tmp_path / "log", "a")
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", refuse)
        with pytest.raises(NoRoomError, match="cannot be run: Too many open files"):
            resolve(reference)
    clock.now = 0.9
    with pytest.raises(NoRoomError):
        resolve(reference)
    clock.now = 1.0
    assert resolve(reference) == "key-a"


async def test_the_event_loop_goes_on_while_a_command_is_asked(tmp_path: Path, clock: Seconds) -> None:
    log = tmp_path / "log"
    os.mkfifo(log)  # the command waits for a reader of it
    of = endpoint({"A": python(COUNTED, log, "a"), "B": "env:NOT_ASKED"}, key=python(COUNTED, log, "a"))
    readying = [asyncio.create_task(make_ready(of)) for _ in range(3)]
    loop_ran = False
    for _ in range(5):
        await asyncio.sleep(0)
        loop_ran = not any(task.done() for task in readying)
    reader = threading.Thread(target=log.read_text, daemon=True)
    reader.start()
    await asyncio.gather(*readying)
    reader.join(10)
    assert loop_ran
    assert resolve_headers(endpoint({"A": of.headers["A"]})) == [("A", "key-a")], "the FIFO has no reader any more"


async def test_a_key_is_asked_for_again_before_it_can_expire_during_a_probe(tmp_path: Path, clock: Seconds) -> None:
    log = tmp_path / "log"
    of = endpoint({}, key=python(COUNTED, log, "a"))
    for clock.now in (0.0, 1.0, 279.0, 280.0, 281.0):
        await make_ready(of)
    assert log.read_text() == "asked,asked,"


# What the keyring holds


@pytest.fixture
def put_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a library there whose `get_password` is this."""

    def put(body: str) -> None:
        package = tmp_path / "keyring"
        package.mkdir()
        (package / "__init__.py").write_text(f"def get_password(service, user):\n    {body}\n")
        (package / "errors.py").write_text("class KeyringError(Exception): pass\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put


LOCKED = f"from keyring.errors import KeyringError; raise KeyringError('locked, and {SECRET} is in here')"
PROMPTS = "import getpass; return getpass.getpass()"


def test_a_key_comes_from_the_keyring_by_service_and_user(put_keyring: Callable[[str], None]) -> None:
    put_keyring("return f'{service}|{user}'")
    assert resolve("keyring:https://gw/v1/me@example.com") == "https://gw/v1|me@example.com"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return None", "nothing for gateway/me: keyring set gateway me"),
        (LOCKED, "the keyring failed: KeyringError"),
        (PROMPTS, "the keyring failed: EOFError"),
        ("return 'x' * 100_000", "the keyring holds more than 64 KiB"),
        ("raise SystemExit(9)", "the keyring failed"),
    ],
    ids=["nothing", "locked", "prompts", "endless", "broken"],
)
def test_a_keyring_that_gives_no_key_is_reported(put_keyring: Callable[[str], None], body: str, says: str) -> None:
    put_keyring(body)
    with pytest.raises(KeyReferenceError) as refused:
        resolve("keyring:gateway/me")
    assert says in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_keyring_that_hangs_is_given_up(put_keyring: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "ANSWER_S", 0.05)
    put_keyring("import threading; threading.Event().wait()")
    with pytest.raises(KeyReferenceError, match=r"the keyring gave no answer within 0\.05 s"):
        resolve("keyring:gateway/me")


def test_without_the_library_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keyring.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(KeyReferenceError, match=r"pip install 'gwtui\[keyring\]'"):
        resolve("keyring:gateway/me")
