"""A city's cap beside the shipped rules, and a book of which some accounts are in that city."""

from dataclasses import replace
from datetime import date

import numpy as np

from collections_opt.application.resources.approved import ApprovalCommand, SavedContent
from collections_opt.core.actors import Actor
from collections_opt.core.rules.tables import RuleTable
from tests.support.books.evidence_worlds import book
from tests.support.factories import CITY_CAP as CAP

ANN, BEN = Actor("ann", "ANALYST"), Actor("ben", "COMPLIANCE")
CITY, PLACE = "springfield", "US-IL-SPI"
EVE, DAY = date(2026, 12, 31), date(2027, 1, 1)


def city_table(**changes):
    """Return the city's table: at most two attempts within 7 days, made and planned."""
    return RuleTable("springfield-2027", (replace(CAP, **changes),), strict_places=True)


def city_book(day, count=60):
    """Return accounts on a day; every third one is in the city, with 0 to 2 attempts made."""
    raw = book(count, bad=0)
    state = np.where(np.arange(count) % 3 == 0, PLACE, "US-TX").astype(object)
    made = np.arange(count) // 3 % 3
    columns = {**raw.columns, "state": state, "attempts_last_7_days_count": made, "calls_last_7_days_count": made}
    return replace(raw, as_of_date=day, columns=columns)


def save_city(tables, day=DAY, etag=None, **changes):
    """Save the city's table and return the version."""
    return tables.save(SavedContent(CITY, day, city_table(**changes), etag), ANN).version


def approve(tables, version):
    """Let a second person approve a version."""
    return tables.approve(ApprovalCommand(version.resource_id, version.version), BEN).version
