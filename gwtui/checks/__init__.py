"""Checks: named questions about a gateway, each answered with pass, warn, fail or not applicable, and why.

`needs` and `recipes` say which requests a question takes, `gathering` sends them, `evidence` holds what came back,
and the modules named after the sections judge it, purely. `runner` goes through the `catalogue` in order; `table`,
`listing` and `files` are how the results are told, and `commands` is the command line.
"""
