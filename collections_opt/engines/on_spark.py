"""Passes on Spark: rows lie in parts on storage that all see; every pass is one map over the parts and returns little.

Spark schedules, ships and retries; a part that is lost with its worker is read and computed again, to the same bytes. Nothing
but this module imports pyspark, and nothing imports this module unless an engine is asked for.
"""

from __future__ import annotations

import hashlib
import pickle
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark import TaskContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.engines.here import Here
from collections_opt.engines.parts import Part, delete_folder, in_order, read_columns, write_columns
from collections_opt.engines.passes import Change, Columns

_Result = TypeVar("_Result")

FEW_BYTES = 256 << 20
"""Rows of up to this many bytes come to the driver when some of them are asked for; more stay spread."""

PART_ROWS = 1 << 18
"""Rows of a part: some seconds of scoring and a quarter of a second of a price pass."""

_RESULT = pa.schema([("part", pa.int64()), ("result", pa.large_binary())])


def map_on_spark(session: SparkSession, count: int, work: Callable[[int], _Result]) -> list[_Result]:
    """Return ``work(0)`` to ``work(count - 1)``, each a task of one Spark job.

    Raises:
        CollectionsError: RANKING_FAILED when Spark gives up on a task.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield pa.record_batch([[number], pa.array([pickle.dumps(work(number))], pa.large_binary())], schema=_RESULT)

    if not count:
        return []
    try:
        frame = session.range(0, count, 1, count).mapInArrow(run, "part long, result binary")
        held = frame.toArrow()
    except PySparkException as error:
        raise CollectionsError(Reason.RANKING_FAILED, f"Spark gave up on a pass: {str(error).splitlines()[0][:300]}") from error
    found = dict(zip(held.column(0).to_pylist(), held.column(1), strict=True))
    return [pickle.loads(found[number].as_buffer()) for number in range(count)]  # noqa: S301 - what our own task wrote


def attempt() -> str:
    """Return what names this attempt at a task and no other."""
    context = TaskContext.get()
    return "driver" if context is None else f"attempt-{context.taskAttemptId()}"


class OnSpark:
    """Rows in parts on storage, read by the executors of a Spark session.

    Args:
        session: the session; its workers need this package and see the parts.
        parts: the rows, one part after the other.
        folder: where samples that stay spread are written, a path or address that all machines see.
        threads: worker threads of what the driver does by itself.
        few_bytes: rows of up to this many bytes come to the driver when some of them are asked for.
        changes: what is done to the columns of a part when it is read.
    """

    def __init__(
        self,
        session: SparkSession,
        parts: Sequence[Part],
        folder: str,
        threads: int = 1,
        few_bytes: int = FEW_BYTES,
        changes: tuple[Change, ...] = (),
    ) -> None:
        self._session = session
        self._parts = tuple(parts)
        self._folder = folder
        self._threads = threads
        self._few_bytes = few_bytes
        self._changes = changes

    @property
    def rows(self) -> int:
        """Number of rows n."""
        return sum(part.rows for part in self._parts)

    @property
    def threads(self) -> int:
        """Worker threads of the driver."""
        return self._threads

    @property
    def near(self) -> bool:
        """Whether all rows lie in the memory of this process: they do not."""
        return False

    def over(self, work: Callable[[Columns, int], _Result]) -> list[_Result]:
        """Return ``work(columns, start)`` of every part, in row order: one job, a task for each part.

        Raises:
            CollectionsError: RANKING_FAILED when Spark gives up on a task.
        """
        parts, changes = self._parts, self._changes
        return map_on_spark(self._session, len(parts), lambda number: work(_read(parts[number], changes), parts[number].start))

    def take(self, rows: NDArray[np.int64]) -> Here:
        """Bring some rows to the driver: int64 (r,), ascending."""
        found = self.over(
            lambda columns, start: {name: column[_inside(rows, columns, start)] for name, column in columns.items()}
        )
        return Here({name: np.concatenate([part[name] for part in found]) for name in found[0]}, self._threads)

    def some(self, rows: NDArray[np.int64]) -> Here | OnSpark:
        """Return some rows, int64 (r,), ascending: brought here if they are few, else written as parts of their own."""
        if len(rows) * self._row_bytes() <= self._few_bytes:
            return self.take(rows)

        def chosen(columns: Columns, start: int) -> Columns:
            inside = _inside(rows, columns, start)
            return {name: column[inside] for name, column in columns.items()}

        return self._written(f"some-{hashlib.sha256(rows.tobytes()).hexdigest()[:24]}", chosen)

    def kept(self, change: Change) -> OnSpark:
        """Return the same rows with other columns, written as parts of their own."""
        return self._written("kept", lambda columns, _: change(columns))

    def _written(self, name: str, made: Callable[[Columns, int], Columns]) -> OnSpark:
        """Write a part for each part, in a folder that depends on what the rows were made from and how often."""
        origin = hashlib.sha256("".join(part.path for part in self._parts).encode()).hexdigest()[:12]
        folder = f"{self._folder}/{name}-{origin}-{len(self._changes)}"
        paths = {part.start: f"{folder}/{number:06}.arrow" for number, part in enumerate(self._parts)}

        def write(columns: Columns, start: int) -> int:
            result = made(columns, start)
            write_columns(paths[start], result, attempt())
            return len(next(iter(result.values())))

        parts = in_order(list(zip(paths.values(), self.over(write), strict=True)))
        return OnSpark(self._session, parts, self._folder, self._threads, self._few_bytes)

    def changed(self, change: Change) -> OnSpark:
        """Return the same rows with other columns, made anew whenever a part is read."""
        return OnSpark(self._session, self._parts, self._folder, self._threads, self._few_bytes, (*self._changes, change))

    def here(self) -> Here:
        """Bring all rows to the driver."""
        return self.take(np.arange(self.rows))

    def _row_bytes(self) -> int:
        first = _read(self._parts[0], self._changes)
        return sum(column.nbytes for column in first.values()) // max(1, self._parts[0].rows)


def _read(part: Part, changes: tuple[Change, ...]) -> Columns:
    columns: Columns = read_columns(part.path)
    for change in changes:
        columns = change(columns)
    return columns


def _inside(rows: NDArray[np.int64], columns: Columns, start: int) -> NDArray[np.int64]:
    """Return those of ``rows`` that lie in a part, by their place in it."""
    count = len(next(iter(columns.values())))
    first, last = np.searchsorted(rows, [start, start + count])
    return rows[first:last] - start


class SparkEngine:
    """Keeps rows in parts on storage and runs passes over them on Spark.

    Args:
        session: the session.
        folder: a path or address that driver and executors see, with room for about 200 bytes per account and queue.
        part_rows: rows of a part: a task's work. A multiple of the blocks in which values are computed.
        threads: worker threads of what the driver does by itself.
        least_accounts: rankings of fewer accounts are made in this process.
    """

    def __init__(
        self, session: SparkSession, folder: str, part_rows: int = PART_ROWS, threads: int = 2, least_accounts: int = 1
    ) -> None:
        self.least_accounts = least_accounts
        self._session = session
        self._folder = folder.rstrip("/")
        self._part_rows = part_rows
        self._threads = threads

    def start(self) -> None:
        """Do nothing: its session runs."""

    def close(self) -> None:
        """Stop the session."""
        self._session.stop()

    @contextmanager
    def spread(self, columns: Columns) -> Iterator[OnSpark]:
        """Write rows as parts and read them on Spark for the time of a block; then the parts are deleted."""
        folder = f"{self._folder}/{uuid.uuid4().hex}"
        count = len(next(iter(columns.values())))
        written = []
        try:
            for number, start in enumerate(range(0, count, self._part_rows)):
                part = {name: column[start : start + self._part_rows] for name, column in columns.items()}
                path = f"{folder}/{number:06}.arrow"
                write_columns(path, part, "driver")
                written.append((path, len(next(iter(part.values())))))
            yield OnSpark(self._session, in_order(written), folder, self._threads)
        finally:
            delete_folder(folder)
