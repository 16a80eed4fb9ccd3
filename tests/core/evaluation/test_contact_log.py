"""A contact log is checked once: every row that could mislead is named."""

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import ContactLog, join_logs

GOOD = {
    "account_id": np.array([b"a", b"b", b"c"]),
    "queue": np.array([0, 1, -1], dtype=np.int16),
    "contacted": np.array([True, False, False]),
    "right_party": np.array([True, False, False]),
    "propensity": np.array([0.5, 0.5, np.nan]),
    "queue_propensity": np.array([0.5, 1.0, np.nan]),
    "outcome": np.array([0, 2, 1]),
    "cash_minor": np.array([100, 0, 0]),
}


def log(**changes):
    return ContactLog(("q0", "q1"), **{**GOOD, **changes})


def test_a_good_log_is_accepted_and_knows_its_holdout():
    assert log().randomised.tolist() == [True, True, False]
    assert log().take(np.array([2])).row_count == 1
    assert join_logs([log(), log()]).row_count == 6


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("queue", np.array([2, 1, -1], dtype=np.int16)),
        ("contacted", np.array([True, False, True])),
        ("right_party", np.array([True, True, False])),
        ("propensity", np.array([1.0, 0.5, np.nan])),
        ("propensity", np.array([0.5, 0.5, 0.5])),
        ("queue_propensity", np.array([np.nan, 1.0, np.nan])),
        ("outcome", np.array([0, 3, 1])),
        ("cash_minor", np.array([0, -1, 0])),
        ("cash_minor", np.array([0, 1])),
    ],
)
def test_a_row_that_could_mislead_is_refused_by_name(column, values):
    with pytest.raises(CollectionsError) as refused:
        log(**{column: values})
    assert refused.value.violations[0].remedy
    assert refused.value.violations[0].field.split("[")[0] in (column, "queue_propensity", "queue")


def test_logs_of_other_queues_do_not_join():
    with pytest.raises(CollectionsError, match="queue_ids"):
        join_logs([log(), ContactLog(("q0", "other"), **GOOD)])
