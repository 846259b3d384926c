"""Checks: named questions about a gateway, each answered with pass, warn, fail or not applicable, and why.

`request_sets` and `request_plans` say which requests a question takes, `collector` sends them, `evidence` holds what
came back. `gateway`, `streaming`, `pace`, `errors`, `models`, `together`, `concurrency` and `fallback` judge it,
purely. `runner` goes through the `registry` in order; `table` and `files` present the results.
"""
