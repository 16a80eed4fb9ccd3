"""What is known of persons from accounts that a call does not bring: their facts bind the accounts that it brings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import AGE_COLUMNS
from collections_opt.core.rules.others import Mask, OtherAccounts, PlannedContacts
from collections_opt.core.rules.tables import RuleKind, RuleScope, RuleTable


@dataclass(frozen=True)
class PersonsFacts:
    """Accounts of a portfolio by person, so that those of a few persons are found without reading all.

    Attributes:
        portfolio: n accounts.
        order: int64 (n,) rows sorted by customer id.
        customer_id: bytes (n,) in that order.
    """

    portfolio: Portfolio
    order: NDArray[np.int64]
    customer_id: NDArray[np.bytes_]

    @classmethod
    def of(cls, portfolio: Portfolio) -> PersonsFacts:
        """Return the accounts of a portfolio by person."""
        customer = portfolio.column("customer_id")
        order = np.argsort(customer, kind="stable")
        return cls(portfolio, order, customer[order])

    def bind(self, accounts: Portfolio, table: RuleTable, ages_count: bool = False) -> Portfolio:
        """Return accounts with the facts that rules about persons read, of all accounts of each person.

        Only for rules of that scope: what binds one debt must not read it. An account that is in both counts as it comes: what
        came later is what is true now. What others bring is put on a person's first account, from where it binds all of his.
        With ``ages_count`` so is how old the oldest of it is, on the day of the call.
        """
        mine, rows = self._others_of(accounts)
        if not rows.size:
            return accounts
        columns, present = dict(accounts.columns), dict(accounts.present)
        bound: set[str] = set()
        for rule in table.rules:
            if rule.scope is not RuleScope.PERSON or rule.column in bound:
                continue
            name = rule.column
            bound.add(name)
            theirs, known = self.portfolio.column(name)[rows], self.portfolio.is_present(name)[rows]
            if rule.kind is RuleKind.FLAG:
                columns[name] = _or(accounts.column(name), mine, theirs & known)
                present[name] = accounts.is_present(name) | columns[name]
            elif rule.kind is RuleKind.CONSENT:
                columns[name] = accounts.column(name) & ~_or(
                    np.zeros(accounts.account_count, dtype=bool), mine, ~(theirs & known)
                )
                present[name] = accounts.is_present(name)
            elif rule.kind is RuleKind.BUDGET:
                total = accounts.column(name).copy()
                np.add.at(total, mine, np.where(known, theirs, 0))
                columns[name] = total
                present[name] = accounts.is_present(name) & ~_or(np.zeros(total.size, dtype=bool), mine, ~known)
        if self.portfolio.holds("language"):
            columns["language"], present["language"] = self._languages(accounts, mine, rows)
        if ages_count:
            for name in AGE_COLUMNS.values():
                columns[name], present[name] = self._ages(name, accounts, mine, rows)
        return replace(accounts, columns=columns, present=present)

    def _languages(
        self, accounts: Portfolio, mine: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.bytes_], NDArray[np.bool_]]:
        """Return languages, bytes (n,), with that of others where a person's first account has none, and where there is one."""
        own, theirs = accounts.column("language"), self.portfolio.column("language")[rows]
        said = (theirs != b"") & (own[mine] == b"")
        languages = own.astype(np.promote_types(own.dtype, theirs.dtype))
        languages[mine[said]] = theirs[said]
        return languages, languages != b""

    def _ages(
        self, name: str, accounts: Portfolio, mine: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return how old facts are with those of others, int64 (n,), and where that is known, bool (n,)."""
        since = (accounts.as_of_date - self.portfolio.as_of_date).days
        (own, own_known), (theirs, known) = _age(name, accounts), _age(name, self.portfolio)
        ages = own.copy()
        np.maximum.at(ages, mine, theirs[rows] + since)
        return ages, own_known & ~_or(np.zeros(ages.size, dtype=bool), mine, ~known[rows])

    def beside(self, accounts: Portfolio, planned: PlannedContacts | None = None, stands: Mask | None = None) -> OtherAccounts:
        """Return the accounts that persons have beside each of a call's.

        Args:
            accounts: of the call, n.
            planned: of every account of ``portfolio``, in its order; None where nothing is known of what is planned for them, so
                that each of them takes a share.
            stands: bool (n,) accounts of the call whose planned contacts stand; the others of a call share what those leave.
        """
        persons, customer = persons_of(accounts), accounts.column("customer_id")
        low, count = self._range_of(customer)
        row = np.repeat(np.arange(customer.size), count)
        rows = self.order[np.repeat(low, count) + np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)]
        named, mine = self.portfolio.column("account_id")[rows], accounts.column("account_id")
        place = np.minimum(np.searchsorted(mine, named), max(mine.size - 1, 0))
        in_call, itself = mine[place] == named, mine[row] == named
        fixed = np.zeros(customer.size, dtype=bool) if stands is None else stands
        kept = ~itself & (~in_call | fixed[row] | fixed[place])
        moving = (~fixed).astype(np.int64)
        share = moving if persons is None else np.bincount(persons.of, weights=moving)[persons.of].astype(np.int64)
        most = np.full(customer.size, np.inf)
        if planned is None:
            nothing = PlannedContacts(np.full(int(kept.sum()), -1, np.int16), np.zeros(int(kept.sum())))
            share = share + np.bincount(row[kept], minlength=customer.size)
            return OtherAccounts(row[kept], self.portfolio.column("state")[rows[kept]], nothing, share, most)
        own = rows[itself & fixed[row]]
        most[row[itself & fixed[row]]] = np.where(planned.queue[own] >= 0, planned.attempts[own], np.inf)
        theirs = PlannedContacts(planned.queue[rows[kept]], planned.attempts[rows[kept]])
        share = np.where(fixed, 1, share)
        return OtherAccounts(row[kept], self.portfolio.column("state")[rows[kept]], theirs, share, most)

    def _range_of(self, customer: NDArray[np.bytes_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the accounts of persons start in ``order``, and how many there are; of nobody's none, int64 (n,)."""
        low = np.searchsorted(self.customer_id, customer, side="left")
        high = np.where(customer == b"", low, np.searchsorted(self.customer_id, customer, side="right"))
        return low, high - low

    def _others_of(self, accounts: Portfolio) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return pairs: a person's first account of the call, and a row of another of his that the call does not bring."""
        customer = accounts.column("customer_id")
        low, count = self._range_of(customer)
        _, first, person = np.unique(customer, return_index=True, return_inverse=True)
        count = np.where(first[person] == np.arange(customer.size), count, 0)  # each other account once per person
        mine = np.repeat(np.arange(customer.size), count)
        within = np.arange(mine.size) - np.repeat(np.cumsum(count) - count, count)
        rows = self.order[np.repeat(low, count) + within]
        other = ~np.isin(self.portfolio.column("account_id")[rows], accounts.column("account_id"))
        return mine[other], rows[other]


def _age(name: str, portfolio: Portfolio) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return how old facts are and where that is known; those of a portfolio that does not say it are of its as-of date."""
    return portfolio.column(name), portfolio.is_present(name) | ~np.bool_(portfolio.holds(name))


def _or(flags: NDArray[np.bool_], at: NDArray[np.int64], more: NDArray[np.bool_]) -> NDArray[np.bool_]:
    result = flags.copy()
    np.logical_or.at(result, at, more)
    return result
