"""Rows set down on disk while they arrive: they come back as they were, nobody else reads them, and they free their memory."""

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.wire import columns as module
from collections_opt.wire.byte_budget import ByteBudget, Spool
from collections_opt.wire.columns import ColumnCollector, Columns, encode_chunks

ROWS = 5_000


def table():
    rng = np.random.default_rng(3)
    return Columns(
        ROWS,
        {
            "account_id": np.array([f"account number {n}" for n in range(ROWS)], dtype=object),
            "note": np.array([f"{n} é \ud800 " * 12 if n % 7 else "" for n in range(ROWS)], dtype=object),
            "balance_minor": rng.integers(-(2**60), 2**60, ROWS),
            "rate": rng.random(ROWS),
            "deceased": rng.random(ROWS) < 0.5,
            "history": rng.integers(0, 9, (ROWS, 3)),
        },
        {"balance_minor": np.arange(ROWS) > 2_000, "history": rng.random((ROWS, 3)) < 0.5, "note": np.arange(ROWS) % 7 > 0},
    )


def parts_of(sent):
    """Return a table in chunks as a collector keeps them."""
    made = Columns(sent.row_count, {n: v for n, v in sent.values.items() if n != "note"}, sent.present)
    return list(encode_chunks(Columns(ROWS, made.values, {n: m for n, m in made.present.items() if n != "note"}), 40_000))


@pytest.mark.parametrize("bound", [0, 60_000, 10**9])
def test_rows_come_back_as_they_were_wherever_they_were_kept(bound, monkeypatch):
    monkeypatch.setattr(module, "SPOOL_BEYOND_BYTES", bound)
    messages, budget = parts_of(table()), ByteBudget()
    plain, whole = ColumnCollector(ROWS, compact=True), 0
    with budget.stream() as held, Spool() as spool:
        spooled = ColumnCollector(ROWS, compact=True, hold=held.add, spool=spool, let_go=held.spool)
        for message in messages:
            plain.add(message)
            spooled.add(message)
        found, wanted = spooled.columns(), plain.columns()
        assert spool.used == (bound < 10**9)
        assert (held.count == 0) == spool.used
        whole = held.count + held.spooled
        assert set(found.values) == set(wanted.values)
        for name, column in wanted.values.items():
            assert found.values[name].dtype == column.dtype
            np.testing.assert_array_equal(found.values[name], column)
        assert set(found.present) == set(wanted.present)
        for name, mask in wanted.present.items():
            np.testing.assert_array_equal(found.present[name], mask)
    assert whole > ROWS * 8 * 5
    assert budget.held == 0


def test_what_was_set_down_still_counts_as_the_streams_own():
    budget = ByteBudget(each=100, total=150)
    with budget.stream() as first, budget.stream() as second:
        first.add(90)
        first.spool(90)
        assert budget.held == 0
        second.add(100)
        with pytest.raises(CollectionsError) as caught:
            first.add(11)
        assert caught.value.reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize("name", ["account_id", "note", "balance_minor", "rate", "deceased", "history"])
def test_every_kind_of_array_comes_back_and_nothing_stands_there_in_the_clear(name):
    array = table().values[name]
    with Spool() as spool:
        places = [spool.put(array), spool.put(array)]
        for place in places:
            np.testing.assert_array_equal(spool.get(place), array)
        spool._file.seek(0)
        content = spool._file.read()
        assert b"account number" not in content
        assert array.tobytes()[:64] not in content
        assert content[: places[0].stop] != content[places[0].stop :]
        spool._file.seek(3)
        spool._file.write(bytes([content[3] ^ 1]))
        with pytest.raises(InvalidTag):
            spool.get(places[0])


def test_a_disk_that_is_full_refuses_the_import(monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("collections_opt.wire.byte_budget.tempfile.TemporaryFile", full)
    with Spool() as spool, pytest.raises(CollectionsError, match="No space left") as caught:
        spool.put(np.zeros(3))
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
