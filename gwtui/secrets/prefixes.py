"""Beginnings that keys of one kind share, which are therefore no secret: what stands before the random part."""

from __future__ import annotations

import re

PUBLIC_PREFIXES = (
    "sk-",
    "sk-ant-",
    "sk-ant-admin01-",
    "sk-ant-api03-",
    "sk-ant-oat01-",
    "sk-ant-ort01-",
    "sk-ant-sid01-",
    "sk-admin-",
    "sk-lf-",
    "sk-or-v1-",
    "sk-proj-",
    "sk-svcacct-",
    "sk_live_",
    "sk_test_",
    "pk-lf-",
    "sgp_",
    "sgp_local_",
    "sgd_",
    "sgs_",
    "slk_",
    "AIzaSy",
    "AKIA",
    "ASIA",
    "ABSK",
    "bedrock-api-key-",
    "csk-",
    "dapi",
    "fw_",
    "gho_",
    "ghp_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "gsk_",
    "hf_",
    "nvapi-",
    "pplx-",
    "r8_",
    "tgp_v1_",
    "xai-",
    "xoxb-",
    "xoxp-",
)
"""As the makers of keys document them. A run of a key is no secret as long as it lies within its public prefix."""

_PREFIX = re.compile("|".join(map(re.escape, sorted(PUBLIC_PREFIXES, key=len, reverse=True))))


def public_prefix(key: str) -> str:
    """The public beginning of a key, the longest that fits; "" without one."""
    found = _PREFIX.match(key)
    return found[0] if found is not None else ""
