"""What the ledger promises, as checks that return what is broken; each is shown a planted bug by its test."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import collections_opt.ledger as package
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.models.lifecycle import ApprovalMode, ApprovalTerms, ModelAction, ModelEvent, ModelKind
from collections_opt.core.resources import ResourceApproval, ResourceKind
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.records import (
    CapacityAct,
    CapacityActKind,
    ModelRecord,
    OutcomeKind,
    PortfolioRecord,
    RankingState,
    RequestKey,
)
from collections_opt.ledger.requests.requests import insert_state
from collections_opt.ledger.sealing.subject_keys import KeyVault
from collections_opt.ledger.store.database import timestamp
from collections_opt.ledger.store.schema import APPEND_ONLY, metadata
from collections_opt.ledger.tables.resources import NewVersion
from tests.support.entries import entries_of

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
PORTFOLIO = PortfolioRecord("p1", "2026-11-24", "UTC", "USD", 4, 4, 0, "d", "o", "q", NOW.isoformat())


def add_ranking(ledger, ranking_id, request_id, payload, portfolio_id, record, entries, now):
    """Begin and complete a ranking; the same request again returns the ranking it made."""
    begun = ledger.requests.begin(ranking_id, request_id, payload, portfolio_id, "{}", now)
    if begun.latest.state is RankingState.ABANDONED:
        append_state(ledger, begun.ranking_id, RankingState.RUNNING, "asked for again", now)
    return ledger.rankings.complete(begun.ranking_id, record, entries, now)


def append_state(ledger, ranking_id, state, reason, now):
    """Record the next state of a ranking, as workers do."""
    with ledger.database.write() as connection:
        return insert_state(connection, ranking_id, state, reason, timestamp(now))


def add(ledger, request_id="r1", payload="x", note="n", queue=(0, 0, -1, 1)):
    return add_ranking(ledger, f"ranking-{uuid.uuid4()}", request_id, payload, "p1", {"note": note}, entries_of(queue), NOW)


def fill(ledger):
    """Put a row into every table."""
    ledger.portfolios.add(PORTFOLIO)
    ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW, RequestKey("k1", "add_plan", "x"))
    act = CapacityAct("desk", 0, CapacityActKind.DAYS, 0, "2026-11-27", "2026-11-28", "{}", "")
    ledger.capacity_acts.add(act, ledger.capacity_acts.book("desk").state, NOW)
    ledger.models.add(ModelRecord("outcomes", "v1", "d", "{}", NOW.isoformat()))
    terms = ApprovalTerms(datetime(2027, 1, 1, tzinfo=UTC))
    for actor, action in (("ann", ModelAction.SUBMIT), ("ben", ModelAction.VALIDATE), ("cleo", ModelAction.APPROVE)):
        given = terms if action is ModelAction.APPROVE else None
        ledger.model_events.add([ModelEvent(ModelKind.OUTCOME, "v1", "d", action, actor, NOW, terms=given)])
    ann, ben = Actor("ann"), Actor("ben")
    ledger.resources.add(
        NewVersion(ResourceKind.RULE_TABLE, "us", date(2026, 1, 1), "{}", ann), NOW, RequestKey("k2", "save", "x")
    )
    approval = ResourceApproval(ben, ApprovalMode.PEOPLE, "read", NOW.isoformat())
    ledger.resources.approve(ResourceKind.RULE_TABLE, "us", 1, approval)
    add(ledger, "r1")
    add(ledger, "r2")
    ledger.outcomes.add(OutcomeKind.FILE, "p1", "", {"source": "a file"}, "", NOW, ann)
    ledger.requests.begin("begun", "r3", "x", "p1", "{}", NOW)
    append_state(ledger, "begun", RankingState.RUNNING, "", NOW)
    ledger.reads.record("ListWorklist", Actor("ann"), {"ranking_id": "begun"}, NOW)
    told = [Event(f"e{number}", EventKind.PAYMENT, NOW, account_id="a1", amount_minor=5) for number in (1, 2)]
    EventLog(ledger.database, ledger.subject_keys(KeyVault(bytes(32)))).record(told, ann, NOW)


def callers_with_one_key(ledger, count=16):
    """Let callers ask at once with one key; return what went wrong."""
    seen, failed, start = [], [], threading.Barrier(count)

    def call():
        start.wait()
        try:
            seen.append(add(ledger).ranking_id)
        except Exception as error:  # noqa: BLE001 - any failure is a finding
            failed.append(f"a caller failed: {type(error).__name__}")

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    broken = failed + ledger.chain.verify()
    if len(set(seen)) > 1:
        broken.append(f"{len(set(seen))} answers for one key")
    if (stored := len(ledger.rankings.before(None, 100))) != 1:
        broken.append(f"{stored} rankings for one key")
    return broken


def changes_let_through(url):
    """Try to change every append-only table of a filled ledger; return the statements that worked."""
    engine = sa.create_engine(url)
    let_through = []
    for statement in _changes(engine):
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
                connection.rollback()
            let_through.append(statement)
        except sa.exc.DatabaseError as error:
            if "append-only" not in str(error):
                let_through.append(f"{statement}: refused only by {error.orig}")
    engine.dispose()
    return let_through


def _changes(engine):
    sqlite = engine.dialect.name == "sqlite"
    for name in APPEND_ONLY:
        table = metadata.tables[name]
        column = [column for column in table.columns if not column.primary_key][-1].name
        names = ", ".join(c.name for c in table.columns)
        yield f"UPDATE {name} SET {column} = {column}"
        yield f"DELETE FROM {name}"
        if sqlite:
            yield f"UPDATE OR REPLACE {name} SET {column} = {column}"
            yield f"INSERT OR REPLACE INTO {name} ({names}) SELECT {names} FROM {name}"
        else:
            keys = ", ".join(c.name for c in table.primary_key)
            yield f"TRUNCATE {name} CASCADE"
            yield f"SET session_replication_role = replica; DELETE FROM {name}"
            # These refuse the insert itself, as a gap; entries have no unique key there that an insert could run into.
            if name not in ("rankings", "ranking_states", "log_entries", "outbox", "ranking_entries", "day_events"):
                yield (
                    f"INSERT INTO {name} ({names}) SELECT {names} FROM {name} "
                    f"ON CONFLICT ({keys}) DO UPDATE SET {column} = EXCLUDED.{column}"
                )
    rest = "payload_digest, portfolio_id, '{}', previous_digest, record_digest, created_at FROM rankings WHERE seq = 2"
    yield f"INSERT INTO rankings SELECT 9, 'other', 'other', {rest}"
    yield "INSERT INTO ranking_states SELECT ranking_id, 9, 'RUNNING', '', created_at, '' FROM ranking_requests"
    yield "INSERT INTO outbox SELECT 99, kind, subject, payload, created_at FROM outbox WHERE seq = 1"


@contextmanager
def without_triggers(url):
    """Yield an engine of someone who owns the database and has removed its triggers."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for name in APPEND_ONLY:
                connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    yield engine
    engine.dispose()


