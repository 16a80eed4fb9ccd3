"""What scores a portfolio: a model, or the policy's assumed rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.scoring_facts import Scoring
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.models.domain import FIELDS
from collections_opt.core.ranking.policy import PolicyRates, policy_probabilities
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.scoring.outcome.scorer import GroupPushes, ReasonGroup, ReasonTable


class OutcomeScorer(Protocol):
    """What scores a portfolio: a model, or the policy's rates."""

    @property
    def model_version(self) -> str:
        """Kind and version."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what it is."""
        ...

    @property
    def card(self) -> str:
        """Its card, Markdown."""
        ...

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 (hex) of each of its files, by name."""
        ...

    @property
    def reason_groups(self) -> tuple[ReasonGroup, ...]:
        """What reasons are given for, in the order of ``group_pushes``."""
        ...

    def lacks(self, portfolio: Portfolio) -> Mapping[str, str]:
        """Return which own columns that it learned from a portfolio does not have as it learned them, by field, and why."""
        ...

    def covers(self, portfolio: Portfolio, fields: Sequence[str] = FIELDS) -> NDArray[np.bool_]:
        """Return which accounts are in its domain as far as some fields tell, bool (n,)."""
        ...

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return probabilities without contact, (n, 3)."""
        ...

    def reasons(self, portfolio: Portfolio, count: int = 3, pushes: GroupPushes | None = None) -> ReasonTable:
        """Return the strongest reasons of each account."""
        ...

    def group_pushes(self, portfolio: Portfolio) -> GroupPushes:
        """Return each feature group's push on the log of each probability, and the probabilities."""
        ...


NO_MODEL = ("NO_MODEL", "No approved model could score it; a policy by balance and bucket decided.")
"""Code and sentence of the only reason of a policy."""


class PolicyScorer:
    """The policy's assumed rates as a scorer; its only reason is that no model decided."""

    def __init__(self, rates: PolicyRates, digest: str) -> None:
        self._rates = rates
        self.digest = digest
        self.card = f"# Policy {rates.version}\n\nNo model: assumed rates per bucket, ordered by balance times (1 + bucket).\n"
        self.files: Mapping[str, str] = {}
        self.reason_groups: tuple[ReasonGroup, ...] = ()

    @property
    def model_version(self) -> str:
        """Policy and version of its rates."""
        return f"policy/{self._rates.version}"

    def lacks(self, portfolio: Portfolio) -> Mapping[str, str]:  # noqa: ARG002
        """Return that a policy reads no own column."""
        return {}

    def covers(self, portfolio: Portfolio, fields: Sequence[str] = FIELDS) -> NDArray[np.bool_]:  # noqa: ARG002
        """Return that a policy has rates for every account."""
        return np.ones(portfolio.account_count, dtype=bool)

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return the assumed probabilities of each account's bucket."""
        return policy_probabilities(portfolio, self._rates)

    def reasons(self, portfolio: Portfolio, count: int = 3, pushes: GroupPushes | None = None) -> ReasonTable:
        """Return that no model decided, for every account."""
        del pushes  # there are none
        shape = (portfolio.account_count, min(count, 1))
        return ReasonTable((NO_MODEL,), np.zeros(shape, dtype=np.int64), np.zeros(shape))

    def group_pushes(self, portfolio: Portfolio) -> GroupPushes:
        """Return nothing: no feature decided."""
        return GroupPushes(np.zeros((portfolio.account_count, 0, 3)), self.score(portfolio).probability)


class RecordedModel(Protocol):
    """Loads what scored a recorded ranking."""

    def __call__(self, model_version: str, digest: str, scoring: Scoring | None = None, /) -> OutcomeScorer:
        """Return it by kind and version, digest, and what its record says of its scoring; raises MODEL_UNAVAILABLE."""
        ...
