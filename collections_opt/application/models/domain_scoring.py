"""Several models as one scorer: each account by the first whose domain it is in, so that no model speaks of what it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.outcome_scorers import OutcomeScorer
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.models.domain import FIELDS
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.scoring.outcome.scorer import NO_REASON, GroupPushes, ReasonGroup, ReasonTable


class DomainScorer:
    """Scores each account by the first scorer that covers it; the last covers all that is left.

    Args:
        scorers: in order, at least one; the first names the whole.
        binds: fields of a domain that bind.
    """

    def __init__(self, scorers: Sequence[OutcomeScorer], binds: Sequence[str] = FIELDS) -> None:
        self.scorers = tuple(scorers)
        self._binds = tuple(binds)
        groups: dict[str, ReasonGroup] = {}
        for group in (one for scorer in self.scorers for one in scorer.reason_groups):
            groups.setdefault(group.code, group)
        self.reason_groups = tuple(groups.values())

    @property
    def model_version(self) -> str:
        """Kind and version of the first."""
        return self.scorers[0].model_version

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the first is."""
        return self.scorers[0].digest

    @property
    def card(self) -> str:
        """Card of the first."""
        return self.scorers[0].card

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 (hex) of each of the first's files."""
        return self.scorers[0].files

    def lacks(self, portfolio: Portfolio) -> Mapping[str, str]:
        """Return which own columns the scorers of these accounts need and the portfolio does not have, by field, and why."""
        used = np.unique(self.chosen(portfolio)).tolist()
        return {field: why for index in reversed(used) for field, why in self.scorers[index].lacks(portfolio).items()}

    def covers(self, portfolio: Portfolio, fields: Sequence[str] = FIELDS) -> NDArray[np.bool_]:
        """Return that every account is covered by one of them."""
        del fields
        return np.ones(portfolio.account_count, dtype=bool)

    def chosen(self, portfolio: Portfolio) -> NDArray[np.int64]:
        """Return the index of the scorer of each account, int64 (n,)."""
        result = np.full(portfolio.account_count, len(self.scorers) - 1, dtype=np.int64)
        for index in range(len(self.scorers) - 2, -1, -1):
            result[self.scorers[index].covers(portfolio, self._binds)] = index
        return result

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return probabilities without contact, (n, 3), under the version of the first."""
        chosen = self.chosen(portfolio)
        if not chosen.any():
            return self.scorers[0].score(portfolio)
        probability, versions = np.empty((chosen.size, 3)), self.scorers[0].score(portfolio.take(slice(0, 0)))
        for index in np.unique(chosen).tolist():
            rows = np.flatnonzero(chosen == index)
            probability[rows] = self.scorers[index].score(portfolio.take(rows)).probability
        return replace(versions, probability=probability)

    def group_pushes(self, portfolio: Portfolio) -> GroupPushes:
        """Return each feature group's push and the probabilities; nothing pushes an account that no model scored."""
        chosen = self.chosen(portfolio)
        if not chosen.any() and len(self.scorers[0].reason_groups) == len(self.reason_groups):
            return self.scorers[0].group_pushes(portfolio)
        result = np.zeros((chosen.size, len(self.reason_groups), 3))
        probability = np.zeros((chosen.size, 3))
        for index in np.unique(chosen).tolist():
            rows = np.flatnonzero(chosen == index)
            found = self.scorers[index].group_pushes(portfolio.take(rows))
            result[np.ix_(rows, self._groups_of(index))] = found.pushes
            probability[rows] = found.probability
        return GroupPushes(result, probability)

    def _groups_of(self, index: int) -> NDArray[np.int64]:
        """Return where the groups of a scorer stand among all."""
        place = {group.code: at for at, group in enumerate(self.reason_groups)}
        return np.array([place[group.code] for group in self.scorers[index].reason_groups], dtype=np.int64)

    def reasons(self, portfolio: Portfolio, count: int = 3, pushes: GroupPushes | None = None) -> ReasonTable:
        """Return the strongest reasons of each account, by its scorer."""
        chosen = self.chosen(portfolio)
        if not chosen.any() and len(self.scorers[0].reason_groups) == len(self.reason_groups):
            return self.scorers[0].reasons(portfolio, count, pushes)
        words: tuple[tuple[str, str], ...] = ()
        found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
        for index in np.unique(chosen).tolist():
            rows = np.flatnonzero(chosen == index)
            given = None if pushes is None else pushes.take(rows, self._groups_of(index))
            table = self.scorers[index].reasons(portfolio.take(rows), count, given)
            place = np.where(table.place == NO_REASON, NO_REASON, table.place + len(words))
            found.append((rows, place, table.contribution))
            words += table.words
        shape = (chosen.size, max((place.shape[1] for _, place, _ in found), default=0))
        result = ReasonTable(words, np.full(shape, NO_REASON, dtype=np.int64), np.zeros(shape))
        for rows, place, contribution in found:
            result.place[rows, : place.shape[1]] = place
            result.contribution[rows, : place.shape[1]] = contribution
        return result
