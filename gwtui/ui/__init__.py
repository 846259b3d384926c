"""The only room with Textual: the app, its screens, and one file per panel."""
