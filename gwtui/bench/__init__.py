"""Benchmarks and comparisons: drive endpoints with the probers of the monitor, and say what it means.

`targets` and `plan` say what to do, `runner` does it, `results` adds up what came back, `thresholds` judges its
`gate_figures` and `ratio_gates` what changed from a `baseline`. `gwtui.stats.comparison` compares endpoints; `table`,
`breakdown` and `report` put it into words, and `csv_out` and `csv_in` write and read its files.
"""
