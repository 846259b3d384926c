"""Health: what results mean for the state of an endpoint, and which changes are worth an incident. Pure."""
