"""The rival of leases: a bare queue on PostgreSQL whose rows are taken with SKIP LOCKED, and nothing else is looked at."""

from __future__ import annotations

import random
import threading
import time
from queue import SimpleQueue

import sqlalchemy as sa

CONNECTIONS = 32
"""Shared by all holders, as a pool in front of PostgreSQL is."""

_TAKE = sa.text(
    "UPDATE bare_queue SET holder = :holder, until = now() + interval '45 seconds' WHERE place IN "
    "(SELECT place FROM bare_queue WHERE holder IS NULL ORDER BY place LIMIT :count FOR UPDATE SKIP LOCKED) RETURNING place"
)
_DONE = sa.text("UPDATE bare_queue SET done = true WHERE place = :place AND holder = :holder")


def bare_leases_a_second(url: str, rows: int, holders: int, leases: int) -> float:
    """Fill a queue, let holders take rows and end each in a transaction of its own, and return leases a second."""
    engine = sa.create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=600.0)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE bare_queue (place bigint PRIMARY KEY, holder text, until timestamptz, "
            "done boolean NOT NULL DEFAULT false)"
        )
        connection.exec_driver_sql(f"INSERT INTO bare_queue (place) SELECT generate_series(1, {int(rows)})")
        connection.exec_driver_sql("CREATE INDEX bare_free ON bare_queue (place) WHERE holder IS NULL")
    taken: SimpleQueue[int] = SimpleQueue()
    begin = time.perf_counter()
    threads = [threading.Thread(target=_hold, args=(engine, number, leases, taken)) for number in range(holders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    engine.dispose()
    return taken.qsize() / seconds


def _hold(engine: sa.Engine, number: int, leases: int, taken: SimpleQueue[int]) -> None:
    draw, holder = random.Random(number), f"agent-{number}"
    while taken.qsize() < leases:
        with engine.begin() as connection:
            found = connection.execute(_TAKE, {"holder": holder, "count": draw.choice((1, 2, 5))}).scalars().all()
        if not found:
            return
        for place in found:
            taken.put(place)
            with engine.begin() as connection:
                connection.execute(_DONE, {"place": place, "holder": holder})
