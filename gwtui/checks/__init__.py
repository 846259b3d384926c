"""Checks: named questions about a gateway, each answered with pass, warn, fail or not applicable, and why.

`needs` and `recipes` say which requests a question takes, `collected` sends them, `evidence` holds what came back.
`gateway`, `streaming`, `pace`, `errors`, `models`, `at_once` and `fallback` judge it, purely. `runner` goes through the
`catalogue` in order; `table` and `files` present the results, `commands` and `console` the command line.
"""
