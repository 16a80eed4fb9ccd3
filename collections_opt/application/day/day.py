"""Everything that a day needs over one ledger: events, dispatch, live worklists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from collections_opt.application.answers.placement import Placer
from collections_opt.application.day.contact_checks import ContactChecks
from collections_opt.application.day.desk.desks import Desks
from collections_opt.application.day.desk.openings import Openings
from collections_opt.application.day.dispatch import Dispatch
from collections_opt.application.day.event_book import EventBook
from collections_opt.application.day.in_work import InWork
from collections_opt.application.day.live_worklists import LiveWorklists
from collections_opt.application.day.reviews import Reviews
from collections_opt.application.day.sight import AccountsInSight
from collections_opt.application.day.turns import Turns
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.leases import Leases
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.sealing.subject_keys import SubjectKeys


@dataclass(frozen=True)
class Day:
    """The use cases of a day."""

    events: EventBook
    dispatch: Dispatch
    worklists: LiveWorklists
    in_work: InWork
    checks: ContactChecks
    reviews: Reviews
    openings: Openings


def open_day(
    ledger: Ledger,
    keys: SubjectKeys,
    recorder: Recorder,
    recorded: RecordedRankings,
    placer: Placer,
    rule_tables: RuleTables,
    now: Callable[[], datetime],
) -> Day:
    """Return the use cases of a day over an open ledger.

    Args:
        ledger: the records.
        keys: the keys of accounts.
        recorder: opens what belongs to accounts, and signs the log.
        recorded: recorded rankings.
        placer: places changed accounts.
        rule_tables: what binds on a day.
        now: the clock.
    """
    log = EventLog(ledger.database, keys)
    events = EventBook(log, AccountsInSight(ledger, recorder.sealed), recorder, now)
    desks = Desks(ledger, recorder.sealed, recorded, placer, rule_tables)
    leases = Leases(ledger.database, log)
    turns = Turns(leases, desks.forget)
    openings = Openings(desks, turns, now)
    dispatch = Dispatch(openings, turns, events, keys, now)
    checks = ContactChecks(openings, turns, rule_tables, ledger.reads, keys, recorder.sealed, now)
    reviews = Reviews(events, ledger, recorder.sealed, leases, now)
    return Day(events, dispatch, LiveWorklists(openings, turns, now), InWork(ledger, now), checks, reviews, openings)
