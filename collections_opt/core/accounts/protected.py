"""What may never be an input of a decision: protected attributes and listed proxies (Reg B, 12 CFR 1002.4, 1002.6)."""

from __future__ import annotations

from collections.abc import Iterable

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason

PROTECTED_ATTRIBUTES = frozenset(
    {
        "age",
        "birth_date",
        "citizenship",
        "color",
        "colour",
        "date_of_birth",
        "disability",
        "education",
        "ethnicity",
        "gender",
        "marital_status",
        "marriage",
        "national_origin",
        "nationality",
        "public_assistance",
        "race",
        "religion",
        "sex",
    }
)
"""Attributes themselves, by the names files give them."""

LISTED_PROXIES = frozenset(
    {
        "city",
        "census_tract",
        "email_domain",
        "family_name",
        "first_name",
        "given_name",
        "language",
        "last_name",
        "maternity",
        "neighborhood",
        "postal_code",
        "postcode",
        "prefix_title",
        "salutation",
        "school",
        "surname",
        "title",
        "zip",
        "zip_code",
        "zip3",
        "zip5",
    }
)
"""Columns that stand in for one; redlining by place of living is the known case."""


def check_no_protected(names: Iterable[str], field: str) -> None:
    """Refuse names that are, or that contain as a word, a protected attribute or a listed proxy.

    Args:
        names: of features or segments.
        field: where they were given, for the message.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every one of them.
    """
    found = tuple(
        FieldViolation(
            f"{field}[{name}]",
            "is a protected attribute or a listed proxy for one.",
            "Leave it out of every model; fair treatment reads it from the group file.",
        )
        for name in names
        if is_protected(name)
    )
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(found)} name(s) may not be inputs of a decision.", found)


def is_protected(name: str) -> bool:
    """Return whether a name is, or contains as a word, a protected attribute or a listed proxy."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    words = f"_{plain}_"
    return any(f"_{listed}_" in words for listed in PROTECTED_ATTRIBUTES | LISTED_PROXIES)
