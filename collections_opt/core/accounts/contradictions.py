"""Facts about persons that differ between their accounts: counted at import, each with how rules read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons, persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import CHOICES

PERSON_FLAGS = ("bankruptcy", "deceased", "cease", "attorney", "vulnerable", "scra")
"""Block flags that are the person's, whichever debt carries them."""

SET_FOR_ALL = "read as set on all accounts of the person"
NOT_GIVEN = "read as not given on any account of the person"
ALL_BIND = "each of them binds all accounts of the person"


@dataclass(frozen=True)
class Contradiction:
    """One fact that accounts of one person state differently.

    Attributes:
        field: column of the account schema.
        person_count: persons of whom it is stated differently.
        account_count: accounts of theirs that state it.
        account_id: one of these accounts, the first by id.
        reading: how rules of persons read it, in words.
    """

    field: str
    person_count: int
    account_count: int
    account_id: str
    reading: str


def contradictions(portfolio: Portfolio) -> tuple[Contradiction, ...]:
    """Return what accounts of one ``customer_id`` state differently, in the order of the schema.

    A blank states nothing. Facts of one debt, as a dispute or a promise, may differ.
    """
    persons = persons_of(portfolio)
    if persons is None:
        return ()
    readings = {name: NOT_GIVEN if name.startswith("consent_") else SET_FOR_ALL for name in (*PERSON_FLAGS, *CHOICES)}
    found = []
    for name, reading in {**readings, "language": ALL_BIND}.items():
        stated = portfolio.is_present(name)
        values = portfolio.column(name)
        if name == "language":
            stated = stated & (values != b"")
        differing = _differing(values, stated, persons)
        rows = np.flatnonzero(stated & differing[persons.of])
        if rows.size:
            first = portfolio.column("account_id")[rows[0]].decode()
            found.append(Contradiction(name, int(differing.sum()), int(rows.size), first, reading))
    return tuple(found)


def _differing(values: NDArray[np.bool_] | NDArray[np.bytes_], stated: NDArray[np.bool_], persons: Persons) -> NDArray[np.bool_]:
    """Return the persons, bool (p,), whose accounts state different values."""
    _, code = np.unique(values, return_inverse=True)
    least, most = np.full(persons.count, np.iinfo(np.int64).max), np.full(persons.count, -1)
    np.minimum.at(least, persons.of[stated], code[stated])
    np.maximum.at(most, persons.of[stated], code[stated])
    return np.asarray(least < most, dtype=bool)
