"""The database: tables, triggers, migrations, roles, and moving it."""
