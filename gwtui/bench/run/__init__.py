"""One run of a benchmark: the plan carried out, the progress shown meanwhile, and what this machine can send."""
