"""The files of an endpoint's TLS settings: read without a prompt on the terminal, and read again when they change."""

from __future__ import annotations

import base64
import errno
import functools
import os
import re
import ssl
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import certifi

from gwtui.model.enums import FindingName
from gwtui.model.profile import TLS
from gwtui.model.records import Finding
from gwtui.secrets.references import KeyReferenceError
from gwtui.secrets.resolver import resolve
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import open_at_once
from gwtui.transport.certificates import expires_at, expiry

MAX_BYTES = 4 * 1024 * 1024
"""No bundle of certificates is that large."""
FIELDS = ("ca_file", "client_cert", "client_key")

_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.*?)-----END (?:X509 |TRUSTED )?CERTIFICATE-----", re.DOTALL
)
_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_MISMATCHES = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})

Fingerprint: TypeAlias = tuple[tuple[int, ...], ...]
"""What changes when one of the files does."""


class TLSFileError(Exception):
    """A file of the TLS settings cannot be used. The text names the setting, the file and the fault."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"`tls.{field}`: {reason}")
        self.field = field
        self.reason = reason


class TLSFiles:
    """The files of some settings, and the client context that is made of them."""

    def __init__(self, settings: TLS) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        self._made_of: Fingerprint = ()
        self.trouble = ""
        """Why the files as they are now are not in use; "" when they are."""
        self.client_expires_at: float | None = None
        """When the client certificate in use ends; wall time, UTC. None without one."""

    def context(self) -> ssl.SSLContext:
        """The context of the files as they are now. Files that cannot be used do not replace those that could: they
        may be half written. Raises `TLSFileError`, `KeyReferenceError` for the password, `OSError` where this
        machine has no room left."""
        now = _fingerprint(self._settings)
        if self._context is None or now != self._made_of:
            try:
                context = _new_context(self._settings)
                client_expires_at = _client_expires_at(self._settings)
            except (TLSFileError, KeyReferenceError) as error:
                if self._context is None:
                    raise
                self.trouble = str(error)
            else:
                self._context, self._made_of, self.trouble = context, now, ""
                self.client_expires_at = client_expires_at
        return self._context

    def findings(self, server_expires_at: float | None, warn_days: float) -> tuple[Finding, ...]:
        """Findings about the certificates in use: the peer's expiry and the client's own."""
        now = time.time()
        found = (
            *expiry("server", server_expires_at, warn_days, now),
            *expiry("client", self.client_expires_at, warn_days, now),
        )
        if not self.trouble:
            return found
        return (*found, Finding(name=FindingName.TLS_FILES_NOT_RELOADED, evidence=clean(self.trouble)))


@functools.lru_cache(maxsize=64)
def tls_files(settings: TLS) -> TLSFiles:
    """The files of these settings, shared by all who use them: reading the system's authorities takes some 20 ms."""
    return TLSFiles(settings)


def check_authorities(settings: TLS) -> None:
    """Raises `TLSFileError` where `ca_file` cannot be used."""
    if settings.ca_file is None:
        return
    data = _contents("ca_file", settings.ca_file)
    if not _CERTIFICATE.search(data):
        raise TLSFileError("ca_file", f"{settings.ca_file} holds no certificate in PEM{_der_hint(data)}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=settings.ca_file)
    except ssl.SSLError:
        raise TLSFileError("ca_file", f"{settings.ca_file} holds a certificate that is damaged") from None


def check_client(settings: TLS, password_at: Callable[[str], str] = resolve) -> None:
    """Raises `TLSFileError` where the client's certificate and key cannot be used, and what `password_at` raises
    where the reference to the key's password cannot be resolved."""
    if settings.client_cert is None:
        if settings.client_key is not None:
            raise TLSFileError("client_key", "is nothing without `tls.client_cert`")
        return
    certificate = _contents("client_cert", settings.client_cert)
    if not _CERTIFICATE.search(certificate):
        hint = _der_hint(certificate)
        raise TLSFileError("client_cert", f"{settings.client_cert} holds no certificate in PEM{hint}")
    field, path = _key_file(settings)
    if not _KEY.search(certificate if field == "client_cert" else _contents(field, path)):
        hint = ": `tls.client_key` names the file with the key" if field == "client_cert" else ""
        raise TLSFileError(field, f"{path} holds no private key in PEM{hint}")
    _add_client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), settings, password_at)


