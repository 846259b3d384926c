"""Real proxies before a gateway: nginx and HAProxy as the machine has them, each set up in a directory of the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.scripted import free_port

PATIENCE_S = 10

NGINX = """
daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    {settings}
  }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:{port}
{settings}
"""


@contextmanager
def nginx(settings: str, directory: Path) -> Iterator[str]:
    """nginx with these directives in its one `server`; yields its URL. The test is skipped where there is no nginx."""
    program, port = _installed("nginx"), free_port()
    config = _written(NGINX, directory, port, settings)
    with _running([program, "-c", str(config), "-p", str(directory), "-e", str(directory / "error.log")], port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def haproxy(settings: str, directory: Path) -> Iterator[str]:
    """HAProxy with these lines from its one frontend on; yields its URL. The test is skipped where there is none."""
    program, port = _installed("haproxy"), free_port()
    config = _written(HAPROXY, directory, port, settings)
    with _running([program, "-db", "-f", str(config)], port):
        yield f"http://127.0.0.1:{port}"


def _installed(name: str) -> str:
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip(f"{name} is not installed: the Debian package of that name has it")
    return program


def _written(template: str, directory: Path, port: int, settings: str) -> Path:
    config = directory / "config"
    config.write_text(template.format(port=port, settings=settings, directory=directory))
    return config


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL) as proxy:
        try:
            _listening(proxy, port)
            yield
        finally:
            proxy.terminate()
            try:
                proxy.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                proxy.kill()


def _listening(proxy: subprocess.Popen[bytes], port: int) -> None:
    """Return once it takes connections."""
    until = time.monotonic() + PATIENCE_S
    while proxy.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    output = proxy.stdout.read().decode(errors="replace") if proxy.poll() is not None and proxy.stdout else ""
    pytest.fail(f"the proxy does not listen: {output}")
