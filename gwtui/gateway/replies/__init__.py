"""The LLM APIs that the embedded gateway speaks, one module each: found by being there.

A module has `REPLIES`, which answer at their paths, and `FAULTS`, the ways in which that API's answers can be broken.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from gwtui.gateway.fault import Fault
from gwtui.gateway.replies.base import Reply

_NAMES = [found.name for found in pkgutil.iter_modules(__path__) if found.name != "base"]
_MODULES = [import_module(f"{__name__}.{name}") for name in _NAMES]
REPLIES: tuple[Reply, ...] = tuple(reply for module in _MODULES for reply in module.REPLIES)
FAULTS: tuple[Fault, ...] = tuple(fault for module in _MODULES for fault in module.FAULTS)
