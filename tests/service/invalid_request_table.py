"""What the sweep over broken requests expects where the rule "refused at its own path" does not say it all.

Keys are regular expressions over ``Method path: how``.
"""

from __future__ import annotations

REASONS = {
    "INVALID_ARGUMENT",
    "LIMIT_EXCEEDED",
    "NOT_FOUND",
    "PAGE_TOKEN_INVALID",
    "SCHEMA_MISMATCH",
    "CURRENCY_MISMATCH",
    "CAPACITY_PLAN_NOT_EFFECTIVE",
    "ETAG_MISMATCH",
}
"""Reasons that a broken request may be told."""

ANSWERED: dict[str, str] = {
    r".* page_size: largest": "sizes above the limit are cut to it",
    r".*capacity_plan.queues\[0\]\.(agent_count|paid_minutes|effect\.(right_party_contact_rate|theta_\w+)): missing": "zero is a value",
    r".*capacity_plan.queues\[0\]\.effect\.theta_\w+: -1": "contact may do harm",
}
"""Broken fields that are no fault, and why."""

TOLD_AT: dict[str, str] = {
    r"(\w+) (header\.|capacity_plan\.)?(as_of_date|effective_from)\.(year|month|day): .*": r"(header\.|capacity_plan\.)?(as_of_date|effective_from)",
}
"""Broken fields that are told at another path (a regular expression)."""
