"""OpenAI chat streams in bytes, for scripted servers."""

from __future__ import annotations

from support.scripted import Receive, Send, Step, chunk, http

EVENT_STREAM = http("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", length=False)
CLOSE_DELIMITED = http("200 OK", "Content-Type: text/event-stream", length=False)
LAST_CHUNK = b"0\r\n\r\n"


def openai(delta: str, finish: str = "null") -> bytes:
    return (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini",'
        b'"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\n\n' % (delta.encode(), finish.encode())
    )


ROLE = openai('{"role":"assistant","content":""}')
HELLO = openai('{"content":"hello"}')
WORLD = openai('{"content":" world"}')
STOP = openai("{}", '"stop"')
USAGE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}\n\n'
)
DONE = b"data: [DONE]\n\n"
WHOLE = ROLE + HELLO + WORLD + STOP + USAGE + DONE


def streamed(*parts: bytes) -> list[Step]:
    """Take a request, and answer with a stream of these parts in one chunk each, not ended."""
    return [Receive(), Send(EVENT_STREAM + b"".join(chunk(part) for part in parts))]


def answered(status: str, *headers: str, body: bytes = b"") -> list[Step]:
    """Take a request, and answer with a whole response."""
    return [Receive(), Send(http(status, *headers, body=body))]
