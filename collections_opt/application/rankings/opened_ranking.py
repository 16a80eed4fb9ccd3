"""A recorded ranking opened: each part is read when it is asked for, once, and checked when it is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.pinned import recorded_learned
from collections_opt.application.models.shadow import said
from collections_opt.application.rankings.previous_ranking import NO_PREVIOUS, PreviousRanking, previous_ranking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.sealed_records import SealedRecords, StoredEntries, StoredPortfolio
from collections_opt.application.settings import load
from collections_opt.core.accounts.persons import Persons, persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array, digest_text
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import UNASSIGNED, Assignment, SideConstraints
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.problem.exploration import Exploration, draw
from collections_opt.core.problem.side_constraints import NOT_COMPARED, side_constraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import drawn_among
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.basis import ValueBasis, value_accounts
from collections_opt.core.value.outcomes import OutcomeProbabilities, from_nano
from collections_opt.core.value.payoffs import LearnedValues, ValueParameters
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.records import RankingRecord
from collections_opt.ledger.sealing.account_rows import AccountRows
from collections_opt.ledger.sealing.sealing import SealedTable

T = TypeVar("T")


@dataclass(frozen=True)
class RecordedSide:
    """The side rows of some accounts of a recorded ranking, None if it had none, with int64 (k,) recorded prices."""

    rows: SideConstraints | None
    prices: NDArray[np.int64]


@dataclass(frozen=True)
class Leaves:
    """A ranking's sealed tables, and the tree over the leaves of both."""

    decided: SealedTable
    refused: SealedTable
    tree: MerkleTree


