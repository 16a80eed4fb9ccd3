"""What a ranking's record says, as one typed value: the only place that knows its keys, in the formats of every version.

Records of 0.1.0 lack who recovered what, the spread of scores and more; what a record does not say has the default below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.derivation import Derivation
from collections_opt.application.records.record_parts import (
    EMPTY_IF_NONE,
    RecordPart,
    StoredObject,
    flat,
    named,
    read_part,
    stored,
    stored_objects,
    write_part,
)
from collections_opt.application.records.scoring_facts import (
    BesideFacts,
    Health,
    ScoredFacts,
    ScoreSpread,
    Scoring,
    ShadowScores,
    ValueSources,
    version_in,
)
from collections_opt.application.resources.named_experiments import NamedExperiment, running
from collections_opt.application.settings import load
from collections_opt.core.actors import Actor, recorded_actor
from collections_opt.core.experiments.recorded import RunningExperiments
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.names import OMITTED_AT_DEFAULT
from collections_opt.core.problem.assignment import Shortage, SolverIdentity, Termination
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose, purpose_of
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.stated_money import StatedMoney


@dataclass(frozen=True)
class InputFacts(RecordPart):
    """What a ranking was asked for and made from; texts and digests are those of the versions that decided."""

    portfolio_id: str
    input_digest: str
    as_of_date: date
    currency_code: str
    plan_id: str
    plan_version: int
    plan_digest: str
    rules_version: str
    rules_digest: str
    parameters_text: str = field(metadata=named("parameters"))
    ordering_asked: Ordering
    feature_set_version: str
    requested_solver: str
    seed: int
    code_version: str
    constraints_text: str = field(metadata=named("constraints"))
    previous_ranking_id: str
    capacity_seconds: tuple[int, ...]
    probability_scale: int
    currency_exponent: int | None = None
    purpose: RankingPurpose | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    experiments: tuple[NamedExperiment, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)
    experiments_of: str = field(default="", metadata=OMITTED_AT_DEFAULT)
    """The portfolio that the experiments name, where it is not the one ranked, which is what remained of its day."""

    @property
    def running(self) -> RunningExperiments:
        """The experiments that it was part of."""
        return running(self.experiments_of or self.portfolio_id, self.plan_id, self.experiments)

    @property
    def made_for(self) -> RankingPurpose:
        """What the ranking is made for, given or not."""
        return purpose_of(self.purpose, self.ordering_asked)

    @cached_property
    def parameters(self) -> ValueParameters:
        """The value model."""
        return load(self.parameters_text, ValueParameters)

    @cached_property
    def constraints(self) -> RankingConstraints:
        """Limits beside eligibility and capacity."""
        return load(self.constraints_text, RankingConstraints)


@dataclass(frozen=True)
class ExploredFacts(RecordPart):
    """What the exploration reserve drew: chance and time per queue, accounts, and their increments."""

    rate_nano: tuple[int, ...]
    used_seconds: tuple[int, ...]
    drawn_count: int
    increment_minor: int


@dataclass(frozen=True)
class PersonsCounted(RecordPart):
    """Whether one account of each person was worked at most; persons, and the most accounts that one of them has."""

    one_contact: bool = False
    person_count: int = 0
    most_account_count: int = 0


@dataclass(frozen=True)
class LeftAlone(RecordPart):
    """What one experiment held back, by accounts: in it, drawn, of these meant to be worked, and what that was worth.

    Where two plans share the work, drawn are the accounts that the other plan works.

    ``surplus_minor`` is what is lost where the minutes earn their price with others, ``increment_minor`` where they earn nothing.
    """

    in_experiment_count: int
    held_out_count: int
    intended_count: int
    surplus_minor: int
    increment_minor: int


@dataclass(frozen=True)
class AnswerFacts(RecordPart):
    """What was decided and how well; ``side_limits`` are those of the problem that was optimised, after drawn accounts' part."""

    ordering: Ordering
    model_version: str
    calibration_version: str
    evidence_by_queue: tuple[str, ...]
    evidence_minor: Mapping[str, int]
    solver: str
    solver_version: str
    solver_parameters: Mapping[str, str]
    side_names: tuple[str, ...]
    side_limits: tuple[int, ...]
    exploration: ExploredFacts | None
    objective_minor: int
    bound_minor: int
    termination: Termination
    replayable: bool
    prices: tuple[int, ...]
    queue_seconds: tuple[int, ...]
    counts: Mapping[str, int]
    payoffs_out_of_order_count: int
    entries_digest: str
    persons: PersonsCounted = field(default_factory=PersonsCounted)
    stated_money: StatedMoney | None = None
    losses_by_source: Mapping[str, int] = field(default_factory=dict)
    left_alone: tuple[LeftAlone, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)

    @property
    def solver_identity(self) -> SolverIdentity:
        """What answered."""
        return SolverIdentity(self.solver, self.solver_version, tuple(sorted(self.solver_parameters.items())))

    @property
    def queue_prices(self) -> NDArray[np.int64]:
        """Shadow price of each queue, int64 (q,), in ``1 / PRICE_SCALE`` minor units per second."""
        return np.array(self.prices, dtype=np.int64)

    @property
    def gap(self) -> float:
        """Share of the bound that the list may fall short of."""
        return (self.bound_minor - self.objective_minor) / self.bound_minor if self.bound_minor > 0 else 0.0


