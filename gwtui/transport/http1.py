"""The answer to one HTTP/1.1 request, as its bytes come: the head, then the data of the body. Pure."""

from __future__ import annotations

from gwtui.transport.http1_body import Body, CutError, body_of
from gwtui.transport.http1_head import Head, HeadReader


class ResponseParser:
    """Takes bytes in, cut anywhere, and gives the data of the body out."""

    def __init__(self, method: str) -> None:
        """`method`: that of the request."""
        self.head: Head | None = None
        """Once all of it came; that of the final response."""
        self._method = method
        self._reader = HeadReader()
        self._body: Body | None = None

    def feed(self, data: bytes) -> bytes:
        """The data of the body in the next bytes. Raises what is wrong with the head, and nothing once it is there."""
        if self._body is not None:
            return self._body.feed(data)
        head = self._reader.feed(data)
        if head is None:
            return b""
        self._body = body_of(head, self._method)
        self.head = head
        rest = self._reader.rest()
        return self._body.feed(rest) if rest else b""

    @property
    def fault(self) -> Exception | None:
        """What is wrong with the body, behind the data that came out of it; nothing more does."""
        return self._body.fault if self._body is not None else None

    @property
    def is_over(self) -> bool:
        """All of the answer came."""
        return self._body is not None and self._body.is_over

    @property
    def rest(self) -> bytes:
        """What came behind the answer."""
        return self._body.rest if self._body is not None and self._body.is_over else b""

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can be used for another request."""
        return self.is_over and self.head is not None and self.head.keeps_alive

    def end(self) -> None:
        """The peer closed the connection. Raises `CutError` where that is not the end of the answer."""
        if self._body is None:
            raise CutError("the answer ends in the middle of its headers")
        self._body.end()
