"""What callers were told, and how the ledger breaks it: lost, duplicated, altered, or not in the chain."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

from collections_opt.application.records.opening import Whereabouts, open_records
from collections_opt.application.records.provenance import MOST_SKEW_SECONDS
from collections_opt.application.records.ranking_facts import objects_of
from collections_opt.core.errors import CollectionsError
from collections_opt.ledger.records import RankingState
from collections_opt.ledger.store.schema import portfolios, ranking_entries, ranking_requests, rankings
from harness.faults.book import BAD_ROWS, NOW, ROWS
from harness.faults.day import DayPromises, broken_day

KINDS = ("lost", "duplicated", "altered", "chain_breaks")


@dataclass
class Promises:
    """What was asked and what was answered, by request."""

    asked: set[str] = field(default_factory=set)
    accepted: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, set[tuple[str, int, str]]] = field(default_factory=lambda: defaultdict(set))
    cancel_asked: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    refused: Counter = field(default_factory=Counter)
    imported: dict[str, str] = field(default_factory=dict)
    day: DayPromises = field(default_factory=DayPromises)
    decisions: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By what they follow from: the decision that the same inputs led to when nothing was wrong."""

    def hear(self, said: dict) -> None:
        """Take note of what a child said it was told."""
        self.day.hear(said)
        kind, request = said["kind"], said.get("request", "")
        if kind == "asked":
            self.asked.add(request)
        elif kind == "accepted":
            self.accepted[request] = said["ranking"]
        elif kind == "recorded":
            self.recorded[request].add((said["ranking"], said["seq"], said["digest"]))
        elif kind == "cancelling":
            self.cancel_asked.add(request)
        elif kind == "cancelled":
            self.cancelled.add(request)
        elif kind == "imported":
            self.imported[said["portfolio"]] = said["digest"]
        elif kind == "unexpected":
            raise AssertionError(said["trace"])
        elif kind == "refused":
            self.refused[said["reason"]] += 1

    @property
    def acknowledged(self) -> int:
        """Rankings that somebody was told to be recorded."""
        return len(self.recorded)


def broken(ledger, promises: Promises) -> list[tuple[str, str]]:
    """Return every broken promise as its kind and a sentence."""
    with ledger.database.read() as connection:
        rows = {row["request_id"]: dict(row) for row in connection.execute(rankings.select()).mappings()}
        begun = set(connection.execute(sa.select(ranking_requests.c.request_id)).scalars())
        total = sa.func.coalesce(sa.func.sum(ranking_entries.c.increment_minor), 0)
        worked = sa.select(rankings.c.ranking_id, total).join(ranking_entries, ranking_entries.c.seq == rankings.c.seq)
        sums = dict(connection.execute(worked.group_by(rankings.c.ranking_id)).all())
        books = connection.execute(portfolios.select()).mappings().all()
    found = [*_lost(ledger, promises, rows, begun), *_duplicated(ledger, promises, rows)]
    found += [*_altered(ledger, promises, rows, sums), *_books(promises, books)]
    found += [("chain_breaks", line) for line in (*ledger.chain.verify(), *ledger.log.verify(), *ledger.lives.verify())]
    return found


def judged(folder: Path, url: str, promises: Promises) -> list[tuple[str, str]]:
    """Return every broken promise of rankings, imports and the day of a data folder."""
    records = open_records(Whereabouts(folder, url), lambda: NOW)
    found = [*broken(records.ledger, promises), *broken_day(records.ledger, records.subject_keys, promises.day)]
    records.ledger.close()
    return found


def not_kept(folder: Path, url: str, promises: Promises) -> list[tuple[str, str]]:
    """Return rankings that were told to be recorded and are not there, before anybody makes the same again."""
    engine = sa.create_engine(url or f"sqlite:///{folder / 'ledger.db'}")
    with engine.connect() as connection:
        kept = set(connection.execute(sa.select(rankings.c.request_id)).scalars())
    engine.dispose()
    return [("lost", f"{request}: told to be recorded, and is not yet") for request in sorted(promises.recorded.keys() - kept)]


def _lost(ledger, promises, rows, begun):
    for request in promises.recorded.keys() - rows.keys():
        yield "lost", f"{request}: told to be recorded, is not"
    for request, ranking_id in promises.accepted.items():
        if request not in begun:
            yield "lost", f"{request}: accepted, is unknown"
        elif request not in rows and request not in promises.cancelled:
            latest = ledger.requests.requested(ranking_id).latest
            # Which it says; a process may end between the cancel that it asked for and telling of it.
            because = "its worker ended" in latest.reason or request in promises.cancel_asked
            given_up = latest.state is RankingState.ABANDONED and because
            if latest.state is not RankingState.FAILED and not given_up:
                yield "lost", f"{request}: accepted, is {latest.state} for ever"


