"""Plans with axes: many points, measured in blocks that take turns, and one table of them all."""
