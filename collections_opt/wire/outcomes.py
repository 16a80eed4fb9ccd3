"""Outcomes and when they count, as messages, for both ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.core.day.event_columns import day_number
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_BALANCE_MINOR
from collections_opt.core.names import normal_account_id
from collections_opt.core.outcomes.terms import Outcome, OutcomeSource, OutcomeTerms, ProductTerms, ToldOutcomes
from collections_opt.wire.common import read_date, write_enum

MAX_ROWS = 1_000
"""Rows of one message."""

_TOLD = {pb.HorizonOutcome.Value(f"HORIZON_OUTCOME_{one.name}"): one for one in Outcome if one is not Outcome.NOT_SEEN}


def read_terms(message: pb.OutcomeTerms) -> OutcomeTerms:
    """Return when outcomes count; whether they are in bounds is not looked at."""
    products = {code: ProductTerms(one.horizon_days, one.default_days_past_due) for code, one in message.products.items()}
    return OutcomeTerms(products, message.grace_days)


def write_terms(terms: OutcomeTerms) -> pb.OutcomeTerms:
    """Return them as a message."""
    products = {
        code: pb.ProductOutcomeTerms(horizon_days=one.horizon_days, default_days_past_due=one.default_days_past_due)
        for code, one in terms.products.items()
    }
    return pb.OutcomeTerms(products=products, grace_days=terms.grace_days)


def read_told(messages: Sequence[pb.ToldOutcome], first: int = 0) -> ToldOutcomes:
    """Return rows as columns.

    Args:
        messages: 1 to ``MAX_ROWS``.
        first: rows of the file before these: faults are told by their place in the file.

    Raises:
        CollectionsError: LIMIT_EXCEEDED; INVALID_ARGUMENT with every fault.
    """
    if not 1 <= len(messages) <= MAX_ROWS:
        told = f"{len(messages)} rows in a message."
        raise refuse(Reason.LIMIT_EXCEEDED, "outcomes", told, f"Send 1 to {MAX_ROWS}.")
    faults = [fault for place, one in enumerate(messages, start=first) for fault in _faults(one, f"outcomes[{place}]")]
    if faults:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(faults[0]), tuple(faults))
    return ToldOutcomes(
        np.array([normal_account_id(one.account_id).encode() for one in messages], dtype=np.bytes_),
        np.array([_TOLD[one.outcome] for one in messages], dtype=np.int64),
        np.array([day_number(read_date(one.outcome_date, "outcome_date")) for one in messages], dtype=np.int64),
        np.array([one.cash_minor_units if one.HasField("cash_minor_units") else -1 for one in messages], dtype=np.int64),
    )


def _faults(one: pb.ToldOutcome, path: str) -> Iterable[FieldViolation]:
    if not one.account_id:
        yield FieldViolation(f"{path}.account_id", "is missing.", "Name the account.")
    if one.outcome not in _TOLD:
        yield FieldViolation(
            f"{path}.outcome", "is not told, or unknown.", f"Send one of {', '.join(o.name for o in _TOLD.values())}."
        )
    if one.HasField("cash_minor_units") and not 0 <= one.cash_minor_units <= MAX_BALANCE_MINOR:
        told = f"{one.cash_minor_units} is out of range."
        yield FieldViolation(f"{path}.cash_minor_units", told, f"Send 0 to {MAX_BALANCE_MINOR}.")
    try:
        read_date(one.outcome_date, f"{path}.outcome_date")
    except CollectionsError as error:
        yield from error.violations


def write_outcome(outcome: Outcome) -> Any:
    """Return an outcome as the contract names it."""
    return write_enum(pb.HorizonOutcome.DESCRIPTOR, outcome.name)


def write_source(source: OutcomeSource) -> Any:
    """Return a source as the contract names it."""
    return write_enum(pb.OutcomeSource.DESCRIPTOR, source.name)
