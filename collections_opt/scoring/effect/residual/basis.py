"""The columns that a learned effect is linear in: about twenty-five, scaled and clipped as the model has frozen them.

All of them are recorded before contact: the scores without contact, lateness, money, payments, contacts already made, tenure and
the product where there are several. A lender's own columns come after them, a number as it is and a category as a flag per text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURES, build_features
from collections_opt.core.accounts.own_features import OwnFeature, indicator_names, own_indicators
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.scoring.effect.rows import LoggedContacts, log_odds

Floats = NDArray[np.float64]

CLIP = 3.0
"""Scaled columns end here on both sides, so that no single account moves an effect that is linear."""

INTERCEPT = "intercept"

PRODUCT_PREFIX = "product "

_FEATURES = (
    "days_past_due",
    "balance",
    "utilisation",
    "months_late",
    "months_since_payment",
    "payment_ratio_0",
    "payment_window_ratio",
    "months_on_book",
    "balance_growth",
    "status_change",
)
_SCORES = ("cure_log_odds", "default_log_odds")
_SQUARE = "cure_log_odds_squared"
CYCLE_DAYS = 30.0
_CYCLE = ("cycle_sine", "cycle_cosine", "cycle_sine_twice", "cycle_cosine_twice")
"""Where an account stands between two due days, by its days past due: a queue that calls at one time of the month meets some
accounts soon after their payday and others long after it.
"""

CONTACTS_GROUP, PRODUCT_GROUP, OWN_GROUP_PREFIX = "CONTACTS", "PRODUCT", "OWN_"
"""Groups of columns that the outcome model has none of."""

_MARK_GROUPS = {
    "utilisation_unknown": "UTILISATION",
    "contacts_1": CONTACTS_GROUP,
    "contacts_2": CONTACTS_GROUP,
    "contacts_3_or_more": CONTACTS_GROUP,
    "conversation_known": CONTACTS_GROUP,
}
_MARKS = tuple(_MARK_GROUPS)


@dataclass(frozen=True)
class AccountFacts:
    """What the columns are made of, n accounts: features float32 (n, f), log-odds without contact float64 (n, 2), contacts
    already made float64 (n,), whether a conversation is on record bool (n,), product bytes (n,), own columns float64 (n, m).
    """

    features: NDArray[np.float32]
    offset: Floats
    contacts: Floats
    conversation: NDArray[np.bool_]
    product: NDArray[np.bytes_]
    own: Floats

    @classmethod
    def of_log(cls, rows: LoggedContacts) -> AccountFacts:
        """Return those of a log's rows."""
        return cls(rows.features, rows.offset, rows.contacts, rows.conversation, rows.product, rows.own)

    @classmethod
    def of_portfolio(cls, portfolio: Portfolio, probability: Floats, own: Sequence[OwnFeature] = ()) -> AccountFacts:
        """Return those of accounts with their probabilities without contact, float64 (n, 3), and the own columns to read."""
        return cls(
            build_features(portfolio).matrix,
            log_odds(probability),
            portfolio.column("contacts_in_window_count").astype(np.float64),
            portfolio.is_present("days_since_conversation"),
            portfolio.column("product"),
            own_indicators(portfolio, own),
        )


@dataclass(frozen=True)
class Basis:
    """The columns with their frozen scaling; k of them, the intercept first.

    Attributes:
        names: of the columns.
        centre: subtracted from each.
        scale: each is divided by.
        products: codes with a column of their own, the most frequent one left out; empty where there is one product.
        own: the lender's own columns that were learned from, the last of the columns.
    """

    names: tuple[str, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    products: tuple[str, ...]
    own: tuple[OwnFeature, ...] = ()

    def design(self, facts: AccountFacts) -> Floats:
        """Return the columns of n accounts, float64 (n, k): centred, scaled, clipped, 0 where missing."""
        made = (_columns(facts, self.products) - np.array(self.centre)) / np.array(self.scale)
        made = np.clip(np.nan_to_num(made, nan=0.0), -CLIP, CLIP)
        square = self.names.index(_SQUARE)
        made[:, square] = made[:, self.names.index(_SCORES[0])] ** 2 - 1.0
        return np.asarray(made, dtype=np.float64)


def column_names(products: tuple[str, ...], own: Sequence[OwnFeature] = ()) -> tuple[str, ...]:
    """Return the names of the columns, the intercept first, those of products and own columns last."""
    of_products = (PRODUCT_PREFIX + code for code in products)
    return (INTERCEPT, *_SCORES, _SQUARE, *_FEATURES, *_MARKS, *_CYCLE, *of_products, *indicator_names(own))


def column_groups(products: tuple[str, ...], own: Sequence[OwnFeature] = ()) -> tuple[str, ...]:
    """Return the feature group of each column; "" of the intercept and of the scores, which all groups have a part in."""
    of_features = {feature.name: feature.group for feature in FEATURES} | _MARK_GROUPS | dict.fromkeys(_CYCLE, "DELINQUENCY")
    of_own = {name: f"{OWN_GROUP_PREFIX}{one.name.upper()}" for one in own for name in indicator_names((one,))}
    groups = of_features | of_own
    return tuple(
        PRODUCT_GROUP if name.startswith(PRODUCT_PREFIX) else groups.get(name, "") for name in column_names(products, own)
    )


def freeze_basis(facts: AccountFacts, own: tuple[OwnFeature, ...] = ()) -> Basis:
    """Return the columns scaled to mean 0 and spread 1 on these accounts; marks (0 or 1) of the schema stay as they are."""
    codes, counts = np.unique(facts.product, return_counts=True)
    products = tuple(code.decode() for code in np.delete(codes, counts.argmax())) if codes.size > 1 else ()
    names = column_names(products, own)
    values = _columns(facts, products)
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, values - centre, 0.0) ** 2).sum(axis=0) / count)
    free = {*_SCORES, *_FEATURES, *indicator_names(own)}
    scaled = np.array([name in free for name in names]) & (spread > 1e-9)
    ends = tuple(np.where(scaled, centre, 0.0).tolist()), tuple(np.where(scaled, spread, 1.0).tolist())
    return Basis(names, *ends, products, own)


def _columns(facts: AccountFacts, products: tuple[str, ...]) -> Floats:
    """Return the columns before scaling, NaN where missing; the square is made of the scaled column later."""
    places = [FEATURE_NAMES.index(name) for name in _FEATURES]
    chosen = facts.features[:, places].astype(np.float64)
    unknown = np.isnan(chosen[:, _FEATURES.index("utilisation")])
    ones, zeros = np.ones(len(facts.contacts)), np.zeros(len(facts.contacts))
    marks = (unknown, facts.contacts == 1, facts.contacts == 2, facts.contacts >= 3, facts.conversation)
    of_products = (facts.product == code.encode() for code in products)
    turn = 2.0 * np.pi * chosen[:, _FEATURES.index("days_past_due")] / CYCLE_DAYS
    cycle = (np.sin(turn), np.cos(turn), np.sin(2.0 * turn), np.cos(2.0 * turn))
    return np.column_stack([ones, facts.offset, zeros, chosen, *marks, *cycle, *of_products, facts.own]).astype(np.float64)
