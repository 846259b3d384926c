"""What is taken for a key by its looks, before any key is known."""

from __future__ import annotations

import pytest

from gwtui.secrets.patterns import looks_secret, without_secrets
from gwtui.secrets.prefixes import PUBLIC_PREFIXES

RANDOM = "q7Zt4mXw9Kd2vRb8Yc3N"


@pytest.mark.parametrize("prefix", PUBLIC_PREFIXES)
@pytest.mark.parametrize("around", ["{}", "x={}", "key: {}, more", "https://h/?k={}"])
def test_a_key_of_a_known_kind_looks_like_one(prefix: str, around: str) -> None:
    text = around.format(prefix + RANDOM)
    assert looks_secret(text)
    assert RANDOM[-8:] not in without_secrets(text)


@pytest.mark.parametrize(
    "text", ["hf_transfer", "fw_version", "dapi", "r8_model", "gsk_llama", "xai-grok", "nvapi-test", "AKIA", "gpt-4o"]
)
def test_a_word_that_begins_like_a_key_is_none(text: str) -> None:
    assert not looks_secret(text)
    assert without_secrets(text) == text
