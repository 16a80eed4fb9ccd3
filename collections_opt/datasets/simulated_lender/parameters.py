"""What the simulated lender is made of: every figure with where it comes from, or that it is this project's choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "cure_rate, early_charge_off_rate": (
            "Bundled UCI accounts (I-C. Yeh, CC BY 4.0): statuses 2 to 5 cure within a month in .26-.34, .11-.22, .00-.06 and "
            ".00-.06 of cases; what accounts of buckets 2 to 5 do here is near that. Buckets 0 and 1 extend the curve: choice."
        ),
        "roll_share": (
            "Bundled UCI accounts: statuses 3 to 5 worsen within a month in .22-.34, .25-.36 and .18-.60 of cases. Bucket 1: "
            "about one in five 30-day accounts reaches 60 days (industry figure, prove.com glossary, 'roll rate')."
        ),
        "delinquency_flow": "Bundled UCI accounts: .032 to .061 of current accounts turn late per month, May to August 2005.",
        "charge_off_bucket": (
            "180 days open-end, 120 days closed-end: Uniform Retail Credit Classification and Account Management Policy, "
            "65 FR 36903, 12 June 2000."
        ),
        "recovery_zero, recovery_full, recovery_mean": (
            "Recoveries offset 11 to 32 % of gross charge-offs of a large card issuer, 2010 to 2012 (American Banker, "
            "'Recoveries Curb Card Loss Rates'); 10 to 14 % of exposure without a settlement (LendingClub, 2015 loans)."
        ),
        "queues.theta_cure, queues.theta_default": (
            "Borrowers who speak with a randomly assigned bank agent repay on time 34.4 points more often and default 23.8 "
            "points less (Laudenbach, Pirschel, Siegel, 'Personal Communication in an Automated World', SAFE summary). Smaller "
            "here, a month being shorter than their window. Text reminders alone did not robustly improve repayment (Karlan, "
            "Morten, Zinman, NBER 17952). How effects differ between accounts: choice."
        ),
        "queues.right_party_rate, shrinkage": (
            "8 to 10 right-party contacts per agent-hour after charge-off, shrinkage 13 to 39 %, mean 27 %: the figures this "
            "project's capacity arithmetic uses. The split over queues: choice."
        ),
        "payment_share": (
            "Bundled UCI accounts: .44 to .68 of those that do not cure pay something, in the median .04 to .10 of the balance."
        ),
        "limit_spread": "Bundled UCI limits: quartiles in the ratio .36 : 1 : 1.7.",
        "willingness_weight, shock_weight": (
            "Choice, such that recorded columns tell cures apart nearly as well as on the bundled UCI accounts (AUC .81)."
        ),
        "flags, states, holdout, desk": "Choice.",
    }
)
"""Where the figures below come from. ``choice`` means that no published figure was found and the project chose one."""


@dataclass(frozen=True)
class ProductParameters:
    """One product.

    Attributes:
        code: product code.
        share: of the book.
        is_card: open-end, with a limit.
        limit_median_minor: median credit limit or amount lent.
        limit_spread: standard deviation of its logarithm.
        instalment_share: monthly instalment (minimum payment) as a share of the balance.
        monthly_rate: interest per month.
        charge_off_bucket: bucket at which the account is charged off.
        tail_exponent: exponent of a Pareto tail of the amounts, 0 for none.
        recovery_zero, recovery_full, recovery_mean: as in ``LenderParameters``; None takes the lender's.
    """

    code: str
    share: float
    is_card: bool
    limit_median_minor: float
    limit_spread: float
    instalment_share: float
    monthly_rate: float
    charge_off_bucket: int
    tail_exponent: float = 0.0
    recovery_zero: float | None = None
    recovery_full: float | None = None
    recovery_mean: float | None = None


@dataclass(frozen=True)
class QueueTruth:
    """What a contact in one queue truly does.

    Log-odds shifts given a right-party contact: ``theta + sum of slopes x segment + spread x persuadability``, times
    ``repeat_decay ** contacts``; segments are those of ``behaviour.SEGMENTS``.

    Attributes:
        queue_id: id of the queue in the desk's plan.
        right_party_rate: for an average account.
        theta_cure: shift of cure:stay for an average account.
        theta_default: downward shift of default:stay for an average account.
        cure_slopes: per segment.
        default_slopes: per segment.
        spread: part that no recorded column explains.
        repeat_decay: gamma.
        buckets: buckets the queue serves.
        specialist: serves only vulnerable, deceased and servicemember accounts, and only it does.
    """

    queue_id: str
    right_party_rate: float
    theta_cure: float
    theta_default: float
    cure_slopes: tuple[float, ...]
    default_slopes: tuple[float, ...]
    spread: float
    repeat_decay: float
    buckets: tuple[int, ...]
    specialist: bool = False


_PRODUCTS = (
    ProductParameters("CREDIT_CARD", 0.60, True, 450_000, 0.8, 0.03, 0.018, 6),
    ProductParameters("STORE_CARD", 0.15, True, 150_000, 0.6, 0.04, 0.022, 6),
    ProductParameters("PERSONAL_LOAN", 0.25, False, 900_000, 0.7, 0.04, 0.010, 4),
)

_QUEUES = (
    QueueTruth("early-calls", 0.45, 1.10, 0.40, (-0.40, -0.20, 0.80, -0.30, 0.20), (0, -0.10, 0.20, 0, 0), 0.15, 0.85, (0, 1, 2)),
    QueueTruth(
        "late-calls", 0.32, 0.80, 0.60, (-0.50, -0.15, 0.80, -0.30, 0.20), (-0.20, 0, 0.30, 0, 0), 0.15, 0.85, (2, 3, 4, 5)
    ),
    QueueTruth(
        "senior-negotiators", 0.42, 1.40, 0.90, (-0.30, -0.10, 0.50, -0.20, 0.50), (-0.10, 0, 0.20, 0, 0.20), 0.20, 0.90, ()
    ),
    QueueTruth("text-reminders", 0.60, 0.12, 0.00, (-0.10, -0.05, 0.30, -0.10, 0.00), (0, 0, 0, 0, 0), 0.05, 0.70, (0, 1)),
    QueueTruth("hardship", 0.50, 0.60, 0.80, (0, 0, 0.20, 0, 0), (0, 0, 0, 0, 0), 0.15, 0.95, (), specialist=True),
)

_STATES = (
    ("US-CA", "America/Los_Angeles", 0.20),
    ("US-TX", "America/Chicago", 0.16),
    ("US-FL", "America/New_York", 0.13),
    ("US-NY", "America/New_York", 0.07),
    ("US-NY-NYC", "America/New_York", 0.06),
    ("US-IL", "America/Chicago", 0.08),
    ("US-OH", "America/New_York", 0.08),
    ("US-MA", "America/New_York", 0.05),
    ("US-WA", "America/Los_Angeles", 0.05),
    ("US-CO", "America/Denver", 0.05),
    ("US-AZ", "America/Phoenix", 0.05),
    ("", "", 0.02),
)

_FLAGS = (
    ("bankruptcy", 0.006),
    ("deceased", 0.002),
    ("cease", 0.006),
    ("attorney", 0.005),
    ("dispute", 0.008),
    ("fraud", 0.002),
    ("vulnerable", 0.020),
    ("scra", 0.003),
)


@dataclass(frozen=True)
class LenderParameters:
    """The world. Rates are per month.

    Attributes:
        first_month: month of snapshot 0; snapshots are at month ends.
        months: snapshots 0 .. months - 1.
        history_months: months lived before snapshot 0, and months of history in the columns.
        products: shares sum to 1.
        queues: the desk's queues, in the plan's order.
        cure_rate: by bucket, of an average account without contact.
        early_charge_off_rate: by bucket, bankruptcy and the like; in a product's last bucket a roll is a charge-off too.
        roll_share: by bucket, share of the accounts that stay which roll to the next bucket.
        delinquency_flow: share of current accounts that turn late.
        willingness_weight: of the lasting trait in the log-odds of a cure.
        shock_weight: of the passing trait.
        shock_memory: autocorrelation of the passing trait.
        reach_correlation: correlation of reachability and willingness.
        payment_share: share of the accounts that roll which pay something all the same.
        recovery_zero, recovery_full: chance of no and of full recovery after charge-off.
        recovery_mean: mean share otherwise.
        randomised_share: share of account-months in the randomised holdout.
        holdout_propensity: chance of contact in it.
        contact_intercept, contact_slope: log-odds of contact by hardness where the desk chooses: hard cases get more calls.
        hidden_share: share of the hardness that the desk sees and no column records.
        promise_rate: promises per right-party contact.
        states: code, time zone, share.
        flags: block flags and their shares.
    """

    first_month: date = date(2025, 1, 31)
    months: int = 24
    history_months: int = 8
    products: tuple[ProductParameters, ...] = _PRODUCTS
    queues: tuple[QueueTruth, ...] = _QUEUES
    cure_rate: tuple[float, ...] = (0.70, 0.62, 0.66, 0.54, 0.32, 0.20)
    early_charge_off_rate: tuple[float, ...] = (0.004, 0.008, 0.012, 0.020, 0.030, 0.040)
    roll_share: tuple[float, ...] = (0.45, 0.36, 0.34, 0.40, 0.45, 0.55)
    delinquency_flow: float = 0.045
    willingness_weight: float = 0.6
    shock_weight: float = 0.3
    shock_memory: float = 0.7
    reach_correlation: float = 0.3
    payment_share: float = 0.3
    recovery_zero: float = 0.55
    recovery_full: float = 0.03
    recovery_mean: float = 0.30
    randomised_share: float = 0.25
    holdout_propensity: float = 0.5
    contact_intercept: float = -0.6
    contact_slope: float = 1.2
    hidden_share: float = 0.15
    promise_rate: float = 0.5
    states: tuple[tuple[str, str, float], ...] = _STATES
    flags: tuple[tuple[str, float], ...] = field(default=_FLAGS)

    @property
    def queue_ids(self) -> tuple[str, ...]:
        """Ids of the desk's queues."""
        return tuple(queue.queue_id for queue in self.queues)

    def recovery(self, name: str) -> list[float]:
        """Return a recovery figure per product: ``recovery_zero``, ``recovery_full`` or ``recovery_mean``."""
        own = [getattr(product, name) for product in self.products]
        return [float(getattr(self, name)) if value is None else value for value in own]
