"""Passes on Spark: rows lie in parts on storage that all see; every pass is one map over the parts and returns little.

Spark schedules, ships and retries; a part that is lost with its worker is read and computed again, to the same bytes. Nothing
but this module imports pyspark, and nothing imports this module unless an engine is asked for.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark import TaskContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.engines.here import Here
from collections_opt.engines.parts import Part, in_order, read_columns, write_columns
from collections_opt.engines.passes import Change, Columns

_Result = TypeVar("_Result")

FEW_BYTES = 256 << 20
"""Rows of up to this many bytes come to the driver when some of them are asked for; more stay spread."""

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
        name = hashlib.sha256(rows.tobytes() + "".join(part.path for part in self._parts).encode()).hexdigest()[:24]
        paths = [f"{self._folder}/some-{name}-{number:06}.arrow" for number in range(len(self._parts))]
        starts = {part.start: path for part, path in zip(self._parts, paths, strict=True)}

        def write(columns: Columns, start: int) -> int:
            chosen = _inside(rows, columns, start)
            write_columns(starts[start], {name: column[chosen] for name, column in columns.items()}, attempt())
            return len(chosen)

        parts = in_order(list(zip(paths, self.over(write), strict=True)))
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
