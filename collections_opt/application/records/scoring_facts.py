"""The parts of a ranking's record about what scored and what it was valued with, and what was not as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from collections_opt.application.records.record_parts import (
    EMPTY_IF_NONE,
    RecordPart,
    flat,
    named,
    stored,
)
from collections_opt.application.resources.rule_tables import TableVersion
from collections_opt.application.resources.value_sets import ValueChoice
from collections_opt.core.models.lifecycle import ApprovalMode, LadderStep, ModelKind
from collections_opt.core.names import OMITTED_AT_DEFAULT


@dataclass(frozen=True)
class RecordedApproval(RecordPart):
    """Who let a model serve, until when and for which portfolios."""

    mode: ApprovalMode
    approver: str
    expires_at: datetime
    allowed_portfolios: tuple[str, ...]


@dataclass(frozen=True)
class DegradedStep(RecordPart):
    """A better step of the ladder that could not serve: which, with which model ("" for none), and the problem."""

    step: LadderStep
    model_version: str
    problem: str


@dataclass(frozen=True)
class ScoredFacts(RecordPart):
    """Which step of the ladder scored, why none better did, who approved it, and until when its scores may be used."""

    digest: str = field(metadata=named("model_digest"))
    step: LadderStep = field(metadata=named("model_step"))
    approval: RecordedApproval | None = field(metadata={**named("model_approval"), **EMPTY_IF_NONE})
    degraded: tuple[DegradedStep, ...]
    expire_on: date = field(metadata=named("scores_expire_on"))
    stale: bool = field(metadata=named("scores_stale"))


@dataclass(frozen=True)
class ScoredBy(RecordPart):
    """How many accounts a model scored."""

    model_version: str
    model_digest: str
    count: int


@dataclass(frozen=True)
class Scoring(RecordPart):
    """What scored, the model first, and which fields of its domain bound."""

    binds: tuple[str, ...]
    by: tuple[ScoredBy, ...]


@dataclass(frozen=True)
class ShadowScores(RecordPart):
    """A challenger beside what decided: its problem, else what it said and how far its list is from the one decided.

    ``list_object`` holds what it said of every account, sealed; ``scores_object`` what records of before lists kept. Counts and
    gains (minor units, over accounts that no reserve drew) are described in ``application/models/shadow``; how alike outcome
    models score is in 1e-9.
    """

    model_version: str
    problem: str
    model_digest: str = field(default="", metadata=OMITTED_AT_DEFAULT)
    scores_object: str = field(default="", metadata={**OMITTED_AT_DEFAULT, **stored("scores_object")})
    agreement_nano: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    rank_correlation_cure_nano: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    rank_correlation_default_nano: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    top_default_overlap_nano: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    mean_absolute_difference_nano: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    list_object: str = field(default="", metadata={**OMITTED_AT_DEFAULT, **stored("list_object")})
    worked_count: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    same_count: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    dropped_count: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    added_count: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    moved_count: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    gain_by_model_minor: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    gain_by_challenger_minor: int | None = field(default=None, metadata=OMITTED_AT_DEFAULT)


@dataclass(frozen=True)
class FitFacts(RecordPart):
    """How accounts fit the model: those outside its domain, and those that lack what its training always had, by field."""

    domain_declared: bool
    outside_domain: Mapping[str, int]
    outside_domain_count: int
    lacking_features: Mapping[str, int]
    lacking_features_count: int


@dataclass(frozen=True)
class ClippedFacts(RecordPart):
    """Accounts whose payoffs were put in order, and whether a person let them pass."""

    count: int
    accepted: bool


@dataclass(frozen=True)
class Health(RecordPart):
    """What was not as it should be."""

    degraded: tuple[str, ...] = ()
    stale_score_count: int = 0
    replayable: bool = True
    why_not_replayable: str = ""
    suspect_scores_accepted: tuple[str, ...] = ()
    clipped: ClippedFacts | None = field(default=None, metadata=flat("clipped_payoffs_"))
    fit: FitFacts | None = field(default=None, metadata=flat())
    hours_not_planned_count: int = field(default=0, metadata=OMITTED_AT_DEFAULT)
    clock_went_back_seconds: int = field(default=0, metadata=OMITTED_AT_DEFAULT)
    unknown_categories: Mapping[str, int] = field(default_factory=dict, metadata=OMITTED_AT_DEFAULT)
    own_column_psi_milli: Mapping[str, int] = field(default_factory=dict, metadata=OMITTED_AT_DEFAULT)
    warnings: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What a person must know before trusting the ranking; of before warnings were kept, what could not serve."""
        return tuple(f"could not serve: {step}" for step in self.degraded) if "warnings" in self.unsaid else self.warnings


@dataclass(frozen=True)
class ValueSources(RecordPart):
    """Where values and rules come from: versions by product, and of rule tables; none in records of before they were kept."""

    rule_tables: tuple[TableVersion, ...] = ()
    values_from: str = "UNSPECIFIED"
    value_choices: tuple[ValueChoice, ...] = ()


@dataclass(frozen=True)
class ScoreSpread(RecordPart):
    """Accounts per bin of each judged probability, and the ranking whose spread they were compared with, "" for none."""

    score_counts: Mapping[str, tuple[int, ...]]
    scores_compared_with: str


@dataclass(frozen=True)
class ServedModel(RecordPart):
    """A model that served beside the outcome model, "" where none did, and why the champion could not.

    ``version`` names what else stands beneath it: "contact/VERSION over effect/VERSION over plan/...".
    """

    version: str = ""
    digest: str = ""
    text: str = field(default="", metadata=stored("object"))
    problem: str = ""


@dataclass(frozen=True)
class BesideFacts(RecordPart):
    """The models that served beside the outcome model; ``effects`` has the plan's version where no model gave them."""

    effects: ServedModel = field(metadata=flat("effects_", "effect_model.json"))
    contact: ServedModel = field(metadata=flat("contact_", "contact_model.json"))
    recovery: ServedModel = field(metadata=flat("recovery_", "recovery_model.json"))

    @property
    def by_kind(self) -> Mapping[ModelKind, ServedModel]:
        """The model of every kind."""
        return {ModelKind.EFFECT: self.effects, ModelKind.CONTACT: self.contact, ModelKind.RECOVERY: self.recovery}

    def of(self, kind: ModelKind) -> ServedModel:
        """Return the model of a kind."""
        return self.by_kind[kind]

    def version(self, kind: ModelKind) -> str:
        """Return the version of a kind that served, without the kind and what is beneath it, "" where none did."""
        return version_in(self.of(kind).version, kind)


def version_in(name: str, kind: ModelKind) -> str:
    """Return the version of a kind in a recorded name of models that stand on each other, "" where it has none."""
    return next((part.partition("/")[2] for part in name.split(" over ") if part.startswith(f"{kind}/")), "")
