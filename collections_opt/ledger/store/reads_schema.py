"""The table of who read data about accounts, and the statement that keeps it without gaps."""

from __future__ import annotations

import sqlalchemy as sa


def reads_table(metadata: sa.MetaData) -> sa.Table:
    """Return the table of reads: a chain, each row holding the digest of itself and the one before."""
    return sa.Table(
        "account_reads",
        metadata,
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "actor", "method", "subject", "digest")),
    )


def reads_statements(dialect: str) -> list[str]:
    """Return the statements that refuse a gap in the sequence of reads."""
    last = "(SELECT COALESCE(MAX(seq), 0) FROM account_reads)"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER account_reads_gap BEFORE INSERT ON account_reads WHEN NEW.seq <> 1 + {last} "
            "BEGIN SELECT RAISE(ABORT, 'account_reads is append-only'); END"
        ]
    return [
        "CREATE FUNCTION account_reads_refuse_gap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.seq <> 1 + {last} THEN RAISE EXCEPTION 'account_reads is append-only'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER account_reads_gap BEFORE INSERT ON account_reads "
        "FOR EACH ROW EXECUTE FUNCTION account_reads_refuse_gap()",
        "ALTER TABLE account_reads ENABLE ALWAYS TRIGGER account_reads_gap",
    ]
