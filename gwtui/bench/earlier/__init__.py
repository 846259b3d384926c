"""Measurements that were made before, read back to be compared: CSV files, sessions, before and since a moment."""
