"""Points that are chosen as it goes: the highest load that keeps the objectives, and the rate where 429 begins."""
