"""The directory of a benchmark: written while it runs, read back, and gone on with after an interruption."""
