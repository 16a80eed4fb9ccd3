"""A process that records one ranking and dies at a chosen point; prints ``ack`` where a caller would have been answered."""

import os
import signal
import sys
from pathlib import Path

from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet
from collections_opt.ledger.tables import rankings
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, add_ranking

url, folder, point = sys.argv[1:]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(name, acknowledge=False):
    if point == name:
        if acknowledge:
            print("ack", flush=True)
        die()


last_statement = rankings.insert_state


def insert_state_and_die(*arguments):
    last_statement(*arguments)
    die_at("before_commit")
    die_at("planted_acknowledge_before_commit", acknowledge=True)


rankings.insert_state = insert_state_and_die
ledger = open_ledger(url, FolderObjectStore(Path(folder)))
entries = entries_of([0, 0, -1, 1])
digest = ledger.objects.put(columns_to_parquet(ColumnTable(entries.columns())))
die_at("after_object")
add_ranking(ledger, "g1", "r1", "x", "p1", {"entries_object": digest}, entries, NOW)
die_at("before_acknowledgement")
die_at("after_acknowledgement", acknowledge=True)
