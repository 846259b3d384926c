"""The example that code completion is asked with: fill the hole between two pieces of a file."""

from __future__ import annotations

from typing import Any

PROMPT = "#hello.ts<｜fim▁begin｜>const sayHello = () => <｜fim▁hole｜><｜fim▁end｜>"
STOP = ("\n\n", "\n\r\n", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>, <|eos_token|>")
"""The last is one text on purpose: measurements compare only with those made by the very same request."""
SAMPLING: dict[str, Any] = {"temperature": 0.2, "topK": 0, "topP": 0}
