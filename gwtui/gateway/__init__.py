"""The embedded gateway: an LLM gateway on loopback whose answers and faults follow a script."""
