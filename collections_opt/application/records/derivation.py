"""What a portfolio was derived from: another one and the events up to a sequence, so that it can be derived anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from collections_opt.application.records.record_parts import RecordPart, read_part, write_part
from collections_opt.core.names import OMITTED_AT_DEFAULT
from collections_opt.ledger.log.chain import canonical_json


@dataclass(frozen=True)
class Derivation(RecordPart):
    """How a portfolio follows from another.

    Attributes:
        base_portfolio_id: the portfolio whose rows it follows from; an imported one, or, for what remains of a day, the day's.
        base_digest: SHA-256 (hex) of the base's accounts when it was derived; those erased since are not among them any more.
        through_sequence: the last event that it knows of.
        at: the instant that it describes: the beginning of its day, or the moment of a day of which it is what remains.
        left_out: accounts that did not stay, by why.
        events_are_complete: the caller vouched that every contact, flag and choice was told.
        remains_of: the ranking in work of whose day it is what remains, "" for one that was rolled forward.
        several_contacts_per_person: a person who was contacted may be contacted about another account, by the plan.
        spent_seconds: handling time of the day that contacts had taken, by queue.
        committed_seconds: handling time that held leases were expected to take, by queue.
    """

    base_portfolio_id: str
    base_digest: str
    through_sequence: int
    at: datetime
    left_out: Mapping[str, int]
    events_are_complete: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)
    remains_of: str = field(default="", metadata=OMITTED_AT_DEFAULT)
    several_contacts_per_person: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)
    spent_seconds: Mapping[str, int] = field(default_factory=dict, metadata=OMITTED_AT_DEFAULT)
    committed_seconds: Mapping[str, int] = field(default_factory=dict, metadata=OMITTED_AT_DEFAULT)

    @property
    def used_seconds(self) -> dict[str, int]:
        """Handling time spent and committed, by queue."""
        names = {*self.spent_seconds, *self.committed_seconds}
        return {name: self.spent_seconds.get(name, 0) + self.committed_seconds.get(name, 0) for name in sorted(names)}

    def begins(self, as_of_date: date) -> date | None:
        """Return the day whose beginning it describes, None for what remains of one."""
        return None if self.remains_of else as_of_date

    def text(self) -> str:
        """Return it as canonical JSON."""
        return canonical_json(write_part(self))


def read_derivation(text: str) -> Derivation | None:
    """Return the derivation of its JSON; None for "", of a portfolio that was imported.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for what no version of this code wrote.
    """
    return read_part(Derivation, json.loads(text)) if text else None
