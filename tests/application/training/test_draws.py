"""Whose recorded draw is an experiment: people at their first entry, by a draw that nothing before had touched."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from collections_opt.application.training import draws
from collections_opt.application.training.draws import Draws
from collections_opt.core.errors import CollectionsError
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.ranking.ordering import Ordering

PERSONS = np.array([b"a", b"a", b"b", b"c", b"d"])
ARMS = {b"a": Arm.HELD_OUT, b"b": Arm.CONTACT, b"c": Arm.CONTACT, b"d": Arm.NONE}


def ranking(meant, salt="s1", ordering=Ordering.EXPECTED_VALUE, **moved):
    """Return a ranking as it is read, in which some rows would have been worked."""
    arm = np.array([moved.get(person.decode(), ARMS[person]) for person in PERSONS], dtype=np.uint8)
    entries = SimpleNamespace(
        arm=arm,
        experiment=(arm > 0).astype(np.uint8),
        intended_queue=np.where(np.isin(np.arange(5), meant), 0, -1).astype(np.int16),
    )
    named = SimpleNamespace(design=SimpleNamespace(salt=salt, arm=ArmKind.HOLDOUT))
    inputs = SimpleNamespace(experiments=(named,), as_of_date=date(2026, 3, 1))
    facts = SimpleNamespace(inputs=inputs, answer=SimpleNamespace(ordering=ordering))
    return SimpleNamespace(entries=entries, facts=facts, portfolio=None)


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setattr(draws, "person_keys", lambda _portfolio: PERSONS)


def entered(found):
    return np.flatnonzero(found).tolist()


def test_a_person_enters_once_with_all_accounts_that_are_meant():
    known = Draws()
    assert entered(known.enter(ranking([0, 2]))) == [0, 2]
    assert entered(known.enter(ranking([0, 1, 2, 3, 4]))) == [3]  # a's other account is no new draw; d is in no experiment
    assert entered(known.enter(ranking([3]))) == []


def test_another_salt_draws_afresh_and_the_same_salt_does_not():
    known = Draws()
    known.enter(ranking([0, 2]))
    assert entered(known.enter(ranking([0, 2], salt="s2", a=Arm.CONTACT))) == [0, 2]
    assert entered(known.enter(ranking([0, 2], salt="s1"))) == []


def test_an_order_without_prices_touches_everybody_and_nobody_enters():
    known = Draws()
    assert entered(known.enter(ranking([], ordering=Ordering.BALANCE))) == []
    assert entered(known.enter(ranking([0, 2, 3]))) == []


def test_a_person_whose_arm_changed_is_refused():
    known = Draws()
    known.enter(ranking([3]))
    with pytest.raises(CollectionsError, match=r"1 person\(s\) are in another arm on 2026-03-01"):
        known.enter(ranking([], a=Arm.CONTACT))
    assert entered(known.enter(ranking([0], c=Arm.NONE))) == [0]  # whoever leaves the scope is in no arm, and moved to none
