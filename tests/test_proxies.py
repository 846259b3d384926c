"""Real nginx and HAProxy between a steady model and a probe: buffering, combing and neither are told apart."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.probing import endpoint, probed
from support.streams import names

from gwtui.records import Request
from gwtui.verdicts import Verdict

EVENTS = 300
GAP_S = 0.01
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word %03d "},"finish_reason":null}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

HAPROXY = """
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:{port}
  {option}
  default_backend back
backend back
  {option}
  server model 127.0.0.1:{model}
"""
NGINX = """
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{model}; {option} }} }}
}}
"""


@dataclass(frozen=True)
class Setting:
    """How a proxy is set up, and what it has to be told as."""

    option: str
    framing: str
    """`chunked`, which HAProxy corks, or `close`, which nginx buffers."""
    found: list[str]


PROXIES = {
    "haproxy": (
        Setting("", "chunked", ["combed"]),
        Setting("option http-no-delay", "chunked", []),
    ),
    "nginx": (
        Setting("", "close", ["buffered"]),
        Setting("proxy_buffering off;", "close", []),
        Setting("proxy_buffering off;", "chunked", []),
    ),
}


async def write_steadily(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A model that writes an event every 10 ms; the path says how its stream is framed."""
    request = await reader.readuntil(b"\r\n\r\n")
    chunked = b"/chunked" in request
    framing = b"Transfer-Encoding: chunked" if chunked else b"Connection: close"
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + framing + b"\r\n\r\n")
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for number in range(EVENTS + 1):
        await asyncio.sleep(begin + number * GAP_S - loop.time())
        data = EVENT % number if number < EVENTS else END
        writer.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
    writer.write(b"0\r\n\r\n" if chunked else b"")
    await writer.drain()
    writer.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


async def answers(port: int) -> None:
    """Return once something listens there."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


@asynccontextmanager
async def running(program: str, option: str, model: int, directory: Path) -> AsyncIterator[str]:
    """A proxy before a model's port; yields its URL."""
    port, config = free_port(), directory / "config"
    template = NGINX if program.endswith("nginx") else HAPROXY
    config.write_text(template.format(port=port, model=model, option=option, directory=directory))
    arguments = ("-c", str(config), "-p", str(directory)) if template is NGINX else ("-f", str(config))
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20):
            await answers(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def measured(program: str, setting: Setting, directory: Path) -> Request:
    server = await asyncio.start_server(write_steadily, "127.0.0.1", 0)
    model = server.sockets[0].getsockname()[1]
    async with server, running(program, setting.option, model, directory) as url:
        return await probed(endpoint("openai-chat", url, path=f"/{setting.framing}", model="m"))


@pytest.mark.parametrize("name", PROXIES)
async def test_what_a_proxy_does_to_a_stream_is_seen(name: str, tmp_path: Path) -> None:
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if program is None:
        pytest.skip(f"{name} is not installed")
    settings = PROXIES[name]
    directories = [tmp_path / str(number) for number in range(len(settings))]
    for directory in directories:
        directory.mkdir()
    records = await asyncio.gather(*map(measured, [program] * len(settings), settings, directories))
    for setting, record in zip(settings, records, strict=True):
        assert (record.verdict, record.events) == (Verdict.COMPLETE, EVENTS + 2), record.reason
        assert names(record.findings) == setting.found, (setting, record.reads, record.findings)
