"""Stamped sockets and HTTP/1.1 over them: when bytes came and went, and how a connection failed.

One way up: `sockets`, with `tls` over it, hands a stamp and bytes to `connection`, which notes them in the `trace` and
has `http1` parse them; `connections` keeps connections as `routes` and the policy say. Who reads says how to wait.
"""