class _Part(Generic[T]):
    """A part that is read once, under its ranking's own lock: other rankings are read meanwhile."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self.__doc__ = read.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, opened: Any, _owner: type | None = None) -> T:
        with opened.lock:
            if self._name not in opened.parts:
                opened.parts[self._name] = self._read(opened)
            value: T = opened.parts[self._name]
            return value


class OpenedRanking:
    """Everything that was stored about a ranking; any thread may ask.

    Args:
        record: its header.
        ledger: holds the records and the objects that they name.
        sealed: opens what belongs to accounts.

    Raises (every part): CollectionsError, INTEGRITY_FAILURE when an object is missing or is not what was recorded.
    """

    def __init__(self, record: RankingRecord, ledger: Ledger, sealed: SealedRecords) -> None:
        self.record = record
        self.facts = RankingFacts.from_record(record.record)
        self.lock = threading.RLock()
        self.parts: dict[str, Any] = {}
        self._ledger = ledger
        self._sealed = sealed

    @property
    def ordering(self) -> Ordering:
        """Which order decided."""
        return self.facts.answer.ordering

    @property
    def parameters(self) -> ValueParameters:
        """The value model."""
        return self.facts.inputs.parameters

    @property
    def constraints(self) -> RankingConstraints:
        """Limits beside eligibility and capacity."""
        return self.facts.inputs.constraints

    @property
    def prices(self) -> NDArray[np.int64]:
        """Shadow price of each queue, int64 (q,), in ``1 / PRICE_SCALE`` minor units per second."""
        return self.facts.answer.queue_prices

    @_Part
    def plan_text(self) -> str:
        """The capacity plan, as it is kept."""
        return self._text("plan", self.facts.kept.plan_object, self.facts.inputs.plan_digest)

    @_Part
    def plan(self) -> CapacityPlan:
        """The capacity plan that it was made with."""
        return load(self.plan_text, CapacityPlan)

    @_Part
    def rules(self) -> RuleTable:
        """The eligibility rules that it was made with, whatever is in force now."""
        return load(self._text("rules", self.facts.kept.rules_object, self.facts.inputs.rules_digest), RuleTable)

    @_Part
    def learned(self) -> LearnedValues:
        """What its models say, from the texts that it kept; where it kept none, plan and value model."""
        return recorded_learned(self._ledger.objects, self.facts.beside)

    @property
    def basis(self) -> ValueBasis:
        """What its accounts are valued by."""
        return ValueBasis(self.plan, self.rules, self.parameters, self.learned)

    @_Part
    def inputs(self) -> StoredPortfolio:
        """The accounts that were not erased since."""
        return self._sealed.portfolio(self._ledger.portfolios.get(self.record.portfolio_id).object_digest)

    @property
    def portfolio(self) -> Portfolio:
        """The same as a portfolio."""
        return self.inputs.portfolio

    @_Part
    def rows(self) -> AccountRows:
        """Reads single accounts that it was made of, without the others."""
        return self._sealed.account_rows(self._ledger.portfolios.get(self.record.portfolio_id).object_digest)

    @_Part
    def leaves(self) -> Leaves:
        """Its sealed tables, and their tree."""
        kept = self.facts.kept
        decided, refused = self._sealed.table(kept.entries_object), self._sealed.table(kept.leaves.refused_object)
        return Leaves(decided, refused, MerkleTree(np.concatenate([decided.leaves, refused.leaves])))

    @_Part
    def stored(self) -> StoredEntries:
        """What was decided for the accounts that were not erased since."""
        known: Leaves | None = self.parts.get("leaves")
        stored = self._sealed.entries(self.facts.kept.entries_object, known.decided if known else None)
        if not stored.erased_count and stored.entries.digest != self.facts.answer.entries_digest:
            raise refuse(Reason.INTEGRITY_FAILURE, "entries", "their digest differs from the record.", "Restore the object.")
        return stored

    @property
    def entries(self) -> Entries:
        """The same, one row per account."""
        return self.stored.entries

    @_Part
    def challengers(self) -> Mapping[str, Mapping[str, Array]]:
        """What each challenger said of the accounts that were not erased since, by version and column; failures say nothing."""
        told = ((one.model_version, said(one, self.stored, self._ledger.objects, self._sealed)) for one in self.facts.shadow)
        return {version: columns for version, columns in told if columns}

    @property
    def erased_count(self) -> int:
        """Accounts erased since: what they contributed to totals cannot be recomputed."""
        return self.stored.erased_count

    @_Part
    def previous(self) -> PreviousRanking:
        """The ranking that it started from and counted moves from."""
        ranking_id = self.facts.inputs.previous_ranking_id
        if not ranking_id:
            return NO_PREVIOUS
        before = OpenedRanking(self._ledger.rankings.get(ranking_id), self._ledger, self._sealed)
        if before.facts.inputs.plan_digest == self.facts.inputs.plan_digest:
            before.parts["plan"] = self.plan  # most rankings follow one under the same plan
        return before.seen_from(self.plan, self.constraints)

    def seen_from(self, plan: CapacityPlan, constraints: RankingConstraints) -> PreviousRanking:
        """Return it as the previous ranking of one under a plan and constraints."""
        entries = self.entries if constraints.max_moved_count is not None else None
        return previous_ranking(self.facts, entries, self.plan, plan, constraints)

    def outcomes(self, rows: slice | NDArray[np.int64] = slice(None)) -> OutcomeProbabilities:
        """Return the recorded probabilities of some accounts: no model is asked."""
        entries, answer = self.entries, self.facts.answer
        nano = np.column_stack([entries.p_cure_nano[rows], entries.p_default_nano[rows], entries.p_stay_nano[rows]])
        return OutcomeProbabilities(from_nano(nano), answer.model_version, answer.calibration_version)

    def valued(self) -> ValuedAccounts:
        """Return all accounts valued from their recorded probabilities, with side rows and persons."""
        valued = value_accounts(self.portfolio, self.outcomes(), self.basis)
        arms = self.facts.inputs.running.arms(self.portfolio, drawn_among(self.ordering, self.plan))
        return valued.bound_by(self.side_of(self.portfolio).rows, self.persons_of(self.portfolio), arms)

    def exploration(self, valued: ValuedAccounts) -> Exploration | None:
        """Return the accounts that the recorded seed draws, None without a reserve."""
        share = self.constraints.exploration_share
        return draw(valued.drawable, share, self.facts.inputs.seed) if share > 0 else None

    def assignment(self) -> Assignment:
        """Return the recorded answer of the solver: accounts that were drawn before are not its own."""
        held, proof = self.facts.answer, self.facts.kept.proof
        return Assignment(
            queue=np.where(self.entries.explored == 1, UNASSIGNED, self.entries.queue).astype(np.int16),
            prices=held.queue_prices,
            side_prices=self.facts.kept.side_prices,
            objective_minor=held.objective_minor,
            bound_minor=held.bound_minor,
            termination=held.termination,
            solver=held.solver_identity,
            bound_by_search=proof.bound_by_search,
            shortages=proof.shortages,
        )

    def side_of(self, portfolio: Portfolio) -> RecordedSide:
        """Return the side rows of some of its accounts; shares of a segment are not those of the whole book."""
        decisions = self.previous.decisions if self.constraints.max_moved_count is not None else None
        return self._side(portfolio, decisions.of(portfolio) if decisions else None)

    def side_of_new(self, portfolio: Portfolio) -> RecordedSide:
        """Return the side rows of accounts that are compared with no previous ranking."""
        return self._side(portfolio, np.full(portfolio.account_count, NOT_COMPARED, dtype=np.int16))

    def persons_of(self, portfolio: Portfolio) -> Persons | None:
        """Return the persons of whom it worked one account at most, among some accounts; None where it did not count them."""
        return persons_of(portfolio) if self.facts.answer.persons.one_contact else None

    def _side(self, portfolio: Portfolio, before: NDArray[np.int16] | None) -> RecordedSide:
        return RecordedSide(side_constraints(portfolio, self.plan, self.constraints, before), self.facts.kept.side_prices)

    def _text(self, name: str, digest: str, recorded: str) -> str:
        text = self._ledger.objects.get(digest).decode()
        if digest_text(text) != recorded:
            raise refuse(Reason.INTEGRITY_FAILURE, name, "their digest differs from the record.", "Restore the object.")
        return text
