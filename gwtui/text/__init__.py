"""Text for people: untrusted text cleaned, numbers with their units."""
