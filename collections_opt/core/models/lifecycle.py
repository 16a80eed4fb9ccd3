"""The life of a model version as a fold over append-only events: what may serve follows from what people recorded.

draft -> submitted -> validated -> approved -> champion | challenger, retired from anywhere. Submitter, validator and approver of
a version differ. A promotion puts the champion before it back to approved and remembers it; a rollback returns to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from collections_opt.core.errors import CollectionsError, Reason, refuse


class ModelKind(StrEnum):
    """What a model predicts."""

    OUTCOME = "outcome"
    """Cure, default and stay without contact."""
    EFFECT = "effect"
    """What contact in a queue changes."""
    CONTACT = "contact"
    """Whether the right party is reached."""
    RECOVERY = "recovery"
    """How much of an exposure is recovered after default."""


class ModelState(StrEnum):
    """Where a version stands."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    VALIDATED = "VALIDATED"
    APPROVED = "APPROVED"
    CHAMPION = "CHAMPION"
    CHALLENGER = "CHALLENGER"
    RETIRED = "RETIRED"

    @property
    def may_serve(self) -> bool:
        """True where a person approved it and nobody retired it."""
        return self in (ModelState.APPROVED, ModelState.CHAMPION, ModelState.CHALLENGER)


class ModelAction(StrEnum):
    """What a person did to a version."""

    SUBMIT = "SUBMIT"
    VALIDATE = "VALIDATE"
    APPROVE = "APPROVE"
    """Approve, or approve again with other terms."""
    PROMOTE = "PROMOTE"
    """Make it the champion."""
    CHALLENGE = "CHALLENGE"
    """Let it score beside the champion."""
    WITHDRAW = "WITHDRAW"
    """End its challenge."""
    ROLLBACK = "ROLLBACK"
    """Return to this version, the champion before the current one."""
    RETIRE = "RETIRE"


class LadderStep(StrEnum):
    """What decides, best first; every step below the first is recorded and returned as a degradation."""

    CHAMPION = "CHAMPION"
    PREVIOUS_APPROVED = "PREVIOUS_APPROVED"
    SCORECARD = "SCORECARD"
    """An approved scorecard, which needs no LightGBM."""
    POLICY_ORDER = "POLICY_ORDER"
    """No model: balance times bucket."""


class ApprovalMode(StrEnum):
    """Who stood behind an event."""

    PEOPLE = "PEOPLE"
    """Named persons with their roles, each of whom a token vouched for."""
    CLAIMED = "CLAIMED"
    """Named persons, as they claimed to be: nobody authenticated at least one of them, so they may be one person."""
    BOOTSTRAP = "BOOTSTRAP"
    """Shipped with the model by the project, until people act."""
    SELF_APPROVED = "SELF_APPROVED"
    """A folder declared self-approving, as the demo's: no second person looked."""


NAMED = frozenset({ApprovalMode.PEOPLE, ApprovalMode.CLAIMED})
"""Modes in which submitter, validator and approver must differ."""


def mode_words(mode: str) -> str:
    """Return how people are told a mode other than ``PEOPLE``, whose name says it."""
    return "as claimed" if mode == ApprovalMode.CLAIMED else mode


def mode_remark(mode: str) -> str:
    """Return what to say behind the name of who approved: nothing where another person looked, or nobody approved."""
    return "" if mode in ("", ApprovalMode.PEOPLE) else f" ({mode_words(mode)})"


@dataclass(frozen=True)
class ApprovalTerms:
    """Under which terms a version may serve.

    Attributes:
        expires_at: it serves before this instant.
        allowed_portfolios: patterns of portfolio ids (``*`` any run of characters); rows that belong to no portfolio need ``*``.
        score_valid_days: days after the as-of date for which its scores may be used.
    """

    expires_at: datetime
    allowed_portfolios: tuple[str, ...] = ("*",)
    score_valid_days: int = 7

    def allow(self, portfolio_id: str) -> bool:
        """Return whether accounts of a portfolio may be scored; "" stands for rows that belong to none."""
        return any(fnmatchcase(portfolio_id, pattern) for pattern in self.allowed_portfolios)


