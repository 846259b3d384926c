"""httpx without its command line, for which it would load the libraries of terminals: 40 ms and 6 MB of an engine."""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # an import that fails, for which httpx is ready

import httpx  # noqa: E402 - not before that

__all__ = ["httpx"]
