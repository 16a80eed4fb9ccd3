"""Own columns that a model may learn from: declared alike in all its portfolios, and no stand-in for a protected attribute."""

from __future__ import annotations

from collections_opt.application.training.periods import RecordedPeriods
from collections_opt.core.accounts.own_features import OwnFeature, check_declared_alike, own_features
from collections_opt.core.accounts.protected import check_no_protected


def learned_own(periods: RecordedPeriods) -> tuple[OwnFeature, ...]:
    """Return what a model can learn from the own columns of its portfolios.

    Features of the project's own are named by their makers: the age of a conversation is nobody's age.

    Raises:
        CollectionsError: as ``check_declared_alike`` and ``check_no_protected``.
    """
    check_declared_alike(dict(zip(periods.portfolio_ids, periods.portfolios, strict=True)))
    own = own_features(periods.portfolios)
    check_no_protected([one.name for one in own], "features")
    return own
