"""Several models in one stream."""
