"""What a ranking's record says about the model that scored it: its approval, every degradation, and when its scores expire."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from collections_opt.application.models.serving import Serving
from collections_opt.application.records.scoring_facts import DegradedStep, RecordedApproval, ScoredFacts
from collections_opt.core.accounts.portfolio import Portfolio

SCORE_VALID_DAYS = 1
"""Days for which the policy's rates stand in: until the next morning."""


def serving_record(serving: Serving, portfolio: Portfolio, now: datetime) -> ScoredFacts:
    """Return the part of a ranking's record about its model."""
    standing = serving.standing
    terms = standing.terms if standing else None
    expires = portfolio.as_of_date + timedelta(days=terms.score_valid_days if terms else SCORE_VALID_DAYS)
    approval = None
    if standing and terms:
        approval = RecordedApproval(standing.mode, standing.approver, terms.expires_at, terms.allowed_portfolios)
    return ScoredFacts(
        digest=serving.scorer.digest,
        step=serving.step,
        approval=approval,
        degraded=tuple(DegradedStep(d.step, d.model_version, d.problem) for d in serving.degraded),
        expire_on=expires,
        stale=now.astimezone(ZoneInfo(portfolio.time_zone)).date() > expires,
    )
