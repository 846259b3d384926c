"""The beginning of a body that was not what was asked for, as one clean line to quote."""

from __future__ import annotations

import re
from html import unescape

from gwtui.text.sanitize import clean

EXCERPT = 200

_HIDDEN = re.compile(r"(?is)<(script|style|head)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)")
_TAG = re.compile(r"<[^>]*>?")


def excerpt(body: bytes, content_type: str = "") -> str:
    """The beginning of a body as one clean line; of HTML its title and visible text."""
    text = body[: 64 << 10].decode("utf-8", "replace").lstrip("\ufeff")
    if "html" in content_type.lower() or text.lstrip()[:1] == "<":
        visible = _TAG.sub(" ", _HIDDEN.sub(" ", text)).strip()
        title = _title(text)
        text = unescape(visible if visible.startswith(title) else f"{title}: {visible}")
    return clean(" ".join(text.split()), EXCERPT)


def _title(page: str) -> str:
    _, _, rest = page.partition("<title>")
    title, closed, _ = rest.partition("</title")
    return " ".join(title.split()) if closed else ""
