"""The ledger: one transaction makes a ranking exist, and nothing recorded is ever changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from collections_opt.ledger.events.event_days import EventDays
from collections_opt.ledger.identity import refuse_retired
from collections_opt.ledger.log.chain import Chain
from collections_opt.ledger.log.log import Log
from collections_opt.ledger.log.logged_rows import LoggedRows
from collections_opt.ledger.log.moments import Moments
from collections_opt.ledger.log.outbox import Outbox
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.ledger.objects.sweeping import Sweep, sweep_objects
from collections_opt.ledger.requests.claims import Claims
from collections_opt.ledger.requests.lives import Lives
from collections_opt.ledger.requests.requests import Requests
from collections_opt.ledger.requests.workers import Workers
from collections_opt.ledger.sealing.subject_keys import KeyVault, SubjectKeys
from collections_opt.ledger.store.database import Database, open_database
from collections_opt.ledger.tables.capacity_acts import CapacityActs
from collections_opt.ledger.tables.erasure import Erasure
from collections_opt.ledger.tables.history import History
from collections_opt.ledger.tables.model_events import ModelEvents
from collections_opt.ledger.tables.models import Models
from collections_opt.ledger.tables.outcomes import Outcomes
from collections_opt.ledger.tables.plans import Plans
from collections_opt.ledger.tables.portfolios import Portfolios
from collections_opt.ledger.tables.rankings import Rankings
from collections_opt.ledger.tables.reads import Reads
from collections_opt.ledger.tables.resources import Resources
from collections_opt.ledger.tables.worklists import Worklists


class Ledger:
    """Parts over one database, each with the records of one noun, and the objects that they name.

    ``requests`` holds what was asked for, ``claims`` who makes it, ``lives`` checks how it went. Ids and instants are passed in.
    Any thread may call any method of any part; writes wait for each other.
    """

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self.database = database
        self.objects = objects
        self.portfolios = Portfolios(database)
        self.plans = Plans(database)
        self.capacity_acts = CapacityActs(database)
        self.models = Models(database)
        self.moments = Moments(database)
        self.model_events = ModelEvents(database, self.moments)
        self.resources = Resources(database)
        self.rankings = Rankings(database)
        self.worklists = Worklists(database)
        self.chain = Chain(database)
        self.log = Log(database)
        self.history = History(database)
        self.erasure = Erasure(database)
        self.logged_rows = LoggedRows(database)
        self.outbox = Outbox(database)
        self.event_days = EventDays(database)
        self.outcomes = Outcomes(database)
        self.workers = Workers(database)
        self.requests = Requests(database)
        self.claims = Claims(database)
        self.lives = Lives(database)
        self.reads = Reads(database)

    def sweep_objects(self, grace: timedelta, now: datetime, dry_run: bool) -> Sweep:
        """Remove the objects that no record names, as ``sweeping.sweep_objects``."""
        return sweep_objects(self.database, self.objects, grace, now, dry_run)

    def subject_keys(self, vault: KeyVault) -> SubjectKeys:
        """Return the keys of accounts, kept beside the records under a master key."""
        return SubjectKeys(self.database, vault)

    def close(self) -> None:
        """Let the workers that joined here count as ended, and close all connections."""
        self.workers.leave()
        self.database.close()


def open_ledger(url: str, objects: ObjectStore) -> Ledger:
    """Open a ledger by SQLAlchemy URL, bringing its schema up to date; one that was moved takes no writes.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a kind of database other than SQLite and PostgreSQL, SCHEMA_MISMATCH when newer
            code wrote it.
    """
    database = open_database(url)
    refuse_retired(database)
    return Ledger(database, objects)
