"""Events read from many texts at once: each as by itself, and nothing that no version wrote."""

from __future__ import annotations

import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.events.event_texts import event_of, events_of, text_of
from tests.support.day.day_worlds import NOON, call


def test_many_texts_are_read_as_each_by_itself():
    texts = [text_of(call("a001", NOON, event_id="c1")), None, text_of(call("a002", NOON, event_id="c2"))]
    assert events_of(texts) == [event_of(text) for text in texts]
    assert events_of(texts)[1] is None


@pytest.mark.parametrize("texts", [["null,null"], ["{"], ["", "null"], ["1], [1"], ["{}"]])
def test_what_is_no_event_is_told_as_a_fault_of_the_record(texts):
    with pytest.raises(CollectionsError) as refused:
        events_of(texts)
    assert refused.value.reason is Reason.INTEGRITY_FAILURE
