"""What people must see of a ranking's scores: whom the model does not know, what they lack, and who stood behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collections_opt.application.models.serving import Serving, shown
from collections_opt.application.models.serving_record import health_of_scores
from collections_opt.core.evaluation.own_drift import MOVED_PSI
from collections_opt.core.models.lifecycle import ApprovalMode, ModelKind
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.ledger.ledger import Ledger

SERVED_KINDS = {ModelKind.EFFECT: "effects_version", ModelKind.CONTACT: "contact_version", ModelKind.RECOVERY: "recovery_version"}
"""Where a record names the version of each kind that served beside the outcome model."""

_MOST_TOLD = 5
"""Own columns that a warning names."""

_MOST_BELIEVABLE_ACCOUNTS = 50
"""Accounts that one person may have before people are told that the customer id may be a placeholder."""


def scoring_record(serving: Serving) -> dict[str, Any]:
    """Return what scored how many accounts, the model first, and which fields bound; empty where the policy decided."""
    if serving.fit is None:
        return {}
    by = [{"model_version": name, "model_digest": digest, "count": count} for name, digest, count in serving.fit.scored_by]
    return {"binds": list(serving.fit.binds), "by": by}


def fit_health(serving: Serving) -> dict[str, Any]:
    """Return counts of accounts that do not fit the model, as integers and strings."""
    fit = serving.fit
    if fit is None:
        return {}
    own: dict[str, Any] = {"unknown_categories": dict(fit.unknown_texts)} if fit.unknown_texts else {}
    if fit.own_drift:
        own["own_column_psi_milli"] = {name: round(index * 1000) for name, index in fit.own_drift.items()}
    return own | {
        "domain_declared": fit.domain_declared,
        "outside_domain": dict(fit.outside),
        "outside_domain_count": fit.outside_count,
        "lacking_features": dict(fit.lacking),
        "lacking_features_count": fit.lacking_count,
    }


def warnings_of(record: Mapping[str, Any], serving: Serving, ranking: Ranking, ledger: Ledger) -> list[str]:
    """Return, in sentences, what a person must know before trusting a ranking's scores and money; empty when all is well.

    Args:
        record: the ranking's record so far.
        serving: what scored.
        ranking: what was decided.
        ledger: where approvals of the other kinds are.
    """
    found = _score_warnings(record, serving, ranking)
    most = record["persons"]["most_account_count"]
    if most > _MOST_BELIEVABLE_ACCOUNTS:
        found.append(
            f"One person has {most:,} accounts, of which one is worked: if its customer_id stands for an unknown customer, leave "
            "the cell empty."
        )
    unplanned = record["health"].get("hours_not_planned_count", 0)
    if unplanned:
        found.append(
            f"hours not planned: {unplanned:,} accounts are worked where the law has hours, by queues whose plan does not say "
            "when they work; give the queues windows, or let whoever dials keep to the hours."
        )
    return found + _beside_warnings(record, serving, ledger)


def health_of_call(record: Mapping[str, Any], serving: Serving, ranking: Ranking, ledger: Ledger) -> dict[str, Any]:
    """Return the health of scores that are answered and not recorded, under the names that a ranking's record has.

    Args:
        record: what served: ``serving_record``, and versions and problems of the models beside the outcome model.
        serving: what scored.
        ranking: scored and valued accounts.
        ledger: where approvals of the other kinds are.
    """
    warnings = _score_warnings(record, serving, ranking) + _beside_warnings(record, serving, ledger)
    return health_of_scores(record, ranking.portfolio.account_count) | fit_health(serving) | {"warnings": warnings}


def _score_warnings(record: Mapping[str, Any], serving: Serving, ranking: Ranking) -> list[str]:
    found = [f"{d['step']} could not serve: {d['model_version']} {d['problem']}".replace("  ", " ") for d in record["degraded"]]
    found += fit_warnings(serving)
    if record["scores_stale"]:
        found.append(f"The scores expired on {record['scores_expire_on']}: the accounts describe too old a day.")
    out_of_order = int(ranking.worth.out_of_order.sum())
    if out_of_order:
        found.append(f"{out_of_order:,} accounts have payoffs out of the order cure, stay, default: check LGD and stay values.")
    return found


def _beside_warnings(record: Mapping[str, Any], serving: Serving, ledger: Ledger) -> list[str]:
    """Return what a person must know of the models beside the outcome model, and of approvals without a second person."""
    keys = ("effects_problem", "contact_problem", "recovery_problem")
    found = [f"{key.removesuffix('_problem')}: {record[key]}" for key in keys if record.get(key)]
    return found + _self_approved(record, serving, ledger)


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


def _self_approved(record: Mapping[str, Any], serving: Serving, ledger: Ledger) -> list[str]:
    names = []
    if serving.standing is not None and serving.standing.mode is ApprovalMode.SELF_APPROVED:
        names.append(serving.scorer.model_version)
    for kind, key in SERVED_KINDS.items():
        version = str(record.get(key, ""))
        if version.startswith(f"{kind}/"):
            standing = ledger.model_standing(kind).of(version.removeprefix(f"{kind}/"))
            names += [version] if standing.mode is ApprovalMode.SELF_APPROVED else []
    return [f"{name} is self-approved: no second person looked." for name in names]
