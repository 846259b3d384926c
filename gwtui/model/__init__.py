"""What every room speaks: enums, verdicts, profiles, records, commands, views. Data only."""
