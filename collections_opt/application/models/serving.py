"""Which model scores: the champion, or the next step of the ladder with every reason why not a better one; nothing is silent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from collections_opt.application.models.domain_scoring import DomainScorer
from collections_opt.application.models.outcome_scorers import OutcomeScorer, PolicyScorer
from collections_opt.application.models.pinned import Champions, PinnedBeside
from collections_opt.application.models.registry_policy import RegistryPolicy
from collections_opt.application.records.scoring_facts import Scoring
from collections_opt.core.accounts.own_features import unknown_texts
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.evaluation.own_drift import own_drift
from collections_opt.core.models.lifecycle import KindStanding, LadderStep, ModelKind, ModelStanding, ModelState, terms_to_serve
from collections_opt.ledger.ledger import Ledger
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.predictors import SCORECARD
from collections_opt.scoring.outcome.scorer import Scorer
from collections_opt.scoring.versions.artifacts import read_manifest

CACHED_MODELS = 8
"""Loaded models kept: a champion, its predecessors, a scorecard and challengers."""


@dataclass(frozen=True)
class Degradation:
    """A better step that could not serve: which, with which model ("" for none), and the problem."""

    step: LadderStep
    model_version: str
    problem: str


@dataclass(frozen=True)
class ModelFit:
    """How accounts fit the model that scores them.

    Attributes:
        domain_declared: the model says what it may speak about.
        binds: fields of the domain that bind: who is outside by another one is scored all the same, and counted.
        outside: accounts outside its domain by field and value.
        outside_count: accounts outside by any field.
        lacking: accounts that lack a feature which training always had, by feature.
        lacking_count: accounts that lack any.
        scored_by: version, digest and count of accounts of everything that scores, the model first.
        unknown_texts: accounts by own column whose text the model does not tell apart, so that it reads none.
        own_drift: population stability index of each own column against its training.
    """

    domain_declared: bool
    binds: tuple[str, ...]
    outside: Mapping[str, int]
    outside_count: int
    lacking: Mapping[str, int]
    lacking_count: int
    scored_by: tuple[tuple[str, str, int], ...]
    unknown_texts: Mapping[str, int] = field(default_factory=dict)
    own_drift: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Serving:
    """What scores one ranking from its start to its end, whatever is promoted meanwhile.

    Attributes:
        scorer: scores.
        step: which step of the ladder it is.
        degraded: why each better step could not serve; empty at the first.
        standing: the model's standing when it was pinned; None for the policy.
        challengers: score beside it and decide nothing.
        absent_challengers: challengers that could not be loaded, with the problem.
        fit: how the accounts fit the model, where they were given.
    """

    scorer: OutcomeScorer
    step: LadderStep
    degraded: tuple[Degradation, ...]
    standing: ModelStanding | None
    challengers: tuple[Scorer, ...] = ()
    absent_challengers: tuple[Degradation, ...] = ()
    fit: ModelFit | None = None


@dataclass(frozen=True)
class PinnedModels(PinnedBeside):
    """Everything that serves one ranking."""

    outcome: Serving


@dataclass(frozen=True)
class Challenger:
    """A version that is tried beside what serves.

    Attributes:
        kind: of the model.
        model_version: kind and version.
        digest: SHA-256 (hex) of its manifest; "" where it could not be loaded.
        models: everything that serves with it in the place of its kind's; None where it cannot be tried.
        problem: why not.
    """

    kind: ModelKind
    model_version: str
    digest: str = ""
    models: PinnedModels | None = None
    problem: str = ""


class ModelServing:
    """Pins what scores; loaded models are shared by digest, so a promotion takes effect at the next pin without a restart."""

    def __init__(
        self,
        ledger: Ledger,
        root: Path,
        registry: RegistryPolicy,
        policy: PolicyScorer,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._root = root
        self._lowest = registry.lowest_step
        self._most_lacking = registry.most_lacking_share
        self._policy = policy
        self._binds = registry.domain_binds
        self._now = now
        self.beside = Champions(ledger, root, now)
        self._lock = threading.Lock()
        self._loaded: dict[tuple[str, str], Scorer] = {}

    def pin(self, portfolio_id: str, portfolio: Portfolio | None = None) -> Serving:
        """Return what scores a portfolio now; "" stands for rows that belong to none.

        With the accounts given, a model that knows none of their kind, or that lacks too much of what its training always had,
        gives way to the next step; single accounts outside its domain are scored by the next model that declares theirs, or by
        the policy.

        Raises:
            CollectionsError: MODEL_UNAVAILABLE when no model was ever approved, or when only a step below the lowest allowed
                could serve, with every problem found.
        """
        standing = self._ledger.model_events.standing(ModelKind.OUTCOME)
        problems: list[Degradation] = []
        unfit = False
        for step, version in self._candidates(standing):
            try:
                if not version:
                    raise refuse(Reason.MODEL_UNAVAILABLE, "champion", "no version is champion.", "Promote an approved version.")
                scorer = self._approved(standing.of(version), portfolio_id)
                if unfit and scorer.artifact.manifest.domain is None:
                    told = "declares no domain, and a better step does not know such accounts."
                    raise refuse(Reason.MODEL_UNAVAILABLE, version, told, "Train it again: a new version declares its domain.")
                unfit = True
                whole, fit = self._fitted(scorer, standing, portfolio_id, portfolio)
            except CollectionsError as error:
                problems.append(Degradation(step, f"{ModelKind.OUTCOME}/{version}" if version else "", str(error.message)))
                continue
            challengers, absent = self._challengers(standing, portfolio_id, portfolio)
            return Serving(whole, step, tuple(problems), standing.of(version), challengers, absent, fit)
        if not standing.models or not self._policy_allowed:
            found = "; ".join(f"{p.step} {p.model_version}: {p.problem}" for p in problems)
            raise refuse(Reason.MODEL_UNAVAILABLE, "outcome", f"no approved model can serve ({found}).", "Approve a version.")
        return Serving(self._policy, LadderStep.POLICY_ORDER, tuple(problems), None)

    def pin_all(self, portfolio_id: str, portfolio: Portfolio) -> PinnedModels:
        """Return what serves a portfolio now: what scores its accounts, as ``pin``, and the models beside it."""
        outcome, beside = self.pin(portfolio_id, portfolio), self.beside.pin(portfolio_id, portfolio)
        return PinnedModels(**vars(beside), outcome=outcome)

    def challengers(self, models: PinnedModels, portfolio_id: str, portfolio: Portfolio) -> Iterator[Challenger]:
        """Yield the challengers of every kind beside what was pinned, outcome models first."""
        serving = models.outcome
        for absent in serving.absent_challengers:
            yield Challenger(ModelKind.OUTCOME, absent.model_version, problem=absent.problem)
        for scorer in serving.challengers:
            tried = replace(models, outcome=replace(serving, scorer=scorer))
            yield Challenger(ModelKind.OUTCOME, scorer.model_version, scorer.digest, tried)
        for one in self.beside.challengers(portfolio_id, portfolio):
            found = one.pinned
            place: dict[str, Any] = {one.kind.value: found}
            served = None if found.model is None else replace(models, **place)
            yield Challenger(one.kind, one.model_version, found.digest, served, found.problem)

    @property
    def _policy_allowed(self) -> bool:
        steps = list(LadderStep)
        return steps.index(self._lowest) >= steps.index(LadderStep.POLICY_ORDER)

    def _fitted(
        self, scorer: Scorer, standing: KindStanding, portfolio_id: str, portfolio: Portfolio | None
    ) -> tuple[OutcomeScorer, ModelFit | None]:
        """Return what scores the accounts with a model at its head, and how they fit it.

        Raises:
            CollectionsError: MODEL_UNAVAILABLE when the model may not score them.
        """
        domain = scorer.artifact.manifest.domain
        if portfolio is None or not portfolio.account_count:
            return DomainScorer([scorer, self._policy], self._binds) if domain else scorer, None
        inside = scorer.covers(portfolio, self._binds)
        missed = domain.missed_by(portfolio) if domain else {}
        if not inside.any():
            told = f"no account is in its domain ({shown(missed)})."
            raise refuse(Reason.MODEL_UNAVAILABLE, scorer.model_version, told, "Train a model on such accounts.")
        known = portfolio if inside.all() else portfolio.take(np.flatnonzero(inside))
        lacking_count, lacking = scorer.lacking(known)
        if lacking_count > self._most_lacking * known.account_count:
            told = f"{lacking_count:,} of {known.account_count:,} accounts lack what its training always had ({shown(lacking)})."
            told += "".join(f" {name} {why}." for name, why in scorer.lacks(known).items())
            raise refuse(Reason.MODEL_UNAVAILABLE, scorer.model_version, told, "Send these columns, or train without them.")
        others: list[OutcomeScorer] = []
        if known is not portfolio:
            others = self._others(scorer, standing, portfolio_id, portfolio.take(np.flatnonzero(~inside)))
        whole = DomainScorer([scorer, *others, self._policy], self._binds)
        counts = np.bincount(whole.chosen(portfolio), minlength=len(whole.scorers)).tolist()
        if counts[-1] and not self._policy_allowed:
            told = f"{counts[-1]:,} accounts are outside every model's domain ({shown(missed)})."
            raise refuse(Reason.MODEL_UNAVAILABLE, scorer.model_version, told, "Leave them out, or allow POLICY_ORDER.")
        by = tuple((s.model_version, s.digest, count) for s, count in zip(whole.scorers, counts, strict=True) if count)
        outside_count = int((~scorer.covers(portfolio)).sum())
        own = (unknown_texts(known, scorer.own), own_drift(known, scorer.own))
        return whole, ModelFit(domain is not None, self._binds, missed, outside_count, lacking, lacking_count, by, *own)

    def _others(self, scorer: Scorer, standing: KindStanding, portfolio_id: str, left: Portfolio) -> list[OutcomeScorer]:
        """Return the further approved models whose declared domain holds some of the accounts left."""
        found: list[OutcomeScorer] = []
        for _, version in self._candidates(standing):
            try:
                other = self._approved(standing.of(version), portfolio_id) if version else None
            except CollectionsError:
                continue  # it was told as a degradation, or stands lower than the model that serves
            if other is None or other.digest == scorer.digest or other.artifact.manifest.domain is None:
                continue
            if other.covers(left, self._binds).any() and not other.lacks(left):
                found.append(other)
        return found

    def recorded(self, model_version: str, digest: str, scoring: Scoring | None = None) -> OutcomeScorer:
        """Return the model behind a recorded ranking, whatever its standing now: reading what it did is not serving.

        Args:
            model_version: kind and version of the model.
            digest: of its manifest.
            scoring: what scored and which fields of a domain bound, as the record tells it; None in records of before it was
                told, in which one model scored every account.

        Raises:
            CollectionsError: MODEL_UNAVAILABLE or NOT_FOUND when those bytes are no longer there.
        """
        first = self._recorded_one(model_version, digest)
        if scoring is None:
            return first
        others = [self._recorded_one(one.model_version, one.model_digest) for one in scoring.by[1:]]
        return DomainScorer([first, *(other for other in others if other is not self._policy), self._policy], scoring.binds)

    def _recorded_one(self, model_version: str, digest: str) -> OutcomeScorer:
        kind, _, version = model_version.partition("/")
        return self._policy if kind == "policy" else self._load(version, digest)

    def forget(self) -> None:
        """Drop loaded models, so that the next use reads and checks them again."""
        with self._lock:
            self._loaded.clear()

    def _candidates(self, standing: KindStanding) -> Iterator[tuple[LadderStep, str]]:
        yield LadderStep.CHAMPION, standing.champion
        past = [v for v in reversed(standing.past) if v != standing.champion]
        others = sorted((v for v in standing.models if v not in (*past, standing.champion)), reverse=True)
        may = [v for v in dict.fromkeys([*past, *others]) if standing.of(v).state is ModelState.APPROVED]
        scorecards = [v for v in may if self._is_scorecard(v)]
        allowed = list(LadderStep)[: list(LadderStep).index(self._lowest) + 1]
        if LadderStep.PREVIOUS_APPROVED in allowed:
            yield from ((LadderStep.PREVIOUS_APPROVED, v) for v in may if v not in scorecards)
        if LadderStep.SCORECARD in allowed:
            yield from ((LadderStep.SCORECARD, v) for v in scorecards)

    def _is_scorecard(self, version: str) -> bool:
        try:
            return read_manifest(self._root, version)[0].engine == SCORECARD
        except CollectionsError:
            return False

    def _approved(self, standing: ModelStanding, portfolio_id: str) -> Scorer:
        terms_to_serve(standing, portfolio_id, self._now())
        return self._load(standing.version, standing.digest)

    def _challengers(
        self, standing: KindStanding, portfolio_id: str, portfolio: Portfolio | None
    ) -> tuple[tuple[Scorer, ...], tuple[Degradation, ...]]:
        loaded, absent = [], []
        for version, model in sorted(standing.models.items()):
            if model.state is not ModelState.CHALLENGER:
                continue
            try:
                found = self._approved(model, portfolio_id)
                lacks = found.lacks(portfolio) if portfolio is not None else {}
                if lacks:
                    told = "; ".join(f"{name} {why}" for name, why in lacks.items())
                    raise refuse(Reason.MODEL_UNAVAILABLE, version, f"{told}.", "Send the own columns it learned from.")
                loaded.append(found)
            except CollectionsError as error:
                absent.append(Degradation(LadderStep.CHAMPION, f"{ModelKind.OUTCOME}/{version}", error.message))
        return tuple(loaded), tuple(absent)

    def _load(self, version: str, digest: str) -> Scorer:
        with self._lock:
            found = self._loaded.get((version, digest))
            if found is None:
                artifact = load_artifact(self._root, version)
                if artifact.digest != digest:
                    raise refuse(
                        Reason.MODEL_UNAVAILABLE, version, "its artifact is not the one approved.", "Restore the version."
                    )
                found = Scorer(artifact)
                self._loaded[version, digest] = found
                while len(self._loaded) > CACHED_MODELS:
                    self._loaded.pop(next(iter(self._loaded)))
        return found


def shown(counts: Mapping[str, int], most: int = 5) -> str:
    """Return counts by name in words, at most so many."""
    named = [f"{name} {count:,}" for name, count in list(counts.items())[:most]]
    return ", ".join(named) + (f" and {len(counts) - most} more" if len(counts) > most else "")
