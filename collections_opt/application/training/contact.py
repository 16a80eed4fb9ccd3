"""Learn contact probabilities from recorded portfolios and their contact logs, and write the version for people to approve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from collections_opt.application.training.own_columns import learned_own
from collections_opt.application.training.periods import creation_text, read_periods
from collections_opt.application.workspace import Workspace
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.scoring.contact.artifacts import CONTACT_ENGINE, CONTACT_KIND, write_contact
from collections_opt.scoring.contact.features import CONTACT_FEATURE_SET_VERSION, contact_feature_names
from collections_opt.scoring.contact.training import LearnedContacts, LevelShift, check_own_contacts, contact_rows, learn_contacts
from collections_opt.scoring.versions.artifacts import Manifest


@dataclass(frozen=True)
class ContactTraining:
    """What to learn from: portfolios in order of time with the log of the contacts that followed each, and the plan's queues."""

    version: str
    logs: Sequence[tuple[str, ContactLog]]
    plan: CapacityPlan
    seed: int = 1


@dataclass(frozen=True)
class ContactReport:
    """What was learned, its figures on the last period, and where it was written."""

    learned: LearnedContacts
    metrics: dict[str, float]
    folder: Path


def train_contacts(workspace: Workspace, root: Path, training: ContactTraining, created_at: datetime) -> ContactReport:
    """Learn the contact probabilities and write ``root/contact/version``.

    Raises:
        CollectionsError: NOT_FOUND for an unknown portfolio or queue; INVALID_ARGUMENT for too few periods or contacts,
            portfolios out of order, or a time without zone; ALREADY_EXISTS when the version exists with other bytes.
    """
    made_at = creation_text(created_at)
    recorded, plan = read_periods(workspace, [portfolio_id for portfolio_id, _ in training.logs]), training.plan
    own = learned_own(recorded)
    given = zip(recorded.portfolios, training.logs, strict=True)
    periods = [contact_rows(accounts, log, plan, own) for accounts, (_, log) in given]
    check_own_contacts(periods, own)
    learned = learn_contacts(periods, plan, training.version, training.seed)
    learned = replace(learned, model=replace(learned.model, own=own))
    metrics = contact_metrics(learned)
    fitted, calibrated, judged = learned.row_counts
    manifest = Manifest(
        kind=CONTACT_KIND,
        version=training.version,
        feature_set_version=CONTACT_FEATURE_SET_VERSION,
        feature_names=contact_feature_names(own),
        calibration_version="line-by-channel",
        files={},
        training={
            **recorded.told(),
            "plan": f"{plan.plan_id}/{plan.version}",
            "fitted_count": fitted,
            "calibrated_count": calibrated,
            "judged_count": judged,
            "dropped_count": learned.dropped_count,
            "left_out": learned.left_out,
            "level_shifts": {channel: asdict(level) for channel, level in learned.levels.items()},
            "seed": training.seed,
        },
        metrics=metrics,
        created_at=made_at,
        engine=CONTACT_ENGINE,
        own_columns=own,
    )
    return ContactReport(learned, metrics, write_contact(root, manifest, learned.model, contact_card(learned)))


def contact_metrics(learned: LearnedContacts) -> dict[str, float]:
    """Return the figures of the last period by channel; channels in small cells have none."""
    metrics: dict[str, float] = {}
    for channel, judged in learned.judged.items():
        if judged is not None:
            name = channel.lower()
            metrics |= {
                f"{name}_rate": judged.rate,
                f"{name}_auc": judged.auc.value,
                f"{name}_log_loss": judged.log_loss,
                f"{name}_log_loss_of_plan": learned.planned[channel],
                f"{name}_ece": judged.ece,
                f"{name}_calibration_slope": judged.slope.value,
                f"{name}_calibration_intercept": judged.intercept.value,
            }
    return metrics


def contact_card(learned: LearnedContacts) -> str:
    """Return the model card: figures on contacts that nothing was fitted on, and what the model does not say."""
    fitted, calibrated, judged_count = learned.row_counts
    lines = [
        f"# Contact model {learned.model.version}",
        "",
        f"Chance that a queue's attempts reach the right party. Fitted on {fitted:,} contacts, calibrated on {calibrated:,} of",
        f"a later period and judged on {judged_count:,} of the last one.",
        "",
        "| channel | contacts | rate | AUC | log loss | of the plan's rates | ECE | slope (95 %) |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for channel, judged in learned.judged.items():
        if judged is None:
            lines.append(f"| {channel} | too few to judge | - | - | - | - | - | - |")
            continue
        slope = f"{judged.slope.value:.2f} ({judged.slope.low:.2f} to {judged.slope.high:.2f})"
        lines.append(
            f"| {channel} | {judged.count:,} | {judged.rate:.3f} | {judged.auc.value:.3f} | {judged.log_loss:.4f} | "
            f"{learned.planned[channel]:.4f} | {judged.ece:.4f} | {slope} |"
        )
    if learned.model.own:
        told = "; ".join(f"{one.field}: {one.meaning}" for one in learned.model.own)
        lines += ["", f"Own columns it learned from, without which it does not serve: {told}"]
    lines += ["", *(f"{channel} was not learned: {why}." for channel, why in learned.left_out.items())]
    lines += [_level_sentence(channel, level) for channel, level in learned.levels.items()]
    lines += [
        "Learned from accounts that were contacted: where the desk never tried, the chance is carried over from accounts alike.",
        "Queues without enough contacts keep the level of the capacity plan's rate; channels not learned keep the rate itself.",
        "",
    ]
    return "\n".join(lines)


def _level_sentence(channel: str, level: LevelShift) -> str:
    if not level.log_odds:
        few = f"{level.count:,} contacts by chance are too few to say how much the desk's choice of reachable people overstates"
        return f"{channel}: {few}."
    return (
        f"{channel}: {level.count:,} contacts by chance moved the log-odds by {level.log_odds:+.3f}, against the desk's choice."
    )