def verify_everything(ledger, ranking_ids, checkpoint=None):
    return ledger.chain.verify(checkpoint) + [line for ranking_id in ranking_ids for line in ledger.rankings.verify(ranking_id)]


def undetected_edits(ledger, url, tables=("rankings", "ranking_entries", "portfolios")):
    """Edit every column of every row, one at a time, around the triggers; return the edits that verification misses."""
    ranking_ids = [ranking.ranking_id for ranking in ledger.rankings.before(None, 100)]
    undetected, tried = [], 0
    with without_triggers(url) as engine:
        for name in tables:
            table = metadata.tables[name]
            keys = list(table.primary_key)
            with engine.connect() as connection:
                rows = connection.execute(table.select()).mappings().all()
            for row in rows:
                for column in table.columns:
                    where = sa.and_(*(key == row[key.name] for key in keys))
                    changed = row[column.name] + ("x" if isinstance(row[column.name], str) else 1_000)
                    back = sa.and_(*(key == (changed if key is column else row[key.name]) for key in keys))
                    try:
                        with engine.begin() as connection:
                            connection.execute(table.update().where(where).values({column.name: changed}))
                    except sa.exc.IntegrityError:
                        continue  # a foreign key refused it
                    tried += 1
                    if not _noticed(ledger, ranking_ids):
                        undetected.append(f"{name}.{column.name} of {[row[key.name] for key in keys]}")
                    with engine.begin() as connection:
                        connection.execute(table.update().where(back).values({column.name: row[column.name]}))
    assert tried > 20
    return undetected


def _noticed(ledger, ranking_ids):
    try:
        return bool(verify_everything(ledger, ranking_ids))
    except Exception:  # noqa: BLE001 - refusing to verify is noticing
        return True


def upgrade(url, revision):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine
