"""Stamped sockets and HTTP/1.1 over them: when bytes came and went, and how a connection failed."""
