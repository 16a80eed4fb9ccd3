"""What streams of rows hold: memory counted as it arrives, refused before it is gone, and rows set down on disk beyond it."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np

from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, Reason, refuse

DEFAULT_IMPORT_BYTES = 4 * 2**30
"""Of one import, in memory or set down: some 10 million accounts of forty columns."""

DEFAULT_TOTAL_BYTES = 6 * 2**30
"""Held in memory by all imports of a server at once."""


class ByteBudget:
    """What all streams of a server hold together. Safe to use from any thread.

    Args:
        each: bytes of one stream.
        total: bytes of all streams at once.
    """

    def __init__(self, each: int = DEFAULT_IMPORT_BYTES, total: int = DEFAULT_TOTAL_BYTES) -> None:
        self._each, self._total = each, total
        self._held = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        with self._lock:
            return self._held

    @contextmanager
    def stream(self) -> Iterator[Held]:
        """Count what a stream holds for the time of a block."""
        held = Held(self)
        try:
            yield held
        finally:
            with self._lock:
                self._held -= held.count

    def grow(self, held: Held, count: int) -> None:
        """Count bytes of a stream; as ``Held.add``."""
        if held.count + held.spooled + count > self._each:
            problem = f"is more than {self._each:,} bytes."
            raise refuse(Reason.LIMIT_EXCEEDED, "import", problem, "Send fewer rows, fewer columns or shorter texts.")
        with self._lock:
            if self._held + count > self._total:
                what = "Other imports hold the memory that there is for imports."
                raise CollectionsError(Reason.OVERLOADED, f"{what} Try again when they have ended.")
            self._held += count
        held.count += count

    def release(self, held: Held, count: int) -> None:
        """Count bytes of a stream as set down; as ``Held.spool``."""
        with self._lock:
            self._held -= count
        held.count, held.spooled = held.count - count, held.spooled + count


class Held:
    """What one stream holds: ``count`` bytes in memory, and ``spooled`` ones that were set down on disk."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.count = 0
        self.spooled = 0

    def spool(self, count: int) -> None:
        """Count bytes that were set down on disk: they take no memory, and still count as the stream's."""
        self._budget.release(self, count)

    def add(self, count: int) -> None:
        """Count bytes that have arrived.

        Raises:
            CollectionsError: LIMIT_EXCEEDED beyond what one stream may hold; OVERLOADED when others hold the rest.
        """
        self._budget.grow(self, count)


SPOOL_BEYOND_BYTES = 32 * 2**20
"""What a stream may hold in memory before its rows are set down."""


@dataclass(frozen=True)
class Place:
    """Where an array stands in the file, and what it is: a NumPy type and shape, or ``O`` for texts as JSON."""

    number: int
    start: int
    stop: int
    dtype: str
    shape: tuple[int, ...]


class Spool:
    """A file without a name that ends with the stream; portfolios are personal data, so it holds nothing in the clear.

    A context manager. The file is in the system's folder of temporary files (TMPDIR), made when it is first needed.
    """

    def __init__(self) -> None:
        # Imported here: a client sends portfolios and never spools them, and is installed without it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._count = 0
        self._end = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    @property
    def used(self) -> bool:
        """Whether anything was set down."""
        return self._count > 0

    def put(self, array: Array) -> Place:
        """Set an array down: numbers, flags, bytes, or objects that are texts or None.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE when the disk does not take it.
        """
        plain = json.dumps(array.tolist()).encode() if array.dtype == object else np.ascontiguousarray(array).tobytes()
        sealed = self._cipher.encrypt(self._nonce(self._count), plain, None)
        try:
            if self._file is None:
                self._file = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
            self._file.seek(self._end)
            self._file.write(sealed)
            self._file.flush()  # a disk that is full says so here, and not when the rows are read
        except OSError as error:
            told = f"An import's rows cannot be set down: {error.strerror or error}. Give TMPDIR a folder with room."
            raise CollectionsError(Reason.STORAGE_UNAVAILABLE, told) from error
        place = Place(self._count, self._end, self._end + len(sealed), array.dtype.str, array.shape)
        self._count, self._end = self._count + 1, place.stop
        return place

    def get(self, place: Place) -> Array:
        """Return an array that was set down."""
        assert self._file is not None
        self._file.seek(place.start)
        plain = self._cipher.decrypt(self._nonce(place.number), self._file.read(place.stop - place.start), None)
        if np.dtype(place.dtype) == object:
            texts = np.empty(place.shape, dtype=object)
            texts[:] = json.loads(plain)
            return texts
        return np.frombuffer(plain, dtype=place.dtype).reshape(place.shape)

    @staticmethod
    def _nonce(number: int) -> bytes:
        return number.to_bytes(12, "big")  # the key is this spool's own, and no number comes twice


class SpooledColumns(Mapping[str, Array]):
    """Columns that are read from a spool each time they are asked for, put together from the chunks of a stream.

    Args:
        spool: where they are.
        places: of each chunk's part, by column; an array where a chunk's part was never set down.
        join: puts the parts of a column together.
    """

    def __init__(
        self, spool: Spool, places: Mapping[str, Sequence[Place | Array]], join: Callable[[list[Array]], Array] = np.concatenate
    ) -> None:
        self._spool, self._places, self._join = spool, places, join

    def __getitem__(self, name: str) -> Array:
        parts = self._places[name]
        return self._join([self._spool.get(part) if isinstance(part, Place) else part for part in parts])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
