"""Who has several accounts: every id is one person, no id is nobody else, and numbers follow the first accounts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.accounts import persons as module
from collections_opt.core.accounts.persons import grouped, numbered

IDS = st.lists(st.sampled_from([b"", b"a", b"b", b"ab", b"a-long-customer-id-1", b"a-long-customer-id-2"]), max_size=30)


def by_dictionary(ids):
    known, result = {}, []
    for row, name in enumerate(ids):
        result.append(known.setdefault(name or row, len(known)))
    return result


@given(ids=IDS)
def test_persons_are_numbered_by_their_first_account(ids):
    column = np.array(ids, dtype="S20")
    assert numbered(column).tolist() == by_dictionary(ids)


@given(ids=IDS)
def test_ids_of_one_hash_are_told_apart(ids):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_hashed", lambda texts: np.zeros(len(texts), np.uint64))
        assert numbered(np.array(ids, dtype="S20")).tolist() == by_dictionary(ids)


@given(ids=IDS)
def test_accounts_are_grouped_person_by_person(ids):
    of = numbered(np.array(ids, dtype="S20"))
    persons = grouped(of)
    if persons is None:
        assert len(set(of.tolist())) == len(of)
        return
    for person in range(persons.count):
        mine = persons.order[persons.start[person] : persons.start[person + 1]]
        assert mine.tolist() == np.flatnonzero(of == person).tolist()
    chosen = np.arange(0, persons.count, 2)
    rows, part = persons.take(chosen)
    assert [of[row] for row in rows] == [chosen[person] for person in part.of]
    assert set(rows.tolist()) == set(np.flatnonzero(np.isin(of, chosen)).tolist())
    marked = np.zeros(len(of), bool)
    marked[0] = True
    assert persons.any_of(marked).tolist() == (of == of[0]).tolist()
