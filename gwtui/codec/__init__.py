"""Records as lines of JSON and as rows of CSV, both ways. Pure."""
