"""Serve a loaded model: probabilities and reasons, from the same features as training."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURES, Features, build_features, definitions
from collections_opt.core.accounts.own_features import OwnFeature, lacked
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.limits import MAX_SCORE_ACCOUNTS
from collections_opt.core.models.domain import FIELDS, inside
from collections_opt.core.value.outcomes import CURE, DEFAULT, OutcomeProbabilities
from collections_opt.core.value.valuation import blocks
from collections_opt.scoring.outcome.artifacts import Artifact

T = TypeVar("T")


@dataclass(frozen=True)
class ReasonGroup:
    """What reasons are given for: the stable head of their codes, and how their sentences begin."""

    code: str
    subject: str


REASON_SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "DELINQUENCY": "Its months past due speak",
        "PAYMENTS": "Its recent payments speak",
        "BALANCE": "Its balance and arrears speak",
        "UTILISATION": "Its use of the limit speaks",
        "TENURE": "Its age speaks",
    }
)
"""How a sentence about each feature group begins."""

TARGETS: Mapping[str, str] = MappingProxyType({"CURE": "a cure", "DEFAULT": "a default", "INCREMENT": "a gain from contact"})
"""What reasons are given for, by the end of their codes."""


def reason_groups(own: Sequence[OwnFeature] = ()) -> tuple[ReasonGroup, ...]:
    """Return the groups of features that reasons are given for: those of the feature set, then each own column by its meaning."""
    plain = (ReasonGroup(code, REASON_SUBJECTS[code]) for code in dict.fromkeys(feature.group for feature in FEATURES))
    mine = definitions(own)[len(FEATURES) :]
    return (*plain, *(ReasonGroup(one.group, f"{one.meaning.strip().rstrip('.')} speaks") for one in mine))


class Reason(NamedTuple):
    """One reason of a score: stable code, plain sentence, and its push.

    The push is on the log-odds: of cure against default for CURE, of default for DEFAULT; minor units for INCREMENT.
    """

    code: str
    sentence: str
    contribution: float


@dataclass(frozen=True)
class ReasonTable:
    """Reasons of n accounts in k places, the strongest of each target first.

    Attributes:
        words: code and sentence of every reason that there may be.
        place: int64 (n, k), which words; ``NO_REASON`` where an account has no reason at a place.
        contribution: float64 (n, k), its push; 0 where there is no reason.
    """

    words: tuple[tuple[str, str], ...]
    place: NDArray[np.int64]
    contribution: NDArray[np.float64]

    @classmethod
    def none(cls, count: int) -> ReasonTable:
        """Return no reasons of some accounts."""
        return cls((), np.zeros((count, 0), dtype=np.int64), np.zeros((count, 0)))

    def beside(self, other: ReasonTable) -> ReasonTable:
        """Return these reasons and then others of the same accounts."""
        theirs = np.where(other.place == NO_REASON, NO_REASON, other.place + len(self.words))
        contribution = np.concatenate([self.contribution, other.contribution], axis=1)
        return ReasonTable(self.words + other.words, np.concatenate([self.place, theirs], axis=1), contribution)

    def where(self, allowed: NDArray[np.bool_]) -> ReasonTable:
        """Return the reasons of some accounts, bool (n,), and none of the others."""
        shown = allowed[:, np.newaxis]
        return ReasonTable(self.words, np.where(shown, self.place, NO_REASON), np.where(shown, self.contribution, 0.0))

    def rows(self) -> tuple[tuple[Reason, ...], ...]:
        """Return the reasons of each account."""
        words = self.words
        return tuple(
            tuple(Reason._make((*words[at], push)) for at, push in zip(places, pushes, strict=True) if at >= 0)
            for places, pushes in zip(self.place.tolist(), self.contribution.tolist(), strict=True)
        )


NO_REASON = -1
"""Place of words where there is no reason."""


@dataclass(frozen=True)
class GroupPushes:
    """What each feature group says of accounts.

    Attributes:
        pushes: float64 (n, g, 3), each group's push on the log of each probability, in order of ``reason_groups``.
        probability: float64 (n, 3), the probabilities that they explain.
    """

    pushes: NDArray[np.float64]
    probability: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64], groups: NDArray[np.int64]) -> GroupPushes:
        """Return the pushes of some groups on some accounts."""
        return GroupPushes(self.pushes[np.ix_(rows, groups)], self.probability[rows])


class LastOfThread(Generic[T]):
    """What a thread made of the portfolio that it was last asked about, for as long as that lives."""

    def __init__(self) -> None:
        self._here = threading.local()

    def of(self, portfolio: Portfolio, make: Callable[[], T]) -> T:
        """Return what ``make`` makes of a portfolio."""
        of, made = getattr(self._here, "last", (None, None))
        if of is None or of() is not portfolio:
            made = make()
            self._here.last = (weakref.ref(portfolio), made)
        return cast("T", made)


class Scorer:
    """An outcome model, ready to score; holds no state but the model, and the features that a thread built last."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._built: LastOfThread[Features] = LastOfThread()
        self._outside: LastOfThread[dict[str, NDArray[np.bool_]]] = LastOfThread()
        self.own = artifact.manifest.own_columns
        self.reason_groups = reason_groups(self.own)
        codes = [one.group for one in definitions(self.own)]
        self._members = [np.array([code == group.code for code in codes], dtype=bool) for group in self.reason_groups]

    def __reduce__(self) -> tuple[type[Scorer], tuple[Artifact]]:
        """Travel to another process as the model alone."""
        return Scorer, (self.artifact,)

    @property
    def model_version(self) -> str:
        """Kind and version of the model."""
        return f"{self.artifact.manifest.kind}/{self.artifact.manifest.version}"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the model's manifest."""
        return self.artifact.digest

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return self.artifact.card

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 (hex) of each of the model's files, by name."""
        return self.artifact.manifest.files

    def covers(self, portfolio: Portfolio, fields: Sequence[str] = FIELDS) -> NDArray[np.bool_]:
        """Return which accounts are in the model's domain as far as some fields tell, bool (n,); all where it declares none."""
        domain = self.artifact.manifest.domain
        if domain is None:
            return np.ones(portfolio.account_count, dtype=bool)
        if portfolio.account_count > MAX_SCORE_ACCOUNTS:
            return domain.inside(portfolio, fields)
        return inside(self._outside.of(portfolio, lambda: domain.outside(portfolio)), portfolio.account_count, fields)

    def lacks(self, portfolio: Portfolio) -> dict[str, str]:
        """Return which own columns of the model a portfolio does not have as it learned them, and why, as ``lacked``."""
        return lacked(portfolio, self.own)

    def lacking(self, portfolio: Portfolio) -> tuple[int, dict[str, int]]:
        """Return how many accounts lack any feature that training always had, and how many lack each that some lack.

        An own column that the portfolio does not have at all is lacking however often single values of it were in training.
        """
        without, names = self.lacks(portfolio), self.artifact.manifest.feature_names
        always = (*(n for n in self.artifact.manifest.always_known if n not in without), *without)
        wanted = [names.index(name) for name in always]
        any_count, counts = 0, np.zeros(len(wanted), dtype=np.int64)
        for _, block in self._blocks(portfolio) if wanted else ():
            missing = np.isnan(self.features(block).matrix[:, wanted])
            any_count += int(missing.any(axis=1).sum())
            counts += missing.sum(axis=0)
        return any_count, {name: count for name, count in zip(always, counts.tolist(), strict=True) if count}

    def features(self, portfolio: Portfolio) -> Features:
        """Return the features that the model reads, as its training built them.

        One call asks whether accounts lack some, scores them and gives reasons: what few accounts gave last is kept for it.
        """
        if portfolio.account_count > MAX_SCORE_ACCOUNTS:
            return build_features(portfolio, self.own)
        return self._built.of(portfolio, lambda: build_features(portfolio, self.own))

    def _blocks(self, portfolio: Portfolio) -> Iterator[tuple[slice, Portfolio]]:
        """Yield the accounts in blocks, which keep memory bounded; few accounts are one block as they are."""
        for rows in blocks(portfolio.account_count):
            whole = rows.stop - rows.start == portfolio.account_count
            yield rows, portfolio if whole else portfolio.take(rows)

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return calibrated probabilities without contact, (n, 3); blocks keep memory bounded and never change a bit."""
        probability = np.empty((portfolio.account_count, 3))
        for rows, block in self._blocks(portfolio):
            probability[rows] = self.predict(self.features(block))
        manifest = self.artifact.manifest
        return OutcomeProbabilities(probability, self.model_version, manifest.calibration_version)

    def predict(self, features: Features) -> NDArray[np.float64]:
        """Return calibrated probabilities of a feature matrix, float64 (n, 3)."""
        if not features.matrix.shape[0]:
            return np.empty((0, 3))
        return self.artifact.calibration.apply(self.artifact.predictor.raw(features.matrix))

    def group_pushes(self, portfolio: Portfolio) -> GroupPushes:
        """Return each feature group's push on the log of each probability, and the probabilities, of n accounts.

        From LightGBM's contributions (SHAP values), or a scorecard's points; the mean push under p is zero. A group of which an
        account has no feature at all pushes nothing: what is not known is no reason.
        """
        if not portfolio.account_count:
            return GroupPushes(np.zeros((0, len(self.reason_groups), 3)), np.zeros((0, 3)))
        features = self.features(portfolio)
        raw, pushes = self.artifact.predictor.contributions(features.matrix)
        probability = self.artifact.calibration.apply(raw)
        grouped = np.stack([pushes[:, :, inside].sum(axis=2) for inside in self._members], axis=1)
        mean = (grouped * probability[:, None, :]).sum(axis=2, keepdims=True)
        known = ~np.isnan(features.matrix)
        has = np.column_stack([known[:, inside].any(axis=1) for inside in self._members])
        return GroupPushes(np.where(has[:, :, np.newaxis], grouped - mean, 0.0), probability)

    def reasons(self, portfolio: Portfolio, count: int = 3, pushes: GroupPushes | None = None) -> ReasonTable:
        """Return the ``count`` strongest reasons for p_cure and then those for p_default.

        ``pushes`` are the ``group_pushes`` of these accounts where a caller has them: they are nearly all of the cost.
        """
        found = self.group_pushes(portfolio) if pushes is None else pushes
        cure = strongest(found.pushes[:, :, CURE] - found.pushes[:, :, DEFAULT], "CURE", count, self.reason_groups)
        rest = 1.0 - found.probability[:, DEFAULT]
        default = strongest(found.pushes[:, :, DEFAULT] / np.maximum(rest, 1e-9)[:, None], "DEFAULT", count, self.reason_groups)
        return cure.beside(default)


def strongest(pushes: NDArray[np.float64], target: str, count: int, groups: Sequence[ReasonGroup]) -> ReasonTable:
    """Return the reasons of the strongest pushes (n, g) of groups on a target; what pushes nothing is no reason."""
    order = np.argsort(-np.abs(pushes), axis=1, kind="stable")[:, :count]
    values = np.take_along_axis(pushes, order, axis=1)
    words = tuple(_words(group, target, raises) for group in groups for raises in (False, True))
    return ReasonTable(
        words, np.where(values == 0.0, NO_REASON, 2 * order + (values > 0.0)), np.where(values == 0.0, 0.0, values)
    )


def _words(group: ReasonGroup, target: str, raises: bool) -> tuple[str, str]:
    """Return code and sentence of a group that raises a target or lowers it."""
    sentence = f"{group.subject} {'for' if raises else 'against'} {TARGETS[target]}."
    return f"{group.code}_{'RAISES' if raises else 'LOWERS'}_{target}", sentence
