"""A small what-if with curves, every kind of queue in it."""

from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.what_if_summary import (
    AccountMove,
    CapacityCurves,
    CurveFigures,
    CurvePointFigures,
    MinutesRange,
    PlanState,
    PriceBand,
    QueueState,
    QueueWhatIf,
    RecoveryFigures,
    WhatIfSummary,
)

BAND = PriceBand(190.0, 215.0, True)


def state(agents, minutes, worked, value, price=200.0, band=BAND):
    return QueueState(agents, minutes, minutes, worked, value, price, band)


def what_if(**changes):
    queues = (
        QueueWhatIf("calls", state(2, 600, 40, 400_000), state(3, 900, 55, 450_000, 150.0), 60_000.0),
        QueueWhatIf("<texts>", state(1, 300, 20, 100_000, 0.0, PriceBand(0.0, 0.0, False)), None, None),
        QueueWhatIf("new", None, state(1, 60, 2, 1_000), None),
    )
    fields = {
        "ranking_id": "rk-1",
        "currency_code": "USD",
        "before": PlanState(500_000, 500_100, 2e-4, 60, 900.0, 900.0),
        "after": PlanState(451_000, 451_000, 0.0, 57, 960.0, 960.0),
        "change_minor": -49_000,
        "predicted_minor": 60_000.0,
        "highest_minor": 70_000,
        "queues": queues,
        "entering_count": 17,
        "leaving_count": 20,
        "changing_count": 1,
        "flows": (AccountMove("<texts>", "", 90_000, 0, 20), AccountMove("", "calls", 0, 45_000, 17)),
        "moved": (
            AccountMove("<texts>", "", 5_000, 0, account_id="a<1>"),
            AccountMove("calls", "new", 4_000, 3_900, account_id="b"),
        ),
    }
    return WhatIfSummary(**{**fields, **changes})


def curve(queue_id, minutes, kept=None):
    points = tuple(
        CurvePointFigures(
            f, minutes * f, int(100_000 * f**0.5), int(100_100 * f**0.5), 100.0 / (f + 0.1), 100_000 + 50_000 * (f - 1)
        )
        for f in (0.0, 0.5, 1.0, 1.1, 2.0)
    )
    return CurveFigures(queue_id, points, BAND if queue_id else None, kept)


def curves():
    return CapacityCurves(
        whole=curve("", 900),
        queues=(
            curve("calls", 600, MinutesRange(500, 700, False, False)),
            curve("<texts>", 300, MinutesRange(0, 1_200, True, True)),
        ),
        recoveries=(
            RecoveryFigures(None, 300_000, 0.4, 0.39),
            RecoveryFigures(Ordering.BALANCE, 450_000, 0.8, 0.79),
            RecoveryFigures(Ordering.RANDOM, 600_000, None, 0.0),
        ),
    )
