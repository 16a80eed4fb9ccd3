"""The reading of experiments finds on randomised public data what others published, and does not where it is broken."""

from __future__ import annotations

import pytest

from harness.experiments import published


def test_published_effects_lie_in_our_intervals():
    found = published.held()
    assert [each.persons for each in found] == [2_834, 2_834, 445, 445, 445]
    assert all(each.agrees for each in found)
    assert found[2].ours == pytest.approx(published.TRAINING, abs=0.5), "a plain difference of means is the published one"


def test_arms_that_are_exchanged_are_noticed(monkeypatch):
    real = published.contrast
    monkeypatch.setattr(published, "contrast", lambda contact, held: real(held, contact))
    assert not published.training(None).agrees


def test_an_interval_that_holds_at_all_looks_is_wider():
    fixed, anytime = published.incentives()
    assert anytime.low < fixed.low < fixed.high < anytime.high
