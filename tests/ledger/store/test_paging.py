"""Lists read whole are read once each row, in order, whatever the size of a page."""

import pytest

from collections_opt.ledger.store import paging


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_every_row_is_read_once_and_in_order(monkeypatch, count):
    monkeypatch.setattr(paging, "MAX_PAGE_SIZE", 3)
    rows, asked = list(range(10, 10 + count)), []

    def after(place, size):
        asked.append(place)
        return [row for row in rows if row > place][:size]

    assert list(paging.every_row(after, 0, lambda row: row)) == rows
    assert len(asked) == -(-count // 3) + 1


def test_a_page_is_read_when_its_first_row_is_wanted(monkeypatch):
    monkeypatch.setattr(paging, "MAX_PAGE_SIZE", 2)
    asked = []
    wanted = paging.every_row(lambda place, size: asked.append(place) or [place + 1, place + 2][:size], 0, lambda row: row)
    assert [next(wanted) for _ in range(3)] == [1, 2, 3]
    assert asked == [0, 2]
