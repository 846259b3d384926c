"""What decides over the exit code: limits on figures, ratios to a baseline, and the files that CI systems read."""
