"""The program that sends odd messages: none is answered INTERNAL, one seed sends the same, and planted bugs are found."""

from __future__ import annotations

import random

import pytest

from collections_opt.application.experiments import planning
from harness.fuzzing import world as fuzzed
from harness.fuzzing.odd import METHODS, OddMessages, odd_calls, send_odd
from harness.fuzzing.plants import tiny_share


@pytest.fixture(scope="module")
def made():
    with fuzzed.world() as found:
        yield found


def test_odd_messages_are_answered_or_refused(made):
    sent = send_odd(made, seed=5, count=400)
    assert sent.failure == ""
    assert sent.messages >= 400
    assert {"answered", "INVALID_ARGUMENT", "NOT_FOUND"} <= sent.ended.keys()


def test_one_seed_makes_the_same_messages(made):
    calls = list(odd_calls(made))
    made_twice = []
    for _ in range(2):
        odd, draw = OddMessages(random.Random(3), ["x"]), random.Random(4)
        made_twice.append([odd.changed(draw.choice(calls)[2][0]).SerializeToString(deterministic=True) for _ in range(200)])
    assert made_twice[0] == made_twice[1]
    assert len(set(made_twice[0])) > 150


def test_every_method_of_the_contract_is_among_the_calls(made):
    assert {method.name for method, _, _ in odd_calls(made)} == METHODS.keys() - {
        name for name in METHODS if name.rpartition(".")[2] in fuzzed.LEFT_OUT
    }


def test_a_bug_that_only_odd_fields_meet_is_found(made, monkeypatch):
    monkeypatch.setattr(planning, "_check", planning._check)
    tiny_share()
    sent = send_odd(made, seed=6, count=10_000, only="PlanExperiment")
    assert "Error" in sent.failure
    assert "PlanExperiment" in sent.failure
