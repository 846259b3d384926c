"""Configuration files for tests."""

from __future__ import annotations

from pathlib import Path

SECRET = "sk-ant-canary0123456789"
"""Tests look for it where it must not be."""
GOOD = 'name = "e"\napi = "http"\nurl = "http://127.0.0.1"\n'


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    return path
