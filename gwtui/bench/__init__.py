"""Benchmarks and comparisons: drive endpoints with the probers of the monitor, and say what it means.

`load` sends the requests, `measured` adds up what came back, `gates` judges it, `comparing` holds it against each
other; `table`, `breakdown`, `telling` and the two CSV modules are how it is told. `commands` is the command line.
"""
