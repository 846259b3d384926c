"""The embedded gateway's port of bare sockets: who may ask it for what, in whose form it answers, how it ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from support.gateways import Gateway, serving
from support.probing import PATIENT, probed

from gwtui.apis import APIS
from gwtui.gateway.faults import FAULT_HEADER, FAULTS
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

SCENARIO = """
[[rule]]
model = "by-rule"
every_nth = 2
fault = "ssh"
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with serving(SCENARIO) as gateway:
        yield gateway


def target(url: str, api: str = "openai-chat", model: str | None = None, fault: str = "") -> Endpoint:
    headers = {FAULT_HEADER: fault} if fault else {}
    return Endpoint(name="target", api=api, url=url, model=model, headers=headers, deadlines=PATIENT)


@pytest.mark.parametrize("name", ["", "503", "no-such-fault"])
def test_any_other_request_is_answered_with_the_list(gateway: Gateway, name: str) -> None:
    response = httpx.post(gateway.raw_url, headers={FAULT_HEADER: name}, trust_env=False)
    message = response.json()["error"]["message"]
    assert response.status_code == 421
    assert all(fault.name in message for fault in FAULTS.values() if fault.is_raw)


@pytest.mark.parametrize("api", [name for name, api in APIS.items() if api.kind is Kind.COMPLETION])
async def test_a_broken_connection_cuts_a_stream_of_any_api(gateway: Gateway, api: str) -> None:
    if api == "compare-stream":
        pytest.skip("its streams are not made from one answer")
    request = await probed(target(gateway.raw_url, api, fault="no-last-chunk"))
    assert (request.verdict, request.events) == (Verdict.TRUNCATED, 5)
    assert request.ttft_ns is not None
    assert not request.findings


async def test_a_rule_can_choose_a_fault_of_this_port_too(gateway: Gateway) -> None:
    verdicts = [(await probed(target(gateway.raw_url, model="by-rule"))).verdict for _ in range(2)]
    assert verdicts == [Verdict.BAD_REQUEST, Verdict.NOT_HTTP]


async def test_who_speaks_tls_to_it_is_answered_in_plain_text(gateway: Gateway) -> None:
    request = await probed(target(gateway.raw_url.replace("http", "https"), fault="reset"))
    assert request.verdict is Verdict.NOT_HTTP
    assert "does not speak TLS" in request.reason


@pytest.mark.parametrize("data", [b"", b"\n\n\n", b"GET / HTTP/1.1\r\n", b"\xff" * 100_000, b"GET\r\n\r\n"])
async def test_a_client_that_sends_nonsense_harms_nobody(gateway: Gateway, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", int(gateway.raw_url.rpartition(":")[2]))) as sock:
        sock.sendall(data)
    request = await probed(target(gateway.raw_url, fault="split-everywhere"))
    assert request.verdict is Verdict.COMPLETE


def test_the_gateway_ends_while_it_holds_a_connection() -> None:
    with serving("") as gateway:
        sock = socket.create_connection(("127.0.0.1", int(gateway.raw_url.rpartition(":")[2])))
        sock.sendall(f"POST / HTTP/1.1\r\n{FAULT_HEADER}: never\r\n\r\n".encode())
    with sock:
        sock.settimeout(10)
        assert sock.recv(1) == b""
