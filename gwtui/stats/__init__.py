"""Percentiles, windows and comparisons of measured values. Pure: no clock, no socket."""
