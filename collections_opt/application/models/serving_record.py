"""What a ranking's record says about the model that scored it: its approval, every degradation, and when its scores expire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from collections_opt.application.models.serving import Degradation, Serving
from collections_opt.core.accounts.portfolio import Portfolio

SCORE_VALID_DAYS = 1
"""Days for which the policy's rates stand in: until the next morning."""


def serving_record(serving: Serving, portfolio: Portfolio, now: datetime) -> dict[str, Any]:
    """Return the part of a ranking's record about its model, as integers and strings."""
    standing = serving.standing
    terms = standing.terms if standing else None
    days = terms.score_valid_days if terms else SCORE_VALID_DAYS
    expires = portfolio.as_of_date + timedelta(days=days)
    approval: dict[str, Any] = {}
    if standing and terms:
        approval = {
            "mode": standing.mode.value,
            "approver": standing.approver,
            "expires_at": terms.expires_at.isoformat(),
            "allowed_portfolios": list(terms.allowed_portfolios),
        }
    return {
        "model_digest": serving.scorer.digest,
        "model_step": serving.step.value,
        "model_approval": approval,
        "degraded": [degradation_record(d) for d in serving.degraded],
        "scores_expire_on": expires.isoformat(),
        "scores_stale": now.astimezone(ZoneInfo(portfolio.time_zone)).date() > expires,
    }


def health_of_scores(used: Mapping[str, Any], account_count: int) -> dict[str, Any]:
    """Return what a record's health says of the scores: degraded steps, and how many accounts have stale scores."""
    return {
        "degraded": [f"{d['step']}: {d['problem']}" for d in used["degraded"]],
        "stale_score_count": account_count if used["scores_stale"] else 0,
    }


def degradation_record(degradation: Degradation) -> dict[str, str]:
    """Return a degradation as strings."""
    return {
        "step": degradation.step.value,
        "model_version": degradation.model_version,
        "problem": degradation.problem,
    }


def are_scores_stale(record: Mapping[str, Any], today: date) -> bool:
    """Return whether a recorded ranking's scores may no longer be used on a day."""
    expires = record.get("scores_expire_on")
    return expires is not None and today > date.fromisoformat(expires)
