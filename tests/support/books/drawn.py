"""Books and scores drawn by hypothesis, with poison in them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.desk.queues import ContactEffect
from tests.support.factories import outcomes, plan, queue, text


def score_by(seed):
    """Return a scorer that draws any distribution, corners included."""

    def score(portfolio):
        rng = np.random.default_rng(seed)
        weight = rng.gamma(rng.choice([0.1, 1.0]), size=(portfolio.account_count, 3)) + 1e-12
        return outcomes(weight / weight.sum(axis=1, keepdims=True))

    return score


@st.composite
def books(draw):
    """Return raw columns with poison in them, a desk and a seed; numpy draws the bulk so that examples stay cheap."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    count, queues = int(rng.integers(0, 13)), int(rng.integers(1, 5))
    ids = [f"a{int(k)}" for k in rng.integers(0, 20, size=count)]
    columns = {
        "account_id": text(ids) if count else np.zeros(0, dtype=object),
        "balance_minor": rng.choice(
            [-5.0, 0.0, 1.0, 5e4, 1e6, 3e9, np.nan, np.inf], size=count, p=[0.05, 0.05, 0.1, 0.3, 0.35, 0.05, 0.05, 0.05]
        ),
        "arrears_minor": rng.integers(0, 60_000, size=count),
        "days_past_due": rng.integers(-1, 200, size=count),
        "contacts_in_window_count": rng.integers(0, 4, size=count),
        **{name: rng.random(count) < 0.05 for name in BLOCK_FLAGS},
    }
    if count and rng.random() < 0.5:  # persons with several accounts, some without an id
        columns["customer_id"] = text([str(name) for name in rng.choice(["", "c1", "c2", "c3", "c4", *ids], size=count)])
    desk = plan(
        *(
            queue(
                f"q{k}",
                agents=float(rng.choice([0.0, 0.01, 0.03, 0.2])),
                buckets=tuple(int(b) for b in rng.choice(7, size=int(rng.integers(0, 4)), replace=False)),
                effect=ContactEffect(float(rng.random()), float(rng.uniform(-0.5, 2)), float(rng.uniform(-0.5, 2)), 0.8),
                specialisms=("vulnerable",) if rng.random() < 0.3 else (),
            )
            for k in range(queues)
        )
    )
    return columns, desk, seed
