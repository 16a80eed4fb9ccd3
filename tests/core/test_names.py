"""Ids and texts: what is let in and what is refused where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError
from collections_opt.core.limits import MAX_LIST_ITEMS, MAX_TEXT_CHARACTERS
from collections_opt.core.names import check_id, check_seed, label_violations, list_violations, text_violation


@pytest.mark.parametrize("value", ["a", "A-1_b.c", "x" * 128])
def test_ids(value):
    check_id("portfolio_id", value)


@pytest.mark.parametrize("value", ["", "a b", "a/b", "é", "a\n", "x" * 129, "a\0"])
def test_what_is_no_id(value):
    with pytest.raises(CollectionsError, match="portfolio_id"):
        check_id("portfolio_id", value)


@given(st.text(max_size=300))
def test_texts_that_pass_are_short_and_printable(value):
    passes = text_violation("name", value) is None
    assert passes == (0 < len(value) <= MAX_TEXT_CHARACTERS and value.isprintable())


def test_lists_name_the_item_at_fault():
    assert [v.field for v in list_violations("skills", ["a", "b\0", "a"])] == ["skills[1]", "skills[2]"]
    assert [v.field for v in list_violations("skills", [str(n) for n in range(MAX_LIST_ITEMS + 1)])] == ["skills"]
    assert not list(list_violations("buckets", [0, 1, 6]))


def test_labels_may_be_empty_but_not_their_names():
    assert not list(label_violations("labels", {"desk": ""}))
    assert [v.field for v in label_violations("labels", {"": "x", "a": "\n"})] == ["labels", "labels['a']"]


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_seeds_outside_what_solvers_take_are_refused(seed):
    check_seed(0)
    with pytest.raises(CollectionsError, match="seed"):
        check_seed(seed)
