"""The database: tables, triggers, roles, and what a token may read."""
