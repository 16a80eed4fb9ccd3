"""Entries of a ranking, made by hand."""

from __future__ import annotations

import numpy as np

from collections_opt.core.ranking.ranking import Entries


def entries_of(queue, increment=None):
    queue = np.array(queue, dtype=np.int16)
    count = queue.size
    zeros = np.zeros(count, dtype=np.int64)
    worked = queue >= 0
    return Entries(
        account_id=np.array([f"{i}".encode() for i in range(count)]),
        disposition=np.where(worked, 1, 4).astype(np.uint8),
        queue=queue,
        priority=np.where(worked, np.cumsum(worked), 0).astype(np.int32),
        best_queue=np.zeros(count, dtype=np.int16),
        increment_minor=np.array(increment or [10] * count, dtype=np.int64),
        seconds=np.full(count, 60, dtype=np.int32),
        surplus_minor=zeros,
        recovery_without_contact_minor=zeros,
        explored=np.zeros(count, dtype=np.uint8),
        propensity_nano=zeros,
        p_cure_nano=zeros,
        p_default_nano=zeros,
        p_stay_nano=zeros,
    )
