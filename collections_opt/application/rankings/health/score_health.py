"""What people must see of a ranking's scores: whom the model does not know, what they lack, and who stood behind it."""

from __future__ import annotations

from dataclasses import replace

from collections_opt.application.models.serving import Serving, shown
from collections_opt.application.records.monitor_facts import monitor_warnings
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.scoring_facts import BesideFacts, FitFacts, Health, ScoredBy, ScoredFacts, Scoring
from collections_opt.core.evaluation.own_drift import MOVED_PSI
from collections_opt.core.models.lifecycle import ApprovalMode, ModelKind
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.core.value.payoffs import Payoffs
from collections_opt.ledger.ledger import Ledger

_MOST_TOLD = 5
"""Own columns that a warning names."""

_MOST_BELIEVABLE_ACCOUNTS = 50
"""Accounts that one person may have before people are told that the customer id may be a placeholder."""


def scoring_record(serving: Serving) -> Scoring | None:
    """Return what scored how many accounts, the model first, and which fields bound; None where the policy decided."""
    if serving.fit is None:
        return None
    return Scoring(serving.fit.binds, tuple(ScoredBy(*each) for each in serving.fit.scored_by))


def health_of_scores(health: Health, scored: ScoredFacts, serving: Serving, account_count: int) -> Health:
    """Return a ranking's health with what there is to say of its scores: degraded steps, stale ones, and how they fit."""
    degraded = tuple(f"{step.step}: {step.problem}" for step in scored.degraded)
    health = replace(health, degraded=degraded, stale_score_count=account_count if scored.stale else 0)
    fit = serving.fit
    if fit is None:
        return health
    outside = (dict(fit.outside), fit.outside_count)
    return replace(
        health,
        fit=FitFacts(fit.domain_declared, *outside, dict(fit.lacking), fit.lacking_count),
        unknown_categories=dict(fit.unknown_texts),
        own_column_psi_milli={name: round(index * 1000) for name, index in fit.own_drift.items()},
    )


def warnings_of(facts: RankingFacts, serving: Serving, ranking: Ranking, ledger: Ledger) -> tuple[str, ...]:
    """Return, in sentences, what a person must know before trusting a ranking's scores and money; empty when all is well.

    Args:
        facts: what is recorded of the ranking so far.
        serving: what scored.
        ranking: what was decided.
        ledger: where approvals of the other kinds are.
    """
    health, most = facts.health, facts.answer.persons.most_account_count
    found = _score_warnings(facts.scored, serving, ranking.worth) + monitor_warnings(ledger, facts.answer.model_version)
    if most > _MOST_BELIEVABLE_ACCOUNTS:
        found.append(
            f"One person has {most:,} accounts, of which one is worked: if its customer_id stands for an unknown customer, leave "
            "the cell empty."
        )
    if health.clock_went_back_seconds:
        found.append(
            f"The clock went back: this ranking seems to be decided {health.clock_went_back_seconds:,} seconds before the last "
            "one was recorded; set the servers' clocks. The order of records is that of their numbers."
        )
    unplanned = health.hours_not_planned_count
    if unplanned:
        found.append(
            f"hours not planned: {unplanned:,} accounts are worked where the law has hours, by queues whose plan does not say "
            "when they work; give the queues windows, or let whoever dials keep to the hours."
        )
    return (*found, *_beside_warnings(facts.beside, serving, ledger))


def health_of_call(scored: ScoredFacts, beside: BesideFacts, serving: Serving, worth: Payoffs, ledger: Ledger) -> Health:
    """Return the health of scores that are answered and not recorded.

    Args:
        scored: what scored, as ``serving_record``.
        beside: the models that served beside it.
        serving: what scored.
        worth: payoffs of the accounts.
        ledger: where approvals of the other kinds are.
    """
    warnings = [*_score_warnings(scored, serving, worth), *_beside_warnings(beside, serving, ledger)]
    health = health_of_scores(Health(), scored, serving, worth.cure.size)
    return replace(health, warnings=tuple(warnings))


def _score_warnings(scored: ScoredFacts, serving: Serving, worth: Payoffs) -> list[str]:
    found = [f"{d.step} could not serve: {d.model_version} {d.problem}".replace("  ", " ") for d in scored.degraded]
    found += fit_warnings(serving)
    if scored.stale:
        found.append(f"The scores expired on {scored.expire_on}: the accounts describe too old a day.")
    out_of_order = int(worth.out_of_order.sum())
    if out_of_order:
        found.append(f"{out_of_order:,} accounts have payoffs out of the order cure, stay, default: check LGD and stay values.")
    return found


def _beside_warnings(beside: BesideFacts, serving: Serving, ledger: Ledger) -> list[str]:
    """Return what a person must know of the models beside the outcome model, and of approvals without a second person."""
    told = {ModelKind.EFFECT: "effects"}  # as records have said it since there was one
    found = [f"{told.get(kind, kind.value)}: {one.problem}" for kind, one in beside.by_kind.items() if one.problem]
    return found + _self_approved(beside, serving, ledger)


def fit_warnings(serving: Serving) -> list[str]:
    """Return, in sentences, how accounts do not fit the model that scores them; empty when they do."""
    fit = serving.fit
    if fit is None:
        return []
    found, name = [], serving.scorer.model_version
    if not fit.domain_declared:
        found.append(f"{name}: domain not declared; nobody says that it knows accounts of this kind.")
    if fit.outside_count:
        others = [(version, count) for version, _, count in fit.scored_by if version != name]
        left = sum(count for _, count in others)
        told = f"{fit.outside_count:,} accounts are outside the domain of {name} ({shown(fit.outside)})"
        by = f"; {', '.join(f'{version} scored {count:,}' for version, count in others)}" if others else ""
        still = f"; it scored {fit.outside_count - left:,} all the same (only {', '.join(fit.binds)} bind)"
        found.append(told + by + (still if fit.outside_count > left else "") + ".")
    if fit.lacking_count:
        found.append(f"{fit.lacking_count:,} accounts lack what the training of {name} always had ({shown(fit.lacking)}).")
    if fit.unknown_texts:
        told = f"{name} does not know some categories and read them as missing, by accounts: {shown(fit.unknown_texts)}."
        found.append(told)
    moved = [f"{name} {index:.2f}" for name, index in fit.own_drift.items() if index > MOVED_PSI]
    if moved:
        told = f"Own columns have moved since the training of {name} (PSI above {MOVED_PSI:g}): {', '.join(moved[:_MOST_TOLD])}"
        found.append(told + (f" and {len(moved) - _MOST_TOLD} more." if len(moved) > _MOST_TOLD else "."))
    return found


def _self_approved(beside: BesideFacts, serving: Serving, ledger: Ledger) -> list[str]:
    names = []
    if serving.standing is not None and serving.standing.mode is ApprovalMode.SELF_APPROVED:
        names.append(serving.scorer.model_version)
    for kind in beside.by_kind:
        version = beside.version(kind)
        if version and ledger.model_events.standing(kind).of(version).mode is ApprovalMode.SELF_APPROVED:
            names.append(f"{kind}/{version}")
    return [f"{name} is self-approved: no second person looked." for name in names]
