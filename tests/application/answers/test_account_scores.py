"""What a score of one account costs: statements and function calls, never time; and that being quick changes no answer."""

import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.workspace import open_workspace
from collections_opt.core.accounts import admission
from collections_opt.ledger.store.database import Database
from tests.support.books.bundled_portfolio import MODELS, NOW
from tests.support.factories import raw_portfolio, text

PLAN = "credit-card-desk"

MOST_CALLS = 1_900
"""Python functions that a score may call, numpy's among them: 1,570; they were 4,190 when each call worked out what depends on
no account."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with closing(open_workspace(tmp_path_factory.mktemp("scores"), MODELS, lambda: NOW)) as opened:
        yield opened


@pytest.fixture
def score(workspace):
    """Score one account, as a call does."""
    known = {"state": text(["TW"]), "calls_last_7_days_count": np.zeros(1, np.int64), "days_past_due": np.array([65])}
    raw = replace(raw_portfolio(account_id=text(["a"]), **known), currency_code="TWD")

    def scored(with_reasons=False):
        with workspace.books.one_moment():
            plan = workspace.books.plan_on(PLAN, None, raw.as_of_date)
            return workspace.scores.score(raw, plan, None, with_reasons)

    scored()  # whatever is worked out once, is
    return scored


def test_a_score_calls_few_functions(score):
    called = Counter()
    sys.setprofile(lambda _frame, event, _of: called.update([event]))
    try:
        score()
    finally:
        sys.setprofile(None)
    assert called["call"] <= MOST_CALLS


@pytest.mark.parametrize("with_reasons", [False, True])
def test_a_score_asks_the_ledger_one_statement(score, monkeypatch, with_reasons):
    asked = []
    honest = Database.first_row
    monkeypatch.setattr(Database, "first_row", lambda database, statement: asked.append(statement) or honest(database, statement))
    monkeypatch.setattr(Database, "read", None)
    score(with_reasons)
    assert len(asked) == 1


def drawn(rng):
    """Draw a few rows, most of them sound."""
    count = int(rng.integers(1, 4))
    odd = rng.random(3) < 0.3
    return raw_portfolio(
        account_id=text([f"a{n}" for n in rng.permutation(count)]),
        balance_minor=rng.integers(-(10**17) if odd[0] else 0, 10**6, count),
        days_past_due=rng.integers(-2 if odd[1] else 1, 300, count),
        dispute=rng.random(count) < 0.5,
        calls_last_7_days_count=rng.integers(0, 9, count),
        payment_history_minor=rng.integers(-1 if odd[2] else 0, 9, (count, 3)),
        status_history=rng.integers(0, 3, (count, 3)),
    )


def test_few_rows_are_let_in_as_many_are(monkeypatch):
    rng = np.random.default_rng(17)
    raws = [drawn(rng) for _ in range(60)]
    masks = [{name: rng.random(cells.shape) < 0.9 for name, cells in raw.columns.items()} for raw in raws]
    raws += [replace(raw, present=mask) for raw, mask in zip(raws, masks, strict=True)]
    quick = [admission.admit(raw) for raw in raws]
    monkeypatch.setattr(admission, "sound_columns", lambda _raw, _count: {})
    plain = [admission.admit(raw) for raw in raws]
    assert sum(one.quarantine.row_count > 0 for one in plain) > 20
    for one, other in zip(quick, plain, strict=True):
        assert (one.portfolio.digest, one.row_count) == (other.portfolio.digest, other.row_count)
        assert repr(one.quarantine) == repr(other.quarantine)
