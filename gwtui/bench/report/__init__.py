"""Results in words, tables and JSON, and the report of a bench session as Markdown and HTML."""
