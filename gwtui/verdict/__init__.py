"""Judging: from how an exchange went to one verdict with its rule, and to findings. Pure."""
