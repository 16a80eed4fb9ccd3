"""The errors every floor raises: one reason, the fields at fault, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a request was refused. Each value has its twin in ``error_reason.proto``."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    MALFORMED_MESSAGE = "MALFORMED_MESSAGE"
    SCHEMA_MISMATCH = "SCHEMA_MISMATCH"
    MIXED_CURRENCIES = "MIXED_CURRENCIES"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    ETAG_MISMATCH = "ETAG_MISMATCH"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a reason, not a secret
    CAPACITY_PLAN_NOT_EFFECTIVE = "CAPACITY_PLAN_NOT_EFFECTIVE"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    RANKING_NOT_COMPLETE = "RANKING_NOT_COMPLETE"
    RANKING_FAILED = "RANKING_FAILED"
    VALUE_OVERFLOW = "VALUE_OVERFLOW"
    INTEGRITY_FAILURE = "INTEGRITY_FAILURE"
    DEADLINE_REQUIRED = "DEADLINE_REQUIRED"
    OVERLOADED = "OVERLOADED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    INTERNAL = "INTERNAL"
    RANKING_ABANDONED = "RANKING_ABANDONED"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    MODEL_STATE_CONFLICT = "MODEL_STATE_CONFLICT"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    MUST_BE_KEPT = "MUST_BE_KEPT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    SCORES_SUSPECT = "SCORES_SUSPECT"
    RESOURCE_STATE_CONFLICT = "RESOURCE_STATE_CONFLICT"
    VALUES_MISSING = "VALUES_MISSING"
    VALUES_OUT_OF_ORDER = "VALUES_OUT_OF_ORDER"
    RANKING_NOT_IN_FORCE = "RANKING_NOT_IN_FORCE"
    LEASE_LOST = "LEASE_LOST"
    STORE_MISMATCH = "STORE_MISMATCH"
    LEDGER_HALTED = "LEDGER_HALTED"
    KEYS_MISMATCH = "KEYS_MISMATCH"
    RANKING_NOT_MATURE = "RANKING_NOT_MATURE"


@dataclass(frozen=True)
class FieldViolation:
    """One field at fault: its path (``accounts[3].balance_minor``), what is wrong, and the remedy."""

    field: str
    description: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return the violation as one line for people."""
        remedy = f" Remedy: {self.remedy}" if self.remedy else ""
        return f"{self.field}: {self.description}{remedy}"


class CollectionsError(Exception):
    """A refusal that the caller can act on.

    Args:
        reason: the stable, machine-readable reason.
        message: one sentence for people, saying what to do next.
        violations: the fields at fault, if any.
        resource: name of what was not found, as it was asked for; empty where nothing was looked up.
    """

    def __init__(self, reason: Reason, message: str, violations: tuple[FieldViolation, ...] = (), resource: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.violations = violations
        self.resource = resource

    def __str__(self) -> str:
        """Return the message followed by one line per field at fault that it does not tell itself."""
        return "\n  ".join([self.message, *(line for line in map(str, self.violations) if line != self.message)])


def refuse(reason: Reason, field: str, description: str, remedy: str = "", resource: str = "") -> CollectionsError:
    """Return the error for a single field at fault; the message repeats the field so that it stands alone."""
    violation = FieldViolation(field, description, remedy)
    return CollectionsError(reason, str(violation), (violation,), resource)
