"""Places in a queue follow the key and then the account id."""

import numpy as np

from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ordering import priority_in_queue


def test_priority_is_one_based_per_queue_with_ties_by_row():
    queue = np.array([1, 0, 1, UNASSIGNED, 0], dtype=np.int16)
    key = np.array([2.0, 1.0, 3.0, 9.0, 1.0])
    assert priority_in_queue(queue, key).tolist() == [2, 1, 1, 0, 2]
