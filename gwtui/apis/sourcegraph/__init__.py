"""Sourcegraph's completion APIs."""
