"""Monitors as messages."""

from __future__ import annotations

import math

from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.application.records.monitor_facts import CellFigures, ChallengerFacts, ChallengerMoney, Figure, MonitorFacts
from collections_opt.core.value.outcomes import PROBABILITY_SCALE
from collections_opt.wire.common import write_date, write_enum


def write_monitor(facts: MonitorFacts) -> pb.Monitor:
    """Return what was found of a matured ranking."""
    return pb.Monitor(
        ranking_id=facts.ranking_id,
        portfolio_id=facts.portfolio_id,
        as_of_date=write_date(facts.as_of_date),
        plan_id=facts.plan_id,
        model_version=facts.model_version,
        effects_version=facts.effects_version,
        maturity_sequence=facts.maturity_seq,
        overlapping_ranking_id=facts.overlaps,
        unseen_count=facts.unseen_count,
        captured=[_captured(name, one) for name, one in facts.captured.items()],
        cells=[_cell(one) for one in facts.cells],
        challengers=[_challenger(name, one) for name, one in facts.challengers.items()],
    )


def _challenger(name: str, one: ChallengerFacts) -> pb.ChallengerLoss:
    return pb.ChallengerLoss(
        model_version=name,
        log_loss_difference=_figure(one.loss),
        judged_on=write_enum(pb.JudgedAccounts.DESCRIPTOR, one.judged_on),
        account_count=one.account_count,
        predicted=_share(one.predicted_nano),
        challenger_predicted=_share(one.challenger_predicted_nano),
        realised=_figure(Figure.of_nano(one.realised_nano)),
        money=None if one.money is None else _money(one.money),
    )


def _money(one: ChallengerMoney) -> pb.ChallengerMoney:
    least, most = one.gain_bounds_minor
    return pb.ChallengerMoney(
        dropped_count=one.dropped_count,
        added_count=one.added_count,
        moved_count=one.moved_count,
        gain_by_model_minor_units=one.gain_by_model_minor,
        gain_by_challenger_minor_units=one.gain_by_challenger_minor,
        least_gain_minor_units=least,
        most_gain_minor_units=most,
        cash_difference_minor_units=_whole(one.cash_difference_minor),
        drawn_count=one.drawn_count,
        contact_worth_minor_units=_whole(one.contact_worth_minor),
        contact_worth_by_model_minor_units=one.contact_worth_by_model_minor,
        contact_worth_by_challenger_minor_units=one.contact_worth_by_challenger_minor,
        dropped_drawn_count=one.dropped_drawn_count,
        dropped_worth_minor_units=_whole(one.dropped_worth_minor),
        why_unknown=one.why_unknown,
    )


def _share(nano: int | None) -> float | None:
    return None if nano is None else nano / PROBABILITY_SCALE


def _whole(minor: tuple[int, ...]) -> pb.MonitorFigure | None:
    return pb.MonitorFigure(value=minor[0], low=minor[1], high=minor[2]) if minor else None


def _captured(order: str, share: Figure) -> pb.CapturedMoney:
    return pb.CapturedMoney(order=write_enum(pb.CapturingOrder.DESCRIPTOR, order.upper()), share=_figure(share))


def _cell(one: CellFigures) -> pb.MonitorCell:
    return pb.MonitorCell(
        dimension=write_enum(pb.MonitorDimension.DESCRIPTOR, one.dimension.upper()),
        value=one.value,
        outcome=write_enum(pb.MonitoredOutcome.DESCRIPTOR, one.outcome.upper()),
        account_count=one.account_count,
        predicted=_known(one.predicted),
        realised=_figure(one.realised),
        level=_figure(one.level),
        slope=_figure(one.slope),
        brier_skill=_known(one.brier_skill),
        auc=_figure(one.auc),
        evidence_log=_known(one.level_log),
        alarm_log=_known(one.threshold_log),
        findable_odds_factor=_known(one.findable_odds),
        alarm=one.alarm,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _figure(one: Figure) -> pb.MonitorFigure | None:
    if not all(map(math.isfinite, (one.value, one.low, one.high))):
        return None
    return pb.MonitorFigure(value=one.value, low=one.low, high=one.high)
