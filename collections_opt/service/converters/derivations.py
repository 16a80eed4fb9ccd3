"""What portfolios were derived from, as messages."""

from __future__ import annotations

from collections_opt.api.v1.derivation_pb2 import DerivedFrom
from collections_opt.application.records.derivation import Derivation


def write_derivation(derivation: Derivation | None) -> DerivedFrom | None:
    """Return what a portfolio follows from; None for one that was imported."""
    if derivation is None:
        return None
    message = DerivedFrom(
        portfolio_id=derivation.base_portfolio_id,
        through_sequence=derivation.through_sequence,
        left_out_counts=derivation.left_out,
        events_are_complete=derivation.events_are_complete,
        worked_ranking_id=derivation.remains_of,
        spent_seconds=derivation.spent_seconds,
        committed_seconds=derivation.committed_seconds,
    )
    message.describe_time.FromDatetime(derivation.at)
    return message
