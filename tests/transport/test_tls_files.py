"""TLS files: what cannot be used is named, changes are read anew, an end that is near is reported, nobody is asked."""

from __future__ import annotations

import datetime
import os
import ssl
import sys
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.certificates import authority
from support.clients import encrypted, issue, wanting
from support.commanding import gwtui, profiles, written
from support.judged import Story
from support.probing import Probing, endpoint, probed
from support.proxies import nginx
from support.scripted import Accept, Receive, ScriptedServer, Send, Step, TakeFrame, free_port, http

from gwtui import config
from gwtui.model.enums import FindingName, State
from gwtui.model.profile import TLS
from gwtui.model.records import Finding, Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.secrets.references import KeyReferenceError
from gwtui.transport.certificates import DAY_S, expires_at, expiry
from gwtui.transport.tls_files import TLSFileError, TLSFiles, check_client

NOW = 1_800_000_000.0
ANSWER: list[Step] = [Receive(), Send(http("200 OK", body=b"pong"))]
PASSWORD = "frobnicate-the-widget"


def damaged(path: str | None) -> str:
    """The path of a copy that was cut."""
    assert path is not None
    copy = Path(f"{path}.cut")
    text = Path(path).read_text()
    copy.write_text(text.replace(text.splitlines()[2], "AAAA"))
    return str(copy)


