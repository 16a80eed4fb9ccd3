"""Opens rankings for a day's work and keeps the last ones in memory; what changed about accounts is placed anew at the prices."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from collections_opt.application.answers.placement import Placer
from collections_opt.application.day.desk.gate import Gate
from collections_opt.application.day.desk.live_desk import NOT_WORKED, Came, LiveDesk, Place
from collections_opt.application.rankings.in_force import require_workable
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.rankings.rolling import known_through
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.rules.tables import RuleTable
from collections_opt.core.scopes import present_scope
from collections_opt.ledger.events.leases import LeaseTurn, Standing
from collections_opt.ledger.ledger import Ledger

_KEPT = 4
"""Rankings in memory: the desks of a lender's day."""

_NEWEST = 16
"""Rankings that a server which starts looks at: those of a day, comparisons among them."""

_PAGE = 4_000
"""Events taken in at once: opened together, each costs a third of what it costs alone."""


class Desks:
    """Rankings in work.

    Args:
        ledger: the records.
        sealed: opens what belongs to accounts.
        recorded: recorded rankings.
        placer: places changed accounts at a ranking's prices.
        rule_tables: what binds on a day.
    """

    def __init__(
        self,
        ledger: Ledger,
        sealed: SealedRecords,
        recorded: RecordedRankings,
        placer: Placer,
        rule_tables: RuleTables,
    ) -> None:
        self._ledger = ledger
        self._sealed = sealed
        self._recorded = recorded
        self._placer = placer
        self._rule_tables = rule_tables
        self._kept: OrderedDict[tuple[str, int], tuple[LiveDesk, Gate]] = OrderedDict()
        self._rules: dict[tuple[date, tuple[int, int]], RuleTable] = {}

    def forget(self) -> None:
        """Open every ranking again when it is next asked for."""
        self._kept.clear()

    def require_in_sight(self, ranking_id: str) -> None:
        """Refuse a ranking out of the present caller's sight, as one that is not there: what is in memory knows no callers.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        if present_scope().is_limited:
            self._ledger.requests.requested(ranking_id)

    def newest(self) -> list[str]:
        """Return the rankings that may be in work, newest first."""
        return [record.ranking_id for record in self._ledger.rankings.before(None, _NEWEST)]

    def holds(self, ranking_id: str) -> bool:
        """Return whether a ranking was opened, perhaps before an erasure."""
        return any(ranking_id == kept for kept, _ in list(self._kept))

    def is_open(self, ranking_id: str, standing: Standing) -> bool:
        """Return whether a ranking is in memory as the ledger stands."""
        return (ranking_id, standing.erasures) in self._kept

    def currency_of(self, ranking_id: str) -> str:
        """Return the currency of a ranking in work.

        Raises:
            CollectionsError: as ``RecordedRankings.finished``.
        """
        found = next((desk for (kept, _), (desk, _) in list(self._kept.items()) if kept == ranking_id), None)
        if found is not None:
            return found.portfolio.currency_code
        return RankingFacts.from_record(self._recorded.finished(ranking_id).record).inputs.currency_code

    def open(self, ranking_id: str, now: datetime, standing: Standing) -> tuple[LiveDesk, Gate]:
        """Return a ranking in work and its gate under the rules in force, and keep it in memory.

        Args:
            ranking_id: which.
            now: the clock.
            standing: how the ledger stands.

        Raises:
            CollectionsError: NOT_FOUND, RANKING_NOT_COMPLETE; RANKING_NOT_IN_FORCE for a ranking of another day or for analysis.
        """
        found = self._kept.get((ranking_id, standing.erasures))
        if found is None:
            desk, gate = self.opened(ranking_id, now, standing)
        else:
            desk, gate = found
            _require_today(ranking_id, desk.day, desk.zone, now)
            rules = self._rules_of(desk.day, standing.rules)
            gate = gate if gate.rules is rules else Gate(desk, rules)
        self.keep(ranking_id, standing, desk, gate)
        return desk, gate

    def opened(self, ranking_id: str, now: datetime, standing: Standing) -> tuple[LiveDesk, Gate]:
        """Return a ranking as ``open`` does, read anew and kept nowhere; any thread may."""
        _require_today(ranking_id, *self._day_of(ranking_id), now)
        desk = self._opened(ranking_id)
        return desk, Gate(desk, self._rules_of(desk.day, standing.rules))

    def keep(self, ranking_id: str, standing: Standing, desk: LiveDesk, gate: Gate) -> None:
        """Keep a ranking in memory, as the one that was last asked for."""
        key = (ranking_id, standing.erasures)
        self._kept[key] = (desk, gate)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def catch_up(self, desk: LiveDesk, gate: Gate, turn: LeaseTurn, now: datetime) -> None:
        """Take in what the ledger holds by now. Leases are read first: what one ended in is among the events read after it."""
        desk.take_leases(turn.changed_after(desk.revision))
        while self.take_page(desk, turn):
            pass
        self.place_changed(desk, gate, now)

    def take_page(self, desk: LiveDesk, turn: LeaseTurn) -> bool:
        """Take in the next events; tell whether there may be more."""
        page = turn.events_after(desk.sequence, _PAGE)
        desk.take_events(page)
        return len(page) == _PAGE

    def _rules_of(self, day: date, versions: tuple[int, int]) -> RuleTable:
        """Return what binds on a day; versions are only added and approved, so that their numbers say whether any changed."""
        known = self._rules.get((day, versions))
        if known is None:
            known = self._rule_tables.in_force(day).rules
            self._rules = {(day, versions): known}
        return known

    def _day_of(self, ranking_id: str) -> tuple[date, ZoneInfo]:
        """Return the day that a ranking is for and the desk's zone, by headers: the accounts of another day need not be read."""
        record = self._recorded.finished(ranking_id)
        require_workable(record)
        zone = ZoneInfo(self._ledger.portfolios.get(record.portfolio_id).time_zone)
        return RankingFacts.from_record(record.record).inputs.as_of_date, zone

    def _opened(self, ranking_id: str) -> LiveDesk:
        opened = self._recorded.open(ranking_id)
        inputs, entries = opened.inputs, opened.entries
        if not np.array_equal(entries.account_id, inputs.portfolio.column("account_id")):
            told = "holds other accounts than its portfolio."
            raise refuse(Reason.INTEGRITY_FAILURE, "ranking_id", told, "Verify the ranking.")
        derived = opened.facts.derived_from
        if derived is None or not derived.remains_of:
            header = self._ledger.portfolios.get(opened.record.portfolio_id)
            come = Came(datetime.fromisoformat(header.created_at), known_through(inputs))
            return LiveDesk(opened.record, opened.plan, inputs.portfolio, inputs.key_no, entries, come)
        # What remains of a day goes on from the rows that the day began with, and all its events.
        header = self._ledger.portfolios.get(derived.base_portfolio_id)
        base = self._sealed.portfolio(header.object_digest)
        rows = np.flatnonzero(np.isin(base.portfolio.column("account_id"), entries.account_id))
        if rows.size != entries.account_id.size:
            raise refuse(Reason.INTEGRITY_FAILURE, "ranking_id", "holds accounts that its day lacks.", "Verify the ranking.")
        come = Came(datetime.fromisoformat(header.created_at), known_through(base), derived.through_sequence)
        return LiveDesk(opened.record, opened.plan, base.portfolio.take(rows), base.key_no[rows], entries, come)

    def place_changed(self, desk: LiveDesk, gate: Gate, now: datetime) -> None:
        """Find the place of accounts that events changed, at the ranking's prices; a raw order has none, and keeps its places."""
        if not desk.dirty:
            return
        rows = sorted(desk.dirty)
        desk.dirty.clear()
        if RankingFacts.from_record(desk.record.record).answer.ordering is not Ordering.EXPECTED_VALUE:
            return
        try:
            placed = self._placer.place_admitted(desk.record.ranking_id, gate.live(rows, now).portfolio)
        except CollectionsError:
            for row in rows:  # what cannot be valued any more is not worked by an old value
                desk.put(row, Place(NOT_WORKED, 0, 0, 0, 0))
            return
        problem, queues = placed.valued.problem, placed.placements.queue
        for at, row in enumerate(rows):
            queue = int(queues[at])
            if placed.unchanged[at]:
                desk.put(row, None)
            elif queue == UNASSIGNED:
                desk.put(row, Place(NOT_WORKED, 0, 0, 0, 0))
            else:
                value, seconds = int(problem.value[at, queue]), int(problem.seconds[at, queue])
                surplus = int(placed.placements.margin[at, queue]) // PRICE_SCALE
                desk.put(row, Place(queue, int(placed.position[at]), value, seconds, surplus, moved=True))


def _require_today(ranking_id: str, day: date, zone: ZoneInfo, now: datetime) -> None:
    today = now.astimezone(zone).date()
    if today != day:
        told = f"{ranking_id} is for {day}, and the desk's day is {today}."
        raise refuse(Reason.RANKING_NOT_IN_FORCE, "ranking_id", told, "Make a ranking of today.")