def _new_context(settings: TLS) -> ssl.SSLContext:
    check_authorities(settings)
    check_client(settings)
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.ca_file is None and not _system_has_authorities():
        context.load_verify_locations(certifi.where())
    if settings.client_cert is not None:
        _add_client(context, settings)
    context.set_alpn_protocols(["http/1.1"])
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _add_client(context: ssl.SSLContext, settings: TLS, password_at: Callable[[str], str] = resolve) -> None:
    assert settings.client_cert is not None  # noqa: S101 - otherwise there is nothing to add
    field, path = _key_file(settings)
    was_asked = False

    def password() -> str:
        """Always given to OpenSSL, which would ask on the terminal without it."""
        nonlocal was_asked
        was_asked = True
        if settings.client_key_password is None:
            hint = 'say where its password is: client_key_password = "env:NAME"'
            raise TLSFileError(field, f"the private key in {path} is encrypted: {hint}")
        return password_at(settings.client_key_password)

    try:
        context.load_cert_chain(settings.client_cert, settings.client_key, password)
    except ssl.SSLError as error:
        raise _pair_error(error, settings, was_asked=was_asked) from None
    except KeyReferenceError:  # a ValueError too
        raise
    except ValueError:
        raise TLSFileError("client_key_password", "is longer than OpenSSL allows (1024 bytes)") from None
    except OSError as error:
        raise _file_error(error, "client_cert", settings.client_cert) from None


def _pair_error(error: ssl.SSLError, settings: TLS, *, was_asked: bool) -> TLSFileError:
    """What OpenSSL has against a certificate and a key that are both there."""
    field, path = _key_file(settings)
    why = (error.reason or str(error)).replace("_", " ").lower()
    if error.reason in _MISMATCHES:
        return TLSFileError(field, f"the private key in {path} does not belong to the certificate of `tls.client_cert`")
    if not _is_readable(settings.client_cert or ""):
        return TLSFileError("client_cert", f"{settings.client_cert} holds a certificate that is damaged")
    if was_asked:
        wrong = "does not open with `tls.client_key_password`: the password is wrong, or the file is damaged"
        return TLSFileError(field, f"the private key in {path} {wrong}")
    if error.reason in (None, "PEM_LIB"):
        return TLSFileError(field, f"{path} holds a private key that is damaged")
    return TLSFileError("client_cert", f"OpenSSL refuses {settings.client_cert}: {why}")


def _is_readable(path: str) -> bool:
    """Whether the certificates of a file can be read."""
    data = _contents("client_cert", path)
    pems = "".join(match[0].decode("ascii", "replace") for match in _CERTIFICATE.finditer(data))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pems)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _key_file(settings: TLS) -> tuple[str, str]:
    """The setting and the file that hold the private key."""
    if settings.client_key is not None:
        return "client_key", settings.client_key
    return "client_cert", settings.client_cert or ""


def _client_expires_at(settings: TLS) -> float | None:
    if settings.client_cert is None:
        return None
    found = _CERTIFICATE.search(_contents("client_cert", settings.client_cert))
    try:
        return expires_at(base64.b64decode(found[1])) if found is not None else None
    except ValueError:
        return None


def _contents(field: str, path: str) -> bytes:
    """All of a file that is one: a FIFO would keep the engine waiting. Raises `TLSFileError`."""
    try:
        with open(path, "rb", opener=open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise TLSFileError(field, f"{path} is not a regular file")
            data = file.read(MAX_BYTES + 1)
    except ValueError:
        raise TLSFileError(field, "is not the name of a file") from None
    except OSError as error:
        raise _file_error(error, field, path) from None
    if len(data) > MAX_BYTES:
        raise TLSFileError(field, f"{path} is larger than {MAX_BYTES >> 20} MiB: the wrong one?")
    return data


def _file_error(error: OSError, field: str, path: str) -> Exception:
    if error.errno in _NO_ROOM:
        return OSError(error.errno, error.strerror)
    return TLSFileError(field, f"{path}: {error.strerror or error}")


def _der_hint(data: bytes) -> str:
    return ": it is DER or PKCS#12, convert it with openssl" if data[:1] == b"\x30" else ""


def _fingerprint(settings: TLS) -> Fingerprint:
    return tuple(_mark(path) for path in (getattr(settings, field) for field in FIELDS) if path is not None)


def _mark(path: str) -> tuple[int, ...]:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _system_has_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    return any(path and Path(path).exists() for path in (paths.cafile, paths.capath))
