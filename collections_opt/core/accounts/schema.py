"""The canonical account schema: every column with its meaning, unit, bounds and whether it may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from collections_opt.core.limits import (
    MAX_BALANCE_MINOR,
    MAX_CONTACT_COUNT,
    MAX_DAYS_PAST_DUE,
)


class ColumnKind(StrEnum):
    """How a column is held."""

    TEXT = "TEXT"
    MONEY = "MONEY"
    """int64 minor units."""
    COUNT = "COUNT"
    """int64."""
    RATE = "RATE"
    """float64."""
    FLAG = "FLAG"
    """bool."""
    HISTORY_MONEY = "HISTORY_MONEY"
    """int64 minor units (n, months), latest month first."""
    HISTORY_STATUS = "HISTORY_STATUS"
    """int64 months past due (n, months), latest month first; 0 or less is current."""


@dataclass(frozen=True)
class Column:
    """One column of the schema.

    Attributes:
        name: the name in every interface.
        kind: how it is held.
        meaning: one sentence for integrators.
        required: a missing value quarantines the account.
        low: smallest allowed value, or None.
        high: largest allowed value, or None.
        first_day: what a count of days since gives the day itself; 1 where that day is day 1.
        by_month: a count of the calendar month, which starts anew on its first day.
        held_if_sent: a portfolio holds it only where it was sent: portfolios of before it was known stay as they were.
    """

    name: str
    kind: ColumnKind
    meaning: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    first_day: int = 0
    held_if_sent: bool = False
    by_month: bool = False

    @cached_property
    def is_history(self) -> bool:
        """True for columns that hold a value per month."""
        return self.kind in (ColumnKind.HISTORY_MONEY, ColumnKind.HISTORY_STATUS)

    @cached_property
    def is_integer(self) -> bool:
        """True for columns held as int64."""
        return self.kind not in (ColumnKind.TEXT, ColumnKind.RATE, ColumnKind.FLAG)


_B = float(MAX_BALANCE_MINOR)
_C = float(MAX_CONTACT_COUNT)
_K = ColumnKind

BLOCK_FLAGS: tuple[str, ...] = (
    "bankruptcy",
    "deceased",
    "cease",
    "attorney",
    "dispute",
    "fraud",
    "open_promise",
    "vulnerable",
    "scra",
)
"""Flags that block contact or reserve the account for specialist queues (value-model rules)."""

CHOICES: MappingProxyType[str, str] = MappingProxyType(
    {
        "no_calls": "The person asked not to be called.",
        "no_texts": "The person asked not to be sent text messages.",
        "no_emails": "The person asked not to be sent electronic mail.",
        "no_letters": "The person asked not to be sent letters.",
        "no_visits": "The person asked not to be visited.",
        "consent_automated_calls": "The person consented to calls by an automatic dialler or an artificial or recorded voice.",
        "consent_automated_texts": "The person consented to text messages that are sent automatically.",
    }
)
"""Flags of what the person chose: media that were refused, and automated contact that was agreed to."""

CALENDAR: tuple[tuple[str, str], ...] = (
    ("calls_today_count", "Calls placed to the person on the as-of date, in the person's day."),
    ("attempts_today_count", "Attempts on all channels on the as-of date."),
    ("calls_last_2_days_count", "Calls placed on the as-of date and the day before."),
    ("calls_this_month_count", "Calls placed in the calendar month of the as-of date."),
    ("attempts_this_month_count", "Attempts on all channels in the calendar month of the as-of date."),
)
"""Counts that laws of some places cap by day or by month."""

_COLUMNS: tuple[Column, ...] = (
    Column("account_id", _K.TEXT, "The lender's id of the account; unique in a portfolio.", required=True),
    Column("customer_id", _K.TEXT, "The lender's id of the person who owes."),
    Column("product", _K.TEXT, "Product code, such as CREDIT_CARD; decides LGD, CCF and eligible queues.", required=True),
    Column("state", _K.TEXT, "Jurisdiction of the consumer, ISO 3166 (US-MA, TW)."),
    Column("time_zone", _K.TEXT, "IANA time zone at the consumer's location."),
    Column("balance_minor", _K.MONEY, "Balance B; zero or less is a credit balance.", required=True, low=-_B, high=_B),
    Column("arrears_minor", _K.MONEY, "Arrears A: the part of the balance past due.", required=True, low=0, high=_B),
    Column("credit_limit_minor", _K.MONEY, "Credit limit; the undrawn part enters EAD.", low=0, high=_B),
    Column("days_past_due", _K.COUNT, "Days past due at the as-of date.", required=True, low=0, high=MAX_DAYS_PAST_DUE),
    Column("months_on_book", _K.COUNT, "Months since origination.", low=0, high=1_200),
    Column(
        "days_to_charge_off",
        _K.COUNT,
        "Days to contractual charge-off; caps the horizon.",
        low=0,
        high=MAX_DAYS_PAST_DUE,
    ),
    Column(
        "loss_given_default",
        _K.RATE,
        "LGD of the account; missing takes the recovery model's, or the product's.",
        low=0.0,
        high=1.0,
    ),
    Column("contacts_in_window_count", _K.COUNT, "Outbound contacts already made in the effect window.", low=0, high=_C),
    Column("calls_last_7_days_count", _K.COUNT, "Calls placed about this debt within 7 days.", low=0, high=_C),
    Column("attempts_last_7_days_count", _K.COUNT, "Attempts on all channels within 7 days.", low=0, high=_C),
    Column(
        "days_since_conversation",
        _K.COUNT,
        "Days since a telephone conversation; its day is 1.",
        low=1,
        high=MAX_DAYS_PAST_DUE,
        first_day=1,
    ),
    *(Column(name, _K.FLAG, f"Block flag: {name.replace('_', ' ')}.") for name in BLOCK_FLAGS),
    Column("status_history", _K.HISTORY_STATUS, "Months past due per past month, latest first.", low=-2, high=120),
    Column("balance_history_minor", _K.HISTORY_MONEY, "Statement balance per month, latest first.", low=-_B, high=_B),
    Column("payment_history_minor", _K.HISTORY_MONEY, "Money paid per month, latest first.", low=0, high=_B),
    Column(
        "contact_facts_days_old",
        _K.COUNT,
        "Days since the counts and days of contacts were last true; 0 is the as-of date.",
        low=0,
        high=MAX_DAYS_PAST_DUE,
        held_if_sent=True,
    ),
    Column(
        "flag_facts_days_old",
        _K.COUNT,
        "Days since the block flags, choices and consents were last true; 0 is the as-of date.",
        low=0,
        high=MAX_DAYS_PAST_DUE,
        held_if_sent=True,
    ),
    *(Column(name, _K.COUNT, meaning, low=0, high=_C, held_if_sent=True, by_month="month" in name) for name, meaning in CALENDAR),
    Column("language", _K.TEXT, "Language that the person chose, ISO 639 (en, es).", held_if_sent=True),
    *(Column(name, _K.FLAG, meaning, held_if_sent=True) for name, meaning in CHOICES.items()),
)

ACCOUNT_SCHEMA: MappingProxyType[str, Column] = MappingProxyType({column.name: column for column in _COLUMNS})
"""All columns by name, in canonical order."""

FACT_GROUPS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "contacts": (
            "contacts_in_window_count",
            "calls_last_7_days_count",
            "attempts_last_7_days_count",
            "days_since_conversation",
            *(name for name, _ in CALENDAR),
        ),
        "flags": (*BLOCK_FLAGS, *CHOICES),
    }
)
"""Facts that are brought up to date together, by the name under which a capacity plan bounds their age."""

AGE_COLUMNS: MappingProxyType[str, str] = MappingProxyType({"contacts": "contact_facts_days_old", "flags": "flag_facts_days_old"})
"""The column that says how old a group's facts are."""

SCHEMA_VERSION = "accounts-1"
"""Recorded with every portfolio; changes whenever a column or bound changes that every portfolio holds."""
