"""Statements that refuse gaps in numbered rows: a reader that asks "after n" misses none."""

from __future__ import annotations


def postgres_gap(table: str, column: str, last: str) -> list[str]:
    """Return the statements by which PostgreSQL refuses a row whose number does not follow the last."""
    return [
        f"CREATE FUNCTION {table}_refuse_gap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.{column} <> 1 + {last} THEN RAISE EXCEPTION '{table} is append-only'; END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {table}_gap BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_refuse_gap()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_gap",
    ]


def day_statements(dialect: str) -> list[str]:
    """Return the statements that refuse a gap among events."""
    last = "(SELECT COALESCE(MAX(sequence), 0) FROM day_events)"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER day_events_gap BEFORE INSERT ON day_events WHEN NEW.sequence <> 1 + {last} "
            "BEGIN SELECT RAISE(ABORT, 'day_events is append-only'); END"
        ]
    return postgres_gap("day_events", "sequence", last)
