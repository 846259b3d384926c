"""gwtui: a live monitor in the terminal for LLM gateways."""
