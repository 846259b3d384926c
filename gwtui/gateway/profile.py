"""The profile that `gwtui demo` watches: the endpoints of the demo's story, judged by the rules that all have."""

from __future__ import annotations

from gwtui.model.profile import Deadlines, Endpoint, Profile

DEADLINES = Deadlines(first_byte_s=5.0, first_token_s=8.0, idle_s=5.0, total_s=15.0)


def demo_profile(base_url: str) -> Profile:
    """The demo's endpoints, all on the gateway at that URL."""
    return Profile(
        name="demo",
        interval_s=1.0,
        deadlines=DEADLINES,
        endpoints=(
            Endpoint(
                name="gateway-claude",
                api="anthropic-messages",
                url=base_url,
                path="/v1/completions/anthropic-messages",
                model="claude-3-haiku-20240307",
                interval_s=1.5,
                overlap=3,
            ),
            Endpoint(name="gateway-gpt", api="openai-chat", url=base_url, model="gpt-4o-mini", overlap=4),
            Endpoint(name="gateway-starcoder", api="fireworks", url=base_url, model="starcoder"),
            Endpoint(
                name="sourcegraph-claude",
                api="sourcegraph-stream",
                url=base_url,
                model="anthropic::2023-06-01::claude-3-haiku",
                overlap=4,
            ),
            Endpoint(
                name="local-llama", api="openai-chat", url=base_url, model="llama-3.1-8b", interval_s=2.0, overlap=4
            ),
            Endpoint(name="gateway-http", api="http", url=base_url, path="/v2/http", body="ping", expect="pong"),
            Endpoint(
                name="gateway-ws",
                api="websocket",
                url=base_url,
                path="/v2/websocket",
                deadlines=Deadlines(first_byte_s=2.0, idle_s=2.0, total_s=4.0),
            ),
        ),
    )
