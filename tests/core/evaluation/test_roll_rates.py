"""Roll rates on a chain with known rates: intervals cover what staying is worth, and rows taken for accounts do not."""

import numpy as np

from collections_opt.core.evaluation.roll_rates import (
    AbsorbingWorth,
    RollRates,
    Transitions,
    count_rates,
    outcome_after,
    stay_value_intervals,
)
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY

ENDS = AbsorbingWorth(discount_rate=0.12, redefault_probability=0.2, loss_given_default=0.8)
CURES, DEFAULTS, WORSE = np.array([0.5, 0.3, 0.2]), np.array([0.02, 0.1, 0.4]), np.array([0.2, 0.3, 0.0])


def lived(seed, count=600, twins=1):
    """Return transitions of accounts that start in bucket 0 and roll until they cure or default; twins repeat each other."""
    rng = np.random.default_rng(seed)
    bucket, alive = np.zeros(count, dtype=np.int64), np.ones(count, dtype=bool)
    parts = []
    for _ in range(12):
        draw = rng.random(count)
        cure, default = CURES[bucket], DEFAULTS[bucket]
        outcome = np.select([draw < cure, draw < cure + default], [CURE, DEFAULT], STAY)
        after = bucket + ((outcome == STAY) & (draw > 1.0 - WORSE[bucket]))
        rows = np.repeat(np.flatnonzero(alive), twins)
        ids = np.array([f"{row:05d}" for row in rows.tolist()], dtype="S5")
        parts.append(Transitions(ids, np.full(rows.size, b"CARD"), bucket[rows], outcome[rows], after[rows]))
        alive &= outcome == STAY
        bucket = after
    return Transitions(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in Transitions.__dataclass_fields__})


def truth():
    stay, absorb = np.zeros((7, 7)), np.zeros((7, 2))
    absorb[3:, 1] = 1.0
    for bucket in range(3):
        absorb[bucket] = CURES[bucket], DEFAULTS[bucket]
        stay[bucket, bucket + 1] = WORSE[bucket]
        stay[bucket, bucket] = 1.0 - absorb[bucket].sum() - WORSE[bucket]
    return RollRates(stay, absorb, np.zeros(7, dtype=np.int64)).stay_values(ENDS)


def test_intervals_cover_the_value_of_staying_and_those_of_rows_do_not():
    value, inside, planted = truth(), [], []
    for seed in range(60):
        transitions = lived(seed, twins=4)
        found = stay_value_intervals(transitions, ENDS, 1, draws=100)
        inside += [found[b].low <= value[b] <= found[b].high for b in range(3)]
        rows = np.array([f"{row:07d}" for row in range(transitions.bucket.size)], dtype="S7")
        as_rows = Transitions(rows, *[getattr(transitions, n) for n in ("product", "bucket", "outcome", "after")])
        fault = stay_value_intervals(as_rows, ENDS, 1, draws=100)
        planted += [fault[b].low <= value[b] <= fault[b].high for b in range(3)]
    assert np.mean(inside) > 0.88
    assert np.mean(planted) < 0.8


def test_rates_sum_to_one_and_a_bucket_without_accounts_defaults():
    rates = count_rates(lived(1))
    assert np.allclose(rates.stay.sum(axis=1) + rates.absorb.sum(axis=1), 1.0)
    assert rates.account_count[:3].min() > 0
    assert rates.absorb[6].tolist() == [0.0, 1.0]
    assert abs(rates.absorb[0, 0] - 0.5) < 0.06


def test_what_is_known_wins_and_who_left_is_cured_unless_charged_off():
    known = np.array([-1, -1, -1, -1, DEFAULT, STAY])
    left = np.array([True, True, False, False, True, True])
    current = np.array([False, False, True, False, False, False])
    charged_off = np.array([False, True, False, True, False, False])
    assert outcome_after(known, left, current, charged_off).tolist() == [CURE, DEFAULT, CURE, STAY, DEFAULT, STAY]
