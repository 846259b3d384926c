"""One file per panel: a pure `draw` from a view to lines, and the widget that says what the user did with it."""