@pytest.mark.parametrize(
    ("field", "make", "says"),
    [
        ("ca_file", lambda tls, tmp: replace(tls, ca_file=f"{tmp}/none.pem"), "No such file"),
        ("ca_file", lambda tls, tmp: replace(tls, ca_file=tls.client_key), "holds no certificate"),
        ("ca_file", lambda tls, tmp: replace(tls, ca_file=damaged(tls.ca_file)), "damaged"),
        ("ca_file", lambda tls, tmp: replace(tls, ca_file=str(tmp)), "Is a directory"),
        ("client_cert", lambda tls, tmp: replace(tls, client_cert=os.devnull), "not a regular file"),
        ("client_cert", lambda tls, tmp: replace(tls, client_cert="a\0b"), "not the name of a file"),
        ("client_cert", lambda tls, tmp: replace(tls, client_cert=damaged(tls.client_cert)), "damaged"),
        ("client_cert", lambda tls, tmp: replace(tls, client_key=None), "tls.client_key"),
        ("client_key", lambda tls, tmp: replace(tls, client_key=f"{tmp}/none.key"), "No such file"),
        ("client_key", lambda tls, tmp: replace(tls, client_key=tls.client_cert), "no private key"),
        ("client_key", lambda tls, tmp: replace(tls, client_key=damaged(tls.client_key)), "damaged"),
        ("client_key", lambda tls, tmp: replace(tls, client_cert=None), "client_cert"),
        ("client_key", lambda tls, tmp: replace(tls, client_key=issue(tmp, "other").client_key), "does not belong"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named(field: str, make: object, says: str, tmp_path: Path) -> None:
    assert callable(make)
    settings: TLS = make(issue(tmp_path), tmp_path)
    with pytest.raises(TLSFileError, match=says) as raised:
        TLSFiles(settings).context()
    assert raised.value.field == field
    row = await probed(endpoint("http", "https://127.0.0.1:1", tls=settings))
    assert (row.verdict, row.reason) == (Verdict.TLS_FILE, str(raised.value).replace("\0", "␀"))


async def test_a_websocket_names_it_too(tmp_path: Path) -> None:
    probing = Probing(endpoint("websocket", "wss://127.0.0.1:1", tls=TLS(ca_file=f"{tmp_path}/none.pem")))
    async with probing.prober:
        row = await probing.once()
    assert row.verdict is Verdict.TLS_FILE
    assert "none.pem" in row.reason


@pytest.mark.skipif(sys.platform == "win32", reason="needs FIFOs")
def test_a_fifo_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TLSFileError, match="not a regular file"):
        TLSFiles(TLS(ca_file=str(tmp_path / "pipe"))).context()


def test_an_encrypted_key_needs_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = issue(tmp_path)
    settings = replace(settings, client_key=encrypted(settings.client_key or "", PASSWORD))
    with pytest.raises(TLSFileError, match="is encrypted") as raised:
        check_client(settings)
    assert "client_key_password" in raised.value.reason
    settings = replace(settings, client_key_password="env:GWTUI_TEST_KEY_PASSWORD")
    monkeypatch.delenv("GWTUI_TEST_KEY_PASSWORD", raising=False)
    with pytest.raises(KeyReferenceError, match="GWTUI_TEST_KEY_PASSWORD"):
        check_client(settings)
    monkeypatch.setenv("GWTUI_TEST_KEY_PASSWORD", "another")
    with pytest.raises(TLSFileError, match="password is wrong"):
        check_client(settings)
    monkeypatch.setenv("GWTUI_TEST_KEY_PASSWORD", "x" * 2000)
    with pytest.raises(TLSFileError, match="longer"):
        check_client(settings)
    monkeypatch.setenv("GWTUI_TEST_KEY_PASSWORD", PASSWORD)
    check_client(settings)


async def test_a_client_is_known_by_a_key_with_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWTUI_TEST_KEY_PASSWORD", PASSWORD)
    settings = issue(tmp_path)
    key = encrypted(settings.client_key or "", PASSWORD)
    known = replace(settings, client_key=key, client_key_password="env:GWTUI_TEST_KEY_PASSWORD")
    async with ScriptedServer(ANSWER, tls=wanting()) as server:
        row = await probed(endpoint("http", server.url, tls=known))
        unknown = await probed(endpoint("http", server.url, tls=TLS(ca_file=settings.ca_file)))
    assert row.verdict is Verdict.COMPLETE
    assert unknown.verdict in (Verdict.TLS, Verdict.RESET)


PROMPTED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "gwtui", *sys.argv[1:]])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a controlling terminal")
@pytest.mark.parametrize("command", ["probe", "watch"])
def test_nobody_is_asked_for_the_password(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.tty import terminal

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings = issue(tmp_path)
    encrypted(settings.client_key or "", PASSWORD)
    tls = 'tls = { ca_file = "ca.pem", client_cert = "me.pem", client_key = "me.key.encrypted" }'
    path = written(tmp_path, profiles("https://127.0.0.1:1", tls))
    arguments = {
        "probe": ["probe", "chat", "-p", "prod", "--config", path],
        "watch": ["watch", "-p", "prod", "--config", path, "--json", "--for", "1"],
    }
    with terminal("-c", PROMPTED, *arguments[command]) as tty:
        tty.end()
    assert b"is encrypted" in tty.written
    assert b"pass phrase" not in tty.written.lower()


def test_a_changed_file_makes_another_context(tmp_path: Path) -> None:
    files = TLSFiles(issue(tmp_path, days=300))
    first, ends = files.context(), files.client_expires_at
    assert files.context() is first
    issue(tmp_path, days=200)
    second = files.context()
    assert second is not first
    assert files.client_expires_at is not None
    assert ends is not None
    assert files.client_expires_at < ends - 90 * DAY_S


def test_the_last_good_pair_is_used_while_another_is_half_written(tmp_path: Path) -> None:
    files = TLSFiles(issue(tmp_path))
    good = files.context()
    before = (tmp_path / "me.key").read_text()
    (tmp_path / "me.key").write_text(before[:40])
    assert files.context() is good
    assert [finding.name for finding in files.findings(None, 14)] == [FindingName.TLS_FILES_NOT_RELOADED]
    assert "me.key" in files.trouble
    (tmp_path / "me.key").unlink()
    assert files.context() is good
    issue(tmp_path)
    assert files.context() is not good
    assert files.findings(None, 14) == ()


async def test_a_kept_connection_is_made_anew_with_changed_files(tmp_path: Path) -> None:
    settings = issue(tmp_path)
    async with ScriptedServer([*ANSWER, *ANSWER], [*ANSWER, *ANSWER], tls=wanting()) as server:
        probing = Probing(endpoint("http", server.url, tls=settings))
        async with probing.prober:
            rows = [await probing.once(), await probing.once()]
            issue(tmp_path)
            rows.append(await probing.once())
            (tmp_path / "me.pem").write_text("")
            rows.append(await probing.once())
    assert [row.verdict for row in rows[:3]] == [Verdict.COMPLETE] * 3
    assert [row.phases.reused for row in rows[:3]] == [False, True, False]
    assert [[finding.name for finding in row.findings] for row in rows[:3]] == [[]] * 3
    assert FindingName.TLS_FILES_NOT_RELOADED in [finding.name for finding in rows[3].findings]


async def test_a_kept_websocket_is_made_anew_with_changed_files(tmp_path: Path) -> None:
    pong: list[Step] = [TakeFrame(), Send(b"\x81\x04pong")]
    settings = issue(tmp_path)
    async with ScriptedServer([Accept(), *pong, *pong], [Accept(), *pong], tls=wanting()) as server:
        probing = Probing(endpoint("websocket", server.url, tls=settings))
        async with probing.prober:
            rows = [await probing.once(), await probing.once()]
            issue(tmp_path)
            rows.append(await probing.once())
    assert [(row.verdict, row.connection) for row in rows] == [(Verdict.PONG, 1), (Verdict.PONG, 1), (Verdict.PONG, 2)]


@pytest.mark.parametrize("year", [2030, 2049, 2050, 2199])
def test_the_end_of_a_certificate_is_read_from_its_bytes(year: int) -> None:
    end = datetime.datetime(year, 12, 31, 23, 59, 58, tzinfo=datetime.UTC)
    pem = authority().issue_cert("example.org", not_after=end).cert_chain_pems[0].bytes()
    assert expires_at(ssl.PEM_cert_to_DER_cert(pem.decode())) == end.timestamp()


@given(st.binary(max_size=64))
def test_bytes_that_are_no_certificate_have_no_end(data: bytes) -> None:
    expires_at(data)
    whole = ssl.PEM_cert_to_DER_cert(authority().cert_pem.bytes().decode())
    expires_at(whole[: len(data)] + data)
    assert expires_at(b"") is None


@pytest.mark.parametrize(
    ("days", "warns", "degrades", "says"),
    [
        (14.1, False, False, ""),
        (13.9, True, False, "in 13d"),
        (1.1, True, False, "in 1d"),
        (0.9, True, True, "in 21:36:00"),
        (-0.5, True, True, "12:00:00 ago"),
    ],
)
def test_what_ends_soon_is_reported_and_its_last_day_degrades(
    days: float, warns: bool, degrades: bool, says: str
) -> None:
    found = expiry("server", NOW + days * DAY_S, 14, NOW)
    assert bool(found) is warns
    for finding in found:
        assert (finding.name, finding.degrades) == (FindingName.CERTIFICATE_EXPIRES, degrades)
        assert says in finding.evidence
    assert expiry("server", None, 14, NOW) == ()
    assert expiry("client", NOW + DAY_S, 0, NOW) == ()


@pytest.mark.parametrize("api", ["http", "websocket"])
async def test_a_probe_reports_certificates_that_end_soon(api: str, tmp_path: Path) -> None:
    settings = issue(tmp_path, days=0.5)
    script: list[Step] = ANSWER if api == "http" else [Accept(), TakeFrame(), Send(b"\x81\x04pong")]
    async with ScriptedServer(script, tls=wanting(days=3)) as server:
        probing = Probing(endpoint(api, server.url, tls=settings))
        async with probing.prober:
            row = await probing.once()
    assert row.verdict in (Verdict.COMPLETE, Verdict.PONG)
    assert [(finding.name, finding.degrades) for finding in row.findings] == [
        (FindingName.CERTIFICATE_EXPIRES, False),
        (FindingName.CLIENT_CERTIFICATE_EXPIRES, True),
    ]


async def test_a_certificate_that_is_not_verified_is_reported_too(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER, tls=wanting(required=False, days=3)) as server:
        row = await probed(endpoint("http", server.url, tls=TLS(insecure=True)))
        quiet = await probed(endpoint("http", server.url, tls=TLS(insecure=True), cert_warn_days=2))
    assert [finding.name for finding in row.findings] == [FindingName.CERTIFICATE_EXPIRES]
    assert quiet.findings == ()


def test_an_endpoint_is_degraded_in_the_last_day_and_up_with_another_certificate() -> None:
    story = Story()
    finding = Finding(name=FindingName.CERTIFICATE_EXPIRES, evidence="it ends at noon", degrades=True)
    story.results("..")
    story.request(Verdict.COMPLETE, findings=(replace(finding, degrades=False),))
    assert story.state() is State.UP
    story.request(Verdict.COMPLETE, findings=(finding,))
    assert story.reports() == [(State.DEGRADED, "certificate_expires: it ends at noon")]
    story.results("....")
    assert story.state() is State.DEGRADED, "one address may have it while another has not"
    story.results(".")
    assert story.reports()[1:] == [(State.UP, "up again after 00:00:25, certificate_expires: not found any more")]
    assert [text for _, text in story.reports("finding")] == ["certificate_expires: it ends at noon"]


def test_findings_of_pings_are_reported_once() -> None:
    story = Story()
    finding = Finding(name=FindingName.CERTIFICATE_EXPIRES, evidence="soon")
    for number in (1, 2):
        story.apply(
            Ping(
                endpoint="a",
                number=number,
                started_at=0,
                now_ns=story.now_ns + number,
                verdict=Verdict.PONG,
                rule="x",
                findings=(finding,),
            )
        )
    assert [text for _, text in story.reports("finding")] == ["certificate_expires: soon"]


def test_paths_begin_at_the_configurations_file_or_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    tls = 'tls = { ca_file = "certs/ca.pem", client_cert = "~/me.pem", client_key = "/etc/me.key" } # ours'
    path = Path(written(tmp_path, profiles("https://h", tls)))
    before = path.read_text()
    chat = config.load(path).profile("prod").endpoints[0]
    assert chat.tls == TLS(ca_file=f"{tmp_path}/certs/ca.pem", client_cert="/home/ada/me.pem", client_key="/etc/me.key")
    config.save_endpoint(path, "prod", replace(chat, model="m"), "chat")
    assert path.read_text().splitlines()[8] == before.splitlines()[8], "spelled as it was"
    assert config.load(path).profile("prod").endpoints[0] == replace(chat, model="m")


def test_a_check_of_the_configuration_names_files_that_cannot_be_used(tmp_path: Path) -> None:
    settings = issue(tmp_path)
    encrypted(settings.client_key or "", PASSWORD)
    tls = 'tls = { ca_file = "none.pem", client_cert = "me.pem", client_key = "me.key.encrypted" }'
    path = written(tmp_path, profiles("https://h", tls))
    result = gwtui("config", "check", path)
    assert result.exit_code == 2
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{path}:9: profiles.prod.endpoints[0].tls.ca_file: {tmp_path}/none.pem: No such file")
    assert second.startswith(f"{path}:9: profiles.prod.endpoints[0].tls.client_key: the private key in ")


def test_a_password_that_is_not_there_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = issue(tmp_path)
    encrypted(settings.client_key or "", PASSWORD)
    files = 'client_cert = "me.pem", client_key = "me.key.encrypted"'
    path = written(tmp_path, profiles("https://h", f'tls = {{ {files}, client_key_password = "env:GWTUI_TEST_P" }}'))
    monkeypatch.delenv("GWTUI_TEST_P", raising=False)
    result = gwtui("config", "check", path)
    assert result.exit_code == 0
    assert "GWTUI_TEST_P is not set" in result.stdout
    monkeypatch.setenv("GWTUI_TEST_P", PASSWORD)
    assert "GWTUI_TEST_P" not in gwtui("config", "check", path).stdout
    monkeypatch.setenv("GWTUI_TEST_P", "another")
    assert "password is wrong" in gwtui("config", "check", path).stderr


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ('client_key = "k"', "client_key: needs client_cert"),
        ('client_cert = "c", client_key_password = "hunter2-hunter2"', "client_key_password: must say where"),
    ],
)
def test_settings_that_make_no_sense_are_faults(tls: str, says: str, tmp_path: Path) -> None:
    result = gwtui("config", "check", written(tmp_path, profiles("https://h", f"tls = {{ {tls} }}")))
    assert result.exit_code == 2
    assert says in result.stderr
    assert "hunter2" not in result.output


