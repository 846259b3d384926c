"""Benchmarks and comparisons: drive endpoints with the probers of the monitor, and say what it means.

`targets` and `plan` say what is to be done, `load` does it, `measured` adds up what came back, and `gates` judges it;
`gwtui.stats.comparison` holds it against each other. `table`, `breakdown` and `telling` put it into words, `writing` and
`reading` into files and back.
"""
