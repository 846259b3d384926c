"""The shared vocabulary: enums, verdicts, profiles, records, commands, views. Data only."""