@dataclass(frozen=True)
class ModelEvent:
    """One recorded act on a version; ``seq`` is its place among all events (0 before it is recorded)."""

    kind: ModelKind
    version: str
    digest: str
    action: ModelAction
    actor: str
    at: datetime
    mode: ApprovalMode = ApprovalMode.PEOPLE
    note: str = ""
    terms: ApprovalTerms | None = None
    seq: int = 0

    def told(self) -> dict[str, Any]:
        """Return the act as records hold it: texts, numbers and lists, instants in UTC."""
        terms = self.terms
        given = {
            "expires_at": terms.expires_at.astimezone(UTC).isoformat(),
            "allowed_portfolios": list(terms.allowed_portfolios),
            "score_valid_days": terms.score_valid_days,
        } if terms else {}  # fmt: skip
        return {
            "seq": self.seq,
            "kind": self.kind.value,
            "version": self.version,
            "digest": self.digest,
            "action": self.action.value,
            "actor": self.actor,
            "mode": self.mode.value,
            "note": self.note,
            "terms": given,
            "at": self.at.astimezone(UTC).isoformat(),
        }


@dataclass(frozen=True)
class ModelStanding:
    """Where one version stands, and who acted; ``digest`` is that of the manifest that was submitted."""

    version: str
    digest: str
    state: ModelState
    submitter: str = ""
    validator: str = ""
    approver: str = ""
    mode: ApprovalMode = ApprovalMode.PEOPLE
    terms: ApprovalTerms | None = None


@dataclass(frozen=True)
class KindStanding:
    """Every version of a kind that was ever submitted, and who decides.

    Attributes:
        kind: the kind.
        models: by version.
        champion: version that decides, "" for none.
        past: champions before it, the latest last.
        acted: True once a person acted; until then shipped and self-approved declarations may replace each other.
    """

    kind: ModelKind
    models: Mapping[str, ModelStanding] = field(default_factory=dict)
    champion: str = ""
    past: tuple[str, ...] = ()
    acted: bool = False

    def of(self, version: str) -> ModelStanding:
        """Return where a version stands; what was never submitted is a draft."""
        return self.models.get(version, ModelStanding(version, "", ModelState.DRAFT))

    def previous(self) -> str:
        """Return the latest champion of the past that may still serve, "" for none."""
        return next((v for v in reversed(self.past) if v != self.champion and self.models[v].state.may_serve), "")


_FROM: Mapping[ModelAction, tuple[ModelState, ...]] = {
    ModelAction.SUBMIT: (ModelState.DRAFT,),
    ModelAction.VALIDATE: (ModelState.SUBMITTED,),
    ModelAction.APPROVE: (ModelState.VALIDATED, ModelState.APPROVED, ModelState.CHAMPION, ModelState.CHALLENGER),
    ModelAction.PROMOTE: (ModelState.APPROVED, ModelState.CHALLENGER),
    ModelAction.CHALLENGE: (ModelState.APPROVED,),
    ModelAction.WITHDRAW: (ModelState.CHALLENGER,),
    ModelAction.ROLLBACK: (ModelState.APPROVED, ModelState.CHALLENGER),
    ModelAction.RETIRE: tuple(s for s in ModelState if s not in (ModelState.DRAFT, ModelState.RETIRED)),
}
_TO: Mapping[ModelAction, ModelState] = {
    ModelAction.SUBMIT: ModelState.SUBMITTED,
    ModelAction.VALIDATE: ModelState.VALIDATED,
    ModelAction.APPROVE: ModelState.APPROVED,
    ModelAction.PROMOTE: ModelState.CHAMPION,
    ModelAction.CHALLENGE: ModelState.CHALLENGER,
    ModelAction.WITHDRAW: ModelState.APPROVED,
    ModelAction.ROLLBACK: ModelState.CHAMPION,
    ModelAction.RETIRE: ModelState.RETIRED,
}


def standing_of(kind: ModelKind, events: Iterable[ModelEvent]) -> KindStanding:
    """Return where every version of a kind stands after its events, in order of ``seq``."""
    result = KindStanding(kind)
    for event in sorted(events, key=lambda e: e.seq):
        result = _apply(result, event)
    return result


def check_event(standing: KindStanding, event: ModelEvent) -> None:
    """Refuse an act that the version's standing does not allow.

    Raises:
        CollectionsError: MODEL_STATE_CONFLICT for the wrong state, another digest, an expired approval or no champion to return
            to; PERMISSION_DENIED when one person would be two of submitter, validator and approver.
    """
    before = standing.of(event.version)
    if before.state not in _FROM[event.action]:
        allowed = ", ".join(state.value for state in _FROM[event.action])
        raise _conflict(
            f"{event.kind}/{event.version} is {before.state}, {event.action} needs {allowed}.", "Look at its events first."
        )
    if before.digest and before.digest != event.digest:
        raise _conflict("the artifact differs from the one that was submitted.", "Submit it as a new version.")
    if event.action is ModelAction.APPROVE:
        _check_terms(event)
    if event.action in (ModelAction.PROMOTE, ModelAction.CHALLENGE, ModelAction.ROLLBACK):
        _check_approval(before, event)
    if event.action is ModelAction.ROLLBACK and event.version != standing.previous():
        raise _conflict(f"the champion before was {standing.previous() or 'nobody'}.", "Promote a version instead.")
    if event.mode in NAMED:
        _check_separation(before, event)


