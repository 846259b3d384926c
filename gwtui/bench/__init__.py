"""Benchmarks and comparisons: drive endpoints with the probers of the monitor, and say what it means.

`work` says what is sent, to whom and when. `run` sends it, `results` adds up what came back, and `session` keeps it on
disk. `campaign` and `search` run many points, one after another. `gates` judge results by limits and by a baseline,
`earlier` reads old measurements, and `report` puts everything into words. `gwtui.stats.comparison` compares endpoints.
"""
