"""Stamped sockets and HTTP/1.1 over them: when bytes came and went, and how a connection failed.

From the bottom up:

- `timestamps`: a socket that stamps what it reads and writes; `unread` and `polls` know how far a stamp may be wrong.
- `dial`, `proxy_dial`: a connected socket, made directly or by way of a proxy. `routes` knows where it has to lead.
- `sockets`, with `tls` over it: stamped reads and writes on a connected socket. The caller says how to wait for a read.
- `connection`: carries one request at a time, notes it in its `trace`, and has `http1` parse the answer.
- `connection_pool`: picks the connection of a request: a kept one, or a new one, as `connection_policy` says.

`connection_policy`, `http1`, `http1_head`, `request`, `certificates` and `proxy_urls` are pure: no sockets, no clock.
"""
