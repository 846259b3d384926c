"""What is sent, to whom and when: endpoints, a plan of their load, arrivals, prompts, and requests of a recording."""
