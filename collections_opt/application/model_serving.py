"""Which model scores: the champion, or the next step of the ladder with every reason why not a better one; nothing is silent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.effect_serving import EffectServing
from collections_opt.application.recovery_serving import RecoveryServing
from collections_opt.application.registry_policy import LadderStep
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.model_lifecycle import KindStanding, ModelKind, ModelStanding, ModelState
from collections_opt.core.outcomes import OutcomeProbabilities
from collections_opt.core.policy import PolicyRates, policy_probabilities
from collections_opt.core.portfolio import Portfolio
from collections_opt.ledger.ledger import Ledger
from collections_opt.scoring.artifacts import load_artifact, read_manifest
from collections_opt.scoring.predictors import SCORECARD
from collections_opt.scoring.scorer import Reason as ScoreReason
from collections_opt.scoring.scorer import Scorer

CACHED_MODELS = 8
"""Loaded models kept: a champion, its predecessors, a scorecard and challengers."""


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

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return probabilities without contact, (n, 3)."""
        ...

    def reasons(
        self, portfolio: Portfolio, count: int = 3, pushes: NDArray[np.float64] | None = None
    ) -> tuple[tuple[ScoreReason, ...], ...]:
        """Return the strongest reasons per account."""
        ...

    def group_pushes(self, portfolio: Portfolio) -> NDArray[np.float64]:
        """Return each feature group's push on the log of each probability, (n, g, 3)."""
        ...


class PolicyScorer:
    """The policy's assumed rates as a scorer; its only reason is that no model decided."""

    def __init__(self, rates: PolicyRates, digest: str) -> None:
        self._rates = rates
        self.digest = digest
        self.card = f"# Policy {rates.version}\n\nNo model: assumed rates per bucket, ordered by balance times (1 + bucket).\n"
        self.files: Mapping[str, str] = {}

    @property
    def model_version(self) -> str:
        """Policy and version of its rates."""
        return f"policy/{self._rates.version}"

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return the assumed probabilities of each account's bucket."""
        return policy_probabilities(portfolio, self._rates)

    def reasons(
        self, portfolio: Portfolio, count: int = 3, pushes: NDArray[np.float64] | None = None
    ) -> tuple[tuple[ScoreReason, ...], ...]:
        """Return that no model decided, for every account."""
        del pushes  # there are none
        why = (ScoreReason("NO_MODEL", "No approved model could score it; a policy by balance and bucket decided.", 0.0),)
        return (why[:count],) * portfolio.account_count

    def group_pushes(self, portfolio: Portfolio) -> NDArray[np.float64]:
        """Return nothing: no feature decided."""
        return np.zeros((portfolio.account_count, 0, 3))


@dataclass(frozen=True)
class Degradation:
    """A better step that could not serve: which, with which model ("" for none), and the problem."""

    step: LadderStep
    model_version: str
    problem: str


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
    """

    scorer: OutcomeScorer
    step: LadderStep
    degraded: tuple[Degradation, ...]
    standing: ModelStanding | None
    challengers: tuple[Scorer, ...] = ()
    absent_challengers: tuple[Degradation, ...] = ()


class ModelServing:
    """Pins what scores; loaded models are shared by digest, so a promotion takes effect at the next pin without a restart."""

    def __init__(
        self,
        ledger: Ledger,
        root: Path,
        lowest: LadderStep,
        policy: PolicyScorer,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._root = root
        self._lowest = lowest
        self._policy = policy
        self._now = now
        self.effects = EffectServing(ledger, root, now)
        self.recoveries = RecoveryServing(ledger, root, now)
        self._lock = threading.Lock()
        self._loaded: dict[tuple[str, str], Scorer] = {}

    def pin(self, portfolio_id: str) -> Serving:
        """Return what scores a portfolio now; "" stands for rows that belong to none.

        Raises:
            CollectionsError: MODEL_UNAVAILABLE when no model was ever approved, or when only a step below the lowest allowed
                could serve, with every problem found.
        """
        standing = self._ledger.model_standing(ModelKind.OUTCOME)
        problems: list[Degradation] = []
        for step, version in self._candidates(standing):
            try:
                if not version:
                    raise refuse(Reason.MODEL_UNAVAILABLE, "champion", "no version is champion.", "Promote an approved version.")
                scorer = self._approved(standing.of(version), portfolio_id)
            except CollectionsError as error:
                problems.append(Degradation(step, f"{ModelKind.OUTCOME}/{version}" if version else "", str(error.message)))
                continue
            challengers, absent = self._challengers(standing, portfolio_id)
            return Serving(scorer, step, tuple(problems), standing.of(version), challengers, absent)
        steps = list(LadderStep)
        if not standing.models or steps.index(self._lowest) < steps.index(LadderStep.POLICY_ORDER):
            found = "; ".join(f"{p.step} {p.model_version}: {p.problem}" for p in problems)
            raise refuse(Reason.MODEL_UNAVAILABLE, "outcome", f"no approved model can serve ({found}).", "Approve a version.")
        return Serving(self._policy, LadderStep.POLICY_ORDER, tuple(problems), None)

    def recorded(self, model_version: str, digest: str) -> OutcomeScorer:
        """Return the model behind a recorded ranking, whatever its standing now: reading what it did is not serving.

        Raises:
            CollectionsError: MODEL_UNAVAILABLE or NOT_FOUND when those bytes are no longer there.
        """
        kind, _, version = model_version.partition("/")
        if kind == "policy":
            return self._policy
        return self._load(version, digest)

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
        if not standing.state.may_serve or standing.terms is None:
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"is {standing.state}, not approved.", "Approve it.")
        if standing.terms.expires_at <= self._now():
            expired = standing.terms.expires_at.isoformat()
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"its approval expired at {expired}.", "Approve it again.")
        if not standing.terms.allow(portfolio_id):
            shown = portfolio_id or "rows without a portfolio"
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"is not approved for {shown}.", "Approve it for them.")
        return self._load(standing.version, standing.digest)

    def _challengers(self, standing: KindStanding, portfolio_id: str) -> tuple[tuple[Scorer, ...], tuple[Degradation, ...]]:
        loaded, absent = [], []
        for version, model in sorted(standing.models.items()):
            if model.state is not ModelState.CHALLENGER:
                continue
            try:
                loaded.append(self._approved(model, portfolio_id))
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
