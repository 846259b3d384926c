"""Bytes in, events out: one sans-I/O parser for each way in which streams are framed."""
