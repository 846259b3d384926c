"""The history: what endpoints did in earlier sessions, and what is usual for them."""