@dataclass(frozen=True)
class RecordedLeaves(RecordPart):
    """The tree over every row that came in; layouts are those that the stand-alone verifier reads."""

    root: str
    count: int
    accepted_count: int
    refused_count: int
    refused_object: str = field(metadata=stored("refused_object"))
    accepted_layout: tuple[Mapping[str, Any], ...]
    refused_layout: tuple[Mapping[str, Any], ...]
    input_root: str
    input_count: int


@dataclass(frozen=True)
class RecordedRows(RecordPart):
    """Rows that came in: accepted or quarantined, and those of either that were erased before."""

    came_in: int = field(metadata=named("in"))
    accepted: int
    quarantined: int
    erased_before: int
    refused_erased_before: int
    findings_by_rule: Mapping[str, int]


@dataclass(frozen=True)
class RecordedProof(RecordPart):
    """What a check of the bound needs beside queue prices: side rows' prices, shortages, and whether a search narrowed it."""

    bound_by_search: bool
    side_prices: tuple[int, ...]
    shortages: tuple[Shortage, ...]


@dataclass(frozen=True)
class Runtime(RecordPart):
    """What a process runs on: code, lock file, libraries, interpreter and processor."""

    code_version: str
    lock_digest: str
    libraries: Mapping[str, str]
    python: str
    machine: str
    cpu: str


@dataclass(frozen=True)
class KeptFacts(RecordPart):
    """What was stored for a ranking before its record was, and what proves it."""

    leaves: RecordedLeaves
    rows: RecordedRows
    proof: RecordedProof
    time_zone: str
    rule_legend: tuple[str, ...]
    entries_object: str = field(metadata=stored("entries_object"))
    plan_object: str = field(metadata=stored("plan_object", "plan.json"))
    rules_object: str = field(metadata=stored("rules_object", "rules.json"))
    model_card_object: str = field(metadata=stored("model_card_object", "model_card.md"))
    model_files: Mapping[str, str]
    actor_told: Mapping[str, str] = field(metadata=named("actor"))
    runtime: Runtime

    @property
    def actor(self) -> Actor:
        """Who asked."""
        return recorded_actor(self.actor_told)

    @property
    def side_prices(self) -> NDArray[np.int64]:
        """Price of each side row, int64 (k,)."""
        return np.array(self.proof.side_prices, dtype=np.int64)


@dataclass(frozen=True)
class RecordedTimes(RecordPart):
    """When a request came, was decided and went to be recorded, in UTC."""

    received: datetime
    decided: datetime
    recorded: datetime


@dataclass(frozen=True)
class RankingFacts(RecordPart):
    """What a ranking's record says; ``unknown`` holds what the ledger adds, and what a later version would."""

    inputs: InputFacts = field(metadata=flat())
    answer: AnswerFacts = field(metadata=flat())
    kept: KeptFacts = field(metadata=flat())
    scored: ScoredFacts = field(metadata=flat())
    times: RecordedTimes
    health: Health
    shadow: tuple[ShadowScores, ...]
    sources: ValueSources = field(metadata=flat())
    beside: BesideFacts = field(metadata=flat())
    spread: ScoreSpread | None = field(default=None, metadata=flat())
    scoring: Scoring | None = field(default=None, metadata=EMPTY_IF_NONE)
    derived_from: Derivation | None = field(default=None, metadata=OMITTED_AT_DEFAULT)

    @classmethod
    def from_record(cls, held: Mapping[str, Any]) -> RankingFacts:
        """Return what a record says, whichever version wrote it.

        Raises:
            CollectionsError: INTEGRITY_FAILURE for a record that lacks what every version wrote.
        """
        return read_part(cls, held)

    def to_record(self) -> dict[str, Any]:
        """Return the record, as integers, strings and lists; canonical JSON of it is what was or will be hashed."""
        return write_part(self)

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object that the record names."""
        return stored_objects(type(self), self.to_record())

    @property
    def scored_with(self) -> tuple[str, str, Scoring | None]:
        """Model, digest and what is told of its scoring, as ``RecordedModel`` takes them."""
        return self.answer.model_version, self.scored.digest, self.scoring

    def served(self, kind: ModelKind) -> tuple[str, str]:
        """Return version and manifest digest of the model of a kind that served, "" and "" where none did."""
        if kind is ModelKind.OUTCOME:
            version, digest = version_in(self.answer.model_version, kind), self.scored.digest
        else:
            version, digest = self.beside.version(kind), self.beside.of(kind).digest
        return (version, digest) if version else ("", "")

    def with_warnings(self, warnings: tuple[str, ...]) -> RankingFacts:
        """Return the same with what people must know of it."""
        return replace(self, health=replace(self.health, warnings=warnings))


def objects_of(held: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return key and digest of every object that a record names, whichever version wrote it and whatever else it lacks."""
    return [(each.key, each.digest) for each in stored_objects(RankingFacts, held)]