def _duplicated(ledger, promises, rows):
    for request in rows.keys() - promises.asked:
        yield "duplicated", f"{request}: recorded, but nobody asked for it"
    for request, told in promises.recorded.items():
        if len(told) > 1:
            yield "duplicated", f"{request}: {len(told)} different answers"
    events = _events(ledger)
    succeeded = Counter(event.subject for event in events if event.kind == "ranking.succeeded")
    for row in rows.values():
        if succeeded[row["ranking_id"]] != 1:
            yield "duplicated", f"{row['ranking_id']}: {succeeded[row['ranking_id']]} events of its success"
    if succeeded.keys() - {row["ranking_id"] for row in rows.values()}:
        yield "lost", "an event tells of a ranking that is not there"


def _altered(ledger, promises, rows, sums):
    decisions = dict(promises.decisions)
    for request, row in rows.items():
        for _, seq, digest in promises.recorded.get(request, ()):
            if (row["seq"], row["record_digest"]) != (seq, digest):
                yield "altered", f"{request}: is not what its caller was told"
        try:
            record = ledger.rankings.get(row["ranking_id"]).record
        except CollectionsError as error:
            yield "altered", str(error)
            continue
        yield from (("altered", f"{row['ranking_id']}: {line}") for line in ledger.rankings.verify(row["ranking_id"]))
        for name, digest in objects_of(record):
            if not ledger.objects.verify(digest):
                yield "altered", f"{row['ranking_id']}: {name} is missing or damaged"
        if record["objective_minor"] != sums.get(row["ranking_id"], 0):
            yield "altered", f"{row['ranking_id']}: its objective is not the sum of its entries"
        decision = (record["entries_digest"], record["objective_minor"])
        if decisions.setdefault(inputs_of(row["payload_digest"], record), decision) != decision:
            yield "altered", f"{row['ranking_id']}: decides otherwise on the same inputs and does not say why"
        yield from _cancelled(ledger, promises, request, row["ranking_id"])
    yield from _clocks(sorted(rows.values(), key=lambda row: row["seq"]))


def _clocks(rows):
    """Yield the rankings that were decided before the one before them was recorded, and do not say so."""
    for before, row in pairwise(rows):
        record = json.loads(row["record"])
        back = datetime.fromisoformat(before["created_at"]) - datetime.fromisoformat(record["times"]["decided"])
        if back > timedelta(seconds=MOST_SKEW_SECONDS) and not record["health"].get("clock_went_back_seconds"):
            yield "altered", f"{row['ranking_id']}: the clock went back by {back}, and its health does not say so"


def inputs_of(payload_digest, record):
    """Return what a decision follows from: the request, the model, and whatever the record says was not as it should be."""
    return json.dumps([payload_digest, record["model_digest"], record["health"].get("degraded")])


def _cancelled(ledger, promises, request, ranking_id):
    if request in promises.cancelled:
        states = [step.state for step in ledger.requests.states(ranking_id)]
        after = states[states.index(RankingState.ABANDONED) :] if RankingState.ABANDONED in states else states
        if RankingState.RUNNING not in after:
            yield "altered", f"{request}: told to be abandoned, is recorded"


def _books(promises, books):
    for book in books:
        if (book["row_count"], book["quarantined_count"]) != (ROWS, BAD_ROWS):
            yield "lost", f"portfolio {book['portfolio_id']}: {ROWS} rows in, {book['row_count']} accounted for"
    stored = {book["portfolio_id"]: book["object_digest"] for book in books}
    for portfolio_id, digest in promises.imported.items():
        if stored.get(portfolio_id) != digest:
            yield "lost", f"portfolio {portfolio_id}: told to be imported, is not"


def _events(ledger):
    events, after = [], 0
    while page := ledger.outbox.after(after, 1_000):
        events += page
        after = page[-1].seq
    return events


def figures(findings: list[tuple[str, str]]) -> str:
    """Return the counts by kind."""
    counts = Counter(kind for kind, _ in findings)
    return ", ".join(f"{counts[kind]} {kind.replace('_', ' ')}" for kind in KINDS)