def terms_to_serve(standing: ModelStanding, portfolio_id: str, now: datetime) -> ApprovalTerms:
    """Return the terms under which a version may serve a portfolio now ("" for rows that belong to none).

    Raises:
        CollectionsError: MODEL_UNAVAILABLE where it is not approved, no longer, or not for this portfolio.
    """
    terms = standing.terms
    if not standing.state.may_serve or terms is None:
        raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"is {standing.state}, not approved.", "Approve it.")
    if terms.expires_at <= now:
        expired = terms.expires_at.isoformat()
        raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"its approval expired at {expired}.", "Approve it again.")
    if not terms.allow(portfolio_id):
        shown = portfolio_id or "rows without a portfolio"
        raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"is not approved for {shown}.", "Approve it for them.")
    return terms


def _check_terms(event: ModelEvent) -> None:
    if event.terms is None or not event.terms.allowed_portfolios or event.terms.score_valid_days < 1:
        raise refuse(Reason.INVALID_ARGUMENT, "terms", "are incomplete.", "Give portfolios and at least one day of validity.")
    if event.terms.expires_at <= event.at:
        raise refuse(Reason.INVALID_ARGUMENT, "expire_time", "lies in the past.", "Give a later time.")


def _check_approval(before: ModelStanding, event: ModelEvent) -> None:
    if before.terms is None or before.terms.expires_at <= event.at:
        raise _conflict(f"the approval of {event.kind}/{event.version} has expired.", "Approve it again first.")


def _check_separation(before: ModelStanding, event: ModelEvent) -> None:
    taken = {
        ModelAction.VALIDATE: (before.submitter,),
        ModelAction.APPROVE: (before.submitter, before.validator),
    }.get(event.action, ())
    if event.actor in taken:
        raise refuse(
            Reason.PERMISSION_DENIED,
            "actor",
            f"{event.actor!r} already acted on {event.kind}/{event.version}; submitter, validator and approver differ.",
            "Ask another person.",
        )


def _conflict(problem: str, remedy: str) -> CollectionsError:
    return refuse(Reason.MODEL_STATE_CONFLICT, "version", problem, remedy)


def _apply(standing: KindStanding, event: ModelEvent) -> KindStanding:
    before = standing.of(event.version)
    after = replace(before, digest=event.digest, state=_TO[event.action])
    if event.action is ModelAction.SUBMIT:
        after = replace(after, submitter=event.actor, mode=event.mode)
    elif event.action is ModelAction.VALIDATE:
        after = replace(
            after, validator=event.actor, mode=_weaker(before.mode, event.mode) if event.mode in NAMED else before.mode
        )
    elif event.action is ModelAction.APPROVE:
        kept = before.state if before.state.may_serve else ModelState.APPROVED
        mode = _weaker(before.mode, event.mode)
        after = replace(after, state=kept, approver=event.actor, mode=mode, terms=event.terms)
    models = {**standing.models, event.version: after}
    champion, past = standing.champion, standing.past
    if event.action in (ModelAction.PROMOTE, ModelAction.ROLLBACK):
        if champion:
            models[champion] = replace(models[champion], state=ModelState.APPROVED)
        if event.action is ModelAction.ROLLBACK:
            past = past[: len(past) - 1 - past[::-1].index(event.version)]
        elif champion:
            past = (*past, champion)
        champion = event.version
    elif event.action is ModelAction.RETIRE:
        # No other version is promoted in its place: that is for a person, until then the ladder serves and says so.
        champion = "" if champion == event.version else champion
        past = tuple(v for v in past if v != event.version)
    return KindStanding(standing.kind, models, champion, past, standing.acted or event.mode in NAMED)


def _weaker(before: ApprovalMode, now: ApprovalMode) -> ApprovalMode:
    """Return what stands behind an act and those before it: one claimed name among several makes them claimed."""
    return ApprovalMode.CLAIMED if now in NAMED and ApprovalMode.CLAIMED in (before, now) else now