async def test_nginx_that_wants_a_client_certificate(tmp_path: Path) -> None:
    settings, port = issue(tmp_path), free_port()
    server = authority().issue_cert("127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    stranger = trustme.CA().issue_cert("stranger@example.org")
    stranger.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "stranger.pem"))
    lines = (
        f"listen 127.0.0.1:{port} ssl",
        f"ssl_certificate {tmp_path}/server.pem",
        f"ssl_certificate_key {tmp_path}/server.pem",
        f"ssl_client_certificate {settings.ca_file}",
        "ssl_verify_client on",
        "location / { return 200 pong; }",
    )
    url = f"https://127.0.0.1:{port}"

    async def probed_with(url: str, client_cert: str | None = None) -> Request:
        return await probed(endpoint("http", url, tls=TLS(ca_file=settings.ca_file, client_cert=client_cert)))

    with nginx("\n".join(line if line.endswith("}") else f"{line};" for line in lines), tmp_path):
        none, wrong = await probed_with(url), await probed_with(url, str(tmp_path / "stranger.pem"))
        good = await probed(endpoint("http", url, tls=settings))
        plain = await probed_with(url.replace("https", "http"))
    assert [row.verdict for row in (none, wrong, good, plain)] == [
        Verdict.AUTH,
        Verdict.AUTH,
        Verdict.COMPLETE,
        Verdict.TLS,
    ]
    assert none.rule == wrong.rule == "http.400.client-certificate"
    assert "tls.client_cert" in none.reason
    assert "https" in plain.reason
