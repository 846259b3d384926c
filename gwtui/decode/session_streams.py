"""The kept streams of a session's directory, which is a stranger's: no link is followed, and what is not ours is passed
over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gwtui.codec.stream_file import MAX_FILE, STREAMS, StreamFileError, StreamName, slug_of, stream_name_of
from gwtui.decode.kept_streams import KeptStream, kept_stream
from gwtui.text.sanitize import clean
from gwtui.text.untrusted_files import Directory


def streams_in(session: Path) -> Iterator[tuple[StreamName, KeptStream | str]]:
    """Every kept stream in the order of time, or why it cannot be read. Raises OSError where the directory cannot be
    looked through."""
    with Directory.held(session) as directory:
        if not directory.has(STREAMS):
            return
        with directory.inner(STREAMS) as inner:
            for name in inner.names():
                if (found := stream_name_of(name)) is not None:
                    yield found, _read(inner, name)


def find_stream(session: Path, endpoint: str, number: int, started_at: str) -> KeptStream | None:
    """The kept stream of that request, or the nearest in time of that endpoint and number; None if none was kept, or
    it cannot be read. `started_at` as rows have it. Raises OSError."""
    with Directory.held(session) as directory:
        if not directory.has(STREAMS):
            return None
        with directory.inner(STREAMS) as inner:
            exact = StreamName.of(started_at, endpoint, number, "").started_at
            known = (stream_name_of(name) for name in inner.names())
            same = [
                each for each in known if each is not None and (each.slug, each.number) == (slug_of(endpoint), number)
            ]
            for each in sorted(same, key=lambda each: each.started_at != exact):
                kept = _read(inner, str(each))
                if isinstance(kept, KeptStream) and kept.header.endpoint == endpoint:
                    return kept
    return None


def _read(inner: Directory, name: str) -> KeptStream | str:
    try:
        return kept_stream([inner.read(name, MAX_FILE)])
    except OSError as error:
        return clean(error.strerror or str(error))
    except StreamFileError as error:
        return str(error)
